"""Rows of ink so small that it vanishes where a large page is looked at in fewer pixels."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.form import quantile
from inkgrad.reading.contrast import ABOVE_NOISE, FAINTEST, Contrast, has_light_ink
from inkgrad.reading.lines import find_lines, without_frames
from inkgrad.reading.pieces import find_pieces
from inkgrad.reading.places import place_rows

__all__ = ["BLOCK", "SmallRow", "find_small_rows"]

BLOCK = 8
"""Pixels on a side of the blocks in which small ink is looked for."""

_STRONG = 1.4  # times as much as noise explains that some of the ink must stand out
_COMMON = (0.7, 1.5)  # of the blocks this share is no ink; ink stands out by so much more than the strongest of these
_ONE_SIDED = 0.35  # of how far ink stands out that anything stands out to the other side; in a texture both are alike
_WIDE = 4.0  # times the height of small ink: the surroundings that tell its paper
_JOIN = 0.6  # of that height, between marks that are looked at together
_LEAST = 6  # pixels that a row's highest piece is high

Mask = NDArray[np.bool_]


class SmallRow(NamedTuple):
    """A row of small ink.

    Attributes:
        corners: float64 (4, 2), in the page.
        light: whether its ink is lighter than its paper.
    """

    corners: NDArray[np.float64]
    light: bool


class _Blocks(NamedTuple):
    """A page in blocks: its paper, uint8 (rows, columns); how far ink stands out; how far noise may; who is who."""

    paper: Images
    stands_out: Images
    floor: float


def find_small_rows(gray: Images, height: float, where: Mask) -> list[SmallRow]:
    """Find rows up to a height on a large page.

    Only where something stands out from its surroundings the page is looked at in all its pixels.

    Args:
        gray: uint8 (h, w).
        height: pixels that the rows are high at most.
        where: bool (h / 8, w / 8), rounded up, the blocks of 8x8 pixels to look at.

    >>> page = np.full((1000, 1200), 220, np.uint8)
    >>> page[500:512, 700:702] = page[500:512, 706:708] = 40
    >>> row, = find_small_rows(page, 20.0, np.ones((125, 150), bool))
    >>> row.corners.tolist(), row.light
    ([[700.0, 500.0], [708.0, 500.0], [708.0, 512.0], [700.0, 512.0]], False)
    """
    import cv2

    smooth = np.asarray(cv2.GaussianBlur(gray, (3, 3), 0), np.uint8)
    blocks = _blocks(smooth, height)
    common = quantile(blocks.stands_out[where], _COMMON[0]) if where.any() else 0.0
    strong = max(_STRONG * blocks.floor, _COMMON[1] * common)
    marks = ((blocks.stands_out > strong) & where).astype(np.uint8)
    if not marks.any():
        return []
    join = np.ones((2 * round(_JOIN * height / BLOCK) + 1,) * 2, np.uint8)
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(np.asarray(cv2.dilate(marks, join), np.uint8))
    rows: list[SmallRow] = []
    for number in range(1, count):
        left, top, wide, high = (int(value) for value in stats[number, :4])
        part = slice(top, top + high), slice(left, left + wide)
        rows += _look(smooth, blocks, part, numbers[part] == number)
    return rows


def _blocks(smooth: Images, height: float) -> _Blocks:
    import cv2

    h, w = smooth.shape
    rows, columns = -(-h // BLOCK), -(-w // BLOCK)
    full = smooth
    if (h, w) != (rows * BLOCK, columns * BLOCK):
        full = np.asarray(
            cv2.copyMakeBorder(smooth, 0, rows * BLOCK - h, 0, columns * BLOCK - w, cv2.BORDER_REPLICATE), np.uint8
        )
    mean = np.asarray(cv2.resize(full, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    # Ink small enough covers less than half of its surroundings, on either side of a shadow's edge.
    around = 2 * max(2, round(_WIDE * height / BLOCK / 2)) + 1
    paper = np.asarray(cv2.medianBlur(mean, min(around, 255)), np.uint8)
    bands = full.reshape(rows, BLOCK, full.shape[1])
    low, high = (_columns(extreme(bands, axis=1), extreme) for extreme in (np.min, np.max))
    stands_out = np.maximum(cv2.subtract(paper, low), cv2.subtract(high, paper))
    # Pixels in no order, as what repeats itself would meet a regular grid.
    y, x = np.divmod(np.arange(0, smooth.size, max(1, smooth.size // 20_000) | 1), w)
    rest = np.abs(smooth[y, x].astype(np.float32) - paper[y // BLOCK, x // BLOCK])
    noise = quantile(rest, 0.5) / 0.6745  # of a normal distribution
    return _Blocks(paper, np.asarray(stands_out, np.uint8), max(FAINTEST, ABOVE_NOISE * noise))


def _columns(bands: Images, extreme: Callable[..., Images]) -> Images:
    """The least or greatest of each 8 columns of (rows, w)."""
    return np.ascontiguousarray(extreme(np.ascontiguousarray(bands.T).reshape(-1, BLOCK, len(bands)), axis=1).T)


def _look(smooth: Images, blocks: _Blocks, part: tuple[slice, slice], mine: Mask) -> list[SmallRow]:
    """The rows in some blocks of a page.

    Args:
        smooth: uint8 (h, w), the page.
        blocks: its blocks.
        part: which of them.
        mine: bool, which of these.
    """
    import cv2

    top, left = part[0].start * BLOCK, part[1].start * BLOCK
    here = smooth[top : part[0].stop * BLOCK, left : part[1].stop * BLOCK]
    size = len(mine[0]) * BLOCK, len(mine) * BLOCK
    paper = np.asarray(cv2.resize(blocks.paper[part], size), np.uint8)[: here.shape[0], : here.shape[1]]
    covered = np.asarray(cv2.resize(mine.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST), np.bool_)
    light = has_light_ink(np.ascontiguousarray(here))
    covered = covered[: here.shape[0], : here.shape[1]]
    darker, lighter = np.asarray(cv2.subtract(paper, here), np.uint8), np.asarray(cv2.subtract(here, paper), np.uint8)
    height, other = (lighter, darker) if light else (darker, lighter)
    height[~covered] = 0
    strong = height > _STRONG * blocks.floor
    if not _is_high(strong) or quantile(other[covered], 0.97) > _ONE_SIDED * float(np.median(height[strong])):
        return []
    pieces = without_frames(find_pieces(Contrast(height, blocks.floor)))
    lines, slant = find_lines(pieces)
    return [SmallRow(corners + np.array([left, top]), light) for corners in place_rows(pieces, lines, slant)]


def _is_high(ink: Mask) -> bool:
    """Whether any connected ink is as high as a digit, however faint its ends."""
    import cv2

    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    return bool((stats[1:, cv2.CC_STAT_HEIGHT] >= _LEAST).any())
