"""Deep networks on real digits, with all that helps or harms them to switch on and off."""

from dataclasses import dataclass

import numpy as np

from inkgrad.autodiff.tensor import Array, Tensor
from inkgrad.errors import OptionError
from inkgrad.lessons.limits import check_rate
from inkgrad.nn import (
    BatchNorm1d,
    Dropout,
    Flatten,
    Linear,
    Module,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Tanh,
    init,
)

__all__ = ["ACTIVATIONS", "DEPTHS", "STARTS", "DeepNetwork", "Switches"]

WIDTH = 32
DEPTHS = (2, 8)
"""Hidden layers: the fewest and the most."""
DROPOUT = 0.3
DECAY = 0.01
CLIP = 1.0

ACTIVATIONS: dict[str, type[Module]] = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU}
STARTS: dict[str, init.Initializer] = {
    "zero": init.zeros,
    "equal": lambda shape, _: np.full(tuple(shape), 0.02, np.float32),
    "small": init.normal(0.01),
    "large": init.normal(0.5),
    "xavier": init.xavier_normal,
    "he": init.he_normal,
}
"""How weights begin; biases begin at 0."""


@dataclass(frozen=True)
class Switches:
    """A network and its training.

    Attributes:
        depth: hidden layers, 2 to 8, of 32 units each.
        activation: a name in `ACTIVATIONS`.
        start: a name in `STARTS`.
        batch_norm: normalize before each activation (Ioffe and Szegedy 2015).
        residual: add its input to the output of each hidden layer but the first (He et al. 2016).
        dropout: leave out 30 % of the units of each hidden layer (Srivastava et al. 2014).
        weight_decay: add 0.005 sum w^2 to the loss that is trained on (Krogh and Hertz 1992).
        clip: limit the norm of the gradient to 1 (Pascanu et al. 2013).
        rate: the learning rate of SGD with momentum 0.9, at most 1,000,000.
        digits: how many images of digits there are to learn from, 50 to 1,000.

    Raises:
        OptionError: one of these cannot be.
    """

    depth: int = 8
    activation: str = "sigmoid"
    start: str = "xavier"
    batch_norm: bool = False
    residual: bool = False
    dropout: bool = False
    weight_decay: bool = False
    clip: bool = False
    rate: float = 0.05
    digits: int = 500

    def __post_init__(self) -> None:
        for what, value, known in (("activation", self.activation, ACTIVATIONS), ("start", self.start, STARTS)):
            if value not in known:
                raise OptionError(f"there is no {what} {value!r}; there are {', '.join(known)}")
        for what, number, (least, most) in (("depth", self.depth, DEPTHS), ("digits", self.digits, (50, 1000))):
            if not least <= number <= most:
                raise OptionError(
                    f"{what} must be a whole number from {least:,} to {most:,}, but got {number}; take one of these"
                )
        check_rate(self.rate)


class DeepNetwork(Module):
    """Hidden layers of 32 units, and a layer of logits.

    Args:
        switches: what it is made of.
        rng: draws weights and what dropout leaves out.

    >>> from inkgrad.random import default_rng
    >>> net = DeepNetwork(Switches(depth=3), default_rng(0))
    >>> len(net.layers(np.zeros((4, 1, 28, 28), np.float32)))
    3
    """

    def __init__(self, switches: Switches, rng: np.random.Generator) -> None:
        self.hidden = [_layer(switches, i, rng) for i in range(switches.depth)]
        self.logits = Linear(WIDTH, 10, rng=rng, init=STARTS[switches.start])

    def layers(self, images: Array) -> list[Tensor]:
        """The output of each hidden layer, (n, 32)."""
        found: list[Tensor] = []
        x = Tensor(images)
        for layer in self.hidden:
            x = layer(x)
            found.append(x)
        return found

    def forward(self, images: Array) -> Tensor:
        """images (n, 1, 28, 28) -> logits (n, 10)."""
        logits: Tensor = self.logits(self.layers(images)[-1])
        return logits

    def weights(self) -> list[Tensor]:
        """The weight of each hidden layer."""
        return [p for name, p in self.named_parameters() if name.startswith("hidden") and p.ndim == 2]


def _layer(switches: Switches, place: int, rng: np.random.Generator) -> Module:
    inputs = WIDTH if place else 784
    parts: list[Module] = [] if place else [Flatten()]
    parts.append(Linear(inputs, WIDTH, rng=rng, init=STARTS[switches.start]))
    parts += [BatchNorm1d(WIDTH)] if switches.batch_norm else []
    parts.append(ACTIVATIONS[switches.activation]())
    parts += [Dropout(DROPOUT, rng=rng)] if switches.dropout else []
    layer = Sequential(*parts)
    return Residual(layer) if switches.residual and place else layer
