"""Pooling."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from inkgrad.kernels.numba_cpu import windows
from inkgrad.plan.planner import Planner, Value, rule
from inkgrad.plan.program import Program
from inkgrad.plan.trace import Call, Unplannable
from inkgrad.plan.words import COUNT, Place


@dataclass(frozen=True)
class Window:
    """Sizes of a pooling."""

    out: tuple[int, int]
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]

    def table(self, program: Program, channels: int, width: int) -> Place:
        """The numbers that the instructions take, and where a window's pixels lie in an image of that width."""
        i, j = np.mgrid[: self.size[0], : self.size[1]]
        pixels = ((i * width + j) * channels).reshape(-1)
        return program.table([*self.out, *self.size, *self.stride, *self.padding, *pixels])


def pool_window(call: Call, height: int, width: int) -> Window:
    """The window of a pooling operation on an image."""
    size = pair(call.options["size"])
    stride = pair(call.options.get("stride") or size)
    padding = pair(call.options.get("padding", 0))
    if size[0] * size[1] > 256:
        raise Unplannable("a pooling window of more than 256 pixels")
    out = tuple((n + 2 * p - k) // s + 1 for n, k, s, p in zip((height, width), size, stride, padding, strict=True))
    return Window((out[0], out[1]), size, stride, padding)


def pair(value: Any) -> tuple[int, int]:
    """(rows, columns) of a length or of two."""
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _prepare(planner: Planner, call: Call) -> tuple[Value, Value, Window]:
    x = planner.value(call.inputs[0])
    if len(x.shape) != 3:
        raise Unplannable("a pooling of something that is no image")
    window = pool_window(call, *x.shape[1:])
    shape = (x.shape[0], *window.out)
    y = Value(shape, planner.take(int(np.prod(shape))), x.differentiated)
    planner.set_value(call.output, y)
    return x, y, window


@rule("max_pool2d")
def max_pool2d(planner: Planner, call: Call) -> None:
    """The largest of each window; its gradient goes to the first largest."""
    program = planner.program
    x, y, window = _prepare(planner, call)
    c, height, width = x.shape
    table, index = window.table(program, c, width), program.batch(y.size, np.uint8)
    program.emit(windows.max_pool, COUNT, height, width, c, table, x.place, y.place, index, 0)

    def backward() -> None:
        g = planner.arrived(y)
        if g is not None:
            planner.deliver(
                x,
                lambda place: program.emit(
                    windows.max_unpool, COUNT, c, table, y.place, index, g, place, height, width, 0, 0, 0
                ),
            )
            planner.give(y.size, g)

    planner.later(backward)


@rule("average_pool2d")
def average_pool2d(planner: Planner, call: Call) -> None:
    """The mean of each window."""
    x, y, window = _prepare(planner, call)
    _mean(planner, x, y, window)


@rule("global_average_pool2d")
def global_average_pool2d(planner: Planner, call: Call) -> None:
    """The mean of each channel: (c, h, w) -> (c,)."""
    x = planner.value(call.inputs[0])
    if len(x.shape) != 3:
        raise Unplannable("a pooling of something that is no image")
    size = (x.shape[1], x.shape[2])
    y = Value((x.shape[0],), planner.take(x.shape[0]), x.differentiated)
    planner.set_value(call.output, y)
    _mean(planner, x, y, Window((1, 1), size, size, (0, 0)))


def _mean(planner: Planner, x: Value, y: Value, window: Window) -> None:
    program = planner.program
    c, height, width = x.shape
    table = window.table(program, c, width)
    program.emit(windows.mean_pool, COUNT, height, width, c, table, x.place, y.place)

    def backward() -> None:
        g = planner.arrived(y)
        if g is not None:
            planner.deliver(
                x, lambda place: program.emit(windows.mean_unpool, COUNT, height, width, c, table, g, place)
            )
            planner.give(y.size, g)

    planner.later(backward)
