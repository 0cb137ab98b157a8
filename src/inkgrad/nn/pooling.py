"""Pooling layers: fewer pixels, the same channels."""

import numpy as np

from inkgrad.autodiff import Tensor, TensorLike, as_array, ops
from inkgrad.autodiff.ops.window import Lengths, check_images, check_window, pool_window
from inkgrad.errors import OptionError, ShapeError
from inkgrad.nn.module import Module, Parameter

__all__ = ["AveragePool2d", "GlobalAveragePool2d", "MaxPool2d", "ScaledAveragePool2d"]


class _Pool(Module):
    """A window that slides over images."""

    def __init__(self, size: Lengths, stride: Lengths | None = None, padding: Lengths = 0) -> None:
        self.size, self.stride, self.padding = pool_window(type(self).__name__, size, stride, padding)

    def _check(self, x: TensorLike) -> None:
        shape = x.shape if isinstance(x, Tensor) else as_array(x).shape
        check_images(self._title, shape)
        check_window(self._title, shape, self.size, self.stride, self.padding)


class MaxPool2d(_Pool):
    """The maximum of each window: (n, c, h, w) -> (n, c, (h + 2 padding - size) // stride + 1, likewise).

    Args:
        size: of the window, for rows and columns or (rows, columns).
        stride: steps between windows, likewise; by default the size.
        padding: on every side, at most half the size; never chosen.

    >>> MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4)).data.tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """

    def forward(self, x: TensorLike) -> Tensor:
        """x (n, c, h, w) -> (n, c, oh, ow)."""
        self._check(x)
        return ops.max_pool2d(x, size=self.size, stride=self.stride, padding=self.padding)


class AveragePool2d(_Pool):
    """The mean of each window: (n, c, h, w) -> (n, c, (h + 2 padding - size) // stride + 1, likewise).

    Args:
        size: of the window, for rows and columns or (rows, columns).
        stride: steps between windows, likewise; by default the size.
        padding: zeros on every side, at most half the size; they count in the mean.

    >>> AveragePool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4)).data.tolist()
    [[[[2.5, 4.5], [10.5, 12.5]]]]
    """

    def forward(self, x: TensorLike) -> Tensor:
        """x (n, c, h, w) -> (n, c, oh, ow)."""
        self._check(x)
        return ops.average_pool2d(x, size=self.size, stride=self.stride, padding=self.padding)


class GlobalAveragePool2d(Module):
    """The mean of each channel: (n, c, h, w) -> (n, c) (Lin et al. 2013, arXiv 1312.4400)."""

    def forward(self, x: TensorLike) -> Tensor:
        """x (n, c, h, w) -> (n, c)."""
        shape = x.shape if isinstance(x, Tensor) else as_array(x).shape
        check_images(self._title, shape)
        if shape[2] * shape[3] == 0:
            raise ShapeError(f"{self._title} needs images of at least one pixel, but got {shape}")
        return ops.global_average_pool2d(x)


class ScaledAveragePool2d(_Pool):
    """LeCun's trainable subsampling: the mean of each window, times a coefficient, plus a bias, one of each a channel.

    LeCun et al. 1998, "Gradient-based learning applied to document recognition", where the coefficient multiplies the
    sum of the window; here it multiplies the mean and begins at 1.

    Args:
        channels: c.
        size: of the window and the step from one to the next, for rows and columns or (rows, columns).

    Attributes:
        weight: the coefficients, (c,).
        bias: (c,).

    >>> ScaledAveragePool2d(6, 2)(np.zeros((3, 6, 28, 28))).shape
    (3, 6, 14, 14)
    """

    def __init__(self, channels: int, size: Lengths) -> None:
        super().__init__(size)
        if channels < 1:
            raise OptionError(f"ScaledAveragePool2d needs at least one channel, but got {channels}")
        self.weight = Parameter(np.ones(channels, np.float32))
        self.bias = Parameter(np.zeros(channels, np.float32))

    def forward(self, x: TensorLike) -> Tensor:
        """x (n, c, h, w) -> (n, c, oh, ow)."""
        channels = self.weight.shape[0]
        shape = x.shape if isinstance(x, Tensor) else as_array(x).shape
        check_images(self._title, shape, channels)
        check_window(self._title, shape, self.size, self.stride, self.padding)
        if not isinstance(x, Tensor):  # an array takes the dtype of the parameters
            x = Tensor(x, dtype=self.weight.dtype)
        mean = ops.average_pool2d(x, size=self.size, stride=self.stride, padding=self.padding)
        scaled = ops.multiply(mean, ops.reshape(self.weight, shape=(channels, 1, 1)))
        return ops.add(scaled, ops.reshape(self.bias, shape=(channels, 1, 1)))
