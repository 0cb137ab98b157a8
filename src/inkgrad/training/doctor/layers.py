"""What each layer of a network does with some digits: its outputs on the way forward, the gradient on the way back."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Array, Tensor
from inkgrad.nn import Module, ReLU, Sigmoid, Tanh
from inkgrad.nn.module import Parameter

__all__ = ["LayerMeasure", "measure_layers"]

CHUNK = 64
"""Images that go through the network together: little memory, and still a batch for batch normalization."""

FLAT = 0.05
"""A sigmoid or tanh counts as saturated where its derivative is below this share of its largest: beyond |x| of 4.4 and
2.2."""


@dataclass(frozen=True)
class LayerMeasure:
    """What was measured of one layer, over all images.

    Attributes:
        name: its path in the network.
        kind: its class.
        units: its outputs for an image: features of a dense layer, channels of a convolution.
        trained: whether it has a weight matrix or filters of its own.
        output: root mean square of its outputs.
        gradient: root mean square over the images of the norm of dL/d(output), L being an image's loss.
        dead: share of units that are 0 for every image; of ReLU only.
        saturated: share of outputs in the flat part of the curve; of sigmoid and tanh only.
    """

    name: str
    kind: str
    units: int
    trained: bool
    output: float
    gradient: float
    dead: float | None = None
    saturated: float | None = None

    @property
    def title(self) -> str:
        """Path and class."""
        return f"{self.name} {self.kind}".strip()


class _Sums:
    """Adds up what a layer did, chunk by chunk."""

    def __init__(self, module: Module, kind: str) -> None:
        self.module, self.kind = module, kind
        self.squares = self.gradients = 0.0
        self.count = self.flat = 0
        self.alive: NDArray[np.bool_] | None = None
        self.unread: list[Tensor] = []

    def forward(self, output: Tensor) -> None:
        values = output.data
        self.squares += float(np.square(values, dtype=np.float64).sum())
        self.count += values.size
        self.flat += int(np.count_nonzero(_is_flat(self.module, values)))
        others = tuple(axis for axis in range(values.ndim) if axis != 1)
        active = (values != 0).any(axis=others)
        self.alive = active if self.alive is None else self.alive | active
        if output.node is not None and output.requires_grad:
            output.node.watched = True  # the backward pass keeps its gradient
            self.unread.append(output)

    def backward(self, images: int) -> None:
        """The loss is a mean over the images, so the gradient of one image's loss is so many times larger."""
        for output in self.unread:
            gradient = None if output.node is None else output.node.gradient
            if gradient is not None:
                self.gradients += images**2 * float(np.square(gradient, dtype=np.float64).sum())
        self.unread.clear()

    def measure(self, name: str, images: int) -> LayerMeasure:
        alive = np.zeros(0, np.bool_) if self.alive is None else self.alive
        return LayerMeasure(
            name=name,
            kind=self.kind,
            units=alive.size,
            trained=_is_trained(self.module),
            output=math.sqrt(self.squares / max(self.count, 1)),
            gradient=math.sqrt(self.gradients / images),
            dead=1 - float(alive.mean()) if isinstance(self.module, ReLU) and alive.size else None,
            saturated=self.flat / max(self.count, 1) if isinstance(self.module, Sigmoid | Tanh) else None,
        )


def measure_layers(
    net: Module, loss: Callable[..., Tensor], images: NDArray[np.float32], labels: NDArray[np.int64]
) -> list[LayerMeasure]:
    """Send digits forward and their gradients back, and look at each layer with weights and at each activation.

    It is measured in training mode, on a copy: weights, gradients, running statistics and random generators of `net`
    stay as they are. Glorot and Bengio (2010) look at activations and gradients by layer in this way.

    Args:
        net: the network.
        loss: (logits, labels) -> tensor of one element, a mean over the images.
        images: float32, as the network takes them.
        labels: int64 (n,).

    Returns:
        The layers in the order in which they are computed. Layers of other kinds, such as pooling, are left out.

    >>> from inkgrad.models import build
    >>> from inkgrad.nn import cross_entropy
    >>> from inkgrad.random import default_rng
    >>> net = build("two-layer", rng=default_rng(0))
    >>> digits = default_rng(1).random((8, 1, 28, 28), np.float32)
    >>> [(layer.title, layer.units) for layer in measure_layers(net, cross_entropy, digits, np.arange(8))]
    [('layers.1 Linear', 50), ('layers.2 ReLU', 50), ('layers.3 Linear', 10)]
    """
    twin = copy.deepcopy(net)
    found: dict[str, _Sums] = {}
    for path, module in list(twin.named_modules()):
        if _is_trained(module) or isinstance(module, ReLU | Sigmoid | Tanh):
            _watch(module, path, found)
        module.training = True
    dtype = next((parameter.dtype for _, parameter in twin.named_parameters()), np.dtype(np.float32))
    starts = range(0, len(images), CHUNK)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for part in (slice(start, start + CHUNK) for start in starts if len(images) - start > 1 or start == 0):
            total = loss(twin(Tensor(images[part], dtype=dtype)), labels[part])
            if total.requires_grad:
                total.backward()
            for sums in found.values():
                sums.backward(len(labels[part]))
    return [sums.measure(path, len(images)) for path, sums in found.items()]


def _watch(module: Module, path: str, found: dict[str, _Sums]) -> None:
    """Have a module tell what it gives."""
    kind = type(module)

    def call(self: Module, *inputs: Any) -> Any:
        output = self.forward(*inputs)
        if isinstance(output, Tensor) and output.ndim > 1:
            found.setdefault(path, _Sums(self, kind.__name__)).forward(output)
        return output

    # A class of its own also keeps Sequential from computing a Linear and the activation after it as one.
    module.__class__ = type(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__})


def _is_trained(module: Module) -> bool:
    return any(isinstance(member, Parameter) and member.ndim > 1 for member in vars(module).values())


def _is_flat(module: Module, values: Array) -> NDArray[np.bool_]:
    """Where the derivative, s (1 - s) of the sigmoid and 1 - t^2 of tanh, is small."""
    if isinstance(module, Sigmoid):
        return np.asarray(4 * values * (1 - values) < FLAT)
    if isinstance(module, Tanh):
        return np.asarray(1 - np.square(values) < FLAT)
    return np.zeros(0, np.bool_)
