"""Which pieces of ink stand side by side in a line, level or slanted."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.reading.nearby import points_within
from inkgrad.reading.pieces import Pieces

__all__ = ["find_lines", "without_frames"]

_ANGLES = (0, -8, 8, -16, 16, -24, 24, -33, 33, -42, 42)  # degrees, looked at in this order
_BETTER = (1.25, 0.006)  # so much better a slant must explain the pieces than none, and more for each degree
_FAR = 1.6  # heights between neighbors of one line
_ALIKE = 0.36  # least ratio of the heights of neighbors
_SHARED = 0.4  # of the smaller one's height that both must share
_AWRY = 1.5  # heights of a piece between its middle and its neighbor's, which follows from both
_TELLING = 5  # pieces of a line whose rise tells of the page's
_GROWS = (1.35, 1.8)  # times as high as before a line may become by what joins it, and what is close to it
_JUDGED = 120  # pieces, the largest, by which the slant is chosen

_ALONG = 0.4  # of its longer side: a piece that runs so far along the page's border is something beside the page
_LARGE = 100  # pixels of such a piece at least
_HIGH = 1.5  # times as high as its digits a line may be
_APART = 0.9  # heights, at least, between parts of a line that is too high
_BLOT = 40  # pixels: what is smaller may be a dot
_THICK = 0.36  # of its longer side that the radius of a stroke may be
_FLAT = 9  # times as wide as high is a line, and no digits that touch
_AROUND = 2.5  # times as high as the pieces within it is what surrounds them

Places = NDArray[np.float64]


def _solid(pieces: Pieces) -> NDArray[np.bool_]:
    """Which pieces are blots rather than strokes, by the largest circle that lies in them."""
    import cv2

    solid = np.zeros(len(pieces), np.bool_)
    left, top, right, bottom = pieces.boxes.T.astype(int)
    sides = np.maximum(right - left, bottom - top)
    for index in np.flatnonzero((sides >= _BLOT) & (pieces.areas > _THICK**2 * np.pi * 0.9 * sides.astype(float) ** 2)):
        part = pieces.numbers[top[index] : bottom[index], left[index] : right[index]]
        mask = np.pad((part == pieces.names[index]).astype(np.uint8), 1)
        depth = float(cv2.distanceTransform(mask, cv2.DIST_L2, 3).max())
        solid[index] = depth > _THICK * sides[index]
    return solid


def find_lines(pieces: Pieces) -> tuple[list[NDArray[np.int64]], float]:
    """Group pieces of ink into lines.

    Neighbors of about one height that are each other's nearest, along a direction that the page's pieces follow
    best, make a line; smaller pieces beside or between them (dots, bars of a 5) join it.

    Returns:
        For each line the indices of its pieces, and the angle that lines were looked for along, in radians, clockwise.
    """
    if not len(pieces):
        return [], 0.0
    slant = _slant(pieces.chosen(np.arange(min(len(pieces), _JUDGED)))) if len(pieces) > 2 else 0.0
    places = _turned(pieces.boxes, slant)
    groups = _joined(places, _chains(places))
    return [part for line in _members(groups) for part in _parted(line, places)], slant


def _slant(pieces: Pieces) -> float:
    """The angle along which most pieces follow one another, in radians."""
    # All angles in one picture, each far below the one before it.
    count, angles = len(pieces), np.radians(_ANGLES)
    places = _turned(pieces.boxes, angles[:, None])
    places[:, :, 1::2] += (4 * np.abs(pieces.boxes).max() + 4) * np.arange(len(angles))[:, None, None]
    groups = _chains(places.reshape(-1, 4)).reshape(len(angles), count) - count * np.arange(len(angles))[:, None]
    sizes = np.stack([np.bincount(of_angle, minlength=count) for of_angle in groups])
    scores = (sizes**1.5).sum(axis=1) / np.where(angles, _BETTER[0] * (1 + _BETTER[1] * np.abs(_ANGLES)), 1)
    best = int(np.argmax(scores))
    places, groups = places[best], groups[best]
    x, y = (places[:, 0] + places[:, 2]) / 2, (places[:, 1] + places[:, 3]) / 2
    long = [groups == group for group in np.flatnonzero(np.bincount(groups) >= _TELLING)]
    rises = [_rise(x[line], y[line]) for line in long]
    return float(angles[best]) + (float(np.arctan(np.median(rises))) if rises else 0.0)


def _rise(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The slope of the line through some points; 0 where they stand upon each other."""
    across = x - x.mean()
    return float((across * (y - y.mean())).sum() / max(float((across**2).sum()), 1.0))


def _parted(line: NDArray[np.int64], places: Places) -> list[NDArray[np.int64]]:
    """A line, or where numbers at different heights were taken for one, its parts."""
    line = line[np.argsort(places[line, 0])]
    left, top, right, bottom = places[line].T
    tall = bottom - top >= 0.5 * (bottom - top).max()
    if np.count_nonzero(tall) < 2:
        return [line]
    rise = _rise((left + right)[tall] / 2, (top + bottom)[tall] / 2) if tall.sum() > 2 else 0.0
    level = rise * (left + right) / 2
    height = float((bottom - level).max() - (top - level).min())
    gaps = left[1:] - np.maximum.accumulate(right)[:-1]
    at = int(np.argmax(gaps))
    highest = float((bottom - top).max())
    if height <= _HIGH * highest or gaps[at] < _APART * highest:
        return [line]
    return _parted(line[: at + 1], places) + _parted(line[at + 1 :], places)


