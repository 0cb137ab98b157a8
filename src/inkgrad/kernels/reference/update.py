"""Optimizer updates over one flat buffer, in place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.registry import kernel

Flat = NDArray[Any]


@kernel
def sgd_update(weights: Flat, gradient: Flat, velocity: Flat, rate: float, momentum: float, nesterov: bool) -> None:
    """v <- m v + g; w <- w - rate v, or with Nesterov w <- w - rate (g + m v). All arrays (n,); w and v change."""
    real = weights.dtype.type
    if momentum == 0:
        weights -= real(rate) * gradient
        return
    velocity *= real(momentum)
    velocity += gradient
    weights -= real(rate) * (gradient + real(momentum) * velocity if nesterov else velocity)


@kernel
def adagrad_update(weights: Flat, gradient: Flat, squares: Flat, rate: float, eps: float) -> None:
    """s <- s + g^2; w <- w - rate g / (sqrt(s) + eps). w and s change."""
    real = weights.dtype.type
    squares += gradient * gradient
    weights -= real(rate) * gradient / (np.sqrt(squares) + real(eps))


@kernel
def rmsprop_update(weights: Flat, gradient: Flat, squares: Flat, rate: float, decay: float, eps: float) -> None:
    """s <- d s + (1 - d) g^2; w <- w - rate g / (sqrt(s) + eps). w and s change."""
    real = weights.dtype.type
    squares *= real(decay)
    squares += real(1 - decay) * gradient * gradient
    weights -= real(rate) * gradient / (np.sqrt(squares) + real(eps))


@kernel
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
    """Adam's step number `step` (from 1), with decoupled weight decay first where `decay` is not 0.

    w <- w - rate decay w; m <- b1 m + (1-b1) g; s <- b2 s + (1-b2) g^2;
    w <- w - rate m/(1-b1^t) / (sqrt(s/(1-b2^t)) + eps). w, m and s change.
    """
    real = weights.dtype.type
    if decay:
        weights *= real(1 - rate * decay)
    mean *= real(beta1)
    mean += real(1 - beta1) * gradient
    squares *= real(beta2)
    squares += real(1 - beta2) * gradient * gradient
    corrected = np.sqrt(squares) * real(1 / np.sqrt(1 - beta2**step)) + real(eps)
    weights -= real(rate / (1 - beta1**step)) * mean / corrected
