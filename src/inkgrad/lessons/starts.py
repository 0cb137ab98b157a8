"""Local minima and plateaus: the exclusive or, learned from many random starts."""

import functools
from dataclasses import dataclass

import numpy as np

from inkgrad.autodiff import ops
from inkgrad.autodiff.tensor import Tensor
from inkgrad.errors import OptionError
from inkgrad.kernels import use_backend
from inkgrad.nn import Module, Parameter
from inkgrad.optim import SGD
from inkgrad.random import default_rng

__all__ = ["HIDDEN", "STARTS", "Start", "Starts", "from_starts"]

HIDDEN = (2, 3, 4, 8)
"""Hidden units to choose from."""
STARTS = 24
UPDATES = 600
LOOK = 20  # updates between two looks
RATE = 0.03
SOLVED = 0.01
"""A mean squared error below which a network is said to have learned it."""
FLAT = 1e-3
"""A norm of the gradient below which nothing moves."""

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float64)
TARGETS = np.array([0, 1, 1, 0], np.float64)
_KINDS = {"relu": ops.relu, "tanh": ops.tanh, "sigmoid": ops.sigmoid}


@dataclass(frozen=True)
class Start:
    """A training from one start.

    Attributes:
        losses: mean squared errors at each look.
        gradient: the norm of the last gradient.
        outcome: "solved"; "stuck", where the gradient is nearly 0 and the loss is not; or "slow".
    """

    losses: tuple[float, ...]
    gradient: float
    outcome: str


@dataclass(frozen=True)
class Starts:
    """Trainings from many starts: the updates at each look, and one training for each."""

    updates: tuple[int, ...]
    starts: tuple[Start, ...]


class _Networks(Module):
    """Networks of two inputs, some hidden units and an output, side by side: none knows of the others."""

    def __init__(self, hidden: int, activation: str, rng: np.random.Generator) -> None:
        self.first = Parameter(rng.normal(0, 1, (STARTS, 1, 2, hidden)))
        self.first_bias = Parameter(np.zeros((STARTS, 1, hidden)))
        self.last = Parameter(rng.normal(0, 1, (STARTS, 1, hidden)))
        self.last_bias = Parameter(np.zeros((STARTS, 1)))
        self._activation = _KINDS[activation]

    def forward(self, x: np.ndarray) -> Tensor:
        """x (4, 2) -> (24, 4)."""
        hidden = self._activation(ops.sum(self.first * x[None, :, :, None], axis=2) + self.first_bias)
        return ops.sum(hidden * self.last, axis=2) + self.last_bias


def from_starts(hidden: int, activation: str = "relu") -> Starts:
    """Learn the exclusive or of two inputs from 24 random starts, each by 600 updates with learning rate 0.03, float64.

    With two units of relu many starts end in a local minimum or on a plateau: their gradient is 0, their loss is not.
    With more units than are needed fewer do (Choromanska et al. 2015, arXiv 1412.0233).

    Args:
        hidden: one of `HIDDEN`.
        activation: relu, tanh or sigmoid.

    Raises:
        OptionError: one of them is none of these.

    >>> stuck = [sum(start.outcome == "stuck" for start in from_starts(hidden).starts) for hidden in (2, 8)]
    >>> stuck[0] > stuck[1]
    True
    """
    if hidden not in HIDDEN:
        raise OptionError(f"the lesson takes {', '.join(map(str, HIDDEN))} hidden units, but got {hidden}")
    if activation not in _KINDS:
        raise OptionError(f"there is no activation {activation!r}; there are {', '.join(_KINDS)}")
    return _trained(hidden, activation)


@functools.cache
def _trained(hidden: int, activation: str) -> Starts:
    net = _Networks(hidden, activation, default_rng(0))
    optimizer = SGD(net, RATE, momentum=0.9)
    looks, updates = [], []
    with use_backend("reference"):
        for update in range(UPDATES + 1):
            optimizer.zero_grad()
            errors = ops.mean((net(INPUTS) - TARGETS[None]) ** 2, axis=1)
            ops.sum(errors).backward()
            if update % LOOK == 0:
                looks.append(errors.data.copy())
                updates.append(update)
            if update < UPDATES:
                optimizer.step()
    squares = sum((np.asarray(p.grad) ** 2).reshape(STARTS, -1).sum(axis=1) for _, p in net.named_parameters())
    losses = np.array(looks).T
    starts = (
        Start(tuple(map(float, line)), norm, _outcome(float(line[-1]), norm))
        for line, norm in zip(losses, np.sqrt(squares).tolist(), strict=True)
    )
    return Starts(tuple(updates), tuple(starts))


def _outcome(loss: float, gradient: float) -> str:
    if loss < SOLVED:
        return "solved"
    return "stuck" if gradient < FLAT else "slow"
