"""Convolution with what follows it: folded normalization, ReLU, max pooling."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from inkgrad.kernels.numba_cpu import elementwise, statistics, windows
from inkgrad.kernels.numba_cpu.multiply import START_AT_BIAS, START_AT_C, START_AT_ZERO
from inkgrad.kernels.numba_cpu.native import Instruction
from inkgrad.plan.planner import Planner, Value, rule
from inkgrad.plan.products import emit_product
from inkgrad.plan.rules import patches
from inkgrad.plan.rules.geometry import Frame, Geometry
from inkgrad.plan.rules.normalization import folded
from inkgrad.plan.rules.pooling import Window, pool_window
from inkgrad.plan.trace import Call, Unplannable
from inkgrad.plan.words import COUNT, Place

__all__ = ["Convolution"]


@dataclass
class Convolution:
    """One convolution of a plan.

    Attributes:
        x, y: input and output, the latter after ReLU and pooling.
        source: where the padded input lies.
        weight: as it lies in the parameter, or folded.
        pool, index: the max pooling behind it, and where it notes which pixel was the largest.
        relu: whether a ReLU follows.
    """

    planner: Planner
    call: Call
    geometry: Geometry
    x: Value
    source: Place
    y: Value
    weight: Place
    pool: Window | None
    index: Place | None
    relu: bool

    def pack(self, instruction: Instruction, packed: Place) -> None:
        """Bring the weights into the order in which they are used, a share by each thread, before all else."""
        geometry, program = self.geometry, self.planner.program
        window = geometry.window[0] * geometry.window[1]
        first, last = program.share(geometry.outputs)
        with self.planner.beforehand():
            program.emit(instruction, first, last, geometry.channels, window, geometry.outputs, self.weight, packed)

    def gradients(self) -> tuple[Place | None, Place | None]:
        """Where the gradients of weight and bias go, None where none is wanted; the bias's is set to 0."""
        inputs = self.call.inputs
        weight = self.planner.gradient_of_parameter(inputs[1])
        bias = None
        if len(inputs) > 2 and inputs[2] is not None:
            bias = self.planner.gradient_of_parameter(inputs[2])
        if bias is not None:
            self.planner.program.emit(elementwise.zero, 1, self.geometry.outputs, bias)
        return weight, bias


@rule("conv2d")
def conv2d(planner: Planner, call: Call) -> None:
    """y[o, i, j] = b[o] + sum over c, a, b of w[o, c, a, b] x[c, i s + a - p, j s + b - p]."""
    x, weight_tensor = planner.value(call.inputs[0]), call.inputs[1]
    bias_tensor = call.inputs[2] if len(call.inputs) > 2 else None
    weight = planner.parameter(weight_tensor, 4)
    bias = None if bias_tensor is None else planner.parameter(bias_tensor, 1)
    geometry = Geometry.of(x, weight_tensor, call.options)
    if "norm" in call.options:
        weight, bias = folded(planner, call.options["norm"], weight, bias, geometry.outputs, geometry.terms)
    pool = pool_window(call.options["pool"], *geometry.out) if "pool" in call.options else None
    if pool is not None and geometry.stride != (1, 1) and planner.training and geometry.padding != (0, 0):
        raise Unplannable("max pooling of a padded convolution with a stride")
    shape = (geometry.outputs, *(geometry.out if pool is None else pool.out))
    source = _padded(planner, x, geometry)
    y = Value(shape, planner.take(int(np.prod(shape))), planner.training)
    planner.set_value(call.output, y)
    index = None if pool is None else planner.program.batch(y.size, np.uint8)
    planned = Convolution(planner, call, geometry, x, source, y, weight, pool, index, "relu" in call.options)
    _forward(planned, bias)
    if pool is not None and (geometry.padding == (0, 0) or not x.differentiated):
        planner.later(lambda: patches.backward(planned))
    else:
        planner.later(lambda: _backward(planned))


def _padded(planner: Planner, x: Value, geometry: Geometry) -> Place:
    if geometry.padding == (0, 0):
        return x.place
    place = planner.program.batch(geometry.tall * geometry.wide * geometry.channels)
    sizes = (geometry.height, geometry.width, geometry.channels, *geometry.padding, 1, 1, geometry.tall, geometry.wide)
    planner.program.emit(windows.spread, COUNT, *sizes, x.place, place)
    return place


