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

__all__ = ["WEIGHTS", "Weights", "lesson_digits", "scaled_digits", "two_layer"]

Weights: TypeAlias = Literal["fresh", "trained"]
WEIGHTS: tuple[Weights, ...] = ("fresh", "trained")

EPOCHS = 10
BATCH = 64


@functools.cache
def lesson_digits() -> tuple[Dataset, Dataset]:
    """The bundled digits, 1,437 to learn from and 360 to look at."""
    return load_digits()


@functools.cache
def scaled_digits() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """The same as networks take them: images (n, 1, 28, 28), float32, scaled linearly, and labels (n,)."""
    train, test = lesson_digits()
    scaling = linear_scaling()
    return (scaling.apply(train.images), train.labels), (scaling.apply(test.images), test.labels)


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
    (images, labels), _ = scaled_digits()
    optimizer = SGD(net, learning_rate=0.1, momentum=0.9)
    rng = default_rng(0)
    with use_backend("reference"):  # a second of NumPy, not a wait for compiled kernels
        for _ in range(EPOCHS):
            order = rng.permutation(len(images))
            for first in range(0, len(images), BATCH):
                batch = order[first : first + BATCH]
                optimizer.zero_grad()
                cross_entropy(net(images[batch]), labels[batch]).backward()
                optimizer.step()
    return tuple(parameter.data.copy() for _, parameter in net.named_parameters())
