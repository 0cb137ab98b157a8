"""The normal form of a row of digits: the strip that a reader of numbers sees, in training and in use alike."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.form import quantile
from inkgrad.data.light import skewness
from inkgrad.data.projective import moved, projective, warped
from inkgrad.errors import ShapeError

__all__ = ["DIGIT_HEIGHT", "MARGIN", "STRIP_HEIGHT", "Strip", "to_strip"]

STRIP_HEIGHT = 40
"""Pixels from top to bottom of a strip."""

DIGIT_HEIGHT = 28
"""Pixels of the row itself, in the middle of the strip."""

MARGIN = (STRIP_HEIGHT - DIGIT_HEIGHT) // 2
"""Pixels of the page around the row that a strip shows on each side."""

_LONGEST = 4_000  # pixels of a strip: longer rows are squeezed
_FAINTEST = 10.0  # gray levels between paper and ink, of 255: what stands out less is not made white
_DARKEST = 40.0  # gray level of paper below which its own darkness says nothing of the light on it
_THICKEST = 15  # pixels of a strip: what is wider than this is no stroke

Floats = NDArray[np.float32]


class Strip(NamedTuple):
    """A row of digits in normal form.

    Attributes:
        pixels: uint8 (40, w), 0 paper to 255 full ink; the row lies between y = 6 and y = 34.
        matrix: float64 (3, 3), takes (x, y, 1) in the strip to homogeneous coordinates in the page. Both count from
            the outer corner of the upper left pixel, whose middle is (0.5, 0.5).
    """

    pixels: Images
    matrix: NDArray[np.float64]


def to_strip(
    gray: Images, place: NDArray[np.floating] | NDArray[np.integer], *, light_ink: bool | None = None
) -> Strip:
    """Cut a row of digits out of a page and bring it to normal form.

    The row becomes horizontal and 28 pixels high, with 6 pixels of the page on each side. The paper's level, which may
    change along the row, becomes 0 and that of full ink 255; what lies outside the page is paper.

    Args:
        gray: uint8 (h, w), the page.
        place: of the row: its box (left, top, width, height), or its four corners (4, 2) as (x, y), clockwise from
            the row's own upper left. They may lie in part outside the page.
        light_ink: whether ink is lighter than paper; None to tell by the row itself.

    Raises:
        ShapeError: `gray` or `place` has another shape or dtype, or the place has no area.

    >>> page = np.full((100, 200), 220, np.uint8)
    >>> page[30:70, 50:54] = page[30:70, 90:94] = 60
    >>> strip = to_strip(page, np.array([40, 30, 70, 40]))
    >>> strip.pixels.shape, int(strip.pixels[20, 14]), int(strip.pixels[20, 30])
    ((40, 61), 255, 0)
    >>> (strip.matrix @ [6, 6, 1]).round(3)  # where the row begins
    array([40., 30.,  1.])
    """
    corners = _corners(gray, place)
    width = _width(corners)
    around = np.array([[0, 0], [width, 0], [width, DIGIT_HEIGHT], [0, DIGIT_HEIGHT]], np.float64) + MARGIN
    matrix = projective(around, corners)
    row, inside = _cut(gray, matrix, width + 2 * MARGIN)
    if light_ink is None:
        light_ink = skewness(row, STRIP_HEIGHT / 3, inside) > 0
    return Strip(_normalized(255 - row if light_ink else row, inside), matrix)


def _corners(gray: Images, place: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.float64]:
    if gray.ndim != 2 or gray.dtype != np.uint8 or 0 in gray.shape:
        raise ShapeError(
            f"a page must be uint8 (h, w) and not empty, but is {gray.dtype} {gray.shape}; make it gray first"
        )
    corners = np.asarray(place, np.float64)
    if corners.shape == (4,):
        left, top, width, height = corners
        right, bottom = left + width, top + height
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    if corners.shape != (4, 2) or not np.isfinite(corners).all():
        raise ShapeError(
            f"the place of a row must be (left, top, width, height) or four corners (4, 2), but is {corners.tolist()}; "
            "give one row at a time"
        )
    sides = np.roll(corners, -1, axis=0) - corners
    turns = sides[:, 0] * np.roll(sides[:, 1], -1) - sides[:, 1] * np.roll(sides[:, 0], -1)
    if (turns <= 1e-6).any():
        raise ShapeError(
            f"the corners of a row must go around it clockwise, but are {corners.tolist()}; begin at the upper left"
        )
    return corners


def _width(corners: NDArray[np.float64]) -> int:
    top, right, bottom, left = _sides(corners)
    return min(max(1, round(DIGIT_HEIGHT * (top + bottom) / (left + right))), _LONGEST)


def _sides(corners: NDArray[np.float64]) -> list[float]:
    """The lengths of top, right, bottom and left."""
    return [float(side) for side in np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)]


def _cut(gray: Images, matrix: NDArray[np.float64], width: int) -> tuple[Floats, NDArray[np.bool_]]:
    """The gray levels of a strip, float32, and which of its pixels lie on the page."""
    import cv2

    frame = np.array([[0, 0], [width, 0], [width, STRIP_HEIGHT], [0, STRIP_HEIGHT]], np.float64)
    ends = moved(frame, matrix)
    h, w = gray.shape
    left, top = np.clip(np.floor(ends.min(axis=0)) - 2, 0, (w - 1, h - 1)).astype(int)
    right, bottom = np.clip(np.ceil(ends.max(axis=0)) + 2, (left + 1, top + 1), (w, h)).astype(int)
    part = np.ascontiguousarray(gray[top:bottom, left:right])
    sides = _sides(ends)
    long, tall = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    # A warp looks at four neighbors only: what is to become much smaller is averaged first.
    fewer = min(tall / STRIP_HEIGHT, long / width)
    small = part
    if fewer > 1.3:
        size = max(1, round(part.shape[1] / fewer)), max(1, round(part.shape[0] / fewer))
        small = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.array([small.shape[1] / part.shape[1], small.shape[0] / part.shape[0]])
    to_small = np.diag([*scale, 1.0]) @ np.array([[1.0, 0, -left], [0, 1, -top], [0, 0, 1]]) @ matrix
    row = warped(small, to_small, (width, STRIP_HEIGHT), smooth=fewer < 0.7)
    if (ends >= 0).all() and (ends <= gray.shape[::-1]).all():
        return row.astype(np.float32), np.ones(row.shape, np.bool_)
    return row.astype(np.float32), _inside(matrix, width, gray.shape)


def _inside(matrix: NDArray[np.float64], width: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    y, x = np.mgrid[:STRIP_HEIGHT, :width] + 0.5
    places = moved(np.stack([x, y], axis=-1), matrix)
    return np.asarray(((places >= 0) & (places <= shape[::-1])).all(axis=-1))


def _normalized(row: Floats, inside: NDArray[np.bool_]) -> Images:
    """Dark ink on paper, gray levels -> uint8, 0 paper to 255 full ink."""
    import cv2

    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_THICKEST, _THICKEST))
    # The closing follows the edges of shadows and of printed fields, but lies on the tops of noise and patterns.
    tops = np.asarray(cv2.morphologyEx(row, cv2.MORPH_CLOSE, kernel), np.float32)
    contrast = tops - row
    bare = (contrast <= _between(contrast[inside])) & inside
    # Ink's soft rim is no paper.
    bare &= np.asarray(cv2.erode(bare.astype(np.uint8), np.ones((3, 3), np.uint8)), np.bool_)
    paper = tops - _mean_around(tops - row, bare)
    contrast = np.where(inside, (paper - row) / np.maximum(paper, _DARKEST), 0)
    inked = contrast[contrast > 0.5 * _between(contrast[inside & ~bare]) + 1e-6]
    full = quantile(inked, 0.7) if inked.size else 1.0
    spread = quantile(np.abs(contrast[bare]), 0.68) if bare.any() else 0.0
    full = max(full, _FAINTEST / 255, 2.5 * spread)
    strip: Images = np.clip(np.rint(contrast * (255 / full)), 0, 255).astype(np.uint8)
    return strip


def _between(values: Floats) -> float:
    """The level that best parts faint from strong (Otsu 1979)."""
    import cv2

    most = float(values.max(initial=0))
    if most <= 0:
        return 0.0
    level, _ = cv2.threshold(
        np.clip(values * (255 / most), 0, 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU
    )
    return float(level) * most / 255


def _mean_around(row: Floats, bare: NDArray[np.bool_]) -> Floats:
    """The mean of the bare paper around each pixel; far from any, of all there is."""
    import cv2

    everywhere = float(row[bare].mean()) if bare.any() else 0.0
    wide = (2 * STRIP_HEIGHT + 1, 2 * STRIP_HEIGHT + 1)
    share = np.asarray(cv2.GaussianBlur(bare.astype(np.float32), wide, STRIP_HEIGHT / 3), np.float32)
    total = np.asarray(cv2.GaussianBlur(np.where(bare, row, 0).astype(np.float32), wide, STRIP_HEIGHT / 3), np.float32)
    return (total + np.float32(0.01 * everywhere)) / (share + np.float32(0.01))
