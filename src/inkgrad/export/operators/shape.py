"""Moves of elements, and reductions."""

import math
from typing import Any

import numpy as np

from inkgrad.autodiff import Tensor, ops
from inkgrad.errors import ShapeError
from inkgrad.export.budget import claim
from inkgrad.export.operators.elementwise import floats
from inkgrad.export.operators.registry import OPERATORS, Attributes, Value, operator, plain, whole


def _given(x: Value) -> Any:
    if x is None:
        raise ShapeError("an input is missing")
    return x


def reshaped(x: Any, shape: Any) -> Any:
    """A tensor or an array in another shape."""
    return ops.reshape(x, shape=tuple(shape)) if isinstance(x, Tensor) else x.reshape(shape)


@operator("Reshape")
def _reshape(a: Attributes, x: Value, shape: Value = None) -> Any:
    """A length of 0 is that of the input's axis, unless zero is allowed; -1 is what is left."""
    x = _given(x)
    wanted = whole(shape, "shape") if a.version >= 5 else a.integers("shape", [])
    if not a.integer("allowzero", 0):
        if any(n == 0 and i >= x.ndim for i, n in enumerate(wanted)):
            raise ShapeError(f"its shape {wanted} takes over an axis that {x.shape} does not have")
        wanted = [x.shape[i] if n == 0 else n for i, n in enumerate(wanted)]
    if min(wanted, default=1) < -1 or wanted.count(-1) > 1:
        raise ShapeError(f"its shape {wanted} is none")
    return reshaped(x, wanted)


