"""Where a line of pieces lies: how it rises, and the four corners around its ink."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.reading.pieces import Pieces

__all__ = ["place_rows"]

_LOOKED_AT = 200_000  # pixels of a row at most; of a larger one every second, third, ... each way
_UPRIGHT = 0.3  # share of its slope by which a row's digits stand more upright than the row
_JITTER = 0.15  # standard deviation of digits' middles above and below the line, in heights
_LOOSE = 0.2  # standard deviation, in radians, of a slope around the angle that its line was found at
_PARALLEL = 0.025  # the same around the slope of the page's other rows
_SURE = 0.055  # standard deviation of the slope of a row that tells of the page's

Corners = NDArray[np.float64]


def place_rows(pieces: Pieces, lines: list[NDArray[np.int64]], angle: float) -> list[Corners]:
    """The corners (4, 2) of each line of pieces, clockwise from its own upper left.

    Short rows rise as the long ones of the page do, or, where there are none, along the angle that they were found by.
    """
    slopes = [_slope(pieces.boxes[members]) for members in lines]
    sure = [(slope, spread) for slope, spread in slopes if spread < _SURE]
    common = _middle(sure) if len(sure) > 1 else None
    corners = []
    for members, (slope, spread) in zip(lines, slopes, strict=True):
        known, loose = (angle, _LOOSE) if common is None or abs(common - angle) > _LOOSE else (common, _PARALLEL)
        weight = loose**2 / (loose**2 + spread**2)
        corners.append(_around(pieces, members, weight * slope + (1 - weight) * known if weight > 0.05 else known))
    return corners


def _middle(slopes: list[tuple[float, float]]) -> float:
    """The weighted median."""
    ordered = np.array(sorted(slopes))
    weights = np.cumsum(1 / ordered[:, 1])
    return float(ordered[np.searchsorted(weights, weights[-1] / 2), 0])


def _slope(boxes: NDArray[np.float64]) -> tuple[float, float]:
    """The angle of the line through the middles of a row's taller pieces, in radians, and how sure it is."""
    height = boxes[:, 3] - boxes[:, 1]
    tall = boxes[height >= 0.5 * height.max()]
    x, y = (tall[:, 0] + tall[:, 2]) / 2, (tall[:, 1] + tall[:, 3]) / 2
    across = x - x.mean()
    length = float(np.sqrt((across**2).sum()))
    if len(tall) < 2 or length < 0.1:
        return 0.0, np.inf
    slope = float((across * (y - y.mean())).sum()) / length**2
    rest = y - y.mean() - slope * across
    jitter = max(_JITTER * float(height.max()), float(np.sqrt((rest**2).sum() / max(len(tall) - 2, 1))))
    return float(np.arctan(slope)), jitter / length


def _around(pieces: Pieces, members: NDArray[np.int64], slope: float) -> Corners:
    """The four corners of the ink of some pieces, whose line rises by a slope."""
    boxes = pieces.boxes[members]
    left, top = boxes[:, :2].min(axis=0).astype(int)
    right, bottom = boxes[:, 2:].max(axis=0).astype(int)
    mine = np.zeros(int(pieces.names.max()) + 1, np.bool_)
    mine[pieces.names[members]] = True
    coarse = max(1, round(((bottom - top) * (right - left) / _LOOKED_AT) ** 0.5))
    part = pieces.numbers[top:bottom:coarse, left:right:coarse]
    y, x = np.nonzero(mine[np.minimum(part, len(mine) - 1)] & (part < len(mine)))
    x, y = x * coarse, y * coarse
    # A hand that writes uphill does not lean back as much as its line does.
    down = (1 - _UPRIGHT) * slope
    axes = np.array([[np.cos(slope), np.sin(slope)], [-np.sin(down), np.cos(down)]])
    points = np.stack([x + left + 0.5, y + top + 0.5], axis=1) @ np.linalg.inv(axes)
    (u0, v0), (u1, v1) = points.min(axis=0) - 0.5, points.max(axis=0) + 0.5
    frame = np.array([[u0, v0], [u1, v0], [u1, v1], [u0, v1]])
    return np.asarray(frame @ axes, np.float64)
