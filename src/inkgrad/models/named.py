"""The named networks: each takes float32 (n, 1, 28, 28) and gives logits (n, classes)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inkgrad.autodiff import Tensor
from inkgrad.errors import OptionError
from inkgrad.models import convolutional, dense
from inkgrad.models.network import Network
from inkgrad.nn import cross_entropy, sigmoid_squared_error

__all__ = ["NAMED", "NamedModel", "Network", "build"]


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


NAMED: dict[str, NamedModel] = {
    "softmax-regression": NamedModel(
        dense.softmax_regression, {}, cross_entropy, "softmax", "784-10, a linear classifier with softmax cross-entropy"
    ),
    "two-layer": NamedModel(
        dense.two_layer,
        {"hidden": 50},
        cross_entropy,
        "softmax",
        "784-50-10, ReLU, softmax cross-entropy: the textbook's",
    ),
    "two-layer-sigmoid": NamedModel(
        dense.two_layer_sigmoid,
        {"hidden": 100},
        sigmoid_squared_error,
        "sigmoid",
        "784-100-10, sigmoid in both layers, squared error: the classic before ReLU",
    ),
    "mlp": NamedModel(
        dense.mlp,
        {"hidden": [128]},
        cross_entropy,
        "softmax",
        "784-128-10, ReLU; hidden layers as wide and many as wanted",
    ),
    "lenet1": NamedModel(
        convolutional.lenet1,
        {},
        cross_entropy,
        "softmax",
        "LeNet-1 of 1990: two convolutions with tanh, 3,278 parameters",
    ),
    "lenet5-1998": NamedModel(
        convolutional.lenet5_1998,
        {},
        cross_entropy,
        "softmax",
        "LeNet-5 as published: tanh, trainable subsampling, partial connection, 60,850 parameters",
    ),
    "lenet5": NamedModel(
        convolutional.lenet5, {}, cross_entropy, "softmax", "LeNet-5 of today: ReLU, max pooling, 61,706 parameters"
    ),
    "cnn": NamedModel(
        convolutional.cnn,
        {},
        cross_entropy,
        "softmax",
        "two convolutions of 32 and 64 channels, max pooling, dropout: PyTorch's example, 1,199,882 parameters",
    ),
    "resnet": NamedModel(
        convolutional.resnet,
        {"width": 16, "depth": 1},
        cross_entropy,
        "softmax",
        "residual blocks in three stages of width, 2 width, 4 width channels, depth blocks each",
    ),
    "simple-cnn": NamedModel(
        convolutional.simple_cnn,
        {},
        cross_entropy,
        "softmax",
        "ten convolutions of 3x3 with batch normalization, no pooling: An et al. 2020, 1,124,180 parameters",
    ),
    "vgg": NamedModel(
        convolutional.vgg,
        {"width": 24},
        cross_entropy,
        "softmax",
        "six convolutions of 3x3 with batch normalization, width to 4 width channels, and one dense layer",
    ),
    "tiny": NamedModel(
        convolutional.tiny,
        {},
        cross_entropy,
        "softmax",
        "four convolutions with batch normalization and global average pooling, 6,866 parameters",
    ),
}


def build(name: str, *, rng: np.random.Generator, classes: int = 10, **options: Any) -> Network:
    """Build a named network with fresh weights.

    Args:
        name: one of `NAMED`.
        rng: draws the initial weights.
        classes: how many logits.
        **options: the network's own options, such as `hidden` for the width of `mlp`.

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
    for option in ("width", "depth"):
        if option in full:
            full[option] = _checked_number(name, option, full[option])
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


def _checked_number(name: str, option: str, value: Any) -> int:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise OptionError(f"{name} needs a whole number of at least 1 as {option}, but got {value!r}")
    return int(value)
