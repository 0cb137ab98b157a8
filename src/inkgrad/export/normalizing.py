"""The normalizations of `inkgrad.data` as ONNX: ink as float32 (n, 28, 28), 0..255, whole numbers, in and out."""

from collections.abc import Callable

import numpy as np

from inkgrad.data import SIDE
from inkgrad.data.normalization import SPREAD, STROKE
from inkgrad.export.graph import Graph
from inkgrad.export.warping import Warp

__all__ = ["normalized"]

_MIDDLE = np.float32((SIDE - 1) / 2)


class _Moments:
    """Names of the ink's center of mass and central second moments, (n, 1, 1) each, and of the grid."""

    def __init__(self, g: Graph, ink: str) -> None:
        self.g = g
        rows, columns = (axis.astype(np.float32)[None] for axis in np.mgrid[:SIDE, :SIDE])
        self.grid = g.constant(rows - _MIDDLE, np.float32), g.constant(columns - _MIDDLE, np.float32)
        self.ink = ink
        self.mass = g.add("Max", self._sum(ink), g.constant(1e-6, np.float32))
        places = g.constant(rows, np.float32), g.constant(columns, np.float32)
        self.y, self.x = (self._mean(at) for at in places)
        down, right = g.add("Sub", places[0], self.y), g.add("Sub", places[1], self.x)
        self.yy, self.xx, self.xy = (self._mean(a, b) for a, b in ((down, down), (right, right), (down, right)))

    def _sum(self, x: str) -> str:
        return self.g.add("ReduceSum", x, self.g.integers([1, 2]), keepdims=1)

    def _mean(self, *factors: str) -> str:
        product = self.ink
        for factor in factors:
            product = self.g.add("Mul", product, factor)
        return self.g.add("Div", self._sum(product), self.mass)


def _deskew(g: Graph, m: _Moments) -> tuple[str, str]:
    y, x = m.grid
    slant = g.add("Div", m.xy, g.add("Max", m.yy, g.constant(1e-6, np.float32)))
    return g.add("Add", y, m.y), g.add("Add", g.add("Add", x, g.add("Mul", slant, y)), m.x)


def _center(g: Graph, m: _Moments) -> tuple[str, str]:
    # Both have n images, although neither shift depends on the other axis.
    return g.add("Add", m.grid[0], m.y), g.add("Add", m.grid[1], m.x)


def _size(g: Graph, m: _Moments) -> tuple[str, str]:
    spread = g.add("Sqrt", g.add("Max", g.add("Add", m.yy, m.xx), g.constant(1e-6, np.float32)))
    scale = g.add("Div", spread, g.constant(SPREAD, np.float32))
    scale = g.add("Clip", scale, g.constant(0.4, np.float32), g.constant(2.5, np.float32))
    y, x = (g.add("Mul", at, scale) for at in m.grid)
    return g.add("Add", y, m.y), g.add("Add", x, m.x)


_MAPS: dict[str, Callable[[Graph, _Moments], tuple[str, str]]] = {"deskew": _deskew, "center": _center, "size": _size}


def normalized(g: Graph, name: str, ink: str) -> str:
    """Write one normalization; the name of its result."""
    if name == "stroke":
        return _stroke(g, ink)
    moved = g.add("Round", Warp.computed(g, *_MAPS[name](g, _Moments(g, ink)))(ink))
    most = g.add("ReduceMax", ink, axes=[1, 2], keepdims=1)
    return g.add("Where", g.add("Greater", most, g.constant(0.0, np.float32)), moved, ink)


def _stroke(g: Graph, ink: str) -> str:
    """Thicken by the maximum of 3x3 pixels, or thin by the minimum, by a share of a pixel."""
    one = g.constant(1.0, np.float32)
    ink = g.add("Div", ink, g.constant(255.0, np.float32))
    down, right = _gradient(g, ink, 1), _gradient(g, ink, 2)
    length = g.add("Sqrt", g.add("Add", g.add("Mul", down, down), g.add("Mul", right, right)))
    axes = g.integers([1, 2])
    rim = g.add("Max", g.add("ReduceSum", length, axes, keepdims=1), g.constant(1e-6, np.float32))
    amount = g.add("Mul", g.constant(2.0, np.float32), g.add("ReduceSum", ink, axes, keepdims=1))
    short = g.add("Sub", g.constant(STROKE, np.float32), g.add("Div", amount, rim))
    share = g.add("Clip", g.add("Div", short, g.constant(2.0, np.float32)), g.constant(-1.0, np.float32), one)
    deep = g.add("Unsqueeze", g.add("Pad", ink, g.integers([0, 1, 1, 0, 1, 1])), g.integers([1]))
    thick = g.add("MaxPool", deep, kernel_shape=[3, 3], strides=[1, 1])
    thin = g.add("Neg", g.add("MaxPool", g.add("Neg", deep), kernel_shape=[3, 3], strides=[1, 1]))
    thick, thin = (g.add("Squeeze", part, g.integers([1])) for part in (thick, thin))
    towards = g.add("Where", g.add("Greater", share, g.constant(0.0, np.float32)), thick, thin)
    changed = g.add("Add", ink, g.add("Mul", g.add("Abs", share), g.add("Sub", towards, ink)))
    clipped = g.add("Clip", changed, g.constant(0.0, np.float32), one)
    return g.add("Round", g.add("Mul", clipped, g.constant(255.0, np.float32)))


def _gradient(g: Graph, x: str, axis: int) -> str:
    """As `numpy.gradient`: half the difference of the neighbors, at the edge the whole one to the only neighbor."""

    def difference(start: int, step: int, count: int) -> str:
        ahead = g.slice(x, start + step, start + step + count, axis)
        return g.add("Sub", ahead, g.slice(x, start, start + count, axis))

    inner = g.add("Mul", difference(0, 2, SIDE - 2), g.constant(0.5, np.float32))
    first, last = difference(0, 1, 1), difference(SIDE - 2, 1, 1)
    return g.add("Concat", first, inner, last, axis=axis)
