"""Drawings of lines that are no digits: letters that nobody writes, scribbles, figures."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images

__all__ = ["blot", "curve", "dotted", "figure", "invented_letter", "open_ring", "scribble"]

SIDE = 112
_MARGIN = 16
_STEPS = np.linspace(0, 1, 16)[:, None]


def invented_letter(rng: np.random.Generator) -> Images:
    """Three to five strokes, straight or bent, between points of a grid of 3 x 3: like a letter, but none."""
    canvas, pen = _canvas(), _pen(rng)
    wide = rng.uniform(0.5, 1)
    for _ in range(rng.integers(3, 6)):
        cells = rng.choice(9, 2, replace=False)
        grid = np.stack([cells % 3 * wide, cells // 3], axis=1) / 2 + rng.normal(0, 0.04, (2, 2))
        start, end = _MARGIN + grid * (SIDE - 2 * _MARGIN)
        bend = 0.0 if rng.random() < 0.6 else rng.uniform(-0.7, 0.7)
        across = (end - start)[::-1] * (1, -1)
        middle = (start + end) / 2 + bend * across
        _draw(canvas, (1 - _STEPS) ** 2 * start + 2 * _STEPS * (1 - _STEPS) * middle + _STEPS**2 * end, pen)
    return canvas


def scribble(rng: np.random.Generator) -> Images:
    """One long line that turns at random and crosses itself again and again."""
    canvas = _canvas()
    count = int(rng.integers(120, 260))
    turns = np.cumsum(rng.normal(rng.uniform(-0.05, 0.05), 0.16, count))
    angles = np.cumsum(turns * 0.25) + rng.uniform(0, 2 * np.pi)
    path = np.cumsum(np.stack([np.cos(angles), np.sin(angles)], axis=1), axis=0)
    # What goes too far comes back, as on a wall of mirrors.
    path = path * rng.uniform(4, 8)
    size = SIDE - 2 * _MARGIN
    path = np.abs((path + rng.uniform(0, size, 2)) % (2 * size) - size) + _MARGIN
    _draw(canvas, path, int(rng.integers(3, 8)))
    return canvas


def figure(rng: np.random.Generator) -> Images:
    """A filled polygon, a star, crossing lines, a zigzag, a spiral or parallel lines."""
    import cv2

    canvas, pen = _canvas(), _pen(rng)
    kind = rng.integers(6)
    middle = SIDE / 2
    if kind == 0:
        corners = int(rng.integers(3, 8))
        angles = 2 * np.pi * (np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) / corners + rng.random()
        points = middle + rng.uniform(0.25, 0.45, (corners, 1)) * SIDE * _directions(angles)
        cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], 255)
    elif kind == 1:
        rays = int(rng.integers(3, 8))
        for end in middle + 0.42 * SIDE * _directions(2 * np.pi * (np.arange(rays) / rays + rng.random())):
            _draw(canvas, np.stack([np.full(2, middle), end]), pen)
    elif kind == 2:
        for start, end in rng.uniform(_MARGIN, SIDE - _MARGIN, (rng.integers(4, 8), 2, 2)):
            _draw(canvas, np.stack([start, end]), pen)
    elif kind == 3:
        count = int(rng.integers(3, 9))
        heights = np.where(np.arange(count) % 2, _MARGIN, SIDE - _MARGIN) + rng.normal(0, 6, count)
        _draw(canvas, np.stack([np.linspace(_MARGIN, SIDE - _MARGIN, count), heights], axis=1), pen)
    elif kind == 4:
        angles = np.linspace(0, 2 * np.pi * rng.uniform(2.4, 4), 120)
        _draw(canvas, middle + np.linspace(2, 0.42 * SIDE, 120)[:, None] * _directions(angles), min(pen, 5))
    else:
        for height in np.linspace(_MARGIN, SIDE - _MARGIN, rng.integers(3, 7)):
            _draw(canvas, np.array([[_MARGIN, height], [SIDE - _MARGIN, height]]), pen)
    return _turned(canvas, rng)


def blot(rng: np.random.Generator) -> Images:
    """One to three touching spots of ink with thin tails."""
    import cv2

    canvas = _canvas()
    angles = np.linspace(0, 2 * np.pi, 60)
    middle = SIDE / 2 + rng.uniform(-22, 22, 2)
    for _ in range(rng.integers(1, 4)):
        radius = rng.uniform(0.1, 0.24) * SIDE
        waves = np.cos(np.outer(angles, (1, 2, 3)) + rng.uniform(0, 6, 3)) @ rng.normal(0, 0.1, 3)
        rim = middle + radius * (1 + waves)[:, None] * _directions(angles)
        cv2.fillPoly(canvas, [np.rint(np.clip(rim, 4, SIDE - 4)).astype(np.int32)], 255)
        middle = np.clip(middle + radius * 1.3 * _directions(rng.uniform(0, 2 * np.pi, 1))[0], 25, SIDE - 25)
    for _ in range(rng.integers(1, 4)):
        end, bend = rng.uniform(_MARGIN, SIDE - _MARGIN, 2), rng.uniform(_MARGIN, SIDE - _MARGIN, 2)
        path = (1 - _STEPS) ** 2 * middle + 2 * _STEPS * (1 - _STEPS) * bend + _STEPS**2 * end
        _draw(canvas, path, int(rng.integers(3, 9)))
    return canvas


def curve(rng: np.random.Generator) -> Images:
    """A closed curve of four to seven waves in each direction, or a part of one."""
    canvas = _canvas()
    angles = np.linspace(0, rng.uniform(0.6, 1) * 2 * np.pi, 200)
    waves = np.arange(1, rng.integers(5, 9))
    sizes = rng.normal(0, 1, (2, 2, len(waves))) / waves**0.4
    path = np.stack(
        [np.cos(np.outer(angles, waves)) @ one + np.sin(np.outer(angles, waves)) @ two for one, two in sizes]
    )
    path -= (path.max(axis=1, keepdims=True) + path.min(axis=1, keepdims=True)) / 2
    path *= (SIDE / 2 - _MARGIN) / np.abs(path).max()
    _draw(canvas, SIDE / 2 + path.T, int(rng.integers(3, 9)))
    return canvas


def open_ring(rng: np.random.Generator) -> Images:
    """Two to three quarters of a ring, open to any side, of even or, as with a broad pen, of uneven width."""
    canvas, pen = _canvas(), _pen(rng)
    gap = rng.uniform(1.0, 2.4) + pen / 20  # the pen makes it narrower
    angles = rng.uniform(0, 2 * np.pi) + np.linspace(gap / 2, 2 * np.pi - gap / 2, 40)
    path = SIDE / 2 + _directions(angles) * (rng.uniform(0.2, 0.42), 0.4) * SIDE
    if rng.random() < 0.4:  # ends that go on straight
        for place, inner in ((0, 1), (-1, -2)):
            end = path[place] + (path[place] - path[inner]) * rng.uniform(0, 10)
            _draw(canvas, np.clip(np.stack([path[place], end]), _MARGIN / 2, SIDE - _MARGIN / 2), pen)
    _draw(canvas, path, pen)
    if rng.random() < 0.3:
        shifted = path + rng.uniform(-3, 3, 2)
        _draw(canvas, np.clip(shifted, _MARGIN / 2, SIDE - _MARGIN / 2), pen)
    return canvas


def dotted(rng: np.random.Generator) -> Images:
    """A stroke with one to three dots anywhere around it."""
    import cv2

    canvas, pen = _canvas(), _pen(rng)
    top, bottom = _MARGIN + rng.uniform(0, 25), SIDE - _MARGIN - rng.uniform(0, 25)
    x, lean = SIDE / 2 + rng.uniform(-15, 15), rng.uniform(-20, 20)
    _draw(canvas, np.array([[x + lean, top], [x, bottom]]), pen)
    around = cv2.dilate(canvas, np.ones((2 * pen + 9, 2 * pen + 9), np.uint8)) == 0
    around[:_MARGIN] = around[SIDE - _MARGIN :] = False
    free = np.argwhere(around)
    free = free[np.abs(free[:, 1] - SIDE / 2) < 35]
    for row, column in free[rng.integers(0, len(free), rng.integers(1, 4))]:
        cv2.circle(canvas, (int(column), int(row)), max(4, round(0.8 * pen)), 255, -1, cv2.LINE_AA)
    return canvas


def _directions(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _turned(canvas: Images, rng: np.random.Generator) -> Images:
    return np.ascontiguousarray(np.rot90(canvas, int(rng.integers(4))))


def _canvas() -> Images:
    return np.zeros((SIDE, SIDE), np.uint8)


def _pen(rng: np.random.Generator) -> int:
    return int(rng.integers(5, 15))


def _draw(canvas: Images, path: NDArray[np.float64], pen: int) -> None:
    import cv2

    cv2.polylines(canvas, [np.rint(path * 16).astype(np.int32)], False, 255, pen, cv2.LINE_AA, 4)
