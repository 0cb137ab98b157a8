"""Opening pictures with Pillow, strictly: safe formats, whole files, no more pixels than are wanted."""

import contextlib
import io
import math
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from inkgrad.data.formats import KNOWN_FORMATS, is_heif, is_pdf, pillow_formats
from inkgrad.errors import ImageError, OptionError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["MOST_PIXELS", "check_limit", "check_size", "load", "megapixels", "open_file", "open_picture", "quietly"]

MOST_PIXELS = 100_000_000
_MOST_BYTES = 1 << 30  # of what cannot be read piece by piece, such as a pipe
_TILE_SIZES = (322, 323)  # tags of a TIFF: the width and the length of its tiles
_process = threading.RLock()  # warnings and Pillow's switches belong to the process: one thread at a time


def open_file(path: Path) -> BinaryIO:
    """Open a file to be read from any place in it; a pipe is read to its end, 1 GiB at most.

    Raises:
        ImageError: there is none, it is a folder, empty, or may not be read.
    """
    try:
        file: BinaryIO = path.open("rb")
    except (OSError, ValueError) as error:
        _refuse(path, error)
    try:
        if file.seekable():
            empty = not file.read(1)
            file.seek(0)
        else:
            content = file.read(_MOST_BYTES + 1)
            file.close()
            if len(content) > _MOST_BYTES:
                raise ImageError(f"{path} is a pipe with more than 1 GiB, which must fit in memory; give a file")
            empty, file = not content, io.BytesIO(content)
        if empty:
            raise ImageError(f"{path} is empty, expected an image file; save or copy it again")
    except OSError as error:
        file.close()
        _refuse(path, error)
    except ImageError:
        file.close()
        raise
    return file


def _refuse(path: Path, error: Exception) -> NoReturn:
    if isinstance(error, FileNotFoundError):
        if path.is_symlink():
            raise ImageError(f"{path} is a link to {path.readlink()}, which is not there; mend the link") from error
        raise ImageError(f"there is no image {path}; check the path") from error
    if not isinstance(error, ValueError) and path.is_dir():  # opening one is no permission on Windows
        raise ImageError(f"{path} is a folder, expected one image file; give a file in it") from error
    if isinstance(error, PermissionError):
        raise ImageError(f"there is no permission to read {path}; change that, or copy the file") from error
    raise ImageError(f"cannot read the image {path} ({error}); give a readable image file") from error


def open_picture(file: BinaryIO, name: str, *, known: str = "") -> "Image.Image":
    """Open a picture of any size; nothing is decoded.

    Args:
        file: what it is read from; must stay open as long as the image is used.
        name: what errors call it.
        known: what the caller reads besides pictures, for errors.

    Raises:
        ImageError: it is no picture of a known format, or needs a package that is not there.
    """
    from PIL import Image

    head = file.read(1024)
    file.seek(0)
    try:
        with quietly(), _any_size():
            return _open_heif(file, name) if is_heif(head) else Image.open(file, formats=pillow_formats())
    except ImageError:
        raise
    except Exception as error:  # decoders fail in any way on what is no image
        if is_pdf(head):
            raise ImageError(f"{name} is a PDF, expected an image; make an image of the page first") from error
        raise ImageError(
            f"{name} is not an image of a known format ({known}{KNOWN_FORMATS}); convert it first"
        ) from error


def _open_heif(file: BinaryIO, name: str) -> "Image.Image":
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise ImageError(
            f'{name} is a HEIC photo, which needs pillow-heif; install it with: pip install "inkgrad[heic]"'
        ) from error
    opened: Any = HeifImageFile  # itself, as registering it would change Pillow for everyone
    image: Image.Image = opened(file)
    return image


def check_limit(most_pixels: int) -> None:
    """Raise OptionError unless at least one pixel is allowed."""
    if not most_pixels >= 1:
        raise OptionError(f"the most pixels of an image must be at least 1, but are {most_pixels}")


def check_size(image: "Image.Image", name: str, most_pixels: int) -> None:
    """Raise ImageError if an image that is not yet decoded has too many pixels, or none."""
    width, height = image.size
    if not width or not height:
        raise ImageError(f"{name} has no pixels ({width}x{height}), expected at least one; give another image")
    if width * height > most_pixels:
        raise ImageError(
            f"{name} has {width}x{height} pixels, at most {megapixels(most_pixels)} are read; shrink it first"
        )
    tags = getattr(image, "tag_v2", {})
    tile = [tags.get(tag, 0) for tag in _TILE_SIZES]
    if all(isinstance(side, int) for side in tile) and math.prod(tile) > 2 * most_pixels:  # tiles may stand over
        raise ImageError(
            f"{name} has tiles of {tile[0]}x{tile[1]} pixels, at most {megapixels(most_pixels)} are read; "
            "save it without tiles"
        )


def megapixels(most_pixels: int) -> str:
    """For messages.

    >>> megapixels(MOST_PIXELS), megapixels(2_500_000)
    ('100 megapixels', '2.5 megapixels')
    """
    return f"{most_pixels / 1e6:g} megapixels"


def load(image: "Image.Image", name: str, most_pixels: int = MOST_PIXELS) -> None:
    """Decode an image, all of it.

    Raises:
        ImageError: it is too large, truncated or damaged.
    """
    check_size(image, name, most_pixels)
    try:
        with _whole_files_only():
            image.load()
    except Exception as error:  # decoders fail in any way on damaged files
        raise ImageError(f"{name} is truncated or damaged ({error}); save or copy it again") from error
    check_size(image, name, most_pixels)  # some formats say their size twice


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without warnings: odd metadata harms nothing."""
    with _process, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _any_size() -> Iterator[None]:
    """Without Pillow's own limit in pixels, as `load` has one; to be used within `quietly`."""
    from PIL import Image

    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


class _Decoding:
    """How many threads decode, and what Pillow's switch for truncated files was before the first of them."""

    threads = 0
    before = False


@contextlib.contextmanager
def _whole_files_only() -> Iterator[None]:
    """With Pillow's switch that fills the missing part of a truncated file with gray turned off."""
    from PIL import ImageFile

    with _process:
        if _Decoding.threads == 0:
            _Decoding.before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
        _Decoding.threads += 1
    try:
        yield
    finally:
        with _process:
            _Decoding.threads -= 1
            if _Decoding.threads == 0:
                ImageFile.LOAD_TRUNCATED_IMAGES = _Decoding.before
