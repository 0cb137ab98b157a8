"""Operations that move elements: every gradient is the move backwards."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from inkgrad.autodiff.differentiable import Recorded, differentiable
from inkgrad.autodiff.tensor import Array, Tensor, TensorLike

__all__ = ["broadcast_to", "concatenate", "getitem", "pad", "reshape", "stack", "transpose"]


@differentiable
def reshape(x: Array, *, shape: int | Sequence[int]) -> Recorded:
    """The same elements in another shape; one length may be -1."""
    return x.reshape(shape), (lambda g: g.reshape(x.shape),)


@differentiable
def transpose(x: Array, *, axes: Sequence[int] | None = None) -> Recorded:
    """The axes in the given order, reversed by default."""
    if axes is None:
        return x.T, (lambda g: g.T,)
    back = np.argsort([a % x.ndim for a in axes])
    return x.transpose(axes), (lambda g: g.transpose(back),)


@differentiable
def getitem(x: Array, *, index: Any) -> Recorded:
    """x[index], with every form of index that NumPy has; elements taken twice add up their gradients."""
    index = _plain(index)

    def pull_back(g: Array) -> Array:
        out = np.zeros_like(x)
        if _is_basic(index):
            out[index] = g
        else:
            np.add.at(out, index, g)
        return out

    return x[index], (pull_back,)


def _plain(index: Any) -> Any:
    """Index tensors as integer arrays."""
    if isinstance(index, Tensor):
        return index.data.astype(np.int64)
    return tuple(_plain(i) for i in index) if isinstance(index, tuple) else index


def _is_basic(index: Any) -> bool:
    """Whether every element is taken at most once: numbers, slices, ... and new axes, no arrays."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or isinstance(part, int | slice | np.integer) for part in parts)


@differentiable
def _concatenate(*arrays: Array, axis: int) -> Recorded:
    joined = np.concatenate(arrays, axis=axis)
    ends = np.cumsum([a.shape[axis] for a in arrays])

    def part(i: int) -> Any:
        window = slice(ends[i] - arrays[i].shape[axis], ends[i])
        return lambda g: np.moveaxis(np.moveaxis(g, axis, 0)[window], 0, axis)

    return joined, [part(i) for i in range(len(arrays))]


def concatenate(tensors: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Join tensors along an axis that they have.

    >>> concatenate([[1.0, 2.0], [3.0]]).data
    array([1., 2., 3.], dtype=float32)
    """
    return _concatenate(*tensors, axis=axis)


@differentiable
def _stack(*arrays: Array, axis: int) -> Recorded:
    def part(i: int) -> Any:
        return lambda g: np.take(g, i, axis=axis)

    return np.stack(arrays, axis=axis), [part(i) for i in range(len(arrays))]


def stack(tensors: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis.

    >>> stack([[1.0, 2.0], [3.0, 4.0]], axis=1).data
    array([[1., 3.],
           [2., 4.]], dtype=float32)
    """
    return _stack(*tensors, axis=axis)


@differentiable
def pad(x: Array, *, width: int | Sequence[Any], value: float = 0.0) -> Recorded:
    """Surround x by a constant; `width` as `numpy.pad` takes it: n, (before, after), or a pair for each axis."""
    padded = np.pad(x, width, constant_values=value)
    pairs = np.broadcast_to(np.asarray(width), (x.ndim, 2))
    inner = tuple(slice(before, before + n) for (before, _), n in zip(pairs, x.shape, strict=True))
    return padded, (lambda g: g[inner],)


@differentiable(broadcasts=True)
def broadcast_to(x: Array, *, shape: int | Sequence[int]) -> Recorded:
    """x repeated to a larger shape as NumPy broadcasts; a read-only view."""
    return np.broadcast_to(x, shape), (lambda g: g,)