def without_frames(pieces: Pieces) -> Pieces:
    """Pieces without lines, blots, what surrounds others, such as the edges of a sheet, or runs along the border.

    >>> from inkgrad.reading.contrast import Contrast
    >>> from inkgrad.reading.pieces import find_pieces
    >>> page = np.zeros((200, 300), np.uint8)
    >>> page[10:190, 10:12] = page[10:12, 10:290] = page[80:100, 50:54] = page[80:100, 70:74] = page[80:100, 90:94] = 90
    >>> len(without_frames(find_pieces(Contrast(page, 20.0))))
    3
    """
    if not len(pieces):
        return pieces
    pieces = pieces.chosen(~_solid(pieces))
    left, top, right, bottom = pieces.boxes.T
    tall, wide = bottom - top, right - left
    numbers = pieces.numbers
    border = np.concatenate([numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]])
    along = np.bincount(border, minlength=int(pieces.names.max()) + 1)[pieces.names]
    longer = np.maximum(tall, wide)
    kept = (along < _ALONG * longer) | (longer < _LARGE) | (min(numbers.shape) < 2 * _LARGE)
    x, y = (left + right) / 2, (top + bottom) / 2
    outer, inner = points_within(np.stack([x, y], axis=1), pieces.boxes[:, :2], pieces.boxes[:, 2:])
    within = (tall[inner] >= 6) & (_AROUND * tall[inner] <= tall[outer]) & (_AROUND * wide[inner] <= wide[outer])
    kept &= (np.bincount(outer[within], minlength=len(pieces)) < 3) & (wide < _FLAT * tall)
    return pieces.chosen(kept)


def _turned(boxes: NDArray[np.float64], angle: float | NDArray[np.float64]) -> Places:
    """(n, 4): left, top, right, bottom of boxes of the same sizes whose centers were turned back by an angle.

    (angles, n, 4) for angles (angles, 1).
    """
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    w, h = (boxes[:, 2] - boxes[:, 0]) / 2, (boxes[:, 3] - boxes[:, 1]) / 2
    return np.stack([u - w, v - h, u + w, v + h], axis=-1)


def _chains(places: Places) -> NDArray[np.int64]:
    """The number of its chain for each piece: each is the nearest to the right of the one to its left."""
    left, top, right, bottom = places.T
    height = bottom - top
    level = (top + bottom) / 2
    widest = _FAR / _ALIKE * height  # between a piece and one as much taller as a neighbor may be
    low = np.stack([right - widest, level - _AWRY * height], axis=1)
    one, other = points_within(
        np.stack([left, level], axis=1), low, np.stack([right + widest, 2 * level - low[:, 1]], axis=1)
    )
    tall, small = np.maximum(height[one], height[other]), np.minimum(height[one], height[other])
    shared = np.minimum(bottom[one], bottom[other]) - np.maximum(top[one], top[other])
    across = (left[other] + right[other] - left[one] - right[one]) / 2
    gap = left[other] - right[one]
    fits = (small >= _ALIKE * tall) & (shared >= _SHARED * small) & (gap <= _FAR * tall)
    fits &= (across > 0) & (gap > -0.6 * tall)
    cost = np.maximum(gap, 0) + 0.1 * across + 2 * np.abs(level[other] - level[one])
    one, other, cost = one[fits], other[fits], cost[fits]
    # The last that is put down is the nearest.
    worst_first = np.lexsort((-other, -one, -cost))
    one, other = one[worst_first], other[worst_first]
    after, before = np.full(len(places), -1), np.full(len(places), -1)
    after[one], before[other] = other, one
    groups = np.arange(len(places))
    for index in np.argsort(left + right, kind="stable").tolist():
        follower = after[index]
        if follower >= 0 and before[follower] == index:
            groups[follower] = groups[index]
    return groups


def _joined(places: Places, groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Chains that lie in one another's line made one, the tallest first; each takes what is small around it."""
    _, groups = np.unique(groups, return_inverse=True)
    frames = np.stack([_frame(places[members]) for members in _members(groups)])
    level = (frames[:, 1] + frames[:, 3]) / 2
    order = np.argsort(level, kind="stable")
    ordered = level[order]
    into = np.arange(len(frames))
    for name in np.argsort(frames[:, 1] - frames[:, 3], kind="stable"):
        while into[name] == name:
            line = frames[name]
            reach = 0.7 * (line[3] - line[1])
            first, last = np.searchsorted(ordered, [line[1] - reach, line[3] + reach])
            near = order[first:last]
            near = near[(into[near] == near) & (near != name)]
            near = near[_belong(frames[near], line)]
            if not len(near):
                break
            into[near] = name
            frames[name] = _frame(frames[[name, *near]])
    while (into[into] != into).any():
        into = into[into]
    return np.asarray(into[groups])


def _members(groups: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The indices of the members of each group, in ascending order."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def _frame(places: Places) -> NDArray[np.float64]:
    return np.concatenate([places[:, :2].min(axis=0), places[:, 2:].max(axis=0)])


def _belong(small: Places, line: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which chains continue a taller one, or are marks in or beside it."""
    tall, height = line[3] - line[1], small[:, 3] - small[:, 1]
    gap = np.maximum(small[:, 0], line[0]) - np.minimum(small[:, 2], line[2])
    shared = np.minimum(small[:, 3], line[3]) - np.maximum(small[:, 1], line[1])
    whole = np.maximum(small[:, 3], line[3]) - np.minimum(small[:, 1], line[1])
    far = np.where(height > 0.3 * tall, _FAR, 0.8) * tall
    grown = np.where(gap < 0.3 * tall, _GROWS[1], _GROWS[0]) * tall
    beside = (shared >= 0.6 * height) & (whole <= grown) & (gap <= far)
    # A comma hangs below the line, the bar of a 5 or a 7 floats above.
    mark = (height <= 0.35 * tall) & (-shared <= 0.15 * tall) & (gap <= 0.1 * tall)
    return np.asarray((height <= tall) & (beside | mark))
