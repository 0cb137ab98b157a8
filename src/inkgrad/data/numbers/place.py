"""Where a row lies whose digits are known: what finding it on a page should give."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import ShapeError

__all__ = ["row_of_boxes"]

_NARROWEST = 0.15  # heights of a row that it is wide at least
_LARGER = 0.3  # of rows that are not found exactly, those that are found larger than they are
_MOST = 0.3  # heights, above and below, that they are
_SLOPE = 0.3  # pixels up or down for each to the right, beyond which boxes say nothing of a slope


def row_of_boxes(boxes: NDArray[np.float64], rng: np.random.Generator | None = None) -> NDArray[np.float64]:
    """The four corners of the row that digits stand in.

    Its slope is that of a line through the middles of the digits, its height reaches from their usual top to their
    usual bottom.

    Args:
        boxes: (digits, 4), left, top, width and height of each in pixels.
        rng: moves the corners a little, as one who looks for rows does not find them exactly; None does not.

    Returns:
        (4, 2), (x, y) clockwise from the upper left.

    Raises:
        ShapeError: no boxes.

    >>> row_of_boxes(np.array([[10.0, 20, 15, 30], [30, 20, 15, 30]])).tolist()
    [[10.0, 20.0], [45.0, 20.0], [45.0, 50.0], [10.0, 50.0]]
    """
    if not len(boxes):
        raise ShapeError("a row needs the box of at least one digit, but there is none")
    left, right = float(boxes[:, 0].min()), float((boxes[:, 0] + boxes[:, 2]).max())
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    slope = _slope(middles)
    down = middles[:, 1] - slope * middles[:, 0]
    top = float(np.quantile(down - boxes[:, 3] / 2, 0.25))
    bottom = float(np.quantile(down + boxes[:, 3] / 2, 0.75))
    if rng is not None:
        height = bottom - top
        grown = height * (float(np.exp(rng.normal(0.02, 0.1))) - 1)
        moved = height * float(rng.normal(0, 0.05))
        top, bottom = top - grown / 2 + moved, bottom + grown / 2 + moved
        if rng.random() < _LARGER:  # lines and boxes around it were taken for a part of it
            above, below = rng.uniform(0, _MOST, 2)
            top, bottom = top - height * above, bottom + height * below
        # A lone 1 is narrow: what is cut off must not be more than there is.
        left -= height * max(float(rng.normal(0.05, 0.1)), -0.1)
        right += height * max(float(rng.normal(0.05, 0.1)), -0.1)
        if right - left < _NARROWEST * height:
            middle = (left + right) / 2
            left, right = middle - _NARROWEST * height / 2, middle + _NARROWEST * height / 2
        slope += float(rng.normal(0, 0.015))
    return np.array(
        [
            [left, top + slope * left],
            [right, top + slope * right],
            [right, bottom + slope * right],
            [left, bottom + slope * left],
        ]
    )


def _slope(middles: NDArray[np.float64]) -> float:
    """That of the median of all pairs (Theil 1950, Sen 1968)."""
    one, other = np.triu_indices(len(middles), 1)
    across, down = (middles[other] - middles[one]).T
    kept = np.abs(across) > 1e-6
    if len(middles) < 3 or not kept.any():
        return 0.0
    slope = float(np.median(down[kept] / across[kept]))
    return slope if abs(slope) < _SLOPE else 0.0
