"""Optimizer updates in one pass over the flat buffers, shared by the threads, instead of one pass an operation."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.numba_cpu.jit import is_float32
from inkgrad.kernels.numba_cpu.native import Instruction, floats_at, instruction, words_at
from inkgrad.kernels.numba_cpu.threads import run_on_threads, thread_count
from inkgrad.kernels.reference import update as reference
from inkgrad.kernels.registry import implements

__all__ = ["UPDATES", "adagrad", "adam", "rmsprop", "sgd"]

Flat = NDArray[Any]
WORTH_SHARING = 200_000  # elements
_GO = np.ones(1, np.int64)


@instruction
def sgd(w):  # type: ignore[no-untyped-def]
    """(go, first, last, numbers, weights, gradient, velocity); numbers: rate, momentum, whether Nesterov's."""
    if words_at(w[0])[0] == 0:
        return
    numbers, weights, gradient, velocity = floats_at(w[3]), floats_at(w[4]), floats_at(w[5]), floats_at(w[6])
    rate, momentum = numbers[0], numbers[1]
    if momentum == 0:
        for i in range(w[1], w[2]):
            weights[i] -= rate * gradient[i]
    elif numbers[2] != 0:
        for i in range(w[1], w[2]):
            velocity[i] = momentum * velocity[i] + gradient[i]
            weights[i] -= rate * (gradient[i] + momentum * velocity[i])
    else:
        for i in range(w[1], w[2]):
            velocity[i] = momentum * velocity[i] + gradient[i]
            weights[i] -= rate * velocity[i]


@instruction
def adagrad(w):  # type: ignore[no-untyped-def]
    """(go, first, last, numbers, weights, gradient, squares); numbers: rate, eps."""
    if words_at(w[0])[0] == 0:
        return
    numbers, weights, gradient, squares = floats_at(w[3]), floats_at(w[4]), floats_at(w[5]), floats_at(w[6])
    rate, eps = numbers[0], numbers[1]
    for i in range(w[1], w[2]):
        squares[i] += gradient[i] * gradient[i]
        weights[i] -= rate * gradient[i] / (math.sqrt(squares[i]) + eps)


@instruction
def rmsprop(w):  # type: ignore[no-untyped-def]
    """(go, first, last, numbers, weights, gradient, squares); numbers: rate, decay, 1 - decay, eps."""
    if words_at(w[0])[0] == 0:
        return
    numbers, weights, gradient, squares = floats_at(w[3]), floats_at(w[4]), floats_at(w[5]), floats_at(w[6])
    rate, decay, rest, eps = numbers[0], numbers[1], numbers[2], numbers[3]
    for i in range(w[1], w[2]):
        squares[i] = decay * squares[i] + rest * gradient[i] * gradient[i]
        weights[i] -= rate * gradient[i] / (math.sqrt(squares[i]) + eps)


@instruction
def adam(w):  # type: ignore[no-untyped-def]
    """(go, first, last, numbers, weights, gradient, mean, squares); numbers: as `_adam_numbers` gives them."""
    if words_at(w[0])[0] == 0:
        return
    numbers, weights, gradient = floats_at(w[3]), floats_at(w[4]), floats_at(w[5])
    mean, squares = floats_at(w[6]), floats_at(w[7])
    rate, keep, beta1, rest1 = numbers[0], numbers[1], numbers[2], numbers[3]
    beta2, rest2, root, eps = numbers[4], numbers[5], numbers[6], numbers[7]
    for i in range(w[1], w[2]):
        mean[i] = beta1 * mean[i] + rest1 * gradient[i]
        squares[i] = beta2 * squares[i] + rest2 * gradient[i] * gradient[i]
        weights[i] = weights[i] * keep - rate * mean[i] / (math.sqrt(squares[i]) * root + eps)


def _sgd_numbers(rate: float, momentum: float, nesterov: bool) -> tuple[float, ...]:
    return rate, momentum, float(nesterov)


