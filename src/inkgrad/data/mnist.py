"""MNIST, from the cache, from public mirrors, or from a file or folder of the user's."""

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import SIDE, Dataset
from inkgrad.data.idx import read_idx
from inkgrad.data.pickled import read_pickle
from inkgrad.errors import DataError
from inkgrad.files import write_atomically

__all__ = ["fetch_mnist", "has_mnist", "load_mnist", "mnist_folder"]

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# The mirrors compress in different ways, so the sums are of the unpacked files.
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_NPZ_KEYS = ("x_train", "y_train", "x_test", "y_test")
_TEXTBOOK_KEYS = ("train_img", "train_label", "test_img", "test_label")

Download = Callable[[str, BinaryIO], object]


def load_mnist(source: str | os.PathLike[str] | None = None) -> tuple[Dataset, Dataset]:
    """Load MNIST's 60,000 training and 10,000 test digits, in file order.

    Args:
        source: None: the folder `mnist` under the environment variable INKGRAD_DATA if that is set, else
            under the user's cache folder, which is filled from public mirrors on first use. Otherwise a
            folder with the four IDX files, plain or gzip, or with such a folder `mnist` inside; a pickle of
            ((images, labels), (images, labels), (images, labels)) for train, validation and test, of which
            the first two are joined, with float images in 0..1, as `mnist.pkl.gz` is; a pickled dict of
            train_img, train_label, test_img and test_label; or an `.npz` of x_train, y_train, x_test and
            y_test. The files need not be MNIST itself: any number of 28x28 digits will do.

    Returns:
        (train, test).

    Raises:
        DataError: a file is missing, damaged, of another form, or cannot be downloaded.

    Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
    recognition", Proceedings of the IEEE 86 (1998).

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "mnist.npz"
    ...     x, y = np.zeros((3, 28, 28), np.uint8), np.array([5, 0, 4])
    ...     np.savez(file, x_train=x, y_train=y, x_test=x[:1], y_test=y[:1])
    ...     train, test = load_mnist(file)
    >>> train.labels, len(test)
    (array([5, 0, 4]), 1)
    """
    if source is None:
        folder = mnist_folder()
        if not os.environ.get("INKGRAD_DATA"):
            fetch_mnist(folder)
        return _from_folder(folder)
    path = Path(source)
    if path.is_dir():
        return _from_folder(path if _find(path, "train-images-idx3-ubyte") else path / "mnist", path)
    if not path.exists():
        raise DataError(f"there is no {path}, expected MNIST as a folder, .pkl, .pkl.gz or .npz; check the path")
    name = path.name.lower()
    if name.endswith(".npz"):
        return _from_npz(path)
    if name.endswith((".pkl", ".pkl.gz", ".pickle")):
        return _from_pickle(path)
    raise DataError(
        f"{path} is no form of MNIST that is known; give a folder with the four IDX files, .pkl, .pkl.gz or .npz"
    )


def mnist_folder() -> Path:
    """Where `load_mnist()` looks: `mnist` under INKGRAD_DATA, else under the user's cache folder.

    >>> mnist_folder().name
    'mnist'
    """
    if given := os.environ.get("INKGRAD_DATA"):
        return Path(given) / "mnist"
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("inkgrad")) / "mnist"


