"""Activations on their own, sums, and dropout."""

import numpy as np

from inkgrad.kernels.numba_cpu import elementwise
from inkgrad.plan.planner import Planner, Value, rule
from inkgrad.plan.trace import Call, Unplannable
from inkgrad.plan.words import COUNT, START

CODES = {"relu": 1, "sigmoid": 2, "tanh": 3}


def _activation(planner: Planner, call: Call) -> None:
    """y = relu, sigmoid or tanh of x; its gradient comes from y."""
    program, code = planner.program, CODES[call.op]
    x = planner.value(call.inputs[0])
    y = Value(x.shape, planner.take(x.size), x.differentiated)
    planner.set_value(call.output, y)
    program.emit(elementwise.activate, COUNT, x.size, code, x.place, y.place)

    def backward() -> None:
        g = planner.arrived(y)
        if g is not None:
            program.emit(elementwise.activate_backward, COUNT, x.size, code, y.place, g)
            planner.hand_over(x, g)

    planner.later(backward)


for _op in CODES:
    rule(_op)(_activation)


@rule("add")
def add(planner: Planner, call: Call) -> None:
    """y = a + b, of one shape, with a ReLU where one follows; both get the same gradient."""
    program = planner.program
    a, b = (planner.value(v) for v in call.inputs)
    if a.shape != b.shape:
        raise Unplannable("a sum broadcasts")
    y = Value(a.shape, planner.take(a.size), a.differentiated or b.differentiated)
    planner.set_value(call.output, y)
    relu = "relu" in call.options
    program.emit(elementwise.add, COUNT, a.size, a.place, b.place, y.place, int(relu))

    def backward() -> None:
        g = planner.arrived(y)
        if g is None:
            return
        if relu:
            program.emit(elementwise.activate_backward, COUNT, a.size, CODES["relu"], y.place, g)
        if b.differentiated:
            planner.deliver(b, lambda place: program.emit(elementwise.copy, COUNT, a.size, g, place))
        planner.hand_over(a, g)

    planner.later(backward)


@rule("dropout")
def dropout(planner: Planner, call: Call) -> None:
    """y = x times a mask that is a hash of a seed and of each element's number in the whole batch."""
    program, source = planner.program, call.options["mask"]
    if not hasattr(source, "next_seed"):
        raise Unplannable("a dropout's mask is an array")
    x = planner.value(call.inputs[0])
    channels, pixels = (x.size, 1) if len(x.shape) == 2 else (x.shape[0], x.size // x.shape[0])
    if source.whole_channels and len(x.shape) == 2:
        raise Unplannable("a dropout of whole channels of something that is no image")
    y = Value(x.shape, planner.take(x.size), x.differentiated)
    planner.set_value(call.output, y)
    seeds = np.zeros(2, np.uint32)
    threshold = int(np.floor(source.p * 2**32))
    scale = program.shared(np.array([1 / (1 - source.p)], np.float32))
    head = (START, COUNT, pixels, channels, int(source.whole_channels), program.shared(seeds), threshold, scale)
    program.emit(elementwise.drop, *head, x.place, y.place)

    def draw(_: int) -> None:
        seed = source.next_seed()
        seeds[0], seeds[1] = seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF

    planner.before.append(draw)
    planner.generators.append(source.rng)

    def backward() -> None:
        g = planner.arrived(y)
        if g is not None:
            program.emit(elementwise.drop, *head, g, g)
            planner.hand_over(x, g)

    planner.later(backward)
