"""Rendering a page of a PDF, at the resolution that suits it."""

import math
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from inkgrad.data.dataset import Images
from inkgrad.data.opening import megapixels
from inkgrad.errors import ImageError

__all__ = ["render"]

_DPI = 200.0
_LOWEST_DPI = 72.0  # that a large page may come down to
_POINTS = 72.0  # per inch
_MOST_OBJECTS = 10_000  # that are looked at on a page
_TEXT, _IMAGE, _FORM = 1, 3, 5  # objects of PDFium
_INVISIBLE = 3  # mode of text, as text recognition lays it over scans


def render(page: Any, name: str, dpi: float | None, most_pixels: int) -> Images:
    """Render a page.

    Args:
        page: of pypdfium2.
        name: what errors call it.
        dpi: None for that of the images on a page that shows nothing else; on others 200, or that of the images
            that cover it if it is higher; in each case less, but not below 72, if the page is too large for it.
        most_pixels: what the page and each image on it may have.

    Returns:
        uint8 (h, w) if the page is gray, else (h, w, 3).

    Raises:
        ImageError: the page or an image on it is too large, or an image cannot be decoded and nothing else is there.
        RuntimeError: PDFium fails.
    """
    width, height = page.get_size()
    shown = _look(page, name, most_pixels)
    native = shown.finest if shown.covered >= width * height / 2 else 0.0
    wanted = native if native and not shown.drawn else max(native, _DPI / _POINTS)
    scale = min(wanted, max(_most_scale(width, height, most_pixels), _LOWEST_DPI / _POINTS))
    pixels = _draw(page, name, scale if dpi is None else dpi / _POINTS, dpi is not None, most_pixels)
    if pixels.min() == pixels.max():
        for image in shown.images:  # PDFium leaves out what it cannot decode
            _check_image(image, name)
    gray = pixels[:, :, 0]
    if all(np.array_equal(gray, pixels[:, :, channel]) for channel in (1, 2)):
        return np.ascontiguousarray(gray)
    return pixels


def _draw(page: Any, name: str, scale: float, stated: bool, most_pixels: int) -> Images:
    """Red, green, blue, uint8 (h, w, 3), with `scale` pixels per point."""
    from pypdfium2 import PdfBitmap, raw

    width, height = page.get_size()
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    if columns * rows > most_pixels:
        raise ImageError(
            f"{name} is {width / _POINTS:.3g} x {height / _POINTS:.3g} inches, at {scale * _POINTS:.3g} dots per inch "
            f"{columns}x{rows} pixels, at most {megapixels(most_pixels)} are read; make the page smaller"
            + (", or the resolution lower" if stated else "")
        )
    bitmap = PdfBitmap.new_native(columns, rows, raw.FPDFBitmap_BGR, rev_byteorder=True)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, columns, rows)
        raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, columns, rows, 0, raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER)
        return np.array(bitmap.to_numpy())
    finally:
        bitmap.close()


@dataclass
class _Shown:
    """What a page shows.

    Attributes:
        images: those of pypdfium2.
        finest: the most pixels per point of those that matter.
        covered: the area of all of them, in square points.
        drawn: whether there is anything visible besides.
    """

    images: list[Any] = field(default_factory=list)
    finest: float = 0.0
    covered: float = 0.0
    drawn: bool = False


def _look(page: Any, name: str, most_pixels: int) -> _Shown:
    from pypdfium2 import raw

    shown = _Shown(drawn=raw.FPDFPage_GetAnnotCount(page) > 0)
    width, height = page.get_size()
    for thing in islice(page.get_objects(), _MOST_OBJECTS):
        if thing.type == _IMAGE:
            columns, rows = thing.get_px_size()
            if columns * rows > most_pixels:
                raise ImageError(
                    f"{name} has an image of {columns}x{rows} pixels, at most {megapixels(most_pixels)} are read; "
                    "export it at a lower resolution"
                )
            across, down = _size_on_page(thing)
            shown.images.append(thing)
            shown.covered += across * down
            if across * down > width * height / 100:
                shown.finest = max(shown.finest, columns / across, rows / down)
        elif thing.type == _TEXT:
            shown.drawn |= raw.FPDFTextObj_GetTextRenderMode(thing) != _INVISIBLE
        elif thing.type != _FORM:  # what a form shows comes by itself
            shown.drawn = True
    return shown


def _size_on_page(image: Any) -> tuple[float, float]:
    """Width and height in points."""
    matrix, around = image.get_matrix(), image.container
    while around is not None:
        matrix, around = matrix.multiply(around.get_matrix()), around.container
    return math.hypot(matrix.a, matrix.b), math.hypot(matrix.c, matrix.d)


def _check_image(image: Any, name: str) -> None:
    """Raise ImageError if nothing can have been seen of an image because it is damaged."""
    from pypdfium2 import raw

    filters = image.get_filters()
    if set(filters) <= set(image.SIMPLE_FILTERS):
        about = image.get_metadata()
        row = (about.width * about.bits_per_pixel + 7) // 8
        data = bytes(image.get_data(decode_simple=True))
        readable = len(data) >= row * about.height
        readable &= not filters or data != bytes(image.get_data())  # what cannot be decoded comes as it is
    else:
        readable = bool(raw.FPDFImageObj_GetBitmap(image))
    if not readable:
        raise ImageError(f"{name} has a damaged image that cannot be shown; save or export it again")


def _most_scale(width: float, height: float, most_pixels: int) -> float:
    """The pixels per point with which a page has no more than `most_pixels`, even if both sides are rounded up.

    >>> scale = _most_scale(200, 100, 5_000)
    >>> math.ceil(200 * scale) * math.ceil(100 * scale)
    4950
    """
    around = width + height
    return (math.sqrt(around**2 + 4 * width * height * (most_pixels - 1)) - around) / (2 * width * height)
