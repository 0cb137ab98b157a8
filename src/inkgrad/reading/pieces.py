"""The connected pieces of ink on a page."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.form import quantile
from inkgrad.reading.contrast import Contrast
from inkgrad.reading.rules import Rules

__all__ = ["Pieces", "find_pieces"]

_LEAST = 4  # pixels on the longer side of a piece
_SHARE = 0.4  # of the strongest ink near by that ink must reach

Mask = NDArray[np.bool_]


class Pieces(NamedTuple):
    """Connected pieces of ink, the largest first.

    Attributes:
        numbers: int32 (h, w), 0 or which piece of `names` covers a pixel.
        names: int (n,), the pieces' numbers.
        boxes: float64 (n, 4), left, top, right and bottom of each.
        areas: float64 (n,), their pixels.
    """

    numbers: NDArray[np.int32]
    names: NDArray[np.int64]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.names)

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Pieces":
        """Some of them."""
        return Pieces(self.numbers, self.names[which], self.boxes[which], self.areas[which])


def find_pieces(contrast: Contrast, rules: Rules | None = None) -> Pieces:
    """Find the pieces of ink on a page.

    Args:
        contrast: how much each pixel stands out.
        rules: printed lines, which are no ink but where ink crosses them.
    """
    import cv2

    height = contrast.height
    if rules is not None and rules.any:
        height = np.where(_bare(rules, height > contrast.floor), np.uint8(0), height)
    ink, certain = _masks(height, contrast.floor)
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_32S)
    sure = np.zeros(len(stats), np.bool_)
    sure[numbers[certain]] = True
    sure[0] = False
    longest = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    names = np.flatnonzero(sure & (longest >= _LEAST) & (stats[:, cv2.CC_STAT_AREA] >= 2 * _LEAST))
    names = names[np.argsort(-stats[names, cv2.CC_STAT_AREA], kind="stable")]
    boxes = stats[names, :4].astype(np.float64)
    boxes[:, 2:] += boxes[:, :2]
    return Pieces(np.asarray(numbers, np.int32), names, boxes, stats[names, cv2.CC_STAT_AREA].astype(np.float64))


def _bare(rules: Rules, ink: Mask) -> Mask:
    """The rules, a little wider, but for where ink goes on at both sides of them."""
    import cv2

    bare = np.zeros(ink.shape, np.bool_)
    rest = (ink & ~rules.level & ~rules.upright).astype(np.uint8)
    for mask, across in ((rules.level, (7, 3)), (rules.upright, (3, 7))):
        if mask.any():
            crossed = np.asarray(cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones(across, np.uint8)), np.bool_)
            wide = np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones(across, np.uint8)[::3, ::3]), np.bool_)
            bare |= wide & ~crossed
    return bare


def _masks(height: Images, floor: float) -> tuple[NDArray[np.uint8], Mask]:
    """What is ink, and what of it is certain: it stands out as much as the strongest ink near by does."""
    import cv2

    strong = height > 1.4 * floor
    if not strong.any():
        return strong.astype(np.uint8), strong
    near = max(3, min(61, min(height.shape) // 2)) | 1
    strongest = np.asarray(cv2.dilate(height, np.ones((near, near), np.uint8)), np.uint8)
    level = quantile(height[strong].astype(np.float32), 0.95)
    # One bright spot does not hide the ink around it.
    strongest = np.minimum(strongest, np.uint8(min(255.0, level)))
    least = np.asarray(cv2.convertScaleAbs(strongest, alpha=_SHARE), np.uint8)
    ink = height > np.maximum(least, np.uint8(min(floor, 255.0)))
    return ink.astype(np.uint8), ink & strong
