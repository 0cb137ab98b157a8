"""Pooling: maximum or average over windows of an image."""

import numpy as np

from inkgrad import kernels
from inkgrad.autodiff.differentiable import Recorded, differentiable
from inkgrad.autodiff.ops.window import Lengths, Pair, check_images, check_window, pool_window
from inkgrad.autodiff.tensor import Array
from inkgrad.errors import ShapeError

__all__ = ["average_pool2d", "global_average_pool2d", "max_pool2d"]


@differentiable
def max_pool2d(x: Array, *, size: Lengths, stride: Lengths | None = None, padding: Lengths = 0) -> Recorded:
    """The maximum of each window: (n, c, h, w) -> (n, c, (h + 2 p - size) // stride + 1, likewise).

    Of equal maxima the first, row by row, gets the gradient.

    Args:
        x: (n, c, h, w).
        size: of the window, for rows and columns or (rows, columns).
        stride: steps between windows; by default the size.
        padding: on every side, at most half the size; never chosen.

    Raises:
        ShapeError: x is no batch of images, or the window is larger than the padded images.
        OptionError: a size or stride below 1, a padding below 0 or above half the size.

    >>> import numpy as np
    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), size=2).data.tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """
    window = pool_window("max_pool2d", size, stride, padding)
    _check("max_pool2d", x, window)
    y, chosen = kernels.max_pool2d_forward(x, *window)
    shape = x.shape
    return y, (lambda g: kernels.max_pool2d_backward(g, chosen, shape, *window),)


@differentiable
def average_pool2d(x: Array, *, size: Lengths, stride: Lengths | None = None, padding: Lengths = 0) -> Recorded:
    """The mean of each window: (n, c, h, w) -> (n, c, (h + 2 p - size) // stride + 1, likewise).

    Args:
        x: (n, c, h, w).
        size: of the window, for rows and columns or (rows, columns).
        stride: steps between windows; by default the size.
        padding: zeros on every side, at most half the size; they count in the mean.

    Raises:
        ShapeError: x is no batch of images, or the window is larger than the padded images.
        OptionError: a size or stride below 1, a padding below 0 or above half the size.

    >>> import numpy as np
    >>> average_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), size=2).data.tolist()
    [[[[2.5, 4.5], [10.5, 12.5]]]]
    """
    window = pool_window("average_pool2d", size, stride, padding)
    _check("average_pool2d", x, window)
    shape = x.shape
    return kernels.average_pool2d_forward(x, *window), (lambda g: kernels.average_pool2d_backward(g, shape, *window),)


@differentiable
def global_average_pool2d(x: Array) -> Recorded:
    """The mean of each channel: (n, c, h, w) -> (n, c) (Lin et al. 2013, arXiv 1312.4400).

    >>> import numpy as np
    >>> global_average_pool2d(np.arange(8.0).reshape(1, 2, 2, 2)).data.tolist()
    [[1.5, 5.5]]
    """
    check_images("global_average_pool2d", x.shape)
    shape, count = x.shape, x.shape[2] * x.shape[3]
    if count == 0:
        raise ShapeError(f"global_average_pool2d needs images of at least one pixel, but got {shape}")
    scale = x.dtype.type(1 / count)
    return x.mean(axis=(2, 3)), (lambda g: np.broadcast_to((g * scale)[:, :, None, None], shape),)


def _check(op: str, x: Array, window: tuple[Pair, Pair, Pair]) -> None:
    check_images(op, x.shape)
    check_window(op, x.shape, *window)
