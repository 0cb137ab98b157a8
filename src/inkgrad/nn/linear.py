"""The dense layer."""

import numpy as np

from inkgrad.autodiff import Tensor, TensorLike, as_array, ops
from inkgrad.errors import ShapeError
from inkgrad.kernels.reference.activation import Activation
from inkgrad.nn.init import Initializer, check_widths, draw, he_normal, zeros
from inkgrad.nn.module import Module, Parameter

__all__ = ["Linear"]


class Linear(Module):
    """y = x W^T + b: (n, in) -> (n, out).

    Args:
        inputs: features in.
        outputs: features out.
        rng: draws the initial weights.
        bias: whether there is a b, zero at first.
        init: how the weights start; He's normal by default, made for ReLU.

    Attributes:
        weight: (out, in).
        bias: (out,) or None.

    >>> from inkgrad.random import default_rng
    >>> Linear(3, 2, rng=default_rng(0))([[1.0, 0.0, -1.0]]).shape
    (1, 2)
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        rng: np.random.Generator,
        bias: bool = True,
        init: Initializer = he_normal,
    ) -> None:
        check_widths("Linear", "input and one output", inputs, outputs)
        self.weight = Parameter(draw("Linear", init, (outputs, inputs), rng))
        self.bias = Parameter(zeros((outputs,))) if bias else None

    def forward(self, x: TensorLike, activation: Activation = "identity") -> Tensor:
        """x W^T + b, with an activation computed in the same pass if one is named."""
        shape = x.shape if isinstance(x, Tensor) else as_array(x).shape
        if len(shape) != 2 or shape[1] != self.weight.shape[1]:
            raise ShapeError(
                f"{self._title} expects (n, {self.weight.shape[1]}), but got {shape}"
                + ("; put a Flatten before it" if len(shape) > 2 else "")
            )
        return ops.affine(x, self.weight, self.bias, activation=activation)
