"""Named networks of dense layers."""

import itertools
from collections.abc import Sequence

import numpy as np

from inkgrad.models.network import Network
from inkgrad.nn import (
    GELU,
    BatchNorm1d,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    Module,
    ReLU,
    Sigmoid,
    Softplus,
    Tanh,
    init,
)

__all__ = ["ACTIVATIONS", "dense_layers", "mlp", "softmax_regression", "two_layer", "two_layer_sigmoid"]

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
    widths = [PIXELS, *([hidden] if isinstance(hidden, int) else hidden), classes]
    return Network(Flatten(), *dense_layers(widths, rng=rng))


ACTIVATIONS: dict[str, type[Module] | None] = {
    "relu": ReLU,
    "leaky-relu": LeakyReLU,
    "gelu": GELU,
    "softplus": Softplus,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
    "identity": None,
}
"""Names of what stands between dense layers."""

SATURATING = ("tanh", "sigmoid", "identity")  # whose weights begin after LeCun; the others' after He


def dense_layers(
    widths: Sequence[int],
    *,
    rng: np.random.Generator,
    activation: str = "relu",
    dropout: float = 0.0,
    normalize: bool = False,
    start: init.Initializer | None = None,
) -> list[Module]:
    """Dense layers of these widths, from inputs to outputs, with something between them.

    Args:
        widths: of the inputs, each hidden layer, and the outputs.
        rng: draws the initial weights, and the seeds of dropout.
        activation: one of `ACTIVATIONS`.
        dropout: how much of each hidden layer is left out in training.
        normalize: whether batch normalization stands before each activation.
        start: how all weights begin; by default after He or LeCun, as the activation wants it, the last after LeCun.
    """
    hidden = start or (init.lecun_normal if activation in SATURATING else init.he_normal)
    layers: list[Module] = []
    for before, after in itertools.pairwise(widths[:-1]):
        layers.append(Linear(before, after, rng=rng, init=hidden))
        layers += [BatchNorm1d(after)] if normalize else []
        between = ACTIVATIONS[activation]
        layers += [between()] if between is not None else []
        layers += [Dropout(dropout, rng=rng)] if dropout else []
    return [*layers, Linear(widths[-2], widths[-1], rng=rng, init=start or init.lecun_normal)]
