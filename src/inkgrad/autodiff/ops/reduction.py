"""Sums, means and their like over axes."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from inkgrad.autodiff.differentiable import Recorded, differentiable
from inkgrad.autodiff.tensor import Array

__all__ = ["logsumexp", "max", "mean", "sum", "variance"]

Axis: TypeAlias = int | Sequence[int] | None


def _axes(x: Array, axis: Axis) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    chosen = (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    for a in chosen:
        if not -x.ndim <= a < x.ndim:
            raise ValueError(f"axis {a} is out of bounds for {x.ndim} axes")
    return tuple(int(a) % x.ndim for a in chosen)


def _spread(g: Array, like: Array, axes: tuple[int, ...]) -> Array:
    """A gradient of the reduced shape, repeated over the reduced axes. Read-only."""
    kept = tuple(1 if i in axes else n for i, n in enumerate(like.shape))
    return np.broadcast_to(g.reshape(kept), like.shape)


def _count(x: Array, axes: tuple[int, ...]) -> int:
    return int(np.prod([x.shape[a] for a in axes], dtype=np.int64))


@differentiable
def sum(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Recorded:
    """The sum over the given axes, all by default."""
    axes = _axes(x, axis)
    return x.sum(axis=axes, keepdims=keepdims), (lambda g: _spread(g, x, axes),)


@differentiable
def mean(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Recorded:
    """The mean over the given axes, all by default."""
    axes = _axes(x, axis)
    count = x.dtype.type(_count(x, axes))
    if count == 0:
        raise ValueError("the mean of no elements does not exist")
    return x.mean(axis=axes, keepdims=keepdims), (lambda g: _spread(g / count, x, axes),)


@differentiable
def max(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Recorded:
    """The maximum over the given axes; equal maxima share the gradient equally."""
    axes = _axes(x, axis)
    y = x.max(axis=axes, keepdims=True)

    def pull_back(g: Array) -> Array:
        winners = x == y
        share = winners / winners.sum(axis=axes, keepdims=True, dtype=x.dtype)
        return np.asarray(_spread(g, x, axes) * share, dtype=x.dtype)

    return (y if keepdims else y.squeeze(axes)), (pull_back,)


@differentiable
def variance(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Recorded:
    """The population variance (ddof 0) over the given axes; dx = 2 (x - mean) / n."""
    axes = _axes(x, axis)
    count = x.dtype.type(_count(x, axes))
    if count == 0:
        raise ValueError("the variance of no elements does not exist")
    centered = x - x.mean(axis=axes, keepdims=True)
    value = (centered * centered).mean(axis=axes, keepdims=keepdims)
    return value, (lambda g: _spread(g * (2 / count), x, axes) * centered,)


@differentiable
def logsumexp(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Recorded:
    """log sum exp(x) over the given axes without overflow; dx = softmax(x).

    A sum of no elements is 0, its logarithm minus infinity; where all are minus infinity, the gradient is 0.
    """
    axes = _axes(x, axis)
    top = x.max(axis=axes, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, x.dtype.type(0))
    powers = np.exp(x - top)
    total = powers.sum(axis=axes, keepdims=True)
    with np.errstate(divide="ignore"):
        y = np.log(total) + top

    def pull_back(g: Array) -> Array:
        return np.asarray(_spread(g, x, axes) * powers / np.where(total == 0, x.dtype.type(1), total))

    return (y if keepdims else y.squeeze(axes)), (pull_back,)
