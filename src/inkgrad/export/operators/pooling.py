"""Pooling over one, two or three axes, with every option of ONNX."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from inkgrad.autodiff import Array, Tensor, ops
from inkgrad.errors import ShapeError
from inkgrad.export.budget import claim
from inkgrad.export.operators.elementwise import floats
from inkgrad.export.operators.registry import Attributes, Value, operator
from inkgrad.export.operators.window import Window

_MOST_ELEMENTS = 4096  # of a window that are taken one by one


def _window(a: Attributes, x: Any) -> Window:
    if x.ndim not in (3, 4, 5) or min(x.shape[1:]) < 1:
        raise ShapeError(f"it takes images of one to three axes, but got {x.shape}")
    window = Window.of(a, x.shape[2:], a.integers("kernel_shape", []))
    claim((*x.shape[:2], *window.counts))
    claim((*x.shape[:2], *(n + b + e for n, (b, e) in zip(x.shape[2:], window.pads, strict=True))))
    return window


def _plain(window: Window) -> bool:
    """Whether it is a window of `inkgrad.ops`."""
    halves = all(2 * b <= k for (b, _), k in zip(window.pads, window.size, strict=True))
    return len(window.size) == 2 and window.symmetric and halves and set(window.dilations) == {1}


def _padded(x: Tensor, window: Window, fill: float) -> Tensor:
    return ops.pad(x, width=[(0, 0), (0, 0), *window.pads], value=fill) if any(map(any, window.pads)) else x


def _steps(window: Window, axis: int, element: int) -> slice:
    """Where an element of all windows lies along an axis of the padded image."""
    start, stride = element * window.dilations[axis], window.strides[axis]
    return slice(start, start + (window.counts[axis] - 1) * stride + 1, stride)


def _folded(x: Tensor, window: Window, function: Callable[[Any, Any], Any], fill: float) -> Tensor:
    """Sums or maxima of windows, of one axis after the other."""
    _check_size(sum(window.size), window)
    total = _padded(x, window, fill)
    for axis, size in enumerate(window.size):
        before = [slice(None)] * (axis + 2)
        shape = (*total.shape[: axis + 2], window.counts[axis], *total.shape[axis + 3 :])
        parts = total
        for element in range(size):
            claim(shape)
            one = ops.getitem(parts, index=(*before, _steps(window, axis, element)))
            total = one if element == 0 else function(total, one)
    return total


def _check_size(count: int, window: Window) -> None:
    if count > _MOST_ELEMENTS:
        raise ShapeError(f"its window of {list(window.size)} has more elements than are taken one by one")


@operator("MaxPool")
def _max_pool(a: Attributes, x: Value) -> Any:
    if isinstance(x, np.ndarray) and x.dtype in (np.uint8, np.int8):
        y = _max_pool(a, Tensor(x.astype(np.float32)))
        first, rest = (y[0], y[1:]) if isinstance(y, tuple) else (y, ())
        small = first.data.astype(x.dtype)
        return (small, *rest) if rest else small
    images = floats(x)
    window = _window(a, images)
    if a.outputs > 1:
        return _with_places(images, window, columns_first=bool(a.integer("storage_order", 0)))
    if _plain(window):
        padding: Any = [b for b, _ in window.pads]
        return ops.max_pool2d(images, size=window.size, stride=window.strides, padding=padding)
    return _folded(images, window, ops.maximum, -np.inf)


def _with_places(x: Tensor, window: Window, *, columns_first: bool) -> tuple[Tensor, Array]:
    """The maxima, and where each lies in the flat array of all images; without a gradient."""
    _check_size(int(np.prod(window.size)), window)
    claim((*x.shape[:2], *window.counts, int(np.prod(window.size))))
    padded = _padded(Tensor(x.data), window, -np.inf).data
    axes = range(len(window.size))
    places = product(*map(range, window.size))
    index: Any = [(..., *(_steps(window, axis, at[axis]) for axis in axes)) for at in places]
    values = np.stack([padded[one] for one in index])
    best = values.argmax(axis=0)
    offsets = np.unravel_index(best, window.size)
    starts = np.meshgrid(*(window.places(axis)[:, 0] for axis in range(len(window.size))), indexing="ij")
    found = [start + offset * d for start, offset, d in zip(starts, offsets, window.dilations, strict=True)]
    lengths = window.lengths
    if columns_first:
        found, lengths = found[::-1], lengths[::-1]
    flat = np.ravel_multi_index(found, lengths)
    image = np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], *([1] * len(lengths)))
    return Tensor(values.max(axis=0)), (flat + image * int(np.prod(lengths))).astype(np.int64)


@operator("AveragePool")
def _average_pool(a: Attributes, x: Value) -> Any:
    images = floats(x)
    window = _window(a, images)
    with_padding = bool(a.integer("count_include_pad", 0))
    if _plain(window) and window.pads == window.said and (with_padding or not any(map(any, window.pads))):
        padding: Any = [b for b, _ in window.pads]
        return ops.average_pool2d(images, size=window.size, stride=window.strides, padding=padding)
    total = _folded(images, window, ops.add, 0.0)
    return total * (1 / window.cover(padding=with_padding)).astype(images.dtype)


@operator("GlobalAveragePool")
def _global_average_pool(a: Attributes, x: Value) -> Any:
    images = floats(x)
    if images.ndim < 3 or min(images.shape[1:]) < 1:
        raise ShapeError(f"it takes images, but got {images.shape}")
    return ops.mean(images, axis=tuple(range(2, images.ndim)), keepdims=True)
