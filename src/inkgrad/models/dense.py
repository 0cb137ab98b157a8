"""Named networks of dense layers."""

import itertools
from collections.abc import Sequence

import numpy as np

from inkgrad.models.network import Network
from inkgrad.nn import Flatten, Linear, Module, ReLU, Sigmoid, init

__all__ = ["mlp", "softmax_regression", "two_layer", "two_layer_sigmoid"]

PIXELS = 784


def softmax_regression(*, rng: np.random.Generator, classes: int) -> Network:
    """784-10, linear."""
    return Network(Flatten(), Linear(PIXELS, classes, rng=rng, init=init.normal(0.01)))


def two_layer(*, rng: np.random.Generator, classes: int, hidden: int) -> Network:
    """784-hidden-10 with ReLU, from small normal weights: the textbook's."""
    start = init.normal(0.01)
    first = Linear(PIXELS, hidden, rng=rng, init=start)
    return Network(Flatten(), first, ReLU(), Linear(hidden, classes, rng=rng, init=start))


def two_layer_sigmoid(*, rng: np.random.Generator, classes: int, hidden: int) -> Network:
    """784-hidden-10 with sigmoids; that of the output belongs to the loss."""
    first = Linear(PIXELS, hidden, rng=rng, init=init.lecun_normal)
    return Network(Flatten(), first, Sigmoid(), Linear(hidden, classes, rng=rng, init=init.lecun_normal))


def mlp(*, rng: np.random.Generator, classes: int, hidden: int | Sequence[int]) -> Network:
    """784, hidden layers with ReLU, 10."""
    widths = [PIXELS, *([hidden] if isinstance(hidden, int) else hidden)]
    layers: list[Module] = [Flatten()]
    for before, after in itertools.pairwise(widths):
        layers += [Linear(before, after, rng=rng), ReLU()]
    return Network(*layers, Linear(widths[-1], classes, rng=rng, init=init.lecun_normal))
