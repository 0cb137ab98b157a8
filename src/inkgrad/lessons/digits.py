"""The real digits and the two-layer network that the lessons work on: made at first use, the same on every machine."""

import functools
from typing import Literal, TypeAlias

from inkgrad.autodiff.tensor import Array
from inkgrad.data import Dataset, linear_scaling, load_digits
from inkgrad.kernels import use_backend
from inkgrad.models import Network, build
from inkgrad.nn import cross_entropy
from inkgrad.optim import SGD
from inkgrad.random import default_rng

__all__ = ["WEIGHTS", "Weights", "lesson_digits", "two_layer"]

Weights: TypeAlias = Literal["fresh", "trained"]
WEIGHTS: tuple[Weights, ...] = ("fresh", "trained")

EPOCHS = 10
BATCH = 64


@functools.cache
def lesson_digits() -> tuple[Dataset, Dataset]:
    """The bundled digits, 1,437 to learn from and 360 to look at."""
    return load_digits()


def two_layer(weights: Weights) -> Network:
    """A new `two-layer` network, float32: with its first random weights, or after ten epochs on the bundled digits.

    >>> two_layer("fresh").parameter_count()
    39760
    """
    net = build("two-layer", rng=default_rng(0))
    if weights == "trained":
        for parameter, array in zip((p for _, p in net.named_parameters()), _trained(), strict=True):
            parameter.data = array.copy()
    return net


@functools.cache
def _trained() -> tuple[Array, ...]:
    net = two_layer("fresh")
    train, _ = lesson_digits()
    images = linear_scaling().apply(train.images)
    optimizer = SGD(net, learning_rate=0.1, momentum=0.9)
    rng = default_rng(0)
    with use_backend("reference"):  # a second of NumPy, not a wait for compiled kernels
        for _ in range(EPOCHS):
            order = rng.permutation(len(train))
            for first in range(0, len(train), BATCH):
                batch = order[first : first + BATCH]
                optimizer.zero_grad()
                cross_entropy(net(images[batch]), train.labels[batch]).backward()
                optimizer.step()
    return tuple(parameter.data.copy() for _, parameter in net.named_parameters())
