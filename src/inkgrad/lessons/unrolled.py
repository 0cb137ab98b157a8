"""The two-layer network on one digit, unrolled: each array on the way forward, and its gradient on the way back."""

from dataclasses import dataclass

import numpy as np

from inkgrad.autodiff import ops
from inkgrad.autodiff.graph import graph
from inkgrad.autodiff.tensor import Array, Tensor
from inkgrad.data import linear_scaling
from inkgrad.errors import OptionError
from inkgrad.kernels import use_backend
from inkgrad.models import Network
from inkgrad.nn import cross_entropy
from inkgrad.optim import SGD

__all__ = ["BACKWARD", "STAGES", "Stage", "Unrolled", "descended", "unroll"]


@dataclass(frozen=True, eq=False)
class Stage:
    """One array of the network.

    Attributes:
        name: x, W1, b1, a1, z1, W2, b2, a2, y or loss.
        forward: the formula of the value; empty for what is given.
        backward: the formula of the gradient.
        value: the array, float32.
        gradient: d(loss)/d(value), of the same shape.
    """

    name: str
    forward: str
    backward: str
    value: Array
    gradient: Array


@dataclass(frozen=True, eq=False)
class Unrolled:
    """A whole way forward and backward.

    Attributes:
        stages: in the order of `STAGES`.
        prediction: the digit with the largest probability.
        probability: of the right digit.
    """

    stages: tuple[Stage, ...]
    prediction: int
    probability: float

    def __getitem__(self, name: str) -> Stage:
        return next(stage for stage in self.stages if stage.name == name)


FORMULAS = {
    "x": ("", "∂L/∂a1 · W1"),
    "W1": ("", "(∂L/∂a1)ᵀ · x"),
    "b1": ("", "∂L/∂a1"),
    "a1": ("x · W1ᵀ + b1", "∂L/∂z1 · [a1 > 0]"),
    "z1": ("relu(a1)", "∂L/∂a2 · W2"),
    "W2": ("", "(∂L/∂a2)ᵀ · z1"),
    "b2": ("", "∂L/∂a2"),
    "a2": ("z1 · W2ᵀ + b2", "y − t"),
    "y": ("softmax(a2)", "−t / y"),
    "loss": ("−log y[t]", "1"),
}
STAGES = tuple(FORMULAS)
"""The arrays in the order of computing."""

BACKWARD = ("loss", "y", "a2", "b2", "W2", "z1", "a1", "b1", "W1", "x")
"""The same in the order in which their gradients come."""

LEARNING_RATE = 0.1
MOST_UPDATES = 50


def unroll(net: Network, image: Array, label: int) -> Unrolled:
    """Forward and backward through a `two-layer` network, a batch of one digit.

    t is the right answer: 1 at the label, else 0. Softmax and logarithm are kept apart here to show y; as one
    operation, which training uses, they give the same gradient y − t of the scores.

    Args:
        net: as `inkgrad.lessons.digits.two_layer` makes it.
        image: uint8 (28, 28).
        label: 0 to 9.

    >>> from inkgrad.lessons.digits import two_layer
    >>> found = unroll(two_layer("fresh"), np.zeros((28, 28), np.uint8), 3)
    >>> found["W1"].value.shape, (10 * found["a2"].gradient).round().astype(int).tolist()
    ((50, 784), [[1, 1, 1, -9, 1, 1, 1, 1, 1, 1]])
    """
    parameters = (parameter for _, parameter in net.named_parameters())
    weights = [Tensor(parameter.data.copy(), requires_grad=True) for parameter in parameters]
    w1, b1, w2, b2 = weights
    with use_backend("reference"):
        x = Tensor(linear_scaling().apply(image[None]).reshape(1, -1), requires_grad=True)
        a1 = ops.affine(x, w1, b1)
        z1 = ops.relu(a1)
        a2 = ops.affine(z1, w2, b2)
        y = ops.softmax(a2)
        loss = -ops.log(y[0, label])
        graph(loss)  # its nodes keep their gradients
        loss.backward()
    tensors = dict(zip(STAGES, (x, w1, b1, a1, z1, w2, b2, a2, y, loss), strict=True))
    stages = tuple(Stage(name, *FORMULAS[name], tensor.data, _gradient(tensor)) for name, tensor in tensors.items())
    return Unrolled(stages, int(y.data.argmax()), float(y.data[0, label]))


def descended(net: Network, image: Array, label: int, updates: int) -> Network:
    """The network after some steps of gradient descent, learning rate 0.1, on this one digit; changes `net`.

    Raises:
        OptionError: more than 50 steps, or fewer than 0.
    """
    if not 0 <= updates <= MOST_UPDATES:
        raise OptionError(f"the lesson makes 0 to {MOST_UPDATES} updates, but {updates} were asked for")
    scaled = linear_scaling().apply(image[None])
    optimizer = SGD(net, learning_rate=LEARNING_RATE)
    with use_backend("reference"):
        for _ in range(updates):
            optimizer.zero_grad()
            cross_entropy(net(scaled), np.array([label])).backward()
            optimizer.step()
    return net


def _gradient(tensor: Tensor) -> Array:
    gradient = tensor.grad if tensor.node is None or tensor.node.leaf is not None else tensor.node.gradient
    assert gradient is not None  # every one of them is on the way to the loss
    return gradient
