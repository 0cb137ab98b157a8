"""From the X of scikit-learn to what a network takes: rows or images, as float32 on a common scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.sparsefuncs import mean_variance_axis

from inkgrad.errors import OptionError

__all__ = ["DTYPES", "Inputs", "as_rows", "checked_image_shape"]

DTYPES = (np.float64, np.float32, np.uint8)
"""What X is kept as until it is scaled; anything else becomes the first."""

TOGETHER = 4096  # rows that are scaled at a time, so that no float64 copy of all of them is made

Shape = tuple[int, ...]


def as_rows(X: Any, owner: str) -> tuple[Any, Shape | None]:
    """Images (n, h, w) or (n, 1, h, w) as rows (n, h w), with (h, w); anything else as it is, with None.

    Raises:
        ValueError: images of several channels.
    """
    if isinstance(X, list | tuple) and len(X) and _is_nested(X[0]):
        X = np.asarray(X)
    if not isinstance(X, np.ndarray) or X.ndim not in (3, 4):
        return X, None
    if X.ndim == 4 and X.shape[1] != 1:
        raise ValueError(
            f"Found array with dim 4 and {X.shape[1]} channels, while {owner} expects images of one, (n, 1, h, w) or "
            "(n, h, w)."
        )
    height, width = X.shape[-2:]
    return X.reshape(len(X), height * width), (height, width)


def checked_image_shape(wanted: Any, pixels: int) -> tuple[int, int]:
    """The parameter `image_shape` as (h, w).

    Raises:
        OptionError: no pair of whole numbers, or not of so many pixels.
    """
    sides = list(wanted) if isinstance(wanted, Sequence | np.ndarray) else []
    whole = all(isinstance(n, int | np.integer) and n > 0 for n in sides)
    if not (len(sides) == 2 and whole and math.prod(sides) == pixels):
        raise OptionError(
            f"image_shape must be (height, width) of {pixels} pixels, as many as X has, but is {wanted!r}"
        )
    return int(sides[0]), int(sides[1])


def _is_nested(row: Any) -> bool:
    return bool(getattr(row, "ndim", 0) > 1 or (isinstance(row, list | tuple) and len(row) and np.ndim(row[0]) > 0))


@dataclass(frozen=True)
class Inputs:
    """How a row becomes what the network takes: (x - shift) * factor, in the shape of one sample.

    Attributes:
        shape: (d,), or (1, h, w) of an image.
        shift, factor: float64 (d,), one for each column, or (1,).
    """

    shape: Shape
    shift: NDArray[np.float64]
    factor: NDArray[np.float64]

    @classmethod
    def unscaled(cls, shape: Shape) -> "Inputs":
        """As they come."""
        return cls(shape, np.zeros(1), np.ones(1))

    @classmethod
    def of_pixels(cls, X: Any, shape: Shape) -> "Inputs":
        """Pixels to 0..1: bytes by their range, other numbers by the least and the greatest of all pixels."""
        low, high = (0.0, 255.0) if X.dtype == np.uint8 else (float(X.min()), float(X.max()))
        return cls(shape, np.array([low]), np.array([1 / (high - low) if high > low else 1.0]))

    @classmethod
    def of_columns(cls, X: Any, weights: NDArray[np.float64] | None, shape: Shape) -> "Inputs":
        """Each column to mean 0 and deviation 1; a sparse table keeps its zeros, so that only deviations become 1."""
        if issparse(X):
            _, variance = mean_variance_axis(X, axis=0, weights=weights)
            mean = np.zeros(X.shape[1])
        else:
            mean = _column_means(X, weights, lambda part: part)
            variance = _column_means(X, weights, lambda part: np.square(part - mean))
        deviation = np.sqrt(variance)
        # What is left of a column of equal numbers by rounding is no deviation.
        varies = deviation > 1e-12 * np.maximum(np.abs(mean), 1e-290)
        return cls(shape, mean, 1 / np.where(varies & np.isfinite(deviation), deviation, 1.0))

    def apply(self, X: Any) -> Any:
        """(n, d) -> float32 (n, *shape); of a sparse table whose zeros stay zeros a CSR matrix (n, d).

        What need not be changed is not copied.
        """
        n = X.shape[0]
        if issparse(X) and not self.shift.any() and len(self.shape) == 1:
            return X.multiply(self.factor[None]).tocsr().astype(np.float32)
        with np.errstate(over="ignore"):  # what is too large is infinite
            if not (issparse(X) or self.shift.any() or (self.factor != 1).any()):
                return np.ascontiguousarray(X, np.float32).reshape(n, *self.shape)
            out = np.empty((n, X.shape[1]), np.float32)
            for start in range(0, n, TOGETHER):
                part = X[start : start + TOGETHER]
                dense = part.toarray() if issparse(part) else part
                out[start : start + TOGETHER] = (dense - self.shift) * self.factor
        return out.reshape(n, *self.shape)


def _column_means(X: NDArray[Any], weights: NDArray[np.float64] | None, of: Any) -> NDArray[np.float64]:
    total = np.zeros(X.shape[1])
    for start in range(0, len(X), TOGETHER):
        part = of(X[start : start + TOGETHER].astype(np.float64))
        total += part.sum(axis=0) if weights is None else weights[start : start + TOGETHER] @ part
    return total / (len(X) if weights is None else weights.sum())
