"""A glimpse into a network: the weights of each layer, and what it makes of one digit, as images side by side."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff.tensor import Array
from inkgrad.data import linear_scaling
from inkgrad.models import Network, probabilities_of
from inkgrad.nn import Module, ReLU, feature_maps

__all__ = ["Glimpse", "LayerGlimpse", "glimpse", "gradient_norms", "sides", "trained_layers"]

LARGEST = 1e30  # a training that runs away is shown until it ends


@dataclass(frozen=True, eq=False)
class LayerGlimpse:
    """A layer with weights.

    Attributes:
        name: its path, such as "layers.1".
        kind: its class, such as "Linear".
        shape: of its weight.
        weights: float32 (n, h, w). Of a dense layer an image for each unit, of a convolution one for each pair of
            channels, the units side by side and the channels that they see below each other.
        columns: how many of these images stand in a row.
        activations: float32 (n, h, w), what the layer gives, after its activation where it has one: the maps of a
            convolution, or a dense layer's units, which stand as their weights do.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    weights: NDArray[np.float32]
    columns: int
    activations: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Glimpse:
    """What `glimpse` sees.

    Attributes:
        step: how many steps of the training had been made.
        image: uint8 (28, 28), the digit.
        label: which one it is.
        probabilities: float32 (10,).
        layers: those with weights, in the order of computing.
    """

    step: int
    image: NDArray[np.uint8]
    label: int
    probabilities: NDArray[np.float32]
    layers: tuple[LayerGlimpse, ...]


def glimpse(net: Network, image: NDArray[np.uint8], label: int, *, step: int = 0) -> Glimpse:
    """Look into a network of dense layers and convolutions; it stays as it is.

    Args:
        net: such as `two-layer`, `mlp` or `lenet5`.
        image: uint8 (28, 28).
        label: which digit it is.
        step: to be noted.

    >>> from inkgrad.lessons.digits import two_layer
    >>> seen = glimpse(two_layer("fresh"), np.zeros((28, 28), np.uint8), 3)
    >>> [(layer.weights.shape, layer.columns, layer.activations.shape) for layer in seen.layers]
    [((50, 28, 28), 10, (1, 5, 10)), ((10, 5, 10), 10, (1, 1, 10))]
    """
    found = feature_maps(net, linear_scaling().apply(image[None]))
    kinds = {path: type(module) for path, module in net.named_modules()}
    given: dict[str, Array] = {}
    last = ""
    for path, maps in found.items():
        if path in trained_layers(net):
            last = path
        if path == last or (last and kinds[path] is ReLU):
            given[last] = maps
    logits = found[last]
    layers = []
    for path, (kind, arrays) in trained_layers(net).items():
        weights, columns = _weights(arrays[0])
        layers.append(LayerGlimpse(path, kind, arrays[0].shape, weights, columns, _activations(given[path][0])))
    return Glimpse(step, image, label, probabilities_of(_finite(logits))[0], tuple(layers))


def trained_layers(net: Network) -> dict[str, tuple[str, tuple[Array, ...]]]:
    """path -> (class, weight and bias) of each layer that has some; the arrays are the network's own."""
    found: dict[str, tuple[str, tuple[Array, ...]]] = {}
    kinds = {path: type(module).__name__ for path, module in net.named_modules()}
    for name, parameter in net.named_parameters():
        path = name.rpartition(".")[0]
        found[path] = (kinds[path], (*found.get(path, ("", ()))[1], parameter.data))
    return found


def gradient_norms(net: Module) -> tuple[float, ...]:
    """Of each layer with weights the norm of the loss's gradient by all of them: the root of the sum of squares."""
    squares: dict[str, float] = {}
    for name, parameter in net.named_parameters():
        path = name.rpartition(".")[0]
        own = 0.0 if parameter.grad is None else float(np.square(parameter.grad, dtype=np.float64).sum())
        squares[path] = squares.get(path, 0.0) + own
    return tuple(math.sqrt(square) for square in squares.values())


def sides(n: int) -> tuple[int, int]:
    """(rows, columns) of n things, as near to a square as whole rows allow; up to ten stand in one.

    >>> sides(10), sides(50), sides(128), sides(784)
    ((1, 10), (5, 10), (8, 16), (28, 28))
    """
    rows = 1 if n <= 10 else next(r for r in range(math.isqrt(n), 0, -1) if n % r == 0)
    return rows, n // rows


def _weights(weight: Array) -> tuple[Array, int]:
    if weight.ndim == 4:
        tall, wide = weight.shape[2:]
        return _finite(weight.transpose(1, 0, 2, 3)).reshape(-1, tall, wide), len(weight)
    return _finite(weight).reshape(-1, *sides(weight.shape[1])), sides(len(weight))[1]


def _activations(values: Array) -> Array:
    return _finite(values if values.ndim == 3 else values.reshape(1, *sides(len(values))))


def _finite(values: Array) -> Array:
    """A copy without what is not finite."""
    return np.asarray(np.clip(np.nan_to_num(values), -LARGEST, LARGEST))