def _forward(conv: Convolution, bias: Place | None) -> None:
    program, geometry = conv.planner.program, conv.geometry
    (rows, columns), o = geometry.out, geometry.outputs
    program.work += 2 * geometry.terms * rows * columns * o
    packed = program.shared_new(geometry.terms * o)
    conv.pack(windows.pack_forward, packed)
    product: dict[str, Any] = {
        "m": rows * columns,
        "t": geometry.terms,
        "n": o,
        "a": conv.source,
        "rows": geometry.origins(),
        "steps": geometry.offsets(),
        "b": packed,
        "columns": np.arange(geometry.terms) * o,
        "ldc": o,
        "start": START_AT_ZERO if bias is None else START_AT_BIAS,
        "bias": bias,
    }
    if conv.pool is None:
        stride = geometry.tall * geometry.wide * geometry.channels
        emit_product(
            program,
            images=COUNT,
            a_stride=stride,
            c=conv.y.place,
            c_stride=rows * columns * o,
            relu=conv.relu,
            **product,
        )
        return
    scratch, table = program.local(rows * columns * o), conv.pool.table(program, o, columns)
    with program.each_image():
        emit_product(program, c=scratch, **product)
        program.emit(windows.max_pool, 1, rows, columns, o, table, scratch, conv.y.place, conv.index, int(conv.relu))


def _backward(conv: Convolution) -> None:
    planner, program, geometry = conv.planner, conv.planner.program, conv.geometry
    x, y, o = conv.x, conv.y, conv.geometry.outputs
    g = planner.arrived(y)
    if g is None:
        return
    frame = Frame.of(geometry, x.differentiated)
    weight_gradient, bias_gradient = conv.gradients()
    partial = program.local(geometry.terms * o)
    if weight_gradient is not None:
        program.emit(elementwise.zero, 1, geometry.terms * o, partial)
    if x.differentiated:
        flipped, out = program.shared_new(geometry.terms * o), planner.take(x.size)
        conv.pack(windows.pack_backward, flipped)
    if conv.relu and conv.pool is None:
        program.emit(elementwise.activate_backward, COUNT, y.size, 1, y.place, g)
    with program.each_image():
        dense = _dense_gradient(conv, frame, g)
        if bias_gradient is not None:
            program.emit(statistics.sum_columns, 1, frame.tall * frame.wide, o, dense, bias_gradient, 1)
        if weight_gradient is not None:
            _emit_weight_gradient(conv, frame, dense, partial)
        if x.differentiated:
            _emit_input_gradient(conv, frame, dense, flipped, out)
    if weight_gradient is not None:
        window = geometry.window[0] * geometry.window[1]
        program.emit(windows.unpack_gradient, geometry.channels, window, o, partial, weight_gradient)
    planner.give(y.size, g)
    if x.differentiated:
        planner.hand_over(x, out)


def _dense_gradient(conv: Convolution, frame: Frame, g: Place) -> Place:
    """The gradient of one image's convolution, before pooling, in its frame."""
    program, geometry, o = conv.planner.program, conv.geometry, conv.geometry.outputs
    if conv.pool is None and (frame.tall, frame.wide) == geometry.out:
        return g
    place = program.local(frame.tall * frame.wide * o)
    if conv.pool is None:
        sizes = (*geometry.out, o, frame.top, frame.left, *frame.stride, frame.tall, frame.wide)
        program.emit(windows.spread, 1, *sizes, g, place)
        return place
    table = conv.pool.table(program, o, geometry.out[1])
    head = (1, o, table, conv.y.place, conv.index, g, place)
    program.emit(windows.max_unpool, *head, frame.tall, frame.wide, frame.top, frame.left, int(conv.relu))
    return place


def _emit_weight_gradient(conv: Convolution, frame: Frame, dense: Place, partial: Place) -> None:
    geometry = conv.geometry
    emit_product(
        conv.planner.program,
        m=geometry.terms,
        t=geometry.out[0] * geometry.out[1],
        n=geometry.outputs,
        a=conv.source,
        rows=geometry.offsets(),
        steps=geometry.origins(),
        b=dense,
        columns=frame.places(geometry),
        c=partial,
        ldc=geometry.outputs,
        start=START_AT_C,
    )


def _emit_input_gradient(conv: Convolution, frame: Frame, dense: Place, flipped: Place, out: Place) -> None:
    geometry, offsets = conv.geometry, frame.offsets(conv.geometry)
    emit_product(
        conv.planner.program,
        m=geometry.height * geometry.width,
        t=offsets.size,
        n=geometry.channels,
        a=dense,
        rows=frame.origins(geometry),
        steps=offsets,
        b=flipped,
        columns=np.arange(offsets.size) * geometry.channels,
        c=out,
        ldc=geometry.channels,
    )
