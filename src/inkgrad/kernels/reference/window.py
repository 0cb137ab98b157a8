"""What convolution and pooling share: a window that slides over padded images."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pair: TypeAlias = tuple[int, int]  # of rows and of columns


def window_count(length: int, size: int, stride: int, padding: int) -> int:
    """How many windows fit along an axis: floor((length + 2 padding - size) / stride) + 1.

    >>> window_count(28, 5, 1, 2), window_count(28, 2, 2, 0), window_count(7, 3, 2, 1)
    (28, 14, 4)
    """
    return (length + 2 * padding - size) // stride + 1


def padded(x: NDArray[Any], padding: Pair, value: float = 0.0) -> NDArray[Any]:
    """x (..., h, w) surrounded by a constant; x itself without padding."""
    if padding == (0, 0):
        return x
    (rows, columns), (h, w) = padding, x.shape[-2:]
    out = np.full((*x.shape[:-2], h + 2 * rows, w + 2 * columns), value, x.dtype)
    out[..., rows : rows + h, columns : columns + w] = x
    return out


def unpadded(x: NDArray[Any], padding: Pair) -> NDArray[Any]:
    """The inverse of `padded`: the inner part, a view."""
    rows, columns = padding
    return x[..., rows : x.shape[-2] - rows, columns : x.shape[-1] - columns]


def seen_by(i: int, j: int, counts: Pair, stride: Pair) -> tuple[Any, ...]:
    """The index of what element (i, j) of each window lies on, in a padded image: (..., oh, ow)."""
    rows = slice(i, i + stride[0] * counts[0], stride[0])
    return (..., rows, slice(j, j + stride[1] * counts[1], stride[1]))
