"""`examine`: all measurements of a training, and what they say."""

import copy
import functools
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor, no_grad
from inkgrad.errors import OptionError
from inkgrad.nn import cross_entropy, sigmoid_squared_error
from inkgrad.optim import L1, L2, AdamW
from inkgrad.random import default_rng
from inkgrad.training.doctor.course import Course
from inkgrad.training.doctor.digits import class_findings, image_findings, input_findings
from inkgrad.training.doctor.findings import ILLNESSES, Finding, most_serious_first
from inkgrad.training.doctor.fit import fit_findings
from inkgrad.training.doctor.gradients import gradient_findings
from inkgrad.training.doctor.labels import Suspect, label_findings, suspects
from inkgrad.training.doctor.layers import LayerMeasure, measure_layers
from inkgrad.training.doctor.rate import rate_findings
from inkgrad.training.doctor.reading import Reading, read
from inkgrad.training.doctor.units import unit_findings
from inkgrad.training.doctor.update import UpdateMeasure, measure_update
from inkgrad.training.step import TrainStep
from inkgrad.training.trainer import Trainer

__all__ = ["Diagnosis", "diagnose", "examine"]

DIGITS = 512
"""Digits that go through the network layer by layer."""

READ = 20_000
"""Training digits that are read, for the accuracy and for suspect labels."""

