"""Matrix products."""

import numpy as np

from inkgrad import kernels
from inkgrad.autodiff.differentiable import Recorded, differentiable, shared
from inkgrad.autodiff.tensor import Array
from inkgrad.errors import ShapeError
from inkgrad.kernels.reference.activation import ACTIVATIONS, Activation

__all__ = ["affine", "matmul"]


@differentiable(broadcasts=True)
def matmul(a: Array, b: Array) -> Recorded:
    """a (..., n, k) @ b (..., k, m) -> (..., n, m), as `numpy.matmul`: leading axes broadcast, vectors too."""
    value = a @ b

    def left(g: Array) -> Array:
        if b.ndim == 1:
            return np.asarray(g[..., None] * b) if a.ndim > 1 else np.asarray(g * b)
        part = (g[..., None, :] if a.ndim == 1 else g) @ b.swapaxes(-1, -2)
        return part[..., 0, :] if a.ndim == 1 else part

    def right(g: Array) -> Array:
        if a.ndim == 1:
            return np.asarray(a[:, None] * g[..., None, :]) if b.ndim > 1 else np.asarray(g * a)
        part = a.swapaxes(-1, -2) @ (g[..., None] if b.ndim == 1 else g)
        return part[..., 0] if b.ndim == 1 else part

    return value, (left, right)


@differentiable
def affine(x: Array, weight: Array, bias: Array | None = None, *, activation: Activation = "identity") -> Recorded:
    """activation(x W^T + b): x (n, i), weight (o, i), bias (o,) or None -> (n, o).

    The activation, "identity", "relu", "sigmoid" or "tanh", is computed in the same pass over the result.
    """
    if x.ndim != 2 or weight.ndim != 2 or x.shape[1] != weight.shape[1]:
        raise ShapeError(
            f"affine needs x (n, {weight.shape[-1] if weight.ndim else 'in'}) for a weight of shape {weight.shape}, "
            f"but x has shape {x.shape}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(f"affine needs a bias of shape ({weight.shape[0]},), but it has {bias.shape}")
    if activation not in ACTIVATIONS:
        raise ShapeError(f"affine knows the activations {', '.join(ACTIVATIONS)}, but got {activation!r}")
    y = kernels.affine_forward(x, weight, bias, activation)
    before = shared(lambda g: kernels.activation_backward(g, y, activation))
    return y, (
        lambda g: before(g) @ weight,
        lambda g: before(g).T @ x,
        None if bias is None else lambda g: np.add.reduce(before(g), axis=0),
    )
