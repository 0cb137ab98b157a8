"""The dense layer."""

import numpy as np

from inkgrad.kernels.numba_cpu import elementwise, statistics
from inkgrad.kernels.numba_cpu.lanes import LANES
from inkgrad.kernels.numba_cpu.multiply import START_AT_BIAS, START_AT_ZERO, multiply_rows
from inkgrad.kernels.numba_cpu.sparse import SLACK, multiply_images, multiply_with_images
from inkgrad.kernels.numba_cpu.transpose import transpose
from inkgrad.plan.planner import Planner, Value, rule
from inkgrad.plan.products import emit_product
from inkgrad.plan.program import Program
from inkgrad.plan.rules import split
from inkgrad.plan.rules.elementwise import CODES
from inkgrad.plan.rules.normalization import folded
from inkgrad.plan.trace import Call
from inkgrad.plan.words import COUNT, Place

FITS_CACHE = 1 << 18  # floats


@rule("affine")
def affine(planner: Planner, call: Call) -> None:
    """y = activation(x W^T + b); dx = g W, dW = g^T x, db = sum of g."""
    program = planner.program
    x = planner.value(call.inputs[0])
    weight_tensor = call.inputs[1]
    bias_tensor = call.inputs[2] if len(call.inputs) > 2 else None
    weight, bias = planner.parameter(weight_tensor, 2), None
    outputs, inputs = weight_tensor.shape
    if bias_tensor is not None:
        bias = planner.parameter(bias_tensor, 1)
    if "norm" in call.options:
        weight, bias = folded(planner, call.options["norm"], weight, bias, outputs, inputs)
    activation = "relu" if "relu" in call.options else call.options.get("activation", "identity")
    if planner.training and program.threads > 1 and inputs * outputs >= split.least(x):
        split.affine(planner, call, x, weight, bias, activation)
        return
    y = Value((outputs,), planner.take(outputs), planner.training)
    planner.set_value(call.output, y)
    program.work += 2 * inputs * outputs
    _product(planner, x, weight, bias, y, inputs, outputs, activation == "relu")
    if activation in ("sigmoid", "tanh"):
        program.emit(elementwise.activate, COUNT, outputs, CODES[activation], y.place, y.place)

    def backward() -> None:
        g = planner.arrived(y)
        if g is None:
            return
        if activation != "identity":
            program.emit(elementwise.activate_backward, COUNT, outputs, CODES[activation], y.place, g)
        _weight_gradients(planner, call, x, g, inputs, outputs)
        if x.differentiated:
            planner.deliver(x, lambda place: _input_gradient(program, g, weight, place, inputs, outputs))
        planner.give(outputs, g)

    planner.later(backward)


def _product(
    planner: Planner, x: Value, weight: Place, bias: Place | None, y: Value, inputs: int, outputs: int, relu: bool
) -> None:
    """x W^T + b, for many images with W transposed beforehand, for a few with W as it lies."""
    program = planner.program
    if program.few or outputs < LANES or inputs * outputs > FITS_CACHE:
        added = (int(bias is not None), 0 if bias is None else bias)
        program.emit(
            multiply_rows, COUNT, outputs, inputs, x.place, inputs, weight, inputs, y.place, outputs, *added, int(relu)
        )
        return
    turned = program.local(inputs * outputs)  # by each thread for itself: fetching the other's half takes longer
    program.emit(transpose, 1, 0, outputs, outputs, inputs, weight, turned)
    if x.place.source is not None:  # the images themselves
        added = (int(bias is not None), 0 if bias is None else bias)
        head = (COUNT, inputs, outputs, x.place, turned, y.place, outputs)
        program.emit(multiply_images, *head, *added, int(relu), program.local(inputs + SLACK, np.int64))
        return
    emit_product(
        program,
        m=COUNT,
        t=inputs,
        n=outputs,
        a=x.place,
        rows=np.arange(program.capacity) * inputs,
        steps=np.arange(inputs),
        b=turned,
        columns=np.arange(inputs) * outputs,
        c=y.place,
        ldc=outputs,
        start=START_AT_ZERO if bias is None else START_AT_BIAS,
        bias=bias,
        relu=relu,
    )


def _weight_gradients(planner: Planner, call: Call, x: Value, g: Place, inputs: int, outputs: int) -> None:
    program = planner.program
    if len(call.inputs) > 2 and call.inputs[2] is not None:
        bias_gradient = planner.gradient_of_parameter(call.inputs[2])
        if bias_gradient is not None:
            program.emit(statistics.sum_columns, COUNT, 1, outputs, g, bias_gradient, 0)
    weight_gradient = planner.gradient_of_parameter(call.inputs[1])
    if weight_gradient is not None and x.place.source is not None:
        head = (COUNT, inputs, outputs, g, outputs, x.place, weight_gradient)
        program.emit(multiply_with_images, *head, *split.scratch_of_gradient(program, outputs))
    elif weight_gradient is not None:
        images = np.arange(program.capacity)
        emit_product(
            program,
            m=outputs,
            t=COUNT,
            n=inputs,
            a=g,
            rows=np.arange(outputs),
            steps=images * outputs,
            b=x.place,
            columns=images * inputs,
            c=weight_gradient,
            ldc=inputs,
        )


def _input_gradient(program: Program, g: Place, weight: Place, out: Place, inputs: int, outputs: int) -> None:
    units = np.arange(outputs)
    emit_product(
        program,
        m=COUNT,
        t=outputs,
        n=inputs,
        a=g,
        rows=np.arange(program.capacity) * outputs,
        steps=units,
        b=weight,
        columns=units * inputs,
        c=out,
        ldc=inputs,
    )
