"""What `fit` was given, checked: rows, what is to be learned of each, and how much each counts."""

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

__all__ = ["MERGED", "Rows"]

MERGED = 4096
"""Rows at most of which equal ones are made one."""


@dataclass(frozen=True)
class Rows:
    """Rows with targets and weights.

    Attributes:
        X: (n, d) of any of `DTYPES`, or a CSR matrix.
        y: int64 (n,), or float64 (n, k).
        weights: float64 (n,), above 0; None where all count alike.
    """

    X: Any
    y: NDArray[Any]
    weights: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.y)

    def part(self, chosen: NDArray[Any]) -> "Rows":
        """Some of the rows."""
        return Rows(self.X[chosen], self.y[chosen], None if self.weights is None else self.weights[chosen])

    def counting(self) -> "Rows":
        """Those whose weight is not 0: a weight of 0 is as if the row were not there.

        Raises:
            ValueError: all weights are 0.
        """
        if self.weights is None or self.weights.all():
            return self
        if not self.weights.any():
            raise ValueError("Sample weights must contain at least one non-zero number.")
        return self.part(np.flatnonzero(self.weights))

    def shares(self) -> NDArray[np.float32] | None:
        """The weights, 1 on average, as the loss takes them."""
        return None if self.weights is None else (self.weights / self.weights.mean()).astype(np.float32)

    def merged(self) -> "Rows":
        """Rows that are equal, with equal targets, as one that weighs as much as they together, in an order of its own.

        So three equal rows and one of weight 3 are the same batch, to the last bit, and so are rows in another order.
        """
        keys = [x + y.tobytes() for x, y in zip(_keys(self.X), self.y, strict=True)]
        places: dict[bytes, int] = {}
        for place, key in enumerate(keys):
            places.setdefault(key, place)
        order = {key: number for number, key in enumerate(sorted(places))}
        mass = np.zeros(len(order))
        np.add.at(mass, [order[key] for key in keys], 1.0 if self.weights is None else self.weights)
        only = self.part(np.array([places[key] for key in order]))
        return replace(only, weights=None if (mass == mass[0]).all() else mass)


def _keys(X: Any) -> list[bytes]:
    """Bytes for each row, the same for equal rows; 0 and -0 are equal."""
    if not issparse(X):
        return [row.tobytes() for row in np.ascontiguousarray(X + np.zeros((), X.dtype))]
    X = X.copy()
    X.eliminate_zeros()
    X.sort_indices()
    ends = X.indptr
    columns = X.indices.astype(np.int64)
    return [columns[a:b].tobytes() + X.data[a:b].tobytes() for a, b in itertools.pairwise(ends)]