BLOCKING = ("dead-units", "vanishing-gradients", "exploding-gradients", "diverged")
"""What explains a loss that does not fall, so that learning rate and size of the network are not blamed."""


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What an examination found.

    Attributes:
        findings: the most serious first; empty if nothing was found.
        layers: what was measured of each layer.
        update: the next update, at the highest learning rate so far; None for weights that are not finite.
        suspects: the training digits with the highest losses.
        training, validation: how digits are read; None where they were not.
        epoch, step: how far the training was.
        source: what was examined, in words.
        unjudged: illness -> why it could not be looked for.

    >>> import inkgrad as ig
    >>> train, validation, _ = ig.data.load("digits")
    >>> net = ig.models.build("two-layer", rng=ig.default_rng(0))
    >>> step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=2.0, momentum=0.9))
    >>> trainer = ig.training.Trainer(step, train, validation=validation)
    >>> _ = trainer.fit(epochs=3)
    >>> examine(trainer).worst
    'serious'
    """

    findings: tuple[Finding, ...]
    layers: tuple[LayerMeasure, ...]
    update: UpdateMeasure | None
    suspects: tuple[Suspect, ...]
    training: Reading | None
    validation: Reading | None
    epoch: float
    step: int
    source: str
    unjudged: dict[str, str]

    @property
    def worst(self) -> str | None:
        """The severity of the most serious finding, None without any."""
        return self.findings[0].severity if self.findings else None

    @property
    def names(self) -> list[str]:
        """The names of the findings."""
        return [finding.name for finding in self.findings]

    @property
    def judged(self) -> list[str]:
        """The illnesses that were looked for."""
        return [name for name in ILLNESSES if name not in self.unjudged]

    def as_json(self) -> dict[str, Any]:
        """The diagnosis as JSON holds it; what is not finite is for the writer to replace."""
        readings = {"training": self.training, "validation": self.validation}
        return {
            "source": self.source,
            "epoch": self.epoch,
            "step": self.step,
            "findings": [finding.as_json() for finding in self.findings],
            "layers": [asdict(layer) for layer in self.layers],
            "update": None if self.update is None else asdict(self.update) | {"median": self.update.median},
            "accuracy": {name: None if one is None else one.accuracy for name, one in readings.items()},
            "suspects": [suspect.as_json() for suspect in self.suspects],
            "judged": self.judged,
            "unjudged": self.unjudged,
        }


def examine(
    subject: Trainer | TrainStep | str | os.PathLike[str],
    images: NDArray[np.float32] | None = None,
    labels: NDArray[np.int64] | None = None,
    *,
    digits: int = DIGITS,
    read: int = READ,
    seed: int = 0,
) -> Diagnosis:
    """Say what is wrong with a training. Nothing of it is changed, not even a random generator.

    Args:
        subject: a run's folder, a `Trainer`, or a `TrainStep` with a batch.
        images: with a `TrainStep`, float32 as the network takes them.
        labels: with a `TrainStep`, int64 (n,).
        digits: how many training digits go through the network layer by layer.
        read: how many are read for the accuracy and for suspect labels, 0 for none.
        seed: draws them.

    Raises:
        OptionError: numbers below 1 digit, or a batch where none belongs.
        CheckpointError: a folder without a run, or a run that does not fit its data.
        ModelFileError: a damaged checkpoint or model.
        DataError: the run's data set is not there.
    """
    if digits < 1 or read < 0:
        raise OptionError(
            f"an examination needs at least 1 digit and none below 0 to read, but got {digits} and {read}"
        )
    if seed < 0:
        raise OptionError(f"the seed must not be negative, but is {seed}")
    if isinstance(subject, TrainStep):
        if images is None or labels is None:
            raise OptionError("to examine a TrainStep give it a batch: examine(step, images, labels)")
        return _examine_step(subject, np.asarray(images, np.float32), np.asarray(labels, np.int64))
    if images is not None or labels is not None:
        raise OptionError("a batch belongs to a TrainStep; a Trainer or a run has its own digits: leave the batch out")
    if isinstance(subject, Trainer):
        return diagnose(subject, digits=digits, read_most=read, seed=seed)
    from inkgrad.training.doctor.folder import open_run

    run = open_run(subject)
    return diagnose(
        run.trainer, digits=digits, read_most=read, seed=seed, failure=run.failure, finished=run.finished,
        source=run.source,
    )  # fmt: skip


def diagnose(
    trainer: Trainer,
    *,
    digits: int = DIGITS,
    read_most: int = READ,
    seed: int = 0,
    failure: str | None = None,
    finished: bool | None = None,
    labels_too: bool = True,
    source: str = "the training in memory",
) -> Diagnosis:
    """Examine a trainer.

    Args:
        trainer: it is not changed.
        digits: see `examine`.
        read_most: `read` of `examine`.
        seed: see `examine`.
        failure: the message with which the training ended, if it diverged.
        finished: whether it has made all its steps; by default as the trainer says.
        labels_too: whether labels may be doubted, which few digits or a young network cannot do well.
        source: what is examined, in words.
    """
    step, loader, rng = trainer.step, trainer.loader, default_rng(seed)
    chosen = rng.permutation(len(trainer.train))[:digits]
    images, labels = loader.scaling.apply(trainer.train.images, chosen), trainer.train.labels[chosen]
    done = finished if finished is not None else trainer.step_count >= trainer.total_steps > 0
    chance = _chance(step.loss, len(trainer.train.classes))
    first = trainer.state()["runaway"]["first"]
    course = Course.of(trainer.history, first=first, chance=chance, finished=done or trainer.stopped is not None)
    rate = max((*course.learning_rates, step.optimizer.learning_rate))
    layers, update, found = _measure_network(step, images, labels, rate, loader.batch_size, chance)
    training = validation = None
    finite = update is not None and all(np.isfinite(member.data).all() for _, member in step.net.named_state())
    if read_most and finite:
        training = read(step, loader.scaling, trainer.train, most=read_most, rng=rng)
        if trainer.validation is not None:
            validation = read(step, loader.scaling, trainer.validation, most=read_most, rng=rng)
    blocked = failure is not None or any(f.name in BLOCKING and f.severity != "note" for f in found)
    found += rate_findings(course, update, training, failure=failure, blocked=blocked)
    blamed = blocked or any(f.name.startswith("learning-rate") for f in found)
    worst: list[Suspect] = []
    if training is not None:
        found += fit_findings(course, training, validation, restraints=_restraints(step), blocked=blamed)
        worst = suspects(training, trainer.train.classes)
        found += label_findings(training, worst) if labels_too and not blamed else []
    found += class_findings(trainer.train.labels, trainer.train.classes)
    found += input_findings(images) + image_findings(trainer.train.images)
    return Diagnosis(
        findings=most_serious_first(found),
        layers=tuple(layers),
        update=update,
        suspects=tuple(worst),
        training=training,
        validation=validation,
        epoch=trainer.epoch,
        step=trainer.step_count,
        source=source,
        unjudged=_unjudged(layers, course, training if labels_too else None, validation),
    )


def _examine_step(step: TrainStep, images: NDArray[np.float32], labels: NDArray[np.int64]) -> Diagnosis:
    """What can be said from one batch, without a data set and a history."""
    rate = step.optimizer.learning_rate
    chance = _chance(step.loss, _outputs(step, images))
    layers, update, found = _measure_network(step, images, labels, rate, len(images), chance)
    found += input_findings(images)
    reason = "one batch has no history and no data set"
    kept = {"dead-units", "saturated-units", "vanishing-gradients", "exploding-gradients", "not-normalized"}
    unjudged = {name: reason for name in ILLNESSES if name not in kept} | {
        name: why for name, why in _unjudged(layers, Course(), None, None).items() if name in kept
    }
    return Diagnosis(
        most_serious_first(found), tuple(layers), update, (), None, None, 0.0, step.optimizer.step_count,
        f"a batch of {len(images)}", unjudged,
    )  # fmt: skip


def _measure_network(
    step: TrainStep, images: NDArray[np.float32], labels: NDArray[np.int64], rate: float, batch: int, chance: float
) -> tuple[list[LayerMeasure], UpdateMeasure | None, list[Finding]]:
    """Layers, the next update, and what they say."""
    layers = measure_layers(step.net, step.loss, images, labels)
    update = None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if rate > 0 and all(math.isfinite(layer.output) for layer in layers):
            update = measure_update(step, images[:batch], labels[:batch], learning_rate=rate)
        loss = _loss_of(step, images, labels)
    return layers, update, gradient_findings(layers, loss=loss, chance=chance) + unit_findings(layers)


def _loss_of(step: TrainStep, images: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The loss in prediction mode, penalties apart; of a copy, whose mode may be changed."""
    net = copy.deepcopy(step.net).eval()
    with no_grad():
        return step.loss(Tensor(net(images).data), labels).item()


