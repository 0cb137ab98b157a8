"""Decoding any image file to 8-bit gray or color; nothing in here knows about digits."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.opening import MOST_PIXELS, check_limit, load, megapixels, open_file, open_picture, quietly
from inkgrad.errors import ImageError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["PictureSource", "decode", "decode_image"]

PictureSource: TypeAlias = Union[str, os.PathLike[str], bytes, "Image.Image", NDArray[Any]]

_EXIF_ORIENTATION = 0x0112
_BAND = 1 << 18  # pixels
_VANISHED = 32  # gray levels of contrast below which ink on white counts as vanished


def decode(source: PictureSource, *, most_pixels: int = MOST_PIXELS) -> Images:
    """Decode a picture to 8 bits: deeper ones are scaled, not clipped, and turned as their EXIF says.

    Transparent parts become white, unless the ink is white itself and would vanish; then black. Of an
    animation or a document of several pages the first one is taken.

    Args:
        source: a path, the bytes of a file, a PIL image, or an array (h, w), (h, w, 1), (h, w, 2) gray and
            alpha, (h, w, 3) or (h, w, 4) of bool, integers (0..255, beyond that 0..65535) or floats (0..1,
            beyond that 0..255, beyond that from their minimum to their maximum).
        most_pixels: what it may have; more are refused before anything is decoded.

    Returns:
        uint8 (h, w) gray, or (h, w, 3) red, green, blue.

    Raises:
        ImageError: there is no such file, it is empty, truncated, no image or has too many pixels, or the
            array has another shape or dtype.
        OptionError: `most_pixels` is below 1.

    >>> decode(np.array([[0, 65535], [257, 0]], np.uint16))
    array([[  0, 255],
           [  1,   0]], dtype=uint8)
    """
    check_limit(most_pixels)
    if isinstance(source, np.ndarray):
        return _from_array(source, most_pixels)
    if isinstance(source, (str, os.PathLike)):
        return _from_file(open_file(Path(source)), str(Path(source)), most_pixels)
    if isinstance(source, (bytes, bytearray, memoryview)):
        name = f"the image of {len(source)} bytes"
        if not source:
            raise ImageError(f"{name} is empty, expected an image file; save or copy it again")
        return _from_file(io.BytesIO(source), name, most_pixels)
    from PIL import Image

    if isinstance(source, Image.Image):
        return decode_image(source, "the given PIL image", most_pixels)
    raise ImageError(
        f"a picture came as {type(source).__name__}; give a path, the bytes of an image file, a PIL image or an array"
    )


def _from_file(file: BinaryIO, name: str, most_pixels: int) -> Images:
    with file, open_picture(file, name) as image:
        return decode_image(image, name, most_pixels)


def decode_image(image: "Image.Image", name: str, most_pixels: int = MOST_PIXELS) -> Images:
    """The pixels of an opened image, as `decode` gives them.

    Args:
        image: of its file, the page or frame at which it stands.
        name: what errors call it.
        most_pixels: what it may have.
    """
    if image.format == "TIFF":
        _orientation(image)  # so that odd metadata is met here, where nothing is warned of, and not while decoding
    load(image, name, most_pixels)
    try:
        return _turn(_pixels(image), _orientation(image))  # a TIFF turns while it is decoded
    except Exception as error:  # a palette too short and the like
        raise ImageError(f"{name} is truncated or damaged ({error}); save or copy it again") from error


def _orientation(image: "Image.Image") -> int:
    try:
        with quietly():
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
        return _on_paper(_copy(image, "RGBA"))
    return _copy(image, "L" if mode in ("1", "L") else "RGB")


def _copy(image: "Image.Image", mode: str) -> Images:
    """The pixels in another mode, in bands that the processor's cache holds: half the time of the whole at once."""
    width, height = image.size
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    pixels = np.empty((height, width, *channels), np.uint8)
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        band = image.crop((0, top, width, min(top + rows, height))) if rows < height else image
        pixels[top : top + rows] = np.asarray(band if band.mode == mode else band.convert(mode))
    return pixels


def _from_array(array: NDArray[Any], most_pixels: int) -> Images:
    shape = array.shape
    if array.ndim not in (2, 3) or 0 in shape or (array.ndim == 3 and shape[2] > 4) or array.dtype.kind not in "biuf":
        raise ImageError(
            f"a picture as an array must be (h, w), (h, w, 3) or (h, w, 4) of numbers, but is {array.dtype} {shape}; "
            "give one picture at a time, channels last"
        )
    if shape[0] * shape[1] > most_pixels:
        raise ImageError(
            f"the given array has {shape[1]}x{shape[0]} pixels, at most {megapixels(most_pixels)} are read; "
            "shrink it first"
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
