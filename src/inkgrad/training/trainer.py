"""`Trainer`: steps, epochs, history, and everything that hangs on them."""

import collections
import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data import Augmentation, Dataset, Loader, Projection, Samples, Scaling
from inkgrad.data.loader import Batch
from inkgrad.errors import DivergenceError, OptionError
from inkgrad.random import default_rng
from inkgrad.training.callbacks import Callback
from inkgrad.training.diagnosis import RunawayLoss
from inkgrad.training.distillation import Distillation
from inkgrad.training.epoch import EpochFigures
from inkgrad.training.group import Group
from inkgrad.training.interrupt import Interruption
from inkgrad.training.step import TrainStep
from inkgrad.training.threads import blas_threads
from inkgrad.training.together import Together
from inkgrad.training.validation import measured, validation_answers

__all__ = ["Trainer"]


class Trainer:
    """Runs a `TrainStep` over a data set.

    Args:
        step: what to do with each batch.
        train: what to learn from.
        validation: measured after each epoch, never learned from.
        callbacks: called after steps and epochs, in order.
        batch_size: images a step.
        rng: draws the order of the images; seed 0 by default.
        shuffle: whether the order changes; else images come in file order.
        scaling: from bytes to floats; pixels / 255 by default.
        augmentation: how training images are changed at random, anew each time that they are seen.
        mixup: alpha of `data.mixup`, 0 for none.
        distillation: a teacher whose answers are learned too; the step's loss must be `distillation.loss`.
        group: the processes that train this network together, each with a trainer like this one: each learns from its
            part of every batch. Callbacks are called on rank 0 only, and its state is that of all.

    Attributes:
        step_count: how many steps have been made, over all calls of `fit` and resumptions.
        total_steps: how many there will be.
        history: one record an epoch; see `record`.
        stopped: why the training ended before its time, None if it did not.
        projection: what was kept of the images before they came here, for the model file; None if all of them.
        validation_logits: float32 (n, k), those of the last validation; None before the first.

    >>> import inkgrad as ig
    >>> train, test = ig.data.load_digits()
    >>> net = ig.models.build("two-layer", rng=ig.default_rng(0))
    >>> step = TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.5, momentum=0.9))
    >>> history = Trainer(step, train, validation=test).fit(epochs=3)
    >>> history[-1]["validation_accuracy"] > 0.7
    True
    """

    def __init__(
        self,
        step: TrainStep,
        train: Dataset | Samples,
        *,
        validation: Dataset | Samples | None = None,
        callbacks: Sequence[Callback] = (),
        batch_size: int = 128,
        rng: np.random.Generator | None = None,
        shuffle: bool = True,
        scaling: Scaling | None = None,
        augmentation: Augmentation | None = None,
        mixup: float = 0.0,
        distillation: Distillation | None = None,
        group: Group | None = None,
    ) -> None:
        self.step = step
        self.train = train
        self.validation = validation if validation is not None and len(validation) else None
        self.group = group
        self.callbacks = list(callbacks) if group is None or group.rank == 0 else []
        self.loader = Loader(
            train,
            batch_size=batch_size,
            rng=default_rng(0) if rng is None else rng,
            shuffle=shuffle,
            scaling=scaling,
            augmentation=augmentation,
            mixup=mixup,
        )
        self.distillation = distillation
        self.step_count = 0
        self.total_steps = 0
        self.history: list[dict[str, Any]] = []
        self.stopped: str | None = None
        self.projection: Projection | None = None
        self.validation_logits: NDArray[np.float32] | None = None
        self.last_loss = float("nan")
        self._runaway = RunawayLoss()
        self._figures = EpochFigures(classes=bool(train.classes))
        self._together = None if group is None else Together(group, self)

    @functools.cached_property
    def fingerprint(self) -> str:
        """That of the training data, computed once."""
        return self.train.fingerprint()

    @property
    def epoch(self) -> float:
        """How many epochs have been made, with the part of the current one."""
        return self.step_count / len(self.loader)

    def stop(self, reason: str) -> None:
        """End the training after the current step or epoch; for callbacks."""
        self.stopped = reason

    def fit(self, *, epochs: int | None = None, steps: int | None = None) -> list[dict[str, Any]]:
        """Train up to so many epochs or steps in all, counted from the very first.

        Returns:
            The history: one record an epoch.

        Raises:
            OptionError: neither or both of epochs and steps are given, or less than 1.
            DivergenceError: the loss became NaN or infinite or ran away.
            DataError, OptionError: the processes of a group do not train the same on the same data.
            KeyboardInterrupt: Ctrl-C was pressed; the step or the validation in progress was finished first.
        """
        if (epochs is None) == (steps is None):
            raise OptionError("fit needs either epochs or steps")
        wanted = steps if steps is not None else (epochs or 0) * len(self.loader)
        if wanted < 1:
            raise OptionError(
                f"a training needs at least one step, but {epochs if steps is None else steps} was asked for"
            )
        self.total_steps = wanted
        self.stopped = None
        self.step.net.train()
        with blas_threads(self.largest_product()), Interruption() as interruption:
            try:
                if self._together is not None:
                    self._together.begin(lambda: interruption.asked)
                self._notify("on_start")
                if self._together is not None:
                    self._together.agree()
                if (
                    self._figures.seen and self.step_count >= self.total_steps
                ):  # stopped between the last step and its record
                    self.loader.finish_if_done()
                    self._finish_epoch()
                while self.step_count < self.total_steps and not self._stopping():
                    self._epoch(interruption)
                self._end_if_asked(interruption, at_end=True)  # since the last step
            finally:
                if self._together is not None:
                    self._together.end()
                self._notify("on_end")
        return self.history

    def largest_product(self) -> int:
        """Multiplications in the largest matrix product of a step, as far as the weights tell."""
        weights = [parameter.size for _, parameter in self.step.net.named_parameters() if parameter.ndim > 1]
        return self.loader.batch_size * max(weights, default=0)

    def batches(self) -> Iterator[Batch]:
        """What the step takes, from the loader's position to the end of the epoch: with a teacher, its answers too."""
        if self.distillation is None:
            yield from self.loader
            return
        for images, labels, *_ in self.loader:
            yield images, self.distillation.targets(images, labels)

    def _epoch(self, interruption: Interruption) -> None:
        """The rest of the current epoch, as far as the training goes."""
        notify = self._stepped()
        start = time.perf_counter()
        for images, *rest in self.batches():
            if self._together is not None:
                self._together.before_step()
            self.last_loss = self.step(images, *rest)
            self.step_count += 1
            self._count(rest)
            self._runaway.check(self.last_loss, self.step_count, self.step.optimizer.learning_rate)
            notify(self)
            now = time.perf_counter()
            self._figures.seconds += now - start
            start = now
            self._end_if_asked(interruption)
            if self.step_count >= self.total_steps or self._stopping():
                break
        self.loader.finish_if_done()
        self._finish_epoch()

    def _count(self, rest: Sequence[NDArray[Any]]) -> None:
        """Add the last step to the figures of the epoch."""
        loader, figures = self.loader, self._figures
        if self._together is None:
            figures.add(self.last_loss, images=loader.images, mass=loader.mass, answers=(self.step.logits, *rest))
        else:
            correct = self._together.exchange.correct
            figures.add(self.last_loss, images=loader.images, mass=loader.mass, correct=correct)

    def _stopping(self) -> bool:
        """Whether a callback has ended the training; in a group, whether all know."""
        return self.stopped is not None if self._together is None else self._together.stopping

    def _end_if_asked(self, interruption: Interruption, *, at_end: bool = False) -> None:
        together = self._together
        if interruption.asked if together is None else together.interrupted(at_end=at_end):
            self._notify("on_interrupt")
            raise KeyboardInterrupt

    def _finish_epoch(self) -> None:
        record = self.record()
        if self.validation is not None:
            record |= self._validate(self.validation)
        self.history.append(record)
        self._figures.clear()
        for callback in self.callbacks:
            callback.on_epoch(self, record)
        if self._together is not None:
            self._together.agree()

    def record(self) -> dict[str, Any]:
        """The epoch so far, as a line of the history.

        `epoch` and `step` count from the very first; `loss` and, where there are classes, `accuracy` are means over the
        images as they were trained on, weighted where they have weights; `learning_rate` is that of the next step;
        `seconds` and `images_per_second` of training alone.
        """
        return {
            "epoch": round(self.epoch, 6),
            "step": self.step_count,
            **self._figures.means(),
            "learning_rate": self.step.optimizer.learning_rate,
            **self._figures.pace(),
        }

    def _validate(self, dataset: Dataset | Samples) -> dict[str, float]:
        """Loss and accuracy in prediction mode, of the averaged weights where there are any."""
        average = self.step.average
        averaged = contextlib.nullcontext() if average is None else average.applied()
        with averaged, np.errstate(over="ignore", invalid="ignore"):
            self.validation_logits = validation_answers(
                self.step, dataset, self.loader.scaling, rejects=self.train.rejects, group=self.group
            )
            figures = measured(self.step, dataset, self.validation_logits)
        if not np.isfinite(figures["validation_loss"]):
            raise DivergenceError(
                f"training diverged: the validation loss is {figures['validation_loss']} after step "
                f"{self.step_count}; lower the learning rate (now {self.step.optimizer.learning_rate:g}) or clip the "
                f"gradient"
            )
        return figures

    def _notify(self, hook: str) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(self)

    def _stepped(self) -> Callable[["Trainer"], None]:
        """All that callbacks do after a step; those that do nothing are left out, as steps are many."""
        hooks = [c.on_step for c in self.callbacks if type(c).on_step is not Callback.on_step]

        def notify(trainer: "Trainer") -> None:
            for hook in hooks:
                hook(trainer)

        return notify

    def _named_callbacks(self) -> list[tuple[str, Callback]]:
        """Each with its class's name and, as there may be several of a class, its number among them."""
        numbers: collections.Counter[str] = collections.Counter()
        named = []
        for callback in self.callbacks:
            name = type(callback).__name__
            numbers[name] += 1
            named.append((f"{name} {numbers[name]}", callback))
        return named

    def state(self) -> dict[str, Any]:
        """Everything about the progress that is no array, as JSON holds it."""
        return {
            "step_count": self.step_count,
            "history": self.history,
            "epoch_so_far": self._figures.state(),
            "loader": self.loader.state(),
            "runaway": self._runaway.state(),
            "callbacks": {name: callback.state() for name, callback in self._named_callbacks()},
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""
        self.step_count = state["step_count"]
        self.history = list(state["history"])
        self._figures.load_state(state["epoch_so_far"])
        self.loader.load_state(state["loader"])
        self._runaway.load_state(state["runaway"])
        for name, callback in self._named_callbacks():
            callback.load_state(state["callbacks"].get(name, callback.state()))
