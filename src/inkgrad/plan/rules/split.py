"""A dense layer whose weights are divided among the threads, each of which works on all images.

Where the weights are larger than the batch's activations, it costs less to let the threads see each other's
activations than each other's gradients and updated weights: a thread computes its outputs for the whole batch,
the gradient of its weights alone, and updates them, so that they never leave its cache.
"""

import itertools
from typing import Any

import numpy as np

from inkgrad.kernels.numba_cpu import elementwise, statistics
from inkgrad.kernels.numba_cpu.lanes import LANES
from inkgrad.kernels.numba_cpu.multiply import START_AT_BIAS, START_AT_ZERO, multiply_rows
from inkgrad.kernels.numba_cpu.sparse import SLACK, TOGETHER, multiply_images, multiply_with_images
from inkgrad.kernels.numba_cpu.transpose import transpose
from inkgrad.plan.planner import Planner, Value
from inkgrad.plan.products import emit_product
from inkgrad.plan.program import Program
from inkgrad.plan.rules.elementwise import CODES
from inkgrad.plan.trace import Call
from inkgrad.plan.words import COUNT, TOTAL, Place, Word

FITS_CACHE = 1 << 18  # floats


def least(x: Value) -> int:
    """From how many weights on a layer is divided: fewer where its input is there for all threads anyway."""
    return 1 << 14 if x.place.source is not None else 1 << 16


class _Shares:
    """Each thread's share of a number of things."""

    def __init__(self, total: int, threads: int) -> None:
        ends = [total * t // threads for t in range(threads + 1)]
        self.first, self.sizes = ends[:-1], [b - a for a, b in itertools.pairwise(ends)]
        self.count = Word(tuple(self.sizes))

    def bytes(self, each: int) -> tuple[int, ...]:
        """How far into an array of things of that many floats the share begins."""
        return tuple(4 * first * each for first in self.first)


def affine(planner: Planner, call: Call, x: Value, weight: Place, bias: Place | None, activation: str) -> None:
    """y = activation(x W^T + b) and its gradients, each thread for its rows of W."""
    program = planner.program
    outputs, inputs = call.inputs[1].shape
    shares = _Shares(outputs, program.threads)
    whole = x.place
    if x.place.source is None and not x.place.whole:
        whole = program.whole_batch(inputs)
        program.emit(elementwise.copy, COUNT, inputs, x.place, whole)
        program.meet()
    y = Value((outputs,), program.whole_batch(outputs), True)
    planner.set_value(call.output, y)
    program.work += 2 * inputs * outputs
    _forward(planner, x, whole, weight, bias, y, shares, activation == "relu")
    program.meet()
    if activation in ("sigmoid", "tanh"):
        program.emit(elementwise.activate, COUNT, outputs, CODES[activation], y.place, y.place)
        program.meet()  # before a layer divided likewise looks at all rows

    def backward() -> None:
        g = planner.arrived(y)
        if g is None:
            return
        if activation != "identity":
            program.emit(elementwise.activate_backward, COUNT, outputs, CODES[activation], y.place, g)
        if len(call.inputs) > 2 and call.inputs[2] is not None:
            bias_gradient = planner.gradient_of_parameter(call.inputs[2])
            if bias_gradient is not None:
                program.emit(statistics.sum_columns, COUNT, 1, outputs, g, bias_gradient, 0)
        gradients = program.whole_batch(outputs)
        program.emit(elementwise.copy, COUNT, outputs, g, gradients)
        planner.give(outputs, g)
        program.meet()
        weight_gradient = planner.divided_gradient(call.inputs[1], shares.first, shares.sizes)
        if weight_gradient is not None:
            _weight_gradient(planner, x, whole, gradients, weight_gradient, shares, inputs, outputs)
        if x.differentiated:
            out = program.whole_batch(inputs)
            _input_gradient(planner, gradients, weight, out, inputs, outputs)
            program.meet()
            planner.hand_over(x, out)

    planner.later(backward)


def _forward(
    planner: Planner, x: Value, whole: Place, weight: Place, bias: Place | None, y: Value, shares: _Shares, relu: bool
) -> None:
    program, inputs, outputs = planner.program, x.size, y.size
    own_weight, own_y = weight.first_row(shares.bytes(inputs)), y.place.first_row(shares.bytes(1))
    own_bias = None if bias is None else bias.first_row(shares.bytes(1))
    added = (int(bias is not None), 0 if own_bias is None else own_bias)
    if inputs * outputs > FITS_CACHE:
        sides: tuple[Any, ...] = (whole.first_row(), inputs, own_weight, inputs, own_y, outputs)
        program.emit(multiply_rows, TOTAL, shares.count, inputs, *sides, *added, int(relu))
        return
    turned = program.local(inputs * max(shares.sizes))
    program.emit(transpose, 1, 0, shares.count, shares.count, inputs, own_weight, turned)
    if x.place.source is not None:
        steps = program.local(inputs + SLACK, np.int64)
        head = (TOTAL, inputs, shares.count, whole.first_row(), turned, own_y, outputs)
        program.emit(multiply_images, *head, *added, int(relu), steps)
        return
    pixels = np.arange(inputs)
    emit_product(
        program,
        m=TOTAL,
        t=inputs,
        n=shares.count,
        a=whole.first_row(),
        rows=np.arange(program.capacity) * inputs,
        steps=pixels,
        b=turned,
        columns=[pixels * size for size in shares.sizes],
        c=own_y,
        ldc=outputs,
        start=START_AT_ZERO if bias is None else START_AT_BIAS,
        bias=own_bias,
        relu=relu,
    )


def _weight_gradient(
    planner: Planner, x: Value, whole: Place, g: Place, out: Place, shares: _Shares, inputs: int, outputs: int
) -> None:
    program = planner.program
    own_g = g.first_row(shares.bytes(1))
    if x.place.source is not None:
        head = (TOTAL, inputs, shares.count, own_g, outputs, whole.first_row(), out)
        program.emit(multiply_with_images, *head, *scratch_of_gradient(program, outputs))
        return
    images = np.arange(program.capacity)
    emit_product(
        program,
        m=shares.count,
        t=TOTAL,
        n=inputs,
        a=own_g,
        rows=np.arange(outputs),
        steps=images * outputs,
        b=whole.first_row(),
        columns=images * inputs,
        c=out,
        ldc=inputs,
    )


def scratch_of_gradient(program: Program, outputs: int) -> tuple[Place, Place, Place]:
    """What `multiply_with_images` takes as scratch."""
    most = min(program.capacity, TOGETHER)
    steps, patterns = program.local(most + SLACK, np.int64), program.local(most + LANES, np.uint32)
    return steps, patterns, program.local(LANES * outputs)


def _input_gradient(planner: Planner, g: Place, weight: Place, out: Place, inputs: int, outputs: int) -> None:
    program, units = planner.program, np.arange(outputs)
    columns = _Shares(inputs, program.threads)
    emit_product(
        program,
        m=TOTAL,
        t=outputs,
        n=columns.count,
        a=g.first_row(),
        rows=np.arange(program.capacity) * outputs,
        steps=units,
        b=weight.first_row(columns.bytes(1)),
        columns=units * inputs,
        c=out.first_row(columns.bytes(1)),
        ldc=inputs,
    )