def _outputs(step: TrainStep, images: NDArray[np.float32]) -> int:
    with no_grad():
        return int(copy.deepcopy(step.net).eval()(images[:1]).shape[-1])


def _chance(loss: Callable[..., Any], classes: int) -> float:
    """The loss of giving every class the same probability, NaN for a loss that is not known."""
    function = loss.func if isinstance(loss, functools.partial) else loss
    if function is cross_entropy:
        return math.log(classes)
    return (1 - 1 / classes) / 2 if function is sigmoid_squared_error else math.nan


def _restraints(step: TrainStep) -> dict[str, float]:
    """The settings that hold a network back, as they are typed."""
    held = {f"--{type(p).__name__.lower()}": p.strength for p in step.penalties if isinstance(p, L1 | L2)}
    if isinstance(step.optimizer, AdamW) and step.optimizer.weight_decay > 0:
        held["--weight-decay"] = step.optimizer.weight_decay
    if isinstance(step.loss, functools.partial) and step.loss.keywords.get("label_smoothing"):
        held["--label-smoothing"] = step.loss.keywords["label_smoothing"]
    return held


def _unjudged(
    layers: list[LayerMeasure], course: Course, training: Reading | None, validation: Reading | None
) -> dict[str, str]:
    """What could not be looked for, and why."""
    why = {}
    if not any(layer.dead is not None for layer in layers):
        why["dead-units"] = "the network has no layer of ReLU"
    if not any(layer.saturated is not None for layer in layers):
        why["saturated-units"] = "the network has no layer of sigmoid or tanh"
    if sum(layer.trained for layer in layers) < 2:
        why["vanishing-gradients"] = "the network has one layer"
    if len(course.losses) < 2:
        for name in ("learning-rate-too-low", "training-too-short", "underfitting"):
            why[name] = "fewer than two epochs have been made"
    elif not course.finished:
        for name in ("learning-rate-too-low", "training-too-short", "underfitting"):
            why[name] = "the training is not at its end"
    if not course.losses:
        why["learning-rate-too-high"] = "no epoch has been made"
    if training is None:
        why["suspect-labels"] = why["underfitting"] = "no training digits were read"
    if validation is None or not course.losses:
        why["overfitting"] = "there are no validation digits" if validation is None else "no epoch has been made"
    return why
