"""Normalization over the batch or over each sample."""

from collections.abc import Callable

import numpy as np

from inkgrad import kernels
from inkgrad.autodiff.differentiable import Recorded, differentiable, shared
from inkgrad.autodiff.tensor import Array
from inkgrad.errors import ShapeError

__all__ = ["batch_norm", "batch_norm_inference", "layer_norm"]

Observer = Callable[[Array, Array, int], None]
Adder = Callable[[Array], None]


@differentiable
def batch_norm(
    x: Array,
    gamma: Array,
    beta: Array,
    *,
    eps: float = 1e-5,
    observe: Observer | None = None,
    add: Adder | None = None,
) -> Recorded:
    """gamma (x - mean) / sqrt(var + eps) + beta with the batch's own statistics (Ioffe and Szegedy 2015).

    x (n, c) or (n, c, ...), gamma and beta (c,); the variance is the population's. `observe` is told the mean
    (c,), the variance (c,) and the number of values behind each. Where x is one part of a batch, `add` sums a float64
    array over all parts in place: the statistics are then those of the whole batch, and so is dL/dx, where L is the
    sum of what the parts differentiate. It is called once in the forward pass, with the sums of x and x^2 and their
    number, and once in the backward pass, with those of g x^ and g.
    """
    _check_channels("batch_norm", x, gamma, beta)
    if x.size == 0:
        raise ShapeError(f"batch_norm needs at least one sample for its statistics, but x has shape {x.shape}")
    if add is not None:
        return _batch_norm_of_parts(x, gamma, beta, eps, observe, add)
    y, saved = kernels.batch_norm_forward(x, gamma, beta, eps)
    if observe is not None:
        observe(saved.mean, saved.variance, x.size // x.shape[1])
    grads = shared(lambda g: kernels.batch_norm_backward(g, gamma, saved))
    return y, (lambda g: grads(g).x, lambda g: grads(g).gamma, lambda g: grads(g).beta)


def _batch_norm_of_parts(
    x: Array, gamma: Array, beta: Array, eps: float, observe: Observer | None, add: Adder
) -> Recorded:
    """As `batch_norm`, for one part of a batch."""
    axes, shape = (0, *range(2, x.ndim)), (1, x.shape[1], *([1] * (x.ndim - 2)))
    own = x.sum(axis=axes, dtype=np.float64), np.square(x, dtype=np.float64).sum(axis=axes)
    sums = np.concatenate([*own, [x.size // x.shape[1]]])
    add(sums)
    count = sums[-1]
    middle, squares = sums[:-1].reshape(2, -1) / count
    mean = middle.astype(x.dtype)
    variance = np.maximum(squares - middle * middle, 0).astype(x.dtype)  # in doubles; NaN stays
    centered = x - mean.reshape(shape)
    inverse_std = (1 / np.sqrt(variance + x.dtype.type(eps))).astype(x.dtype, copy=False)
    centered *= inverse_std.reshape(shape)
    normalized = centered
    if observe is not None:
        observe(mean, variance, int(count))

    def backward(g: Array) -> tuple[Array, Array, Array]:
        own = np.stack([(g * normalized).sum(axis=axes), g.sum(axis=axes)])
        whole = own.astype(np.float64)
        add(whole)
        along, level = ((each / count).astype(g.dtype).reshape(shape) for each in whole)
        return (g - level - normalized * along) * (gamma * inverse_std).reshape(shape), own[0], own[1]

    grads = shared(backward)
    return normalized * gamma.reshape(shape) + beta.reshape(shape), (
        lambda g: grads(g)[0],
        lambda g: grads(g)[1],
        lambda g: grads(g)[2],
    )


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
