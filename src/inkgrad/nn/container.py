"""Layers made of layers."""

import math
from typing import Any

from inkgrad.autodiff import Tensor, TensorLike, as_array, ops
from inkgrad.errors import OptionError, ShapeError
from inkgrad.kernels.reference.activation import Activation
from inkgrad.nn.activation import ReLU, Sigmoid, Tanh
from inkgrad.nn.linear import Linear
from inkgrad.nn.module import Module

__all__ = ["Flatten", "Residual", "Sequential"]

_FUSED: dict[type[Module], Activation] = {ReLU: "relu", Sigmoid: "sigmoid", Tanh: "tanh"}


class Flatten(Module):
    """(n, ...) -> (n, product of the rest), in (c, h, w) order."""

    def forward(self, x: TensorLike) -> Tensor:
        """x (n, ...) -> (n, d)."""
        shape = x.shape if isinstance(x, Tensor) else as_array(x).shape
        return ops.reshape(x, shape=(shape[0], math.prod(shape[1:])))


class Sequential(Module):
    """One layer after the other.

    A Linear followed by ReLU, Sigmoid or Tanh is computed as one operation: the same values in one pass less
    over the memory.

    Attributes:
        layers: the list of layers.

    >>> from inkgrad.random import default_rng
    >>> net = Sequential(Flatten(), Linear(784, 10, rng=default_rng(0)))
    >>> [name for name, _ in net.named_parameters()]
    ['layers.1.weight', 'layers.1.bias']
    """

    def __init__(self, *layers: Module) -> None:
        for layer in layers:
            if not isinstance(layer, Module):
                raise OptionError(f"Sequential takes layers, such as Sequential(ReLU(), Flatten()), but got {layer!r}")
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        """The last layer's output."""
        if not isinstance(x, Tensor):  # an array takes the dtype of the network, whichever layer comes first
            first = next(self.named_parameters(), None)
            x = Tensor(x, dtype=None if first is None else first[1].dtype)
        layers, i = self.layers, 0
        while i < len(layers):
            fused = None
            if type(layers[i]) is Linear and i + 1 < len(layers):
                fused = _FUSED.get(type(layers[i + 1]))
            x = layers[i](x) if fused is None else layers[i](x, fused)
            i += 1 if fused is None else 2
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Module:
        return self.layers[index]


class Residual(Module):
    """shortcut(x) + body(x) (He et al. 2016, arXiv 1512.03385).

    Args:
        body: what is added.
        shortcut: by default x itself; a layer where body changes the shape.
    """

    def __init__(self, body: Module, shortcut: Module | None = None) -> None:
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: TensorLike) -> Tensor:
        """x -> shortcut(x) + body(x), of one shape."""
        straight = x if self.shortcut is None else self.shortcut(x)
        added = self.body(x)
        shape = straight.shape if isinstance(straight, Tensor) else as_array(straight).shape
        if added.shape != shape:
            raise ShapeError(
                f"{self._title} adds its body, of shape {added.shape}, to {shape}; "
                f"give it a shortcut that brings x to the body's shape"
            )
        return ops.add(straight, added)
