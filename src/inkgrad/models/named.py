"""The named networks: each takes float32 (n, 1, 28, 28) and gives logits (n, classes)."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inkgrad.autodiff import Tensor
from inkgrad.errors import OptionError
from inkgrad.nn import Flatten, Linear, Module, ReLU, Sequential, Sigmoid, cross_entropy, init, sigmoid_squared_error

__all__ = ["NAMED", "NamedModel", "Network", "build"]

PIXELS = 784


class Network(Sequential):
    """A named network: its layers, and what is needed to build it again.

    Attributes:
        architecture: the name it was built by.
        options: the arguments it was built with, as JSON holds them.
    """

    def __init__(self, *layers: Module) -> None:
        super().__init__(*layers)
        self.architecture = ""
        self.options: dict[str, Any] = {}


@dataclass(frozen=True)
class NamedModel:
    """How to build a network, and the loss it was made for.

    Attributes:
        build: the function that builds it, with `rng`, `classes` and the network's own options.
        options: option name -> default value.
        loss: (logits (n, k), labels (n,)) -> tensor of one element.
        probabilities: how logits become probabilities, "softmax" or "sigmoid".
        summary: one line for people.
    """

    build: Callable[..., Network]
    options: dict[str, Any]
    loss: Callable[..., Tensor]
    probabilities: str
    summary: str


def _softmax_regression(*, rng: np.random.Generator, classes: int) -> Network:
    return Network(Flatten(), Linear(PIXELS, classes, rng=rng, init=init.normal(0.01)))


def _two_layer(*, rng: np.random.Generator, classes: int, hidden: int) -> Network:
    start = init.normal(0.01)
    first = Linear(PIXELS, hidden, rng=rng, init=start)
    return Network(Flatten(), first, ReLU(), Linear(hidden, classes, rng=rng, init=start))


def _two_layer_sigmoid(*, rng: np.random.Generator, classes: int, hidden: int) -> Network:
    first = Linear(PIXELS, hidden, rng=rng, init=init.lecun_normal)
    return Network(Flatten(), first, Sigmoid(), Linear(hidden, classes, rng=rng, init=init.lecun_normal))


def _mlp(*, rng: np.random.Generator, classes: int, hidden: int | Sequence[int]) -> Network:
    widths = [PIXELS, *([hidden] if isinstance(hidden, int) else hidden)]
    layers: list[Module] = [Flatten()]
    for before, after in itertools.pairwise(widths):
        layers += [Linear(before, after, rng=rng), ReLU()]
    return Network(*layers, Linear(widths[-1], classes, rng=rng, init=init.lecun_normal))


NAMED: dict[str, NamedModel] = {
    "softmax-regression": NamedModel(
        _softmax_regression, {}, cross_entropy, "softmax", "784-10, a linear classifier with softmax cross-entropy"
    ),
    "two-layer": NamedModel(
        _two_layer, {"hidden": 50}, cross_entropy, "softmax", "784-50-10, ReLU, softmax cross-entropy: the textbook's"
    ),
    "two-layer-sigmoid": NamedModel(
        _two_layer_sigmoid,
        {"hidden": 100},
        sigmoid_squared_error,
        "sigmoid",
        "784-100-10, sigmoid in both layers, squared error: the classic before ReLU",
    ),
    "mlp": NamedModel(
        _mlp, {"hidden": [128]}, cross_entropy, "softmax", "784-128-10, ReLU; hidden layers as wide and many as wanted"
    ),
}


def build(name: str, *, rng: np.random.Generator, classes: int = 10, **options: Any) -> Network:
    """Build a named network with fresh weights.

    Args:
        name: one of `NAMED`.
        rng: draws the initial weights.
        classes: how many logits.
        **options: the network's own options, such as `hidden` for its width.

    Raises:
        OptionError: no network of this name, or an option it does not have.

    >>> from inkgrad.random import default_rng
    >>> net = build("two-layer", rng=default_rng(0), hidden=30)
    >>> [(name, parameter.shape) for name, parameter in net.named_parameters()][0]
    ('layers.1.weight', (30, 784))
    """
    if name not in NAMED:
        raise OptionError(f"no network is named {name!r}; there are {', '.join(NAMED)}")
    if classes < 2:
        raise OptionError(f"a classifier needs at least 2 classes, but got {classes}")
    model = NAMED[name]
    unknown = sorted(options.keys() - model.options.keys())
    if unknown:
        known = ", ".join(model.options) or "none"
        raise OptionError(f"{name} has no option {unknown[0]!r}; its options are: {known}")
    full: dict[str, Any] = model.options | options
    if "hidden" in full:
        full["hidden"] = _checked_widths(name, full["hidden"], several=isinstance(model.options["hidden"], list))
    net = model.build(rng=rng, classes=classes, **full)
    net.architecture = name
    net.options = full | {"classes": classes}
    return net


def _checked_widths(name: str, hidden: Any, *, several: bool) -> Any:
    widths = list(hidden) if isinstance(hidden, Sequence | np.ndarray) else [hidden]
    if not all(isinstance(width, int | np.integer) and width > 0 for width in widths) or not widths:
        raise OptionError(f"{name} needs widths of at least 1 in hidden, but got {hidden!r}")
    if not several and len(widths) != 1:
        raise OptionError(f"{name} has one hidden layer, but got {len(widths)} widths in hidden; mlp takes several")
    return [int(width) for width in widths] if several else int(widths[0])
