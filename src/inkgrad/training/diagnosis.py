"""Where a NaN came from, and when a loss runs away."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor
from inkgrad.autodiff.node import Node
from inkgrad.errors import DivergenceError
from inkgrad.nn import Module
from inkgrad.optim import Optimizer

__all__ = ["RunawayLoss", "explain_not_finite"]


def explain_not_finite(net: Module, images: NDArray[Any], loss: Tensor, optimizer: Optimizer) -> DivergenceError:
    """The error for a loss that is NaN or infinite, naming the first place where it was so."""
    step = optimizer.step_count + 1
    start = f"training stopped before step {step}: the loss is {loss.item()}"
    rows = np.flatnonzero(~np.isfinite(images).reshape(len(images), -1).all(axis=1))
    if rows.size:
        return DivergenceError(
            f"{start} because the input holds NaN or infinity, first in image {rows[0]} of the batch; clean the data"
        )
    for name, parameter in net.named_parameters():
        if not np.isfinite(parameter.data).all():
            return DivergenceError(f"{start} because the parameter {name} holds NaN or infinity")
    advice = f"lower the learning rate (now {optimizer.learning_rate:g}) or clip the gradient"
    first = None if loss.node is None else _first_not_finite(loss.node)
    if first is None:
        return DivergenceError(f"{start}; {advice}")
    where = f" in {first.scope}" if first.scope else ""
    return DivergenceError(f"{start}; the first value that overflowed is that of {first.op}{where}; {advice}")


def _first_not_finite(root: Node) -> Node | None:
    """The first operation, in the order of computation, whose value is not finite although its inputs are."""
    stack, seen = [root], {root}
    while stack:
        node = stack.pop()
        if node.value is None or np.isfinite(node.value).all():
            continue
        spoiled = [s for s, _ in node.edges if s.value is not None and not np.isfinite(s.value).all()]
        if not spoiled:
            return node
        stack.extend(s for s in spoiled if s not in seen)
        seen.update(spoiled)
    return None


class RunawayLoss:
    """Notices a loss that stays finite but grows away from where it began.

    The mean of the last `window` losses more than `factor` times the first loss, or than 1 where that is larger,
    is divergence; a network that knows nothing has a cross-entropy of log k, so a training never needs to pass it
    by far.
    """

    def __init__(self, *, factor: float = 10.0, window: int = 50) -> None:
        self.factor = factor
        self.window = window
        self.first: float | None = None
        self.recent: list[float] = []

    def check(self, loss: float, step: int, learning_rate: float) -> None:
        """Take one more loss; raise DivergenceError if it has run away."""
        if self.first is None:
            self.first = loss
        self.recent.append(loss)
        if len(self.recent) < self.window:
            return
        mean = sum(self.recent) / len(self.recent)
        self.recent.clear()
        if mean > self.factor * max(self.first, 1.0):
            raise DivergenceError(
                f"training diverged: the loss rose from {self.first:.3g} to {mean:.3g} by step {step} "
                f"at a learning rate of {learning_rate:g}; lower the learning rate or clip the gradient"
            )

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"first": self.first, "recent": self.recent}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""
        self.first, self.recent = state["first"], list(state["recent"])
