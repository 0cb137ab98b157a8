"""The dense layer: matrix product, bias and activation."""

from typing import Any

from numpy.typing import NDArray

from inkgrad.kernels.reference.activation import Activation, activation_forward
from inkgrad.kernels.registry import kernel


@kernel
def affine_forward(
    x: NDArray[Any], weight: NDArray[Any], bias: NDArray[Any] | None, activation: Activation
) -> NDArray[Any]:
    """activation(x W^T + b): x (n, i), weight (o, i), bias (o,) or None -> (n, o)."""
    y = x @ weight.T
    if bias is not None:
        y = y + bias
    return y if activation == "identity" else activation_forward.reference(y, activation)
