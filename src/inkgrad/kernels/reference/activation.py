"""Activations that can be computed in place and differentiated from their own output."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.registry import kernel

Activation = Literal["identity", "relu", "sigmoid", "tanh"]
ACTIVATIONS: tuple[Activation, ...] = ("identity", "relu", "sigmoid", "tanh")


@kernel
def activation_forward(x: NDArray[Any], activation: Activation) -> NDArray[Any]:
    """y = activation(x), elementwise, in a new array of the same dtype.

    relu(x) = max(x, 0), with NaN passed on; sigmoid(x) = 1 / (1 + exp(-x)), without overflow on either side.
    """
    if activation == "identity":
        return x.copy()
    if activation == "relu":
        return np.asarray(np.maximum(x, x.dtype.type(0)))
    if activation == "tanh":
        return np.asarray(np.tanh(x))
    small = np.exp(-np.abs(x))  # in (0, 1], so nothing overflows
    return np.asarray(np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype, copy=False))


@kernel
def activation_backward(gradient: NDArray[Any], y: NDArray[Any], activation: Activation) -> NDArray[Any]:
    """dL/dx from `gradient` = dL/dy and the output y: relu' = [y > 0], sigmoid' = y (1 - y), tanh' = 1 - y^2."""
    if activation == "identity":
        return gradient
    if activation == "relu":
        return np.asarray(np.where(y <= 0, gradient.dtype.type(0), gradient))  # 0 also of an infinite gradient
    if activation == "tanh":
        return np.asarray(gradient * (1 - y * y))
    return np.asarray(gradient * (y * (1 - y)))
