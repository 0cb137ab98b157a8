"""Contact sheets: many small images on one picture."""

import io
import math
import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import OptionError, ShapeError
from inkgrad.files import write_atomically

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["contact_sheet", "png_bytes", "show"]

_PAPER = (255, 255, 255)
_TEXT = (60, 60, 60)
_MARK = (200, 30, 30)
_GAP = 6
_FONT = 12


def contact_sheet(
    images: NDArray[np.uint8],
    *,
    labels: Sequence[str] | None = None,
    columns: int | None = None,
    scale: int = 2,
    marked: Collection[int] | None = None,
) -> "Image.Image":
    """Lay images out in rows, each with an optional caption below.

    Args:
        images: uint8 (n, h, w) gray, n at least 1.
        labels: n captions.
        columns: images in a row; by default so many that the sheet is somewhat wider than high.
        scale: how many pixels of the sheet a pixel of an image takes each way.
        marked: the indices of images to frame in red, misread ones for instance.

    Returns:
        The sheet, in RGB.

    Raises:
        ShapeError: `images` has another shape or dtype.
        OptionError: another number of labels, or a number of columns or a scale below 1, or a mark on an
            image that is not there.

    >>> contact_sheet(np.zeros((6, 28, 28), np.uint8), columns=3).size
    (192, 130)
    """
    from PIL import Image, ImageDraw, ImageFont

    _check(images, labels, columns, scale, marked)
    count, height, width = images.shape
    font = ImageFont.load_default(_FONT)
    captions = list(labels or [])
    cell_width = max([width * scale, *(math.ceil(font.getlength(caption)) for caption in captions)]) + _GAP
    below = _FONT + 5 if captions else 0
    cell_height = height * scale + below + _GAP
    columns = columns or min(count, max(1, round(math.sqrt(1.5 * count * cell_height / cell_width))))
    rows = math.ceil(count / columns)
    sheet = Image.new("RGB", (columns * cell_width + _GAP, rows * cell_height + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, pixels in enumerate(images):
        row, column = divmod(index, columns)
        left = _GAP + column * cell_width + (cell_width - _GAP - width * scale) // 2
        top = _GAP + row * cell_height
        tile = Image.fromarray(np.ascontiguousarray(pixels))
        sheet.paste(tile.resize((width * scale, height * scale), Image.Resampling.NEAREST), (left, top))
        strange = marked is not None and index in marked
        if strange:
            box = (left - 2, top - 2, left + width * scale + 1, top + height * scale + 1)
            draw.rectangle(box, outline=_MARK, width=2)
        if captions:
            place = (left + width * scale / 2, top + height * scale + 3)
            draw.text(place, captions[index], fill=_MARK if strange else _TEXT, font=font, anchor="ma")
    return sheet


def show(
    images: NDArray[np.uint8],
    *,
    labels: Sequence[str] | None = None,
    columns: int | None = None,
    scale: int = 2,
    marked: Collection[int] | None = None,
    path: str | os.PathLike[str] | None = None,
) -> "Image.Image":
    """Make a contact sheet and, if `path` is given, save it there as PNG; notebooks show what is returned.

    Args:
        images: uint8 (n, h, w), or a single (h, w).
        labels: see `contact_sheet`.
        columns: see `contact_sheet`.
        scale: see `contact_sheet`.
        marked: see `contact_sheet`.
        path: where the PNG goes.

    Returns:
        The sheet, in RGB.

    Raises:
        ShapeError: see `contact_sheet`.
        OptionError: see `contact_sheet`.
        StorageError: the file cannot be written.

    >>> show(np.zeros((28, 28), np.uint8), labels=["0"]).mode
    'RGB'
    """
    if isinstance(images, np.ndarray) and images.ndim == 2:
        images = images[None]
    sheet = contact_sheet(images, labels=labels, columns=columns, scale=scale, marked=marked)
    if path is not None:
        write_atomically(path, png_bytes(sheet))
    return sheet


def png_bytes(picture: "Image.Image") -> bytes:
    """A picture as a PNG file's content."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _check(
    images: Any,
    labels: Sequence[str] | None,
    columns: int | None,
    scale: int,
    marked: Collection[int] | None,
) -> None:
    if not isinstance(images, np.ndarray) or images.ndim != 3 or images.dtype != np.uint8 or 0 in images.shape:
        came = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else type(images).__name__
        raise ShapeError(
            f"the images of a contact sheet must be uint8 (n, h, w) with n at least 1, but are {came}; "
            "convert them first"
        )
    count = len(images)
    if labels is not None and len(labels) != count:
        raise OptionError(f"a contact sheet of {count} images came with {len(labels)} labels; give one label per image")
    for name, value in (("columns", columns), ("scale", scale)):
        if value is not None and value < 1:
            raise OptionError(f"{name} of a contact sheet is {value}, expected at least 1; give a larger number")
    strange = [index for index in marked or () if not 0 <= index < count]
    if strange:
        raise OptionError(
            f"image {strange[0]} is to be marked, but the sheet has images 0..{count - 1}; mark one of these"
        )
