"""The convolutional layer."""

from typing import Any

import numpy as np

from inkgrad.autodiff import Array, Tensor, TensorLike, as_array, ops
from inkgrad.autodiff.ops.window import Lengths, check_images, check_window, pair_of
from inkgrad.errors import OptionError
from inkgrad.nn.init import Initializer, check_widths, draw, he_normal, zeros
from inkgrad.nn.module import Module, Parameter

__all__ = ["Conv2d"]


class Conv2d(Module):
    """Slide kernels over images: (n, c, h, w) -> (n, out, (h + 2 padding - size) // stride + 1, likewise).

    A cross-correlation, as in every network library (LeCun et al. 1989, 1998).

    Args:
        inputs: channels in.
        outputs: channels out.
        size: of the kernels, for rows and columns or (rows, columns).
        rng: draws the initial weights.
        stride: steps between windows, likewise.
        padding: zeros on every side, likewise.
        bias: whether there is one, zero at first.
        init: how the weights start; He's normal by default, made for ReLU.
        connections: booleans (out, in): which input channels each output sees, as in LeNet-5's third layer; all by
            default. The weights of the others are zero and stay zero, and no fan-in counts them.

    Attributes:
        weight: (out, in, kh, kw).
        bias: (out,) or None.

    >>> from inkgrad.random import default_rng
    >>> Conv2d(1, 6, 5, rng=default_rng(0), padding=2)(np.zeros((3, 1, 28, 28))).shape
    (3, 6, 28, 28)
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: Lengths,
        *,
        rng: np.random.Generator,
        stride: Lengths = 1,
        padding: Lengths = 0,
        bias: bool = True,
        init: Initializer = he_normal,
        connections: Any = None,
    ) -> None:
        check_widths("Conv2d", "channel in and one out", inputs, outputs)
        self.size = pair_of("Conv2d", "size", size, least=1)
        self.stride = pair_of("Conv2d", "stride", stride, least=1)
        self.padding = pair_of("Conv2d", "padding", padding, least=0)
        self.mask: Array | None = None  # float32 (out, in, 1, 1)
        if connections is None:
            weight = draw("Conv2d", init, (outputs, inputs, *self.size), rng)
        else:
            table = _checked_table(connections, outputs, inputs)
            self.mask = table.astype(np.float32)[:, :, None, None]
            self.frozen_count = int((~table).sum()) * self.size[0] * self.size[1]
            weight = _partial_weight(table, self.size, rng, init)
        self.weight = Parameter(weight)
        self.bias = Parameter(zeros((outputs,))) if bias else None

    def forward(self, x: TensorLike) -> Tensor:
        """x (n, in, h, w) -> (n, out, oh, ow)."""
        shape = x.shape if isinstance(x, Tensor) else as_array(x).shape
        check_images(self._title, shape, self.weight.shape[1])
        check_window(self._title, shape, self.size, self.stride, self.padding)
        weight: Tensor = self.weight if self.mask is None else ops.multiply(self.weight, self.mask)
        return ops.conv2d(x, weight, self.bias, stride=self.stride, padding=self.padding)


def _checked_table(connections: Any, outputs: int, inputs: int) -> Array:
    table = np.asarray(connections)
    if table.shape != (outputs, inputs) or table.dtype != np.bool_ or not table.any(axis=1).all():
        raise OptionError(
            f"Conv2d needs connections as booleans ({outputs}, {inputs}) with at least one input for each output, "
            f"but got {table.dtype} of shape {table.shape}"
        )
    return table


def _partial_weight(table: Array, size: tuple[int, int], rng: np.random.Generator, init: Initializer) -> Array:
    """Each output's weights as drawn for a layer that has only its inputs; zero for the others."""
    outputs = len(table)
    weight = np.zeros((*table.shape, *size), np.float32)
    for one, row in enumerate(table):
        weight[one, row] = draw("Conv2d", init, (outputs, int(row.sum()), *size), rng)[one]
    return weight
