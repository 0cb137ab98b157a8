"""Batch and layer normalization: value, and the gradients of all three inputs at once."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.registry import kernel


class Saved(NamedTuple):
    """What the forward pass leaves for the backward pass: normalized input, 1/deviation, mean, variance."""

    normalized: NDArray[Any]
    inverse_std: NDArray[Any]
    mean: NDArray[Any]
    variance: NDArray[Any]


class Gradients(NamedTuple):
    """dL/dx, dL/dgamma, dL/dbeta."""

    x: NDArray[Any]
    gamma: NDArray[Any]
    beta: NDArray[Any]


@kernel
def batch_norm_forward(
    x: NDArray[Any], gamma: NDArray[Any], beta: NDArray[Any], eps: float
) -> tuple[NDArray[Any], Saved]:
    """gamma (x - mean) / sqrt(var + eps) + beta, statistics over all axes but the second.

    Ioffe and Szegedy 2015, arXiv 1502.03167. x (n, c, ...), gamma and beta (c,); the variance is the
    population's. An empty batch has no statistics; the caller refuses it.
    """
    axes, shape = _batch_axes(x)
    mean, variance = x.mean(axis=axes), x.var(axis=axes)
    inverse_std = (1 / np.sqrt(variance + x.dtype.type(eps))).astype(x.dtype, copy=False)
    normalized = (x - mean.reshape(shape)) * inverse_std.reshape(shape)
    y = normalized * gamma.reshape(shape) + beta.reshape(shape)
    return y, Saved(normalized, inverse_std, mean, variance)


@kernel
def batch_norm_backward(gradient: NDArray[Any], gamma: NDArray[Any], saved: Saved) -> Gradients:
    """dL/dx = gamma/std (g - mean(g) - x^ mean(g x^)), dL/dgamma = sum g x^, dL/dbeta = sum g."""
    axes, shape = _batch_axes(gradient)
    count = gradient.size // max(gradient.shape[1], 1)
    beta_gradient = gradient.sum(axis=axes)
    gamma_gradient = (gradient * saved.normalized).sum(axis=axes)
    centered = gradient - (beta_gradient / gradient.dtype.type(count)).reshape(shape)
    centered -= saved.normalized * (gamma_gradient / gradient.dtype.type(count)).reshape(shape)
    x_gradient = centered * (gamma * saved.inverse_std).reshape(shape)
    return Gradients(x_gradient, gamma_gradient, beta_gradient)


@kernel
def layer_norm_forward(
    x: NDArray[Any], gamma: NDArray[Any], beta: NDArray[Any], eps: float
) -> tuple[NDArray[Any], Saved]:
    """gamma (x - mean) / sqrt(var + eps) + beta, statistics over the axes that gamma has.

    Ba, Kiros and Hinton 2016, arXiv 1607.06450. x (..., *s), gamma and beta of shape s.
    """
    axes = tuple(range(x.ndim - gamma.ndim, x.ndim))
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    inverse_std = (1 / np.sqrt(variance + x.dtype.type(eps))).astype(x.dtype, copy=False)
    normalized = (x - mean) * inverse_std
    return normalized * gamma + beta, Saved(normalized, inverse_std, mean, variance)


@kernel
def layer_norm_backward(gradient: NDArray[Any], gamma: NDArray[Any], saved: Saved) -> Gradients:
    """As for batch normalization, with the means over each sample's own axes."""
    axes = tuple(range(gradient.ndim - gamma.ndim, gradient.ndim))
    outer = tuple(range(gradient.ndim - gamma.ndim))
    scaled = gradient * gamma
    along = (scaled * saved.normalized).mean(axis=axes, keepdims=True)
    x_gradient = (scaled - scaled.mean(axis=axes, keepdims=True) - saved.normalized * along) * saved.inverse_std
    return Gradients(x_gradient, (gradient * saved.normalized).sum(axis=outer), gradient.sum(axis=outer))


def _batch_axes(x: NDArray[Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    axes = (0, *range(2, x.ndim))
    return axes, (1, x.shape[1], *([1] * (x.ndim - 2)))
