"""How far ink stands out from the paper of a page, whatever the light and whichever of both is darker."""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.form import quantile
from inkgrad.data.light import paper_and_shadows, skewness

__all__ = ["ABOVE_NOISE", "FAINTEST", "Contrast", "contrast_of", "has_light_ink"]

FAINTEST = 11.0
"""Gray levels that ink must stand out by."""

ABOVE_NOISE = 4.0
"""Standard deviations of the paper's own variation that ink must stand out by."""

_PATTERN = 31  # pixels over which a printed pattern repeats itself
_ABOVE_PATTERN = 2.2  # times as much as a printed pattern stands out from its mean
_CROP = 200  # pixels: a picture with a shorter side is a crop of a row or a digit
_SHARES = (0.05, 0.3, 0.45)  # of the pixels, which are paper: their heights tell its noise
_CELL = 128  # pixels: noise differs from place to place, as where paper is so light that it is cut off at white
_SAMPLED = 24  # pixels of a cell each way that are looked at
_NOISIER = 2.0  # times as much noise a place may have; what varies more there is ink
_REACHES = ((640, 0.006), (320, 0.025), (160, 0.1))  # pixels on the longer side, and the share of the shorter one that
# strokes may be wide which polarity is judged by

Mask = NDArray[np.bool_]
Levels: TypeAlias = NDArray[np.float32]


class Contrast(NamedTuple):
    """How much each pixel stands out from its paper.

    Attributes:
        height: uint8 (h, w), gray levels towards ink.
        floor: the least height that noise does not explain.
    """

    height: Images
    floor: float


def has_light_ink(gray: Images) -> bool:
    """Whether the ink of a page, uint8 (h, w), is lighter than its paper.

    >>> page = np.full((100, 80), 40, np.uint8)
    >>> page[40:60, 40:42] = 220
    >>> has_light_ink(page), has_light_ink(255 - page)
    (True, False)
    """
    import cv2

    skewed: dict[tuple[tuple[int, int], float], float] = {}
    for side, share in _REACHES:
        scale = min(1.0, side / max(gray.shape))
        size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
        reach = max(min(size) * share, 2.0)
        if (size, reach) not in skewed:  # in a small picture, two of them are the same
            gray = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
            skewed[size, reach] = skewness(gray, reach)
    # Of fine strokes and thick ones, those count that stand out most: light that changes is skewed less than ink.
    return max(skewed.values(), key=abs) > 0


def contrast_of(lit: Images) -> Contrast:
    """The contrast of dark ink on a page, uint8 (h, w), to what the paper under it must look like."""
    import cv2

    smooth = np.asarray(cv2.GaussianBlur(lit, (3, 3), 0), np.uint8)
    paper = np.clip(paper_and_shadows(smooth), 0, 255).astype(np.uint8)
    height = np.asarray(cv2.subtract(paper, smooth), np.uint8)
    # Pixels in no order: what repeats itself would meet a regular grid.
    sample = height.ravel()[:: max(1, height.size // 20_000) | 1].astype(np.float32)
    low, middle, level = (quantile(sample, share) for share in _SHARES)
    noise = float(_noise(*np.array([low, middle, level], np.float32)))
    if min(lit.shape) >= _CROP:
        height = _evened(height, level, noise)
    height = np.asarray(cv2.subtract(height, np.full_like(height, round(level))), np.uint8)
    floor = ABOVE_NOISE * noise
    if min(lit.shape) < _CROP:  # so much of a crop is ink that it can be told from a pattern by itself
        floor = min(floor, _parted(sample - level))
    else:  # a fifth of a page is no ink, but a printed pattern may cover as much
        around = np.asarray(cv2.blur(height, (_PATTERN, _PATTERN)), np.uint8)
        detail = np.asarray(cv2.subtract(height, around), np.uint8).ravel()[:: max(1, height.size // 20_000) | 1]
        floor = max(floor, _ABOVE_PATTERN * quantile(detail.astype(np.float32), 0.8))
    return Contrast(height, max(FAINTEST, floor))


def _noise(low: Levels, middle: Levels, level: Levels) -> Levels:
    """The standard deviation of a normal distribution by its values at 5, 30 and 45 %, the larger of two estimates."""
    return np.asarray(np.maximum((middle - low) / 1.12, (level - middle) / 0.4), np.float32)


def _evened(height: Images, level: float, noise: float) -> Images:
    """Heights with the paper's level and noise, where these are larger than on most of the page, brought down to it."""
    import cv2

    (down, across), side = (max(1, length // _CELL) for length in height.shape), _SAMPLED
    rows, columns = (
        np.linspace(0, length, count * side, endpoint=False).astype(int)
        for length, count in zip(height.shape, (down, across), strict=True)
    )
    cells = height[np.ix_(rows, columns)].reshape(down, side, across, side).swapaxes(1, 2).reshape(down, across, -1)
    places = [int(share * cells.shape[-1]) for share in _SHARES]
    low, middle, levels = np.moveaxis(np.partition(cells, places, axis=-1)[..., places].astype(np.float32), -1, 0)
    # Ink that fills a cell is told from noise by its neighbors, and by how much it varies.
    noises = cv2.medianBlur(np.pad(_noise(low, middle, levels), 1, "edge"), 3)[1:-1, 1:-1]
    least = max(noise, FAINTEST / ABOVE_NOISE)
    if noises.max() <= least:
        return height
    levels = cv2.medianBlur(np.pad(levels, 1, "edge"), 3)[1:-1, 1:-1]
    scale = _spread(least / np.clip(noises, least, _NOISIER * least), height.shape)
    offset = _spread(np.clip(levels, level, level + _NOISIER * least), height.shape)
    evened: Images = np.clip(np.rint((height - offset) * scale + np.float32(level)), 0, 255).astype(np.uint8)
    return evened


def _spread(cells: NDArray[np.number], shape: tuple[int, ...]) -> Levels:
    """Values of cells for each pixel, without steps between the cells."""
    import cv2

    smooth = cv2.resize(np.asarray(cells, np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(smooth, np.float32)


def _parted(heights: NDArray[np.float32]) -> float:
    """The level between paper and ink where there is so much ink that two kinds of pixels are seen (Otsu 1979)."""
    import cv2

    level, _ = cv2.threshold(np.clip(heights, 0, 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    faint, strong = heights[heights <= level], heights[heights > level]
    if len(strong) < 0.03 * len(heights) or float(strong.mean() - faint.mean()) < 2.5 * float(faint.std()):
        return np.inf
    return 0.85 * float(level)
