"""Moves of elements, and reductions. Lengths that differ between the two sizes of the input stay open."""

import math
from typing import Any

import numpy as np

from inkgrad.export.emit.step import EMITTERS, Step, emits
from inkgrad.export.graph import Graph

_FARTHEST = 2**62  # beyond the end of any axis


@emits("reshape")
def _reshape(g: Graph, step: Step) -> str:
    """A length is a constant, or 0 for that of the input's axis at its place, or -1 for what is left, once."""
    (first, second), (a, b) = step.results, step.shapes(0)
    if len(a) > 1 and first == _flat(a) and second == _flat(b):
        return g.add("Flatten", step.names[0])
    wanted = []
    for i, (one, two) in enumerate(zip(first, second, strict=True)):
        if one == two and one:
            wanted.append(one)
        elif i < len(a) and (a[i], b[i]) == (one, two):
            wanted.append(0)
        else:
            wanted.append(-1)
    if wanted.count(-1) > 1:
        raise step.refused(f"more than one length of its shape {first} depends on the size of the input")
    return g.add("Reshape", step.names[0], g.integers(wanted))


def _flat(shape: tuple[int, ...]) -> tuple[int, int]:
    return shape[0], math.prod(shape[1:])


@emits("transpose")
def _transpose(g: Graph, step: Step) -> str:
    axes = len(step.results[0])
    if axes < 2:
        return g.add("Identity", step.names[0])
    order = step.options.get("axes")
    order = range(axes)[::-1] if order is None else [int(axis) % axes for axis in order]
    return g.add("Transpose", step.names[0], perm=list(order))


@emits("broadcast_to")
def _broadcast_to(g: Graph, step: Step) -> str:
    (first, second), (a, b) = step.results, step.shapes(0)
    added = len(first) - len(a)
    wanted = []
    for i, (one, two) in enumerate(zip(first, second, strict=True)):
        if i >= added and (a[i - added], b[i - added]) == (one, two):
            wanted.append(1)  # as it is
        elif one == two:
            wanted.append(one)
        else:
            raise step.refused(f"its shape {first} depends on the size of the input")
    return g.add("Expand", step.names[0], g.integers(wanted))


@emits("getitem")
def _getitem(g: Graph, step: Step) -> str:
    """Numbers, slices, new axes and ...; other indices take elements in ways that ONNX spells in several."""
    index = step.options["index"]
    parts = list(index) if isinstance(index, tuple) else [index]
    if not all(_simple(part) for part in parts):
        raise step.refused("only numbers, slices, None and ... can be its index")
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    rest = [slice(None)] * (len(step.shapes(0)[0]) - taken)
    at = next((i for i, part in enumerate(parts) if part is Ellipsis), len(parts))
    parts[at : at + 1] = rest
    slices, dropped, added, axis, place = [], [], [], 0, 0
    for part in parts:
        if part is None:
            added.append(place)
            place += 1
            continue
        if isinstance(part, slice):
            slices.append((axis, part.start, part.stop, 1 if part.step is None else part.step))
            place += 1
        else:
            slices.append((axis, int(part), None if part == -1 else int(part) + 1, 1))
            dropped.append(axis)
        axis += 1
    return _sliced(g, step.names[0], slices, dropped, added)


def _simple(part: Any) -> bool:
    number = isinstance(part, int | np.integer) and not isinstance(part, bool)
    return part is None or part is Ellipsis or isinstance(part, slice) or number


def _sliced(g: Graph, name: str, slices: list[Any], dropped: list[int], added: list[int]) -> str:
    """Slices (axis, start, stop, step), then axes away, then new ones."""
    chosen = [part for part in slices if part[1:] != (None, None, 1)]
    if chosen:
        axes, starts, stops, steps = zip(*chosen, strict=True)
        forward = [by > 0 for by in steps]
        begin = [s if s is not None else (0 if up else _FARTHEST) for s, up in zip(starts, forward, strict=True)]
        end = [s if s is not None else (_FARTHEST if up else -_FARTHEST) for s, up in zip(stops, forward, strict=True)]
        name = g.add("Slice", name, *(g.integers(values) for values in (begin, end, axes, steps)))
    if dropped:
        name = g.add("Squeeze", name, g.integers(dropped))
    return g.add("Unsqueeze", name, g.integers(added)) if added else name


@emits("concatenate")
def _concatenate(g: Graph, step: Step) -> str:
    return g.add("Concat", *step.names, axis=int(step.options["axis"]))


@emits("stack")
def _stack(g: Graph, step: Step) -> str:
    axis = g.integers([int(step.options["axis"])])
    return g.add("Concat", *(g.add("Unsqueeze", name, axis) for name in step.names), axis=int(step.options["axis"]))


@emits("pad")
def _pad(g: Graph, step: Step) -> str:
    pairs = np.broadcast_to(np.asarray(step.options["width"]), (len(step.shapes(0)[0]), 2))
    value = g.constant(float(step.options.get("value", 0.0)), step.dtype)
    return g.add("Pad", step.names[0], g.integers(pairs.T.reshape(-1).tolist()), value)


def _axes(step: Step) -> list[int]:
    axes, axis = len(step.shapes(0)[0]), step.options.get("axis")
    if axis is None:
        return list(range(axes))
    return [int(a) % axes for a in ([axis] if isinstance(axis, int | np.integer) else axis)]


def _keeps(step: Step) -> int:
    return int(bool(step.options.get("keepdims", False)))


@emits("sum")
def _sum(g: Graph, step: Step) -> str:
    if not _axes(step):
        return g.add("Identity", step.names[0])
    return g.add("ReduceSum", step.names[0], g.integers(_axes(step)), keepdims=_keeps(step))


_REDUCTIONS = {"logsumexp": "ReduceLogSumExp", "max": "ReduceMax", "mean": "ReduceMean"}


def _reduce(g: Graph, step: Step) -> str:
    axes, all_pixels = _axes(step), list(range(2, len(step.shapes(0)[0])))
    if not axes:  # of a number, or over no axes
        return g.add("Identity", step.names[0])
    if step.call.op == "mean" and axes == all_pixels and _keeps(step):
        return g.add("GlobalAveragePool", step.names[0])
    return g.add(_REDUCTIONS[step.call.op], step.names[0], axes=axes, keepdims=_keeps(step))


EMITTERS.update(dict.fromkeys(_REDUCTIONS, _reduce))


@emits("variance")
def _variance(g: Graph, step: Step) -> str:
    x, axes = step.names[0], _axes(step)
    if not axes:
        return g.add("Sub", x, x)
    apart = g.add("Sub", x, g.add("ReduceMean", x, axes=axes, keepdims=1))
    return g.add("ReduceMean", g.add("Mul", apart, apart), axes=axes, keepdims=_keeps(step))
