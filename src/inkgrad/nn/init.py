"""Initial weights: zero, normal of a given width, and the scalings of LeCun, Xavier and He.

Each function takes the shape of a weight, (out, in) or (out, in, kh, kw), and a generator. fan-in is the number of
inputs of one unit, fan-out the number of units that one input feeds; for convolutions both count the window.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from inkgrad.autodiff import Array
from inkgrad.errors import OptionError, ShapeError

__all__ = [
    "Initializer",
    "fans",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

Initializer: TypeAlias = Callable[[Sequence[int], np.random.Generator], Array]


def draw(layer: str, init: Initializer, shape: Sequence[int], rng: np.random.Generator) -> Array:
    """The initial weights of a layer.

    Raises:
        OptionError: `init` is no initializer, or `rng` no generator.
    """
    if not callable(init):
        raise OptionError(f"{layer} needs an initializer as init, such as nn.init.he_normal, but got {init!r}")
    if not isinstance(rng, np.random.Generator):
        raise OptionError(f"{layer} needs a random generator as rng, such as ig.default_rng(0), but got {rng!r}")
    return init(shape, rng)


def check_widths(layer: str, what: str, *widths: object) -> None:
    """Raise OptionError unless all are whole numbers of at least 1."""
    if not all(isinstance(w, int | np.integer) and not isinstance(w, bool) and w >= 1 for w in widths):
        raise OptionError(f"{layer} needs at least one {what}, but got {' and '.join(repr(w) for w in widths)}")


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """(fan-in, fan-out) of a weight of shape (out, in, *window).

    >>> fans((16, 6, 5, 5))
    (150, 400)
    """
    if len(shape) < 2:
        raise ShapeError(f"fan-in and fan-out need a weight of shape (out, in, ...), but it is {tuple(shape)}")
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def zeros(shape: Sequence[int], rng: np.random.Generator | None = None) -> Array:
    """All zeros, for biases."""
    del rng
    return np.zeros(tuple(shape), np.float32)


def normal(std: float) -> Initializer:
    """N(0, std^2).

    >>> from inkgrad.random import default_rng
    >>> normal(0.01)((50, 784), default_rng(0)).dtype
    dtype('float32')
    """
    if not std > 0:
        raise OptionError(f"the standard deviation of initial weights must be positive, but is {std}")
    return lambda shape, rng: _normal(shape, rng, std)


def lecun_normal(shape: Sequence[int], rng: np.random.Generator) -> Array:
    """N(0, 1/fan-in), for tanh, sigmoid and linear units (LeCun et al. 1998, Efficient BackProp)."""
    return _normal(shape, rng, math.sqrt(1 / max(fans(shape)[0], 1)))


def lecun_uniform(shape: Sequence[int], rng: np.random.Generator) -> Array:
    """U(-l, l), l = sqrt(3/fan-in): the variance of `lecun_normal`."""
    return _uniform(shape, rng, math.sqrt(1 / max(fans(shape)[0], 1)))


def xavier_normal(shape: Sequence[int], rng: np.random.Generator) -> Array:
    """N(0, 2/(fan-in + fan-out)), for tanh and sigmoid (Glorot and Bengio 2010)."""
    return _normal(shape, rng, math.sqrt(2 / max(sum(fans(shape)), 1)))


def xavier_uniform(shape: Sequence[int], rng: np.random.Generator) -> Array:
    """U(-l, l), l = sqrt(6/(fan-in + fan-out)): the variance of `xavier_normal`."""
    return _uniform(shape, rng, math.sqrt(2 / max(sum(fans(shape)), 1)))


def he_normal(shape: Sequence[int], rng: np.random.Generator) -> Array:
    """N(0, 2/fan-in), for ReLU (He et al. 2015, arXiv 1502.01852)."""
    return _normal(shape, rng, math.sqrt(2 / max(fans(shape)[0], 1)))


def he_uniform(shape: Sequence[int], rng: np.random.Generator) -> Array:
    """U(-l, l), l = sqrt(6/fan-in): the variance of `he_normal`."""
    return _uniform(shape, rng, math.sqrt(2 / max(fans(shape)[0], 1)))


def _normal(shape: Sequence[int], rng: np.random.Generator, std: float) -> Array:
    return rng.standard_normal(tuple(shape), dtype=np.float32) * np.float32(std)


def _uniform(shape: Sequence[int], rng: np.random.Generator, std: float) -> Array:
    limit = math.sqrt(3) * std  # the standard deviation of U(-l, l) is l / sqrt(3)
    return (rng.random(tuple(shape), dtype=np.float32) * 2 - 1) * np.float32(limit)
