"""`TrainStep`: one forward pass, one backward pass, one update."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor
from inkgrad.errors import OptionError, ShapeError
from inkgrad.kernels import load_backend
from inkgrad.nn import Module
from inkgrad.optim import MovingAverage, Optimizer, Penalty
from inkgrad.plan.trace import Unplannable
from inkgrad.training.diagnosis import explain_not_finite
from inkgrad.training.exchange import Exchange
from inkgrad.training.step_plans import StepPlans, check_optimizer

__all__ = ["TrainStep"]

Loss = Callable[..., Tensor]


class TrainStep:
    """A network, its loss and its optimizer as one function of a batch.

    The loss returned is the loss that was differentiated, penalties included, before the update.

    Args:
        net: the network, in training mode.
        loss: (logits, labels) -> tensor of one element; for batches with weights also takes them, as
            `sample_weights`, as the losses of the package do.
        optimizer: made for the same network.
        penalties: terms of the loss that depend on the weights only.
        average: follows the weights after each update.
        plan: whether a plan may be made; else every step goes the eager way.

    The first batch is looked at to make a plan: the operations of forward, loss and backward as compiled
    instructions, which each thread runs for its part of the batch. The results are those of the eager way, which
    runs where there is no plan. A plan holds as long as no attribute of a module changes; a forward that depends on
    anything else than its input and its module's attributes needs `plan=False`.

    Attributes:
        exchange: with whom the gradients of a batch are summed, if each batch is one part of a larger one; set by a
            trainer with a group, None otherwise.
        logits: those of the last batch, float32 (n, k), or (n, t, k) for `ctc_loss`.
        fallback: why the eager way ran at the last step, None if it was planned.

    >>> import inkgrad as ig
    >>> net = ig.models.build("two-layer", rng=ig.default_rng(0))
    >>> step = TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.1))
    >>> images, labels = ig.default_rng(1).random((8, 1, 28, 28), dtype="float32"), np.arange(8)
    >>> first = step(images, labels)
    >>> step(images, labels) < first
    True
    """

    def __init__(
        self,
        net: Module,
        loss: Loss,
        optimizer: Optimizer,
        *,
        penalties: Sequence[Penalty] = (),
        average: MovingAverage | None = None,
        plan: bool = True,
    ) -> None:
        if not callable(loss):
            raise OptionError(f"TrainStep needs a loss function (logits, labels) -> tensor, but got {loss!r}")
        check_optimizer(net, optimizer)
        load_backend()
        self.net = net
        self.loss = loss
        self.optimizer = optimizer
        self.penalties = tuple(penalties)
        self.average = average
        self.exchange: Exchange | None = None
        self.logits: NDArray[Any] = np.zeros((0, 0), np.float32)
        self._plans = StepPlans(plan)

    def __call__(
        self, images: NDArray[np.float32], labels: NDArray[Any], weights: NDArray[np.float32] | None = None
    ) -> float:
        """Train on one batch; returns its loss.

        Args:
            images: float32, as the network takes them: (n, 1, 28, 28) for the named ones.
            labels: int64 (n,), or targets as the loss takes them: float32 (n, k) for `cross_entropy`, int64 (n, l) for
                `ctc_loss`.
            weights: float32 (n,), how much each image counts, not negative; all alike by default. The loss is
                divided by their sum.

        Raises:
            DivergenceError: the loss or a gradient is NaN or infinite; says where it came from, and the weights
                are those from before the step.
        """
        if isinstance(images, np.ndarray):
            images, labels = np.asarray(images, order="C"), _as_labels(labels)  # as plans need them
            if images.ndim and not len(images):
                raise ShapeError(f"TrainStep got an empty batch: images of shape {images.shape}; it needs at least one")
        if weights is not None:
            weights = np.ascontiguousarray(weights, np.float32)
        if self.exchange is not None:
            return self._with_others(self.exchange, images, labels, weights)
        value = self._computed(images, labels, weights)
        if self.average is not None:
            self.average.update()
        return value

    def _with_others(
        self,
        exchange: Exchange,
        images: NDArray[np.float32],
        labels: NDArray[Any],
        weights: NDArray[np.float32] | None,
    ) -> float:
        """One step of several processes: gradients of the parts, their sum, and the same update everywhere."""
        with exchange.telling():
            value = self._computed(images, labels, weights)
        total = exchange.sum(value, self.logits, labels, weights)
        self.optimizer.step(exchange.squares)
        if self.average is not None:
            self.average.update()
        return total

    def _computed(
        self, images: NDArray[np.float32], labels: NDArray[Any], weights: NDArray[np.float32] | None
    ) -> float:
        """Loss and gradients, and the update unless other processes have a say in it."""
        plan, exchange = None, self.exchange
        if weights is None or _are_weights(weights, len(images)):
            alone = not self.penalties and exchange is None
            others = exchange if exchange is not None and exchange.within else None
            batch = images, labels, weights
            plan = self._plans.find(self.net, self.loss, self.optimizer, *batch, alone=alone, others=others)
        if plan is not None:
            value = self._planned(plan, images, labels, weights)
            if value is not None:
                return value
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what is not finite ends in an error
            return self._eager(images, labels, weights)

    @property
    def fallback(self) -> str | None:
        """Why the eager way ran at the last step, None if it was planned."""
        return self._plans.refused

    def _planned(
        self, plan: Any, images: NDArray[np.float32], labels: NDArray[Any], weights: NDArray[np.float32] | None
    ) -> float | None:
        """One step by the plan; None, with nothing changed, where the eager way shall say what is wrong."""
        optimizer, count = self.optimizer, len(images)
        arguments = optimizer.arguments(optimizer.learning_rate, optimizer.step_count + 1) if plan.updates else ()
        try:
            value, squares, labelled = plan.run(images, labels, arguments, weights, self._share)
        except Unplannable as reason:
            self._plans.drop(str(reason))
            return None
        if self.exchange is not None:
            self.exchange.passed = True
        if not (labelled and math.isfinite(value)) or (plan.updates and not math.isfinite(squares)):
            plan.take_back()
            self._refused(plan, images, labels, weights)
            return None
        optimizer.parameters.take(plan.used)
        total = float(value)
        if self.penalties:
            with np.errstate(over="ignore", invalid="ignore"):
                total += self._penalized()
            if not math.isfinite(total):
                plan.take_back()
                self._refused(plan, images, labels, weights)
                return None
        plan.observe(count)
        if plan.updates:
            optimizer.step_count += 1
        elif self.exchange is None:
            optimizer.step(None if self.penalties else squares)
        elif not self.penalties:
            self.exchange.squares = squares
        self.logits = plan.logits
        return total

    def _refused(
        self, plan: Any, images: NDArray[np.float32], labels: NDArray[Any], weights: NDArray[np.float32] | None
    ) -> None:
        """Let the eager way say what is wrong; where other processes would wait for its passes, its loss alone."""
        if self.exchange is None or not self.exchange.within:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            loss = self.loss(Tensor(plan.logits), labels, **({} if weights is None else {"sample_weights": weights}))
        raise explain_not_finite(self.net, images, loss, self.optimizer)

    @property
    def _share(self) -> float:
        """How much of what is differentiated lies here."""
        return 1.0 if self.exchange is None else self.exchange.share

    def _penalized(self) -> float:
        """The sum of the penalties; their gradients are added to those that are there."""
        total = 0.0
        for penalty in self.penalties:
            term = penalty(self.net)
            (term * self._share).backward()
            total += term.item()
        return total

    def _eager(self, images: NDArray[np.float32], labels: NDArray[Any], weights: NDArray[np.float32] | None) -> float:
        self.optimizer.zero_grad()
        logits = self.net(Tensor(images, dtype=self.optimizer.parameters.weights.dtype))
        loss = self.loss(logits, labels, **({} if weights is None else {"sample_weights": weights}))
        for penalty in self.penalties:
            loss = loss + penalty(self.net)
        value = loss.item()
        if not np.isfinite(value):
            raise explain_not_finite(self.net, images, loss, self.optimizer)
        if self.exchange is None:
            loss.backward()
            self.optimizer.step()
        else:
            (loss * self._share).backward()
        self.logits = logits.data
        return value


def _are_weights(weights: NDArray[np.float32], count: int) -> bool:
    """Whether there can be a plan for them: else the loss, the eager way, says what is wrong."""
    return weights.shape == (count,) and count > 0 and bool(weights.min() >= 0) and 0 < float(weights.sum()) < math.inf


def _as_labels(labels: Any) -> Any:
    """Whole numbers of any kind as int64; anything else, such as targets, as it is."""
    array = np.asarray(labels, order="C") if isinstance(labels, np.ndarray | list | tuple) else labels
    whole = isinstance(array, np.ndarray) and array.dtype.kind in "iub" and array.dtype != np.int64
    return array.astype(np.int64) if whole else array
