"""Activations as layers, for use in `Sequential`."""

from inkgrad.autodiff import Tensor, TensorLike, ops
from inkgrad.nn.module import Module

__all__ = ["GELU", "LeakyReLU", "LogSoftmax", "ReLU", "Sigmoid", "Softmax", "Softplus", "Tanh"]


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: TensorLike) -> Tensor:
        """x of any shape -> the same shape."""
        return ops.relu(x)


class LeakyReLU(Module):
    """x where positive, else slope x."""

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def forward(self, x: TensorLike) -> Tensor:
        """x of any shape -> the same shape."""
        return ops.leaky_relu(x, slope=self.slope)


class Sigmoid(Module):
    """1 / (1 + e^-x)."""

    def forward(self, x: TensorLike) -> Tensor:
        """x of any shape -> the same shape."""
        return ops.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: TensorLike) -> Tensor:
        """x of any shape -> the same shape."""
        return ops.tanh(x)


class GELU(Module):
    """x Phi(x), the exact form."""

    def forward(self, x: TensorLike) -> Tensor:
        """x of any shape -> the same shape."""
        return ops.gelu(x)


class Softplus(Module):
    """log(1 + e^x)."""

    def forward(self, x: TensorLike) -> Tensor:
        """x of any shape -> the same shape."""
        return ops.softplus(x)


class Softmax(Module):
    """e^x / sum e^x along an axis. Networks give logits; the losses contain their own softmax."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: TensorLike) -> Tensor:
        """x of any shape -> the same shape."""
        return ops.softmax(x, axis=self.axis)


class LogSoftmax(Module):
    """log softmax(x) along an axis."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: TensorLike) -> Tensor:
        """x of any shape -> the same shape."""
        return ops.log_softmax(x, axis=self.axis)
