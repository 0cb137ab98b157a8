"""Maximum and average over windows of an image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.reference.window import Pair, padded, seen_by, unpadded, window_count
from inkgrad.kernels.registry import kernel


@kernel
def max_pool2d_forward(
    x: NDArray[Any], size: Pair, stride: Pair, padding: Pair
) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """The largest number of each window, and where in the window it lies.

    Of equal numbers the first one counts, row by row; NaN is larger than everything, and of several the last one
    counts: as in PyTorch. Padding is never chosen.

    Args:
        x: (n, c, h, w).
        size: (kh, kw).
        stride: of the windows.
        padding: rows and columns around x, at most half the size.

    Returns:
        y (n, c, oh, ow), position i kw + j within the window of each.
    """
    counts = _counts(x, size, stride, padding)
    wide = padded(x, padding, -np.inf)
    y = np.full((*x.shape[:2], *counts), -np.inf, x.dtype)
    chosen = np.empty(y.shape, np.int32)
    chosen[...] = _first_inside(counts, size, stride, padding)
    for i in range(size[0]):
        for j in range(size[1]):
            candidate = wide[seen_by(i, j, counts, stride)]
            better = (candidate > y) | np.isnan(candidate)
            np.maximum(y, candidate, out=y)
            np.maximum(chosen, better * np.int32(i * size[1] + j), out=chosen)  # positions rise
    return y, chosen


@kernel
def max_pool2d_backward(
    gradient: NDArray[Any],
    chosen: NDArray[np.int32],
    shape: tuple[int, ...],
    size: Pair,
    stride: Pair,
    padding: Pair,
) -> NDArray[Any]:
    """dL/dx: each window's gradient goes to the number that was chosen. x had `shape` (n, c, h, w)."""
    wide = _wide(gradient, shape, padding)
    counts: Any = gradient.shape[2:]
    width = wide.shape[3]
    within = np.add.outer(width * np.arange(size[0]), np.arange(size[1])).ravel()  # from a window's corner
    corners = np.add.outer(width * stride[0] * np.arange(counts[0]), stride[1] * np.arange(counts[1]))
    images = wide.shape[2] * width * np.arange(shape[0] * shape[1])
    places = images.reshape(*shape[:2], 1, 1) + corners + within[chosen]
    np.add.at(wide.reshape(-1), places.ravel(), gradient.ravel())
    return np.ascontiguousarray(unpadded(wide, padding))


@kernel
def average_pool2d_forward(x: NDArray[Any], size: Pair, stride: Pair, padding: Pair) -> NDArray[Any]:
    """The mean of each window, zeros of the padding included: x (n, c, h, w) -> (n, c, oh, ow)."""
    counts = _counts(x, size, stride, padding)
    wide = padded(x, padding)
    total = np.zeros((*x.shape[:2], *counts), x.dtype)
    for i in range(size[0]):
        for j in range(size[1]):
            total += wide[seen_by(i, j, counts, stride)]
    total /= x.dtype.type(size[0] * size[1])
    return total


@kernel
def average_pool2d_backward(
    gradient: NDArray[Any], shape: tuple[int, ...], size: Pair, stride: Pair, padding: Pair
) -> NDArray[Any]:
    """dL/dx: each window's gradient in equal parts to all its numbers. x had `shape` (n, c, h, w)."""
    wide = _wide(gradient, shape, padding)
    counts: Any = gradient.shape[2:]
    share = gradient / gradient.dtype.type(size[0] * size[1])
    for i in range(size[0]):
        for j in range(size[1]):
            wide[seen_by(i, j, counts, stride)] += share
    return np.ascontiguousarray(unpadded(wide, padding))


def _counts(x: NDArray[Any], size: Pair, stride: Pair, padding: Pair) -> Pair:
    rows, columns = (window_count(*parts) for parts in zip(x.shape[2:], size, stride, padding, strict=True))
    return rows, columns


def _wide(gradient: NDArray[Any], shape: tuple[int, ...], padding: Pair) -> NDArray[Any]:
    n, c, h, w = shape
    return np.zeros((n, c, h + 2 * padding[0], w + 2 * padding[1]), gradient.dtype)


def _first_inside(counts: Pair, size: Pair, stride: Pair, padding: Pair) -> NDArray[np.int32]:
    """The first position of each window that is not padding: (oh, ow)."""
    row, column = (
        np.maximum(before - step * np.arange(count, dtype=np.int32), 0)
        for count, step, before in zip(counts, stride, padding, strict=True)
    )
    return np.asarray(row[:, None] * size[1] + column, dtype=np.int32)
