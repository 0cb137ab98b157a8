"""Two-dimensional convolution as matrix products, a block of images at a time.

The windows of a block are written out as the columns of a matrix (im2col; Chellapilla, Puri and Simard 2006), so
that the convolution and both of its gradients are one matrix product each:

    Y = W X,    dL/dW = dL/dY X^T,    dL/dX = W^T dL/dY

with W (o, c kh kw), X (c kh kw, n oh ow) and Y (o, n oh ow). As in every network library the kernel is not flipped:
it is a cross-correlation.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from inkgrad.kernels.reference.window import Pair, padded, seen_by, unpadded, window_count
from inkgrad.kernels.registry import kernel

BLOCK = 1 << 19  # numbers in the matrix of columns: it stays in the cache, and a large batch needs no more memory


@kernel
def conv2d_forward(
    x: NDArray[Any], weight: NDArray[Any], bias: NDArray[Any] | None, stride: Pair, padding: Pair
) -> NDArray[Any]:
    """y[n, o, r, s] = b[o] + sum over c, i, j of w[o, c, i, j] x[n, c, r sh + i - ph, s sw + j - pw].

    x (n, c, h, w), 0 outside; weight (o, c, kh, kw), bias (o,) or None -> (n, o, oh, ow).
    """
    outputs, size = len(weight), weight.shape[2:]
    counts = _counts(x.shape, size, stride, padding)
    y = np.empty((len(x), outputs, *counts), x.dtype)
    matrix = weight.reshape(outputs, _length(weight.shape[1:]))
    for block in _blocks(len(x), matrix.shape[1] * _length(counts)):
        part = matrix @ _columns(x[block], size, stride, padding)
        y[block] = part.reshape(outputs, len(x[block]), *counts).transpose(1, 0, 2, 3)
    if bias is not None:
        y += bias[:, None, None]
    return y


@kernel
def conv2d_input_gradient(
    gradient: NDArray[Any], weight: NDArray[Any], shape: tuple[int, ...], stride: Pair, padding: Pair
) -> NDArray[Any]:
    """dL/dx: each dL/dy[n, o, r, s] w[o, c, i, j] added to where its x came from.

    gradient (n, o, oh, ow), weight (o, c, kh, kw); x had `shape` (n, c, h, w).
    """
    (n, channels, h, w), (kh, kw) = shape, weight.shape[2:]
    counts: Any = gradient.shape[2:]
    wide = np.zeros((n, channels, h + 2 * padding[0], w + 2 * padding[1]), gradient.dtype)
    matrix = weight.reshape(len(weight), channels * kh * kw).T
    for block in _blocks(n, len(matrix) * _length(counts)):
        part = (matrix @ _rows(gradient[block])).reshape(channels, kh, kw, len(wide[block]), *counts)
        for i in range(kh):
            for j in range(kw):
                wide[block][seen_by(i, j, counts, stride)] += part[:, i, j].transpose(1, 0, 2, 3)
    return np.ascontiguousarray(unpadded(wide, padding))


@kernel
def conv2d_weight_gradient(
    gradient: NDArray[Any], x: NDArray[Any], size: Pair, stride: Pair, padding: Pair
) -> NDArray[Any]:
    """dL/dw[o, c, i, j] = sum over n, r, s of dL/dy[n, o, r, s] x[n, c, r sh + i - ph, s sw + j - pw].

    gradient (n, o, oh, ow), x (n, c, h, w), kernels of `size` (kh, kw) -> (o, c, kh, kw).
    """
    outputs, channels = gradient.shape[1], x.shape[1]
    total = np.zeros((outputs, channels * _length(size)), gradient.dtype)
    for block in _blocks(len(x), total.shape[1] * _length(gradient.shape[2:])):
        total += _rows(gradient[block]) @ _columns(x[block], size, stride, padding).T
    return total.reshape(outputs, channels, *size)


def _columns(x: NDArray[Any], size: Any, stride: Pair, padding: Pair) -> NDArray[Any]:
    """Every window as a column: (n, c, h, w) -> (c kh kw, n oh ow)."""
    windows = sliding_window_view(padded(x, padding), size, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    n, c, oh, ow, kh, kw = windows.shape
    return windows.transpose(1, 4, 5, 0, 2, 3).reshape(c * kh * kw, n * oh * ow)


def _rows(gradient: NDArray[Any]) -> NDArray[Any]:
    """(n, o, oh, ow) -> (o, n oh ow)."""
    n, o, oh, ow = gradient.shape
    return gradient.transpose(1, 0, 2, 3).reshape(o, n * oh * ow)


def _blocks(n: int, numbers: int) -> Iterator[slice]:
    """The batch in slices of images whose columns, `numbers` an image, fit into a block."""
    step = max(1, BLOCK // max(numbers, 1))
    return (slice(start, start + step) for start in range(0, n, step))


def _counts(shape: tuple[int, ...], size: Any, stride: Pair, padding: Pair) -> Pair:
    rows, columns = (window_count(*parts) for parts in zip(shape[2:], size, stride, padding, strict=True))
    return rows, columns


def _length(shape: Any) -> int:
    return int(np.prod(shape, dtype=np.int64))
