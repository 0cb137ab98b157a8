"""The network of an estimator: dense layers by default, a named network, or one of the user's own."""

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from inkgrad.autodiff import no_grad
from inkgrad.errors import InkgradError, OptionError
from inkgrad.estimator.inputs import checked_image_shape
from inkgrad.models import ACTIVATIONS, build, dense_layers
from inkgrad.nn import Flatten, Linear, Module, Sequential
from inkgrad.nn.init import xavier_uniform

__all__ = ["build_network", "shapes_to_try"]

Shape = tuple[int, ...]


def shapes_to_try(features: int, came: Shape | None, wanted: Any, *, images: bool) -> list[Shape]:
    """The shapes of one sample that a network may take, best first: (d,) of a row, (1, h, w) of an image.

    Args:
        features: d.
        came: (h, w) of images that came as such.
        wanted: the parameter `image_shape`.
        images: whether it must be an image.

    Raises:
        OptionError: `image_shape` is no pair of numbers, or does not fit.
    """
    if wanted is not None:
        came = checked_image_shape(wanted, features)
    if came is not None:
        return [(1, *came), (features,)]
    side = math.isqrt(features)
    square: list[Shape] = [(1, side, side)] if side * side == features else []
    if not images:
        return [(features,), *square]
    if not square:
        raise OptionError(
            f"X has {features} features, which is no square of pixels; give image_shape=(height, width), or images "
            "(n, h, w)"
        )
    return square


def build_network(
    network: Any,
    options: Mapping[str, Any] | None,
    shapes: Sequence[Shape],
    outputs: int,
    dense: Mapping[str, Any],
    rng: np.random.Generator,
) -> tuple[Module, Shape]:
    """A new network, in training mode, and the shape of one sample that it takes.

    Args:
        network: None for dense layers, a name, a module, which is copied, or a function
            (rng=, inputs=, outputs=, **options) -> module.
        options: of the named network, or for the function.
        shapes: of one sample, best first.
        outputs: how many there must be.
        dense: hidden widths, activation, dropout and normalize of dense layers.
        rng: draws the initial weights.

    Raises:
        OptionError: it cannot be built, or it takes no sample of any of these shapes.
    """
    _check_options(network, options)
    if network is None:
        return _dense(shapes[0], outputs, dense, rng), shapes[0]
    if isinstance(network, str):
        net: Any = build(network, rng=rng, classes=outputs, **(options or {}))
    elif isinstance(network, Module):
        net = copy.deepcopy(network)
    elif callable(network):
        net = network(rng=rng, inputs=shapes[0], outputs=outputs, **(options or {}))
    else:
        net = None
    if not isinstance(net, Module):
        raise OptionError(
            "network must be None, the name of a network, a module, or a function (rng=, inputs=, outputs=) that makes "
            f"one, but is {network!r}"
        )
    return net.train(), _shape_taken(net, shapes, outputs)


def _check_options(network: Any, options: Mapping[str, Any] | None) -> None:
    if options and (network is None or isinstance(network, Module)):
        why = "dense layers have parameters of their own" if network is None else "a module is there already"
        raise OptionError(f"network_options are for a network's name or a function that makes one; {why}")


def _dense(shape: Shape, outputs: int, dense: Mapping[str, Any], rng: np.random.Generator) -> Module:
    hidden, activation, dropout = dense["hidden"], dense["activation"], dense["dropout"]
    widths = list(hidden) if isinstance(hidden, Sequence | np.ndarray) else [hidden]
    if not all(isinstance(width, int | np.integer) and width >= 1 for width in widths):
        raise OptionError(f"hidden_layer_sizes must be widths of at least 1, but is {hidden!r}")
    if activation not in ACTIVATIONS:
        raise OptionError(f"activation {activation!r} is not known; there are {', '.join(ACTIVATIONS)}")
    if not isinstance(dropout, int | float | np.number) or not 0 <= dropout < 1:
        raise OptionError(f"dropout must be from 0 to below 1, but is {dropout!r}")
    layers = dense_layers(
        [math.prod(shape), *(int(width) for width in widths), outputs],
        rng=rng,
        activation=activation,
        dropout=float(dropout),
        normalize=bool(dense["normalize"]),
        start=xavier_uniform,  # from which tables are learned with less error than from He's larger weights
    )
    for layer in layers:
        if isinstance(layer, Linear) and layer.bias is not None:  # as scikit-learn's, in the range of the weights
            limit = math.sqrt(6 / sum(layer.weight.shape))
            layer.bias.data[...] = rng.uniform(-limit, limit, layer.bias.shape)
    return Sequential(*([Flatten()] if len(shape) > 1 else []), *layers)


def _shape_taken(net: Module, shapes: Sequence[Shape], outputs: int) -> Shape:
    """The first shape of which the network makes as many outputs as there must be, found by trying."""
    problems = []
    for shape in shapes:
        try:
            with no_grad():
                made = net.eval()(np.zeros((2, *shape), np.float32)).shape
        except (InkgradError, ValueError, IndexError) as error:
            problems.append(f"of (n, {_listed(shape)}) it says: {error}")
            continue
        finally:
            net.train()
        if made == (2, outputs):
            return shape
        problems.append(f"of (n, {_listed(shape)}) it makes {made[1:]}, but {outputs} outputs are needed")
    name = getattr(net, "architecture", "") or type(net).__name__
    raise OptionError(f"the network {name} does not fit X and y: {'; '.join(problems)}")


def _listed(shape: Shape) -> str:
    return ", ".join(map(str, shape))
