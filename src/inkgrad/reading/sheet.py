"""A sheet of paper that lies on a table: where its corners are, and whether anything is written beside it."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.form import quantile
from inkgrad.reading.edges import DIM, Corners, Floats, contrast_along, light_edges, narrowed, outline, quads_of

__all__ = ["find_sheet", "marks_beside", "polygon"]

_SMALL = 320  # pixels on the longest side on which the sheet is looked for
_LEAST = 200  # pixels on the shorter side of a picture in which a sheet may lie
_STEP = 0.12  # contrast, as a logarithm, of a sheet to what it lies on
_EDGED = 0.6  # of a side on which the sheet ends with that contrast
_DARK = 0.8  # contrast from which on a single edge or two may be a sheet's: no shadow on it is so dark
_RIM = 1.5  # pixels along a sheet's edge that are not looked at: a trace of the table there is no ink
_FULLEST = 0.4  # contrast beyond which more is no better

_MARKED = 800  # pixels on the longest side on which marks are counted
_STROKE = 11  # pixels, of that picture, wider than which no stroke is
_EDGE = 8  # pixels around the sheet's edge that are no mark
_BESIDE = (0.02, 12)  # share of all marks, and pixels, that must lie beside a sheet to be looked at

Mask = NDArray[np.bool_]


def find_sheet(gray: Images) -> Corners | None:
    """Find the corners of a light sheet that stands out from a darker table.

    Four straight edges, each with light inside and dark outside whatever shadows fall across them. A side may lie
    outside the picture.

    Args:
        gray: uint8 (h, w).

    Returns:
        (4, 2): x and y of its corners, clockwise from the upper left one; None if no sheet stands out.

    >>> picture = np.full((200, 300), 60, np.uint8)
    >>> picture[30:170, 50:250] = 220
    >>> find_sheet(picture).round(-1)[[0, 2]]
    array([[ 50.,  30.],
           [250., 170.]])
    >>> find_sheet(picture[40:160, 60:240]) is None
    True
    """
    import cv2

    if min(gray.shape) < _LEAST:
        return None
    small = _reduced(gray, _SMALL)
    size = small.shape[::-1]
    # What is written on the sheet must not tear it.
    small = np.asarray(cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), np.uint8)
    small = np.asarray(cv2.medianBlur(small, 5), np.uint8)
    light = np.log(small.astype(np.float32) + np.float32(DIM))
    quads = quads_of(light_edges(small), small.shape)
    level = 255.0
    for _ in range(2):  # under a shadow, what is left of a sheet's light may still be more than the table's
        level, _ = cv2.threshold(small[small <= level].reshape(-1, 1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        found = outline(small > level)
        quads = quads if found is None else np.concatenate([quads, found[None]])
    best = _best(light, quads)
    return None if best is None else _clockwise(best * (np.array(gray.shape[::-1]) / size))


def marks_beside(gray: Images, corners: Corners) -> bool:
    """Whether beside a sheet there are marks that stand out as those on it do: it may be a label on a larger page.

    Args:
        gray: uint8 (h, w).
        corners: of the sheet.

    >>> page = np.full((400, 400), 120, np.uint8)
    >>> page[50:200, 100:350] = 240
    >>> sheet = find_sheet(page)
    >>> page[300:340, 200:203] = 30
    >>> marks_beside(page, sheet), marks_beside(page[:280], sheet)
    (True, False)
    """
    import cv2

    small = _reduced(gray, _MARKED)
    inside = polygon(corners * (np.array(small.shape[::-1]) / gray.shape[::-1]), small.shape).astype(np.uint8)
    around = np.ones((2 * _EDGE + 1, 2 * _EDGE + 1), np.uint8)
    within = np.asarray(cv2.erode(inside, around), np.bool_)
    beside = ~np.asarray(cv2.dilate(inside, around), np.bool_)
    kernel = np.ones((_STROKE, _STROKE), np.uint8)
    dark = np.asarray(cv2.morphologyEx(small, cv2.MORPH_BLACKHAT, kernel), np.uint8)
    bright = np.asarray(cv2.morphologyEx(small, cv2.MORPH_TOPHAT, kernel), np.uint8)
    marks = np.maximum(dark, bright)
    written = marks[within]
    strong = quantile(written, 1 - min(60 / written.size, 0.5)) if written.size else 0.0
    seen = marks > max(0.4 * strong, 20.0)
    outside, on_it = np.count_nonzero(seen & beside), np.count_nonzero(seen & within)
    return bool(outside > _BESIDE[1] and outside > _BESIDE[0] * (outside + on_it))


def polygon(corners: Corners, shape: tuple[int, ...]) -> Mask:
    """bool (h, w): the pixels in a polygon (n, 2)."""
    import cv2

    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(corners * 16 - 8).astype(np.int32)], 1, shift=4)
    return mask.astype(np.bool_)


def _reduced(gray: Images, longest: int) -> Images:
    import cv2

    scale = min(1.0, longest / max(gray.shape))
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def _best(light: Floats, quads: NDArray[np.float64]) -> Corners | None:
    """The one that has most edge, if it ends sharply wherever the picture goes on.

    A page whose light falls off towards the corners has a light middle without edges. Where only one or two sides are
    seen, they may be the edges of a shadow, unless it is very dark beyond.
    """
    if not len(quads):
        return None
    contrast, seen = contrast_along(light, quads)
    length = np.linalg.norm(np.roll(quads, -1, axis=1) - quads, axis=2)
    worth = (np.where(seen, np.clip(contrast, -_FULLEST, _FULLEST) - _STEP, 0).mean(axis=2) * length).sum(axis=1)
    free = seen.mean(axis=2) >= 0.5
    edged = (seen & (contrast > _STEP)).sum(axis=2) >= _EDGED * seen.sum(axis=2)
    darkest = np.where(free, np.median(np.where(seen, contrast, 0), axis=2), 0).max(axis=1)
    sides = free.sum(axis=1)
    stands_out = (edged | ~free).all(axis=1) & ((sides > 2) | ((sides > 0) & (darkest > _DARK)))
    if not stands_out.any():
        return None
    best = int(np.argmax(np.where(stands_out, worth, -np.inf)))
    return narrowed(quads[best], np.where(free[best], _RIM, 0.0))


def _clockwise(corners: Corners) -> Corners:
    """In order around the middle, the one that is most to the upper left first."""
    middle = corners.mean(axis=0)
    order = np.argsort(np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0]))
    corners = corners[order]
    return np.roll(corners, -int(np.argmin(corners.sum(axis=1))), axis=0)
