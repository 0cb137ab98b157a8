"""Normalization over the batch or over each sample."""

from collections.abc import Callable

import numpy as np

from inkgrad import kernels
from inkgrad.autodiff.differentiable import Recorded, differentiable, shared
from inkgrad.autodiff.tensor import Array
from inkgrad.errors import ShapeError

__all__ = ["batch_norm", "batch_norm_inference", "layer_norm"]

Observer = Callable[[Array, Array, int], None]


@differentiable
def batch_norm(x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5, observe: Observer | None = None) -> Recorded:
    """gamma (x - mean) / sqrt(var + eps) + beta with the batch's own statistics (Ioffe and Szegedy 2015).

    x (n, c) or (n, c, ...), gamma and beta (c,); the variance is the population's. `observe` is told the mean
    (c,), the variance (c,) and the number of values behind each.
    """
    _check_channels("batch_norm", x, gamma, beta)
    if x.size == 0:
        raise ShapeError(f"batch_norm needs at least one sample for its statistics, but x has shape {x.shape}")
    y, saved = kernels.batch_norm_forward(x, gamma, beta, eps)
    if observe is not None:
        observe(saved.mean, saved.variance, x.size // x.shape[1])
    grads = shared(lambda g: kernels.batch_norm_backward(g, gamma, saved))
    return y, (lambda g: grads(g).x, lambda g: grads(g).gamma, lambda g: grads(g).beta)


@differentiable
def batch_norm_inference(
    x: Array, gamma: Array, beta: Array, *, mean: Array, variance: Array, eps: float = 1e-5
) -> Recorded:
    """gamma (x - mean) / sqrt(var + eps) + beta with statistics that are given and constant, (c,) each."""
    _check_channels("batch_norm_inference", x, gamma, beta)
    shape = (1, x.shape[1], *([1] * (x.ndim - 2)))
    axes = (0, *range(2, x.ndim))
    inverse_std = (1 / np.sqrt(variance + eps)).astype(x.dtype)
    scale = (gamma * inverse_std).reshape(shape)
    normalized = (x - mean.astype(x.dtype, copy=False).reshape(shape)) * inverse_std.reshape(shape)
    return normalized * gamma.reshape(shape) + beta.reshape(shape), (
        lambda g: g * scale,
        lambda g: (g * normalized).sum(axis=axes),
        lambda g: g.sum(axis=axes),
    )


@differentiable
def layer_norm(x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5) -> Recorded:
    """gamma (x - mean) / sqrt(var + eps) + beta over the last axes, those of gamma (Ba et al. 2016)."""
    if gamma.ndim == 0 or gamma.shape != beta.shape or x.shape[-gamma.ndim :] != gamma.shape or gamma.size == 0:
        raise ShapeError(
            f"layer_norm needs x (..., *s) with gamma and beta of shape s, "
            f"but x has {x.shape}, gamma {gamma.shape}, beta {beta.shape}"
        )
    y, saved = kernels.layer_norm_forward(x, gamma, beta, eps)
    grads = shared(lambda g: kernels.layer_norm_backward(g, gamma, saved))
    return y, (lambda g: grads(g).x, lambda g: grads(g).gamma, lambda g: grads(g).beta)


def _check_channels(op: str, x: Array, gamma: Array, beta: Array) -> None:
    if x.ndim < 2 or gamma.shape != (x.shape[1],) or beta.shape != gamma.shape:
        raise ShapeError(
            f"{op} needs x (n, c, ...) with gamma and beta (c,), "
            f"but x has {x.shape}, gamma {gamma.shape}, beta {beta.shape}"
        )