def has_mnist(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder has the four files, under whichever name; they are not opened.

    >>> has_mnist("nowhere")
    False
    """
    return all(_find(Path(folder), name) is not None for name in SHA256)


def fetch_mnist(
    folder: str | os.PathLike[str], *, mirrors: tuple[str, ...] = MIRRORS, download: Download | None = None
) -> None:
    """Download those of the four files that `folder` lacks; each is checked and then written whole.

    Args:
        folder: where the files go, as gzip or plain, as the mirror sends them; made if missing.
        mirrors: addresses to try in turn, each ending in a slash.
        download: gets (address, binary file to write to); pooch's HTTP download by default.

    Raises:
        DataError: no mirror gave a file whose unpacked content has the SHA-256 that MNIST has.
        StorageError: the folder cannot be written.

    >>> fetch_mnist("nowhere", mirrors=())
    Traceback (most recent call last):
    ...
    inkgrad.errors.DataError: cannot download train-images-idx3-ubyte.gz (no mirror given); put it and ...
    """
    folder = Path(folder)
    for name in SHA256:
        if _find(folder, name) is None:
            content = _download(name, folder, mirrors, download or _http)
            write_atomically(folder / f"{name}.gz", content)


def _download(name: str, folder: Path, mirrors: tuple[str, ...], download: Download) -> bytes:
    failures = []
    for mirror in mirrors:
        address = f"{mirror}{name}.gz"
        buffer = io.BytesIO()
        try:
            download(address, buffer)
        except Exception as error:  # a mirror can fail in any way; the next may answer
            failures.append(f"{address}: {type(error).__name__}")
            continue
        if _sum_of_unpacked(buffer.getvalue()) == SHA256[name]:
            return buffer.getvalue()
        failures.append(f"{address}: not the expected file")
    raise DataError(
        f"cannot download {name}.gz ({'; '.join(failures) or 'no mirror given'}); put it and its three siblings "
        f"into {folder} by hand, or into a folder mnist and set INKGRAD_DATA to that folder's parent"
    )


def _sum_of_unpacked(content: bytes) -> str | None:
    if not content.startswith(b"\x1f\x8b"):
        return hashlib.sha256(content).hexdigest()
    digest = hashlib.sha256()
    try:
        with gzip.open(io.BytesIO(content)) as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except (EOFError, OSError, zlib.error):
        return None
    return digest.hexdigest()


def _http(address: str, file: BinaryIO) -> None:
    import pooch

    pooch.HTTPDownloader(chunk_size=1 << 16)(address, file, None)


def _find(folder: Path, name: str) -> Path | None:
    """The file under its plain, dotted or gzip name, as different sites spell it."""
    for spelled in (name, name.replace("-idx", ".idx")):
        for ending in (".gz", ""):
            if (path := folder / (spelled + ending)).is_file():
                return path
    return None


def _from_folder(folder: Path, given: Path | None = None) -> tuple[Dataset, Dataset]:
    paths = {name: _find(folder, name) for name in SHA256}
    arrays = []
    for name, path in paths.items():
        if path is None:
            missing = (given if given and not folder.is_dir() else folder) / f"{name}.gz"
            raise DataError(f"MNIST needs the file {missing} (or without .gz), which is not there; put it there")
        arrays.append(read_idx(path))
    return (
        _dataset(str(paths["train-images-idx3-ubyte"]), "train", arrays[0], arrays[1]),
        _dataset(str(paths["t10k-images-idx3-ubyte"]), "test", arrays[2], arrays[3]),
    )


def _from_npz(path: Path) -> tuple[Dataset, Dataset]:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            held: Mapping[str, Any] = {key: file[key] for key in file.files if key in _NPZ_KEYS}
    except Exception as error:  # a damaged archive fails in any way, also for want of memory
        raise DataError(f"{path} is cut off or is no .npz of numeric arrays ({error}); get the file again") from error
    return _from_keys(path, held, _NPZ_KEYS)


def _from_pickle(path: Path) -> tuple[Dataset, Dataset]:
    held = read_pickle(path)
    if isinstance(held, dict):
        return _from_keys(path, held, _TEXTBOOK_KEYS)
    try:
        (x1, y1), (x2, y2), (x3, y3) = held
        train = np.concatenate([x1, x2]), np.concatenate([y1, y2])
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{path} must hold three pairs of images and labels (train, validation, test), but holds something else"
            "; give mnist.pkl.gz in its classic form"
        ) from error
    return _dataset(str(path), "train", *train), _dataset(str(path), "test", x3, y3)


def _from_keys(path: Path, held: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[Dataset, Dataset]:
    if missing := [key for key in keys if key not in held]:
        raise DataError(f"{path} lacks the array {missing[0]}, expected {', '.join(keys)}; give a file with all four")
    x1, y1, x2, y2 = (held[key] for key in keys)
    return _dataset(str(path), "train", x1, y1), _dataset(str(path), "test", x2, y2)


def _dataset(where: str, part: str, images: Any, labels: Any) -> Dataset:
    """The checked Dataset from flat or square images, bytes or floats in 0..1, and integer labels."""
    images, labels = np.asarray(images), np.asarray(labels)
    if images.shape[1:] not in ((SIDE, SIDE), (SIDE * SIDE,), (1, SIDE, SIDE)) or images.dtype.kind not in "iuf":
        raise DataError(
            f"the {part} images of {where} must be (n, 28, 28) or (n, 784), but are {images.dtype} {images.shape}; "
            "give digits of 28x28 pixels"
        )
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"the {part} labels of {where} must be one integer per image, but are {labels.dtype} {labels.shape}; "
            "give class numbers, not one-hot rows"
        )
    pixels = _bytes_of(where, part, images).reshape(-1, SIDE, SIDE)
    try:
        return Dataset(pixels, labels.astype(np.int64), f"mnist {part}")
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def _bytes_of(where: str, part: str, images: NDArray[Any]) -> NDArray[np.uint8]:
    if images.dtype == np.uint8:
        return np.asarray(images, np.uint8)
    top = 1.0 if images.dtype.kind == "f" else 255
    if images.size and not (images.min() >= 0 and images.max() <= top):
        raise DataError(
            f"the {part} images of {where} are {images.dtype} but reach outside 0..{top:g}; "
            "give bytes, or floats from 0 to 1"
        )
    if images.dtype.kind == "f":
        # The classic pickle holds byte / 256, others byte / 255; the right one gives whole numbers.
        sample = images[:100].astype(np.float64)
        scale = min((255, 256), key=lambda by: float(np.abs(sample * by - np.rint(sample * by)).sum()))
        images = np.minimum(np.rint(images * scale), 255)
    return np.asarray(images, np.uint8)
