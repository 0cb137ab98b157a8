import functools
import gzip
import hashlib
import http.server
import pickle
import struct
import threading

import numpy as np
import pytest

from inkgrad.data import fetch_mnist, load_mnist, mnist_folder
from inkgrad.data import mnist as module
from inkgrad.errors import DataError

NAMES = list(module.SHA256)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def arrays() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (8, 28, 28), dtype=np.uint8)
    images[0, 0, 0] = 255
    labels = rng.integers(0, 10, 8, dtype=np.uint8)
    return [images[:6], labels[:6], images[6:], labels[6:]]


@pytest.fixture
def folder(tmp_path, arrays):
    """Two files plain, two gzip, one of them with the dotted name."""
    made = tmp_path / "mnist"
    made.mkdir()
    (made / NAMES[0]).write_bytes(idx(arrays[0]))
    (made / f"{NAMES[1]}.gz").write_bytes(gzip.compress(idx(arrays[1])))
    (made / f"{NAMES[2]}.gz").write_bytes(gzip.compress(idx(arrays[2])))
    (made / "t10k-labels.idx1-ubyte").write_bytes(idx(arrays[3]))
    return made


def check(loaded, arrays):
    for part, images, labels in zip(loaded, arrays[::2], arrays[1::2], strict=True):
        np.testing.assert_array_equal(part.images, images)
        np.testing.assert_array_equal(part.labels, labels)
        assert part.images.dtype == np.uint8


def test_a_folder_its_parent_and_the_environment(folder, arrays, monkeypatch):
    check(load_mnist(folder), arrays)
    check(load_mnist(folder.parent), arrays)
    monkeypatch.setenv("INKGRAD_DATA", str(folder.parent))
    check(load_mnist(), arrays)


@pytest.mark.parametrize("top", [255, 256])
@pytest.mark.parametrize("name", ["mnist.pkl", "mnist.pkl.gz"])
def test_the_classic_pickle(tmp_path, arrays, name, top):
    x1, y1, x2, y2 = arrays
    x1, x2 = ((x.reshape(-1, 784) / np.float32(top)).astype(np.float32) for x in (x1, x2))
    content = pickle.dumps(((x1[:4], y1[:4].astype(int)), (x1[4:], y1[4:].astype(int)), (x2, y2.astype(int))))
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    check(load_mnist(tmp_path / name), arrays)


def test_the_textbooks_pickle_and_npz(tmp_path, arrays):
    x1, y1, x2, y2 = arrays
    held = {"train_img": x1.reshape(-1, 784), "train_label": y1, "test_img": x2.reshape(-1, 784), "test_label": y2}
    (tmp_path / "mnist.pkl").write_bytes(pickle.dumps(held, -1))
    check(load_mnist(tmp_path / "mnist.pkl"), arrays)
    np.savez(tmp_path / "mnist.npz", x_train=x1, y_train=y1, x_test=x2, y_test=y2)
    check(load_mnist(tmp_path / "mnist.npz"), arrays)


def test_npz_errors(tmp_path, arrays):
    file = tmp_path / "mnist.npz"
    np.savez(file, x_train=arrays[0], y_train=arrays[1], x_test=arrays[2])
    with pytest.raises(DataError, match="lacks the array y_test"):
        load_mnist(file)
    np.savez(file, x_train=np.array([None]), y_train=arrays[1])
    with pytest.raises(DataError, match=r"no \.npz of numeric arrays"):
        load_mnist(file)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DataError, match="cut off"):
        load_mnist(file)


def held(x=None, y=None):
    x = np.zeros((2, 784), np.float32) if x is None else x
    y = np.zeros(2, np.int64) if y is None else y
    return (x, y), (x, y), (x, y)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (held(x=np.zeros((2, 700), np.float32)), r"must be \(n, 28, 28\) or \(n, 784\)"),
        (held(x=np.full((2, 784), 7, np.float32)), r"outside 0\.\.1"),
        (held(x=np.full((2, 784), np.nan, np.float32)), r"outside 0\.\.1"),
        (held(x=np.full((2, 784), 300)), r"outside 0\.\.255"),
        (held(y=np.zeros((2, 10), np.int64)), "one integer per image"),
        (held(y=np.array([0, 11])), "label 11"),
        (held(y=np.array([0])), "4 images but 2 labels"),
        (held()[:2], "three pairs"),
        (5, "three pairs"),
        ({"train_img": np.zeros((1, 784), np.uint8)}, "lacks the array train_label"),
    ],
)
def test_pickles_of_another_form(tmp_path, content, words):
    file = tmp_path / "mnist.pkl"
    file.write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=words):
        load_mnist(file)


def test_missing_and_unknown_sources(tmp_path, folder, monkeypatch):
    with pytest.raises(DataError, match=r"there is no .*nothing"):
        load_mnist(tmp_path / "nothing")
    (tmp_path / "mnist.txt").write_text("x")
    with pytest.raises(DataError, match="no form of MNIST"):
        load_mnist(tmp_path / "mnist.txt")
    (folder / NAMES[0]).unlink()
    monkeypatch.setenv("INKGRAD_DATA", str(folder.parent))
    for source in (None, folder.parent):
        with pytest.raises(DataError, match=r"needs the file .*train-images-idx3-ubyte.gz"):
            load_mnist(source)


def test_the_cache_folder_is_filled_and_then_used(tmp_path, arrays, monkeypatch):
    monkeypatch.delenv("INKGRAD_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    assert mnist_folder() == tmp_path / "inkgrad" / "mnist"
    files = {name: idx(array) for name, array in zip(NAMES, arrays, strict=True)}
    monkeypatch.setattr(module, "SHA256", {name: hashlib.sha256(files[name]).hexdigest() for name in NAMES})
    asked = []

    def http(address, file):
        asked.append(address)
        if address.startswith(module.MIRRORS[0]):
            raise ConnectionError("unreachable")
        file.write(gzip.compress(files[address.rsplit("/", 1)[1].removesuffix(".gz")]))

    monkeypatch.setattr(module, "_http", http)
    check(load_mnist(), arrays)
    assert len(asked) == 8
    check(load_mnist(), arrays)
    assert len(asked) == 8


def test_a_wrong_or_partial_download_leaves_nothing(tmp_path):
    for content in (b"hello", gzip.compress(b"hello"), gzip.compress(b"hello")[:-3], b""):
        with pytest.raises(
            DataError, match=r"cannot download train-images.*not the expected file.*by hand.*INKGRAD_DATA"
        ):
            fetch_mnist(tmp_path / "new", download=lambda _, file, content=content: file.write(content))
    assert not (tmp_path / "new").exists()


def test_download_over_http(tmp_path, arrays, monkeypatch):
    served = tmp_path / "served"
    served.mkdir()
    files = {name: idx(array) for name, array in zip(NAMES, arrays, strict=True)}
    for name, content in files.items():
        (served / f"{name}.gz").write_bytes(gzip.compress(content))
    monkeypatch.setattr(module, "SHA256", {name: hashlib.sha256(files[name]).hexdigest() for name in NAMES})
    handler = functools.partial(Quiet, directory=str(served))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            base = f"http://127.0.0.1:{server.server_port}/"
            fetch_mnist(tmp_path / "got", mirrors=(f"{base}none/", base))
        finally:
            server.shutdown()
            thread.join()
    check(load_mnist(tmp_path / "got"), arrays)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def test_the_real_files(mnist):
    train, test = mnist
    assert (len(train), len(test)) == (60_000, 10_000)
    assert list(train.labels[:5]) == [5, 0, 4, 1, 9]
    assert list(test.labels[:3]) == [7, 2, 1]
