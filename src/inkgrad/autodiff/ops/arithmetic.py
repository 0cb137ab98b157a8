"""Elementwise arithmetic with NumPy's broadcasting.

Where a function has a kink, the gradient there is PyTorch's: abs'(0) = 0, maximum and minimum of equal values
halve it, clip passes it at its bounds.
"""

from typing import Any

import numpy as np

from inkgrad.autodiff.differentiable import Recorded, differentiable
from inkgrad.autodiff.tensor import Array, Tensor, TensorLike, as_array

__all__ = [
    "abs",
    "add",
    "clip",
    "divide",
    "exp",
    "log",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "power",
    "sqrt",
    "subtract",
    "where",
]


@differentiable(broadcasts=True)
def add(a: Array, b: Array) -> Recorded:
    """a + b."""
    return a + b, (lambda g: g, lambda g: g)


@differentiable(broadcasts=True)
def subtract(a: Array, b: Array) -> Recorded:
    """a - b."""
    return a - b, (lambda g: g, lambda g: -g)


@differentiable(broadcasts=True)
def multiply(a: Array, b: Array) -> Recorded:
    """a b, elementwise."""
    return a * b, (lambda g: g * b, lambda g: g * a)


@differentiable(broadcasts=True)
def divide(a: Array, b: Array) -> Recorded:
    """a / b, elementwise."""
    value = a / b
    return value, (lambda g: g / b, lambda g: -g * value / b)


@differentiable(broadcasts=True)
def power(a: Array, b: Array) -> Recorded:
    """a ** b, elementwise; da = b a^(b-1), db = a^b log a (0 where a is 0 and b is not negative, as the limit is)."""
    value = a**b

    def base(g: Array) -> Array:
        # At b = 0 the derivative is 0 whatever a is, also at a = 0, where a^(b-1) is infinite.
        slope = b * a ** np.where(b == 0, b.dtype.type(1), b - 1)
        return np.asarray(g * slope)

    def exponent(g: Array) -> Array:
        flat = (a == 0) & (b >= 0)
        return np.asarray(g * np.where(flat, value.dtype.type(0), value * np.log(np.where(flat, a.dtype.type(1), a))))

    return value, (base, exponent)


@differentiable
def negative(x: Array) -> Recorded:
    """-x."""
    return -x, (lambda g: -g,)


@differentiable
def exp(x: Array) -> Recorded:
    """e^x."""
    y = np.exp(x)
    return y, (lambda g: g * y,)


@differentiable
def log(x: Array) -> Recorded:
    """The natural logarithm."""
    return np.log(x), (lambda g: g / x,)


@differentiable
def sqrt(x: Array) -> Recorded:
    """The square root; dx = 1 / (2 sqrt x)."""
    y = np.sqrt(x)
    return y, (lambda g: g / (2 * y),)


@differentiable
def abs(x: Array) -> Recorded:
    """|x|; abs'(0) = 0."""
    return np.abs(x), (lambda g: g * np.sign(x),)


@differentiable(broadcasts=True)
def maximum(a: Array, b: Array) -> Recorded:
    """The larger of each pair; equal values halve the gradient."""
    return np.maximum(a, b), (lambda g: _shared(g, a, b), lambda g: _shared(g, b, a))


@differentiable(broadcasts=True)
def minimum(a: Array, b: Array) -> Recorded:
    """The smaller of each pair; equal values halve the gradient."""
    return np.minimum(a, b), (lambda g: _shared(g, b, a), lambda g: _shared(g, a, b))


def _shared(g: Array, winner: Array, other: Array) -> Array:
    """g where `winner` is larger, half of it where they are equal, else 0, also of an infinite g."""
    real = winner.dtype.type
    return np.asarray(np.where(winner > other, g, np.where(winner == other, g * real(0.5), real(0))))


@differentiable(broadcasts=True)
def _clip(x: Array, *, low: Any, high: Any) -> Recorded:
    low = as_array(-np.inf if low is None else low, x.dtype)
    high = as_array(np.inf if high is None else high, x.dtype)
    return np.clip(x, low, high), (lambda g: np.where((x >= low) & (x <= high), g, x.dtype.type(0)),)


def clip(x: TensorLike, low: TensorLike | None = None, high: TensorLike | None = None) -> Tensor:
    """x limited to low..high; the gradient passes inside and at the bounds. The bounds are constants.

    >>> clip([-2.0, 0.5, 3.0], 0, 1).data
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return _clip(x, low=low, high=high)


@differentiable(broadcasts=True, constants=("condition",))
def where(condition: Any, a: Array, b: Array) -> Recorded:
    """a where the condition holds, else b; the condition is a constant."""
    chosen = np.asarray(condition, dtype=bool)
    return np.where(chosen, a, b), (
        lambda g: np.where(chosen, g, a.dtype.type(0)),
        lambda g: np.where(chosen, b.dtype.type(0), g),
    )
