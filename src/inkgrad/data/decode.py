"""Decoding any image file to 8-bit gray or color; nothing in here knows about digits."""

import functools
import io
import os
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.errors import ImageError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["PictureSource", "decode"]

PictureSource: TypeAlias = Union[str, os.PathLike[str], bytes, "Image.Image", NDArray[Any]]

_MOST_PIXELS = 100_000_000
_EXIF_ORIENTATION = 0x0112
_VANISHED = 32  # gray levels of contrast below which ink on white counts as vanished
_opening = threading.Lock()  # `catch_warnings` changes the process, so one thread at a time


def decode(source: PictureSource) -> Images:
    """Decode a picture to 8 bits: deeper ones are scaled, not clipped, and turned as their EXIF says.

    Transparent parts become white, unless the ink is white itself and would vanish; then black. Of an
    animation or a document of several pages the first one is taken.

    Args:
        source: a path, the bytes of a file, a PIL image, or an array (h, w), (h, w, 1), (h, w, 2) gray and
            alpha, (h, w, 3) or (h, w, 4) of bool, integers (0..255, beyond that 0..65535) or floats (0..1,
            beyond that 0..255, beyond that from their minimum to their maximum).

    Returns:
        uint8 (h, w) gray, or (h, w, 3) red, green, blue.

    Raises:
        ImageError: there is no such file, it is empty, truncated, no image or over 100 megapixels, or the
            array has another shape or dtype.

    >>> decode(np.array([[0, 65535], [257, 0]], np.uint16))
    array([[  0, 255],
           [  1,   0]], dtype=uint8)
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, (str, os.PathLike)):
        return _from_bytes(_read(Path(source)), str(Path(source)))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(source), f"the image of {len(source)} bytes")
    from PIL import Image

    if isinstance(source, Image.Image):
        return _from_image(source, "the given PIL image")
    raise ImageError(
        f"a picture came as {type(source).__name__}; give a path, the bytes of an image file, a PIL image or an array"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ImageError(f"there is no image {path}; check the path") from error
    except IsADirectoryError as error:
        raise ImageError(f"{path} is a folder, expected one image file; give a file in it") from error
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot read the image {path} ({error}); give a readable image file") from error


# Formats of pictures that Pillow reads by itself: others, such as EPS, would start programs on files from strangers.
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "DIB", "GIF", "PPM", "ICO", "TGA", "PCX")
OPTIONAL_FORMATS = {"webp": "WEBP", "jpg_2000": "JPEG2000", "avif": "AVIF"}  # where Pillow was built with them


@functools.cache
def _formats() -> tuple[str, ...]:
    from PIL import features

    return (*FORMATS, *(name for feature, name in OPTIONAL_FORMATS.items() if feature in features.get_supported()))


def _from_bytes(content: bytes, name: str) -> Images:
    from PIL import Image

    if not content:
        raise ImageError(f"{name} is empty, expected an image file; save or copy it again")
    try:
        with _opening, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the size is checked below, and odd metadata harms nothing
            image = Image.open(io.BytesIO(content), formats=_formats())
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} is too large ({error}), at most 100 megapixels are read; shrink it first") from error
    except Exception as error:  # decoders fail in any way on what is no image
        raise ImageError(
            f"{name} is not an image of a known format (PNG, JPEG, TIFF, BMP, GIF, WebP and the like); convert it first"
        ) from error
    with image:
        return _from_image(image, name)


def _from_image(image: "Image.Image", name: str) -> Images:
    width, height = image.size
    if width * height > _MOST_PIXELS:
        raise ImageError(f"{name} has {width}x{height} pixels, at most 100 megapixels are read; shrink it first")
    if not width or not height:
        raise ImageError(f"{name} has no pixels ({width}x{height}), expected at least one; give another image")
    orientation = _orientation(image)
    try:
        image.load()
        return _turn(_pixels(image), orientation)
    except ImageError:
        raise
    except Exception as error:  # decoders fail in any way on damaged files
        raise ImageError(f"{name} is truncated or damaged ({error}); save or copy it again") from error


def _orientation(image: "Image.Image") -> int:
    try:
        with _opening, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # broken metadata is no reason to refuse the picture
        return 1
    return value if isinstance(value, int) else 1


def _turn(pixels: Images, orientation: int) -> Images:
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _pixels(image: "Image.Image") -> Images:
    mode = image.mode
    if mode == "F" or mode.startswith("I"):
        return _to_bytes(np.asarray(image))
    if "A" in mode or "a" in mode or "transparency" in image.info:
        return _on_paper(np.asarray(image.convert("RGBA")))
    if mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    return np.asarray(image.convert("RGB"))


def _from_array(array: NDArray[Any]) -> Images:
    shape = array.shape
    if array.ndim not in (2, 3) or 0 in shape or (array.ndim == 3 and shape[2] > 4) or array.dtype.kind not in "biuf":
        raise ImageError(
            f"a picture as an array must be (h, w), (h, w, 3) or (h, w, 4) of numbers, but is {array.dtype} {shape}; "
            "give one picture at a time, channels last"
        )
    if shape[0] * shape[1] > _MOST_PIXELS:
        raise ImageError(
            f"the given array has {shape[1]}x{shape[0]} pixels, at most 100 megapixels are read; shrink it first"
        )
    pixels = _to_bytes(array)
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    if pixels.shape[2] == 2:
        pixels = pixels[:, :, [0, 0, 0, 1]]
    return _on_paper(pixels)


def _to_bytes(values: NDArray[Any]) -> Images:
    """Scale by what the type and the range say that white is."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    numbers = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(numbers.min()), float(numbers.max())
    whites = (1.0, 255.0) if values.dtype.kind == "f" else (255.0, 4095.0, 65535.0)
    if values.dtype.itemsize == 2 and values.dtype.kind == "u":
        whites = (4095.0, 65535.0)  # 12 or 16 bits, as scanners write
    for white in whites:
        if low >= 0 and high <= white:
            return np.rint(numbers * (255 / white)).astype(np.uint8)
    return np.rint((numbers - low) * (255 / (high - low))).astype(np.uint8)


def _on_paper(pixels: Images) -> Images:
    """Lay red, green, blue and alpha onto white, or onto black where only that shows the ink."""
    color, alpha = pixels[:, :, :3].astype(np.float32), pixels[:, :, 3:].astype(np.float32) / 255
    on_black = color * alpha
    on_white = on_black + 255 * (1 - alpha)
    if np.ptp(on_white) < _VANISHED and np.ptp(on_black) > np.ptp(on_white):
        return np.rint(on_black).astype(np.uint8)
    return np.rint(on_white).astype(np.uint8)
