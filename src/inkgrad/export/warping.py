"""`kernels.warp` as ONNX: the value of images between their pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data import SIDE
from inkgrad.export.graph import Graph

__all__ = ["Warp"]

_WIDE = SIDE + 4  # an image with two pixels of paper on every side, as the kernel sees it


@dataclass(frozen=True)
class Warp:
    """Where each pixel of the result comes from: four neighbors of a padded image, and how far between them it lies.

    Attributes:
        graph: where it is written.
        corner: the name of the index of the upper left neighbor in the flat padded image: (784,), or (n, 784).
        down, right: the names of the shares of the lower and of the right neighbors, of the same shape.
        gather: "Gather" where one map serves all images, else "GatherElements".
    """

    graph: Graph
    corner: str
    down: str
    right: str
    gather: str

    @classmethod
    def constant(cls, graph: Graph, rows: NDArray[Any], columns: NDArray[Any]) -> "Warp":
        """One map for all images: rows and columns (28, 28) in pixels."""
        y, x = (np.clip(np.asarray(at, np.float32).reshape(-1), -2, SIDE) for at in (rows, columns))
        top, left = np.floor(y), np.floor(x)
        corner = ((top + 2) * _WIDE + left + 2).astype(np.int64)
        down, right = (graph.constant(part, np.float32) for part in (y - top, x - left))
        return cls(graph, graph.constant(corner, np.int64), down, right, "Gather")

    @classmethod
    def computed(cls, graph: Graph, rows: str, columns: str) -> "Warp":
        """A map for each image: the names of rows and columns, (n, 28, 28)."""
        g = graph
        bounds = g.constant(-2.0, np.float32), g.constant(float(SIDE), np.float32)
        y, x = (g.add("Clip", g.add("Flatten", at), *bounds) for at in (rows, columns))
        top, left = g.add("Floor", y), g.add("Floor", x)
        two, wide = g.constant(2.0, np.float32), g.constant(float(_WIDE), np.float32)
        corner = g.add("Add", g.add("Mul", g.add("Add", top, two), wide), g.add("Add", left, two))
        place = g.add("Cast", corner, to=7)
        return cls(g, place, g.add("Sub", y, top), g.add("Sub", x, left), "GatherElements")

    def __call__(self, ink: str) -> str:
        """The name of float images (n, 28, 28) -> of (n, 28, 28), within 0..255."""
        g = self.graph
        padded = g.add("Flatten", g.add("Pad", ink, g.integers([0, 2, 2, 0, 2, 2])))

        def neighbor(offset: int) -> str:
            at = g.add("Add", self.corner, g.integers([offset])) if offset else self.corner
            return g.add(self.gather, padded, at, axis=1)

        def between(a: str, b: str, share: str) -> str:
            rest = g.add("Sub", g.constant(1.0, np.float32), share)
            return g.add("Add", g.add("Mul", a, rest), g.add("Mul", b, share))

        upper = between(neighbor(0), neighbor(1), self.right)
        lower = between(neighbor(_WIDE), neighbor(_WIDE + 1), self.right)
        y = between(upper, lower, self.down)
        y = g.add("Clip", y, g.constant(0.0, np.float32), g.constant(255.0, np.float32))
        return g.add("Reshape", y, g.integers([-1, SIDE, SIDE]))
