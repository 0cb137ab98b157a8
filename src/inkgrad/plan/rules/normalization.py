"""Batch normalization: by the statistics of the whole batch in training, folded or by running ones in prediction."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.numba_cpu import statistics
from inkgrad.plan.planner import Planner, Value, rule
from inkgrad.plan.trace import Call, Unplannable
from inkgrad.plan.words import COUNT, Place


def folded(
    planner: Planner, norm: Call, weight: Place, bias: Place | None, outputs: int, terms: int
) -> tuple[Place, Place]:
    """Weights and biases that do the work of a layer and of the normalization behind it; made anew at each run."""
    if planner.training:
        raise Unplannable("a batch normalization by running statistics is trained")
    program = planner.program
    new_weight, new_bias = program.shared_new(outputs * terms), program.shared_new(outputs)
    gamma, beta = (planner.parameter(p, 1) for p in norm.inputs[1:3])
    mean, variance = planner.constant(norm.options["mean"]), planner.constant(norm.options["variance"])
    eps = program.shared(np.array([norm.options.get("eps", 1e-5)]))
    first, last = program.share(outputs)
    with planner.beforehand():
        layer = (terms, weight, 0 if bias is None else bias, mean, variance, eps, gamma, beta)
        program.emit(statistics.fold_norm, first, last, *layer, new_weight, new_bias)
    return new_weight, new_bias


@rule("batch_norm_inference")
def batch_norm_inference(planner: Planner, call: Call) -> None:
    """gamma (x - mean) / sqrt(variance + eps) + beta where there is no layer to fold it into."""
    program = planner.program
    x = _with_channels(planner, call)
    c = x.shape[0]
    one = program.shared(np.ones(c, np.float32))
    diagonal, shift = folded(planner, call, one, None, c, 1)
    y = Value(x.shape, planner.take(x.size), False)
    planner.set_value(call.output, y)
    program.emit(
        statistics.scale_shift, COUNT, x.size // c, c, diagonal, shift, int("relu" in call.options), x.place, y.place
    )


@rule("batch_norm")
def batch_norm(planner: Planner, call: Call) -> None:
    """gamma (x - mean) / sqrt(variance + eps) + beta by the mean and variance of the whole batch: the threads meet."""
    program = planner.program
    x = _with_channels(planner, call)
    c, pixels = x.shape[0], x.size // x.shape[0]
    gamma, beta = (planner.parameter(p, 1) for p in call.inputs[1:3])
    y = Value(x.shape, planner.take(x.size), planner.training)
    planner.set_value(call.output, y)
    relu, add = int("relu" in call.options), call.options.get("add")
    total, eps = np.zeros(1), np.array([call.options.get("eps", 1e-5)])
    totals, epsilon = program.shared(total), program.shared(eps)
    moments, deviation = np.zeros((2, c), np.float32), program.local(c)
    kept = program.local(2 * c)
    kept = Place((moments.ctypes.data, *kept.base[1:]))  # type: ignore[index]
    program.shared(moments)
    moved, part = program.local_arrays(2 * c, np.float64)
    sums, scratch = program.local(2 * c), program.local(3 * c)
    parts = program.table(part.base)
    products, behind = program.local_arrays(2 * c, np.float64)
    first = np.zeros(c, np.float32)
    shift = program.shared(first)
    program.emit(statistics.first_values, 1 if program.threads == 1 else program.only_first(), c, x.place, shift)
    program.meet()
    program.emit(statistics.sum_moments, COUNT, pixels, c, x.place, shift, part, sums)
    if add is None:
        program.meet()
    else:
        planner.ask(lambda: _add_moments(add, first, moved, total))
    known = (x.place, shift, parts, program.threads, totals, epsilon)
    program.emit(statistics.norm_forward, COUNT, pixels, c, *known, gamma, beta, kept, deviation, y.place, relu)
    observe = call.options.get("observe")
    if add is None:  # else others have more of the batch
        planner.least = max(planner.least, -(-2 // pixels))  # one value has no variance

    def count(images: int) -> None:
        total[0] = images * pixels

    planner.before.append(count)
    if observe is not None:
        planner.observers.append(lambda _: observe(moments[0].copy(), moments[1].copy(), int(total[0])))

    def backward() -> None:
        g = planner.arrived(y)
        if g is None:
            return
        program.emit(
            statistics.sum_products, COUNT, pixels, c, x.place, kept, deviation, y.place, g, behind, sums, relu
        )
        _emit_parameter_gradients(planner, call, c, behind)
        if add is not None and (x.differentiated or any(p.requires_grad for p in call.inputs[1:3])):
            planner.ask(lambda: _add_products(add, products))
        elif x.differentiated:
            program.meet()
        if x.differentiated:
            known = (program.table(behind.base), program.threads, totals, scratch)
            program.emit(statistics.norm_backward, COUNT, pixels, c, x.place, kept, deviation, gamma, *known, g, g)
            planner.hand_over(x, g)
        else:
            planner.give(x.size, g)

    planner.later(backward)


def _add_moments(
    add: Callable[[NDArray[Any]], None], shift: NDArray[Any], parts: Sequence[NDArray[Any]], total: NDArray[Any]
) -> None:
    """Make the sums of d and d^2, with d = x - shift, and their number those of all processes.

    What travels is x and x^2, in doubles, as each process has a shift of its own.
    """
    near, count = shift.astype(np.float64), total[0]
    ones, squares = np.sum(parts, axis=0).reshape(2, -1)
    message = np.concatenate([ones + count * near, squares + near * (2 * ones + count * near), [count]])
    add(message)
    ones, squares = message[:-1].reshape(2, -1)
    total[0] = count = message[-1]
    for part in parts:
        part[:] = 0
    parts[0][:] = np.concatenate([ones - count * near, squares - near * (2 * ones - count * near)])


def _add_products(add: Callable[[NDArray[Any]], None], parts: Sequence[NDArray[Any]]) -> None:
    """Make the sums that the gradient needs those of all processes."""
    message = np.sum(parts, axis=0).reshape(2, -1)[::-1].copy()  # in the order of the eager way
    add(message)
    for part in parts:
        part[:] = 0
    parts[0][:] = message[::-1].ravel()


def _with_channels(planner: Planner, call: Call) -> Value:
    """The input, whose first axis is the one that is normalized: it lies last, or alone."""
    x = planner.value(call.inputs[0])
    if len(x.shape) == 2:
        raise Unplannable("a batch normalization of something that is no image")
    return x


def _emit_parameter_gradients(planner: Planner, call: Call, channels: int, part: Place) -> None:
    program = planner.program
    places: list[Any] = [planner.gradient_of_parameter(p) for p in call.inputs[1:3]]
    unwanted = program.local(channels)
    gamma, beta = (unwanted if place is None else place for place in places)
    program.emit(statistics.part_to_gradients, channels, part, gamma, beta)