def _adagrad_numbers(rate: float, eps: float) -> tuple[float, ...]:
    return rate, eps


def _rmsprop_numbers(rate: float, decay: float, eps: float) -> tuple[float, ...]:
    return rate, decay, 1 - decay, eps


def _adam_numbers(rate: float, beta1: float, beta2: float, eps: float, decay: float, step: int) -> tuple[float, ...]:
    root, corrected = 1 / math.sqrt(1 - beta2**step), rate / (1 - beta1**step)
    return corrected, 1 - rate * decay, beta1, 1 - beta1, beta2, 1 - beta2, root, eps


# A kernel's name -> its instruction, and the numbers that this takes from the kernel's arguments.
UPDATES: dict[str, tuple[Instruction, Callable[..., tuple[float, ...]]]] = {
    "sgd_update": (sgd, _sgd_numbers),
    "adagrad_update": (adagrad, _adagrad_numbers),
    "rmsprop_update": (rmsprop, _rmsprop_numbers),
    "adam_update": (adam, _adam_numbers),
}


def _run(kernel: str, arrays: tuple[Flat, ...], *arguments: Any) -> None:
    """Update the weights, the first of `arrays`, each thread a stretch where there are many."""
    compiled, numbers_of = UPDATES[kernel]
    size = arrays[0].size
    numbers = np.array(numbers_of(*arguments), np.float32)
    threads = thread_count() if size >= WORTH_SHARING else 1
    fixed = [numbers.ctypes.data, *(array.ctypes.data for array in arrays)]
    words = [
        np.array([_GO.ctypes.data, size * t // threads, size * (t + 1) // threads, *fixed], np.int64)
        for t in range(threads)
    ]
    run_on_threads([each.ctypes.data for each in words], compiled)


def _alike(weights: Flat, *others: Flat) -> bool:
    """Compiled code does not check its bounds; the reference says which lengths differ."""
    return is_float32(weights, *others) and weights.ndim == 1 and all(a.shape == weights.shape for a in others)


def _fits_sgd(weights: Flat, gradient: Flat, velocity: Flat, rate: float, momentum: float, nesterov: bool) -> bool:
    return _alike(weights, gradient) and is_float32(velocity) and (momentum == 0 or velocity.shape == weights.shape)


def _fits_adagrad(weights: Flat, gradient: Flat, squares: Flat, rate: float, eps: float) -> bool:
    return _alike(weights, gradient, squares)


def _fits_rmsprop(weights: Flat, gradient: Flat, squares: Flat, rate: float, decay: float, eps: float) -> bool:
    return _alike(weights, gradient, squares)


def _fits_adam(weights: Flat, gradient: Flat, mean: Flat, squares: Flat, *numbers: float, **named: float) -> bool:
    return _alike(weights, gradient, mean, squares)


@implements(reference.sgd_update, backend="numba_cpu", when=_fits_sgd)
def sgd_update(weights: Flat, gradient: Flat, velocity: Flat, rate: float, momentum: float, nesterov: bool) -> None:
    _run("sgd_update", (weights, gradient, velocity), rate, momentum, nesterov)


@implements(reference.adagrad_update, backend="numba_cpu", when=_fits_adagrad)
def adagrad_update(weights: Flat, gradient: Flat, squares: Flat, rate: float, eps: float) -> None:
    _run("adagrad_update", (weights, gradient, squares), rate, eps)


@implements(reference.rmsprop_update, backend="numba_cpu", when=_fits_rmsprop)
def rmsprop_update(weights: Flat, gradient: Flat, squares: Flat, rate: float, decay: float, eps: float) -> None:
    _run("rmsprop_update", (weights, gradient, squares), rate, decay, eps)


@implements(reference.adam_update, backend="numba_cpu", when=_fits_adam)
def adam_update(
    weights: Flat,
    gradient: Flat,
    mean: Flat,
    squares: Flat,
    rate: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    step: int,
) -> None:
    _run("adam_update", (weights, gradient, mean, squares), rate, beta1, beta2, eps, decay, step)
