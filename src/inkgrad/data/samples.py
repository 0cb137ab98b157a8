"""Rows of numbers with what is to be learned of them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import DataError

__all__ = ["Samples", "dense_parts"]


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows of a table, or images that are scaled already, with labels or targets, and weights where they differ.

    Attributes:
        features: float32 (n, d) or (n, c, h, w), as a network takes them; or a CSR matrix of SciPy's, float32 (n, d),
            whose rows are written out batch by batch.
        targets: int64 (n,), each an index into `classes`, or float32 (n, k).
        name: what the samples are called in messages.
        weights: float32 (n,), how much each counts; None where all count alike.
        classes: the name of each class; none where the targets are no labels.

    Raises:
        DataError: a dtype is another, the counts differ, or a label has no class.

    >>> rows = Samples(np.eye(3, dtype=np.float32), np.array([0, 1, 1]), "three", classes=("a", "b"))
    >>> rows.take(np.array([2]))
    (array([[0., 0., 1.]], dtype=float32), array([1]))
    """

    features: Any
    targets: NDArray[Any]
    name: str
    weights: NDArray[np.float32] | None = None
    classes: tuple[str, ...] = ()
    rejects = False  # as a data set says whether its last class stands for what is none of the others

    def __post_init__(self) -> None:
        n = self.features.shape[0]
        _check(self.name, "features", self.features.dtype, np.float32, n, n)
        labels = self.targets.ndim == 1
        _check(self.name, "targets", self.targets.dtype, np.int64 if labels else np.float32, n, len(self.targets))
        if self.weights is not None:
            _check(self.name, "weights", self.weights.dtype, np.float32, n, len(self.weights))
        if labels and n and not 0 <= self.targets.min() <= self.targets.max() < max(len(self.classes), 1):
            raise DataError(f"a label of {self.name} is outside 0..{len(self.classes) - 1}; name more classes")

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, chosen: NDArray[np.int64] | slice) -> tuple[NDArray[Any], ...]:
        """(features, targets) of some rows, or (features, targets, weights) where weights differ; new arrays."""
        parts = [self.targets[chosen], *(() if self.weights is None else (self.weights[chosen],))]
        if isinstance(self.features, np.ndarray) and isinstance(chosen, np.ndarray):
            return self.features.take(chosen, axis=0), *parts  # twice as fast as by an index
        return _dense(self.features[chosen]), *parts

    def parts(self, size: int, rows: slice = slice(None)) -> Iterator[NDArray[np.float32]]:
        """The features of all rows in order, or of some, so many at a time; of no rows one empty part."""
        return dense_parts(self.features if rows == slice(None) else self.features[rows], size)

    def fingerprint(self) -> str:
        """The SHA-256, in hex, of everything but the name."""
        digest = hashlib.sha256(repr((self.features.shape, self.classes)).encode())
        for part in self.parts(4096):
            digest.update(np.ascontiguousarray(part).data)
        for array in (self.targets, self.weights):
            digest.update(b"" if array is None else np.ascontiguousarray(array).data)
        return digest.hexdigest()


def dense_parts(features: Any, size: int) -> Iterator[NDArray[np.float32]]:
    """An array or a CSR matrix so many rows at a time, each part as an array; of no rows one empty part."""
    return (_dense(features[i : i + size]) for i in range(0, max(features.shape[0], 1), size))


def _dense(rows: Any) -> NDArray[np.float32]:
    array: NDArray[np.float32] = rows if isinstance(rows, np.ndarray) else rows.toarray()
    return array


def _check(name: str, what: str, dtype: Any, wanted: Any, n: int, count: int) -> None:
    if dtype != wanted or count != n:
        raise DataError(
            f"{what} of {name} must be {np.dtype(wanted)}, one for each of its {n} rows, but {count} came, of {dtype}; "
            "convert them first"
        )
