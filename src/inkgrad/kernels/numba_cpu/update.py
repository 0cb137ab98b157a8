"""Optimizer updates in one pass over the flat buffers, instead of one pass an operation."""

import math
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from inkgrad.kernels.numba_cpu.jit import array, is_float32, jit, readonly
from inkgrad.kernels.reference import update as reference
from inkgrad.kernels.registry import implements

Flat = NDArray[Any]
_OUT, _IN, _REAL = array(types.float32, 1), readonly(types.float32, 1), types.float32


@jit(types.void(_OUT, _IN, _OUT, _REAL, _REAL, types.boolean))
def _sgd(weights, gradient, velocity, rate, momentum, nesterov):  # type: ignore[no-untyped-def]
    if momentum == 0:
        for i in range(weights.size):
            weights[i] -= rate * gradient[i]
    elif nesterov:
        for i in range(weights.size):
            velocity[i] = momentum * velocity[i] + gradient[i]
            weights[i] -= rate * (gradient[i] + momentum * velocity[i])
    else:
        for i in range(weights.size):
            velocity[i] = momentum * velocity[i] + gradient[i]
            weights[i] -= rate * velocity[i]


@jit(types.void(_OUT, _IN, _OUT, _REAL, _REAL))
def _adagrad(weights, gradient, squares, rate, eps):  # type: ignore[no-untyped-def]
    for i in range(weights.size):
        squares[i] += gradient[i] * gradient[i]
        weights[i] -= rate * gradient[i] / (math.sqrt(squares[i]) + eps)


@jit(types.void(_OUT, _IN, _OUT, _REAL, _REAL, _REAL, _REAL))
def _rmsprop(weights, gradient, squares, rate, decay, rest, eps):  # type: ignore[no-untyped-def]
    for i in range(weights.size):
        squares[i] = decay * squares[i] + rest * gradient[i] * gradient[i]
        weights[i] -= rate * gradient[i] / (math.sqrt(squares[i]) + eps)


@jit(types.void(_OUT, _IN, _OUT, _OUT, _REAL, _REAL, _REAL, _REAL, _REAL, _REAL, _REAL, _REAL))
def _adam(weights, gradient, mean, squares, rate, keep, beta1, rest1, beta2, rest2, root, eps):  # type: ignore[no-untyped-def]
    for i in range(weights.size):
        mean[i] = beta1 * mean[i] + rest1 * gradient[i]
        squares[i] = beta2 * squares[i] + rest2 * gradient[i] * gradient[i]
        weights[i] = weights[i] * keep - rate * mean[i] / (math.sqrt(squares[i]) * root + eps)


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
    _sgd(weights, gradient, velocity, rate, momentum, nesterov)


@implements(reference.adagrad_update, backend="numba_cpu", when=_fits_adagrad)
def adagrad_update(weights: Flat, gradient: Flat, squares: Flat, rate: float, eps: float) -> None:
    _adagrad(weights, gradient, squares, rate, eps)


@implements(reference.rmsprop_update, backend="numba_cpu", when=_fits_rmsprop)
def rmsprop_update(weights: Flat, gradient: Flat, squares: Flat, rate: float, decay: float, eps: float) -> None:
    _rmsprop(weights, gradient, squares, rate, decay, 1 - decay, eps)


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
    root = 1 / np.sqrt(1 - beta2**step)
    corrected = rate / (1 - beta1**step)
    keep = 1 - rate * decay
    _adam(weights, gradient, mean, squares, corrected, keep, beta1, 1 - beta1, beta2, 1 - beta2, root, eps)
