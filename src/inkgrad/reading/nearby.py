"""Which of many points lie in which of many boxes, without a look at every pair."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["points_within"]

_AT_ONCE = 1_000_000  # pairs that are looked at in one go

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def points_within(points: Floats, low: Floats, high: Floats) -> tuple[Indices, Indices]:
    """All pairs of a box and a point in it.

    Args:
        points: (m, 2).
        low: (n, 2), the least coordinates of each box.
        high: (n, 2), the greatest.

    Returns:
        The boxes and the points, int64 (pairs,) each, box by box.

    >>> low, high = np.array([[0.0, 0], [4, 0]]), np.array([[9.0, 9], [9, 9]])
    >>> box, point = points_within(np.array([[1.0, 1], [5, 5]]), low, high)
    >>> sorted(zip(box.tolist(), point.tolist()))
    [(0, 0), (0, 1), (1, 1)]
    """
    # Points are sorted along the axis on which the boxes hold fewer of them.
    orders = [np.argsort(points[:, axis], kind="stable") for axis in (0, 1)]
    spans = [_spans(points[orders[axis], axis], low[:, axis], high[:, axis]) for axis in (0, 1)]
    axis = int(np.argmin([counts.sum() for _, counts in spans]))
    order, (first, counts), other = orders[axis], spans[axis], 1 - axis
    ends = np.cumsum(counts)
    found: list[tuple[Indices, Indices]] = [(order[:0], order[:0])]
    start = 0
    while start < len(ends):
        before = int(ends[start] - counts[start])
        stop = max(start + 1, int(np.searchsorted(ends, before + _AT_ONCE, "right")))
        many = counts[start:stop]
        box = np.repeat(np.arange(start, stop), many)
        point = order[
            np.arange(before, int(ends[stop - 1])) + np.repeat(first[start:stop] + many - ends[start:stop], many)
        ]
        across = points[point, other]
        inside = (across >= low[box, other]) & (across <= high[box, other])
        found.append((box[inside], point[inside]))
        start = stop
    boxes, inner = zip(*found, strict=True)
    return np.concatenate(boxes), np.concatenate(inner)


def _spans(ordered: Floats, low: Floats, high: Floats) -> tuple[Indices, Indices]:
    """For each interval the first of some ordered values in it, and how many there are."""
    first = np.searchsorted(ordered, low, "left")
    return first, np.maximum(np.searchsorted(ordered, high, "right") - first, 0)