@operator("Flatten")
def _flatten(a: Attributes, x: Value) -> Any:
    x = _given(x)
    axis = a.integer("axis", 1)
    if not -x.ndim <= axis <= x.ndim:
        raise ShapeError(f"its axis {axis} is none of {x.shape}")
    axis = axis + x.ndim if axis < 0 else axis
    return reshaped(x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


@operator("Transpose")
def _transpose(a: Attributes, x: Value) -> Any:
    x = _given(x)
    order = a.integers("perm", list(range(x.ndim))[::-1])
    if sorted(order) != list(range(x.ndim)):
        raise ShapeError(f"its perm {order} is no order of the axes of {x.shape}")
    return ops.transpose(x, axes=order) if isinstance(x, Tensor) else x.transpose(order)


@operator("Concat")
def _concat(a: Attributes, *inputs: Value) -> Any:
    parts = [_given(x) for x in inputs]
    axis = a.integer("axis", 1)
    if not parts or not -parts[0].ndim <= axis < parts[0].ndim:
        raise ShapeError(f"it cannot join {len(parts)} inputs along axis {axis}")
    claim([sum(math.prod(part.shape) for part in parts)])
    if all(isinstance(part, Tensor) for part in parts):
        return ops.concatenate(parts, axis=axis)
    if any(isinstance(part, Tensor) for part in parts):
        raise ShapeError("its inputs are of different types")
    return np.concatenate(parts, axis=axis)


def sliced(x: Any, index: Any) -> Any:
    """A part of a tensor or an array."""
    return ops.getitem(x, index=index) if isinstance(x, Tensor) else x[index]


@operator("Pad")
def _pad(a: Attributes, x: Value, pads: Value = None, value: Value = None, axes: Value = None) -> Any:
    """Negative widths cut off."""
    x = _given(x)
    widths = whole(pads, "pads") if a.version >= 11 else a.integers("pads" if a.version > 1 else "paddings", [])
    chosen = range(x.ndim) if axes is None else [axis % max(x.ndim, 1) for axis in whole(axes, "axes")]
    if len(widths) != 2 * len(chosen) or len(set(chosen)) != len(chosen):
        raise ShapeError(f"its pads {widths} are not two for each of {len(chosen)} axes")
    pairs = [(0, 0)] * x.ndim
    for i, axis in enumerate(chosen):
        pairs[axis] = (widths[i], widths[i + len(chosen)])
    claim([max(n + max(b, 0) + max(e, 0), 0) for n, (b, e) in zip(x.shape, pairs, strict=True)])
    cut = tuple(slice(max(-b, 0), n - max(-e, 0)) for n, (b, e) in zip(x.shape, pairs, strict=True))
    if any(part != slice(0, n) for part, n in zip(cut, x.shape, strict=True)):
        x = sliced(x, cut)
    pairs = [(max(b, 0), max(e, 0)) for b, e in pairs]
    mode: Any = a.text("mode", "constant")
    if mode == "constant":
        fill = float(np.asarray(plain(value)).reshape(())) if value is not None else a.number("value", 0.0)
        return ops.pad(x, width=pairs, value=fill) if isinstance(x, Tensor) else np.pad(x, pairs, constant_values=fill)
    if mode not in ("edge", "reflect", "wrap"):
        raise ShapeError(f"its mode {mode!r} is not known")
    for axis, (n, pair) in enumerate(zip(x.shape, pairs, strict=True)):
        if pair != (0, 0):
            places = np.pad(np.arange(n), pair, mode=mode)
            x = sliced(x, (*([slice(None)] * axis), places))
    return x


def _axes(a: Attributes, x: Any, axes: Value, since: int) -> list[int] | None:
    """The axes of a reduction, an attribute or since some version an input; None for no reduction."""
    given = a.integers("axes", []) if a.version < since else ([] if axes is None else whole(axes, "axes"))
    if not given and a.integer("noop_with_empty_axes", 0):
        return None
    given = given or list(range(x.ndim))
    if any(not -x.ndim <= axis < x.ndim for axis in given):
        raise ShapeError(f"its axes {given} are not those of {x.shape}")
    return given


def _reduction(function: Any, since: int) -> Any:
    def run(a: Attributes, x: Value, axes: Value = None) -> Any:
        x = floats(x)
        chosen = _axes(a, x, axes, since)
        if not chosen:
            return x
        return function(x, axis=tuple(chosen), keepdims=bool(a.integer("keepdims", 1)))

    return run


OPERATORS["ReduceMean"] = _reduction(ops.mean, 18)
OPERATORS["ReduceSum"] = _reduction(ops.sum, 13)
OPERATORS["ReduceMax"] = _reduction(ops.max, 18)
OPERATORS["ReduceLogSumExp"] = _reduction(ops.logsumexp, 18)


def _places(a: Attributes, axes: Value) -> list[int]:
    return whole(axes, "axes") if a.version >= 13 and axes is not None else a.integers("axes", [])


@operator("Squeeze")
def _squeeze(a: Attributes, x: Value, axes: Value = None) -> Any:
    x = _given(x)
    chosen = {axis % max(x.ndim, 1) for axis in _places(a, axes)} or {i for i, n in enumerate(x.shape) if n == 1}
    if any(x.shape[axis] != 1 for axis in chosen):
        raise ShapeError(f"it drops axes {sorted(chosen)} of {x.shape}, which are not all of length 1")
    return reshaped(x, [n for i, n in enumerate(x.shape) if i not in chosen])


@operator("Unsqueeze")
def _unsqueeze(a: Attributes, x: Value, axes: Value = None) -> Any:
    x = _given(x)
    given = _places(a, axes)
    chosen = {axis % (x.ndim + len(given)) for axis in given}
    if len(chosen) != len(given):
        raise ShapeError(f"its axes {given} are not all different")
    rest = iter(x.shape)
    return reshaped(x, [1 if i in chosen else next(rest) for i in range(x.ndim + len(given))])


@operator("Slice")
def _slice(
    a: Attributes, x: Value, starts: Value = None, ends: Value = None, axes: Value = None, steps: Value = None
) -> Any:
    x = _given(x)
    if a.version < 10:
        begin, end = a.integers("starts", []), a.integers("ends", [])
        along, by = a.integers("axes", list(range(len(begin)))), [1] * len(begin)
    else:
        begin, end = whole(starts, "starts"), whole(ends, "ends")
        along = list(range(len(begin))) if axes is None else whole(axes, "axes")
        by = [1] * len(begin) if steps is None else whole(steps, "steps")
    index = [slice(None)] * x.ndim
    for axis, first, last, step in zip(along, begin, end, by, strict=True):
        n = x.shape[axis]
        past = step < 0 and last < -n  # beyond the first element: NumPy's None
        index[axis] = slice(first, None if past else last, step)
    return sliced(x, tuple(index))


@operator("Gather")
def _gather(a: Attributes, x: Value, indices: Value) -> Any:
    x, chosen = _given(x), np.asarray(plain(indices))
    axis = a.integer("axis", 0)
    if chosen.dtype.kind not in "iu" or not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"it cannot take {chosen.dtype} along axis {axis} of {x.shape}")
    axis %= x.ndim
    claim([*x.shape[:axis], *chosen.shape, *x.shape[axis + 1 :]])
    return sliced(x, (*([slice(None)] * axis), int(chosen) if chosen.ndim == 0 else chosen))


@operator("Expand")
def _expand(a: Attributes, x: Value, shape: Value) -> Any:
    x = _given(x)
    wanted = whole(shape, "shape")
    claim(wanted)
    full = np.broadcast_shapes(x.shape, tuple(wanted))
    claim(full)
    return ops.broadcast_to(x, shape=full) if isinstance(x, Tensor) else np.broadcast_to(x, full)


@operator("ConstantOfShape")
def _constant_of_shape(a: Attributes, shape: Value) -> Any:
    wanted = whole(shape, "shape")
    if min(wanted, default=0) < 0:
        raise ShapeError(f"its shape {wanted} is none")
    claim(wanted)
    value = np.asarray(a.values.get("value", np.zeros(1, np.float32)))
    if value.size != 1:
        raise ShapeError(f"its value has {value.size} numbers, expected one")
    full = np.full(wanted, value.reshape(()))
    return Tensor(full) if full.dtype.kind == "f" else full


@operator("Shape")
def _shape(a: Attributes, x: Value) -> Any:
    shape = _given(x).shape
    return np.asarray(shape[a.integer("start", 0) : a.integer("end", len(shape))], np.int64)
