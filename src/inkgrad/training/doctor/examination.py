"""`examine`: all measurements of a training, and what they say."""

import os

import numpy as np
from numpy.typing import NDArray

from inkgrad.data import Dataset, Samples
from inkgrad.errors import OptionError
from inkgrad.random import default_rng
from inkgrad.training.doctor.course import Course
from inkgrad.training.doctor.diagnosis import Diagnosis
from inkgrad.training.doctor.digits import class_findings, image_findings, input_findings
from inkgrad.training.doctor.findings import ILLNESSES, most_serious_first
from inkgrad.training.doctor.fit import fit_findings
from inkgrad.training.doctor.labels import BELIEVABLE, Suspect, label_findings, suspects
from inkgrad.training.doctor.network import chance_of, measure_network, outputs_of, restraints_of
from inkgrad.training.doctor.rate import rate_findings
from inkgrad.training.doctor.reading import Reading, read
from inkgrad.training.doctor.unjudged import explained, unjudged
from inkgrad.training.step import TrainStep
from inkgrad.training.trainer import Trainer

__all__ = ["diagnose", "examine"]

DIGITS = 512
"""Digits that go through the network layer by layer."""

READ = 20_000
"""Training digits that are read, for the accuracy and for suspect labels."""

BLOCKING = ("dead-units", "vanishing-gradients", "exploding-gradients", "diverged")
"""What explains a loss that does not fall, so that learning rate and size of the network are not blamed."""


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
        labels: with a `TrainStep`, int64 (n,), or the targets that its loss takes.
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
        return _examine_step(subject, np.asarray(images, np.float32), np.asarray(labels))
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
    train = _of_images(trainer.train)
    chosen = rng.permutation(len(train))[:digits]
    images, labels = loader.scaling.apply(train.images, chosen), train.labels[chosen]
    chance = chance_of(step.loss, len(train.classes))
    course = _course(trainer, chance, finished)
    rate = max((*course.learning_rates, step.optimizer.learning_rate))
    targets = None if trainer.distillation is None else trainer.distillation.targets(images, labels)
    layers, update, found = measure_network(step, images, labels, rate, loader.batch_size, chance, targets)
    training, validation = _readings(trainer, read_most if update is not None else 0, rng)
    missing = unjudged(layers, course, training, validation)
    blocked = failure is not None or any(f.name in BLOCKING and f.severity != "note" for f in found)
    found += rate_findings(course, update, training, failure=failure, blocked=blocked)
    blamed = blocked or any(f.name.startswith("learning-rate") for f in found)
    worst: list[Suspect] = []
    if training is not None:
        found += fit_findings(course, training, validation, restraints=restraints_of(step), blocked=blamed)
        worst = suspects(training, train.classes)
        reason = _no_doubts(training, early=not labels_too, blamed=blamed)
        found += [] if reason else label_findings(training, worst)
        missing |= {"suspect-labels": reason} if reason else {}
    known = train.known
    found += class_findings(known.labels, known.classes)
    found += input_findings(images) + image_findings(known.images)
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
        unjudged=missing | explained(found, blocked, blamed),
    )


def _course(trainer: Trainer, chance: float, finished: bool | None) -> Course:
    """The history of a trainer."""
    done = trainer.step_count >= trainer.total_steps > 0 if finished is None else finished
    first = trainer.state()["runaway"]["first"]
    history = trainer.history
    if trainer.distillation is not None:  # the loss beside a teacher never comes near 0, so it tells little
        history = [line | {"loss": line["validation_loss"]} for line in history if "validation_loss" in line]
        first = chance
    return Course.of(history, first=first, chance=chance, finished=done or trainer.stopped is not None)


def _readings(trainer: Trainer, most: int, rng: np.random.Generator) -> tuple[Reading | None, Reading | None]:
    """How training and validation digits are read; None for none, or by weights that are not finite."""
    step, scaling = trainer.step, trainer.loader.scaling
    if not most or not all(np.isfinite(member.data).all() for _, member in step.net.named_state()):
        return None, None
    training = read(step, scaling, _of_images(trainer.train), most=most, rng=rng)
    if trainer.validation is None:
        return training, None
    validation, rejects = _of_images(trainer.validation), trainer.train.rejects
    return training, read(step, scaling, validation, most=most, rng=rng, rejects=rejects)


def _of_images(data: Dataset | Samples) -> Dataset:
    if isinstance(data, Samples):
        raise OptionError(f"the doctor examines trainings on data sets of images, but {data.name} are samples")
    return data


def _no_doubts(training: Reading, *, early: bool, blamed: bool) -> str | None:
    """Why labels are not to be doubted, None if they may be."""
    if early:
        return "the training is not at its end"
    if blamed:
        return "other findings explain high losses"
    return None if training.accuracy >= BELIEVABLE else "the network reads too few digits to doubt a label"


def _examine_step(step: TrainStep, images: NDArray[np.float32], labels: NDArray[np.int64]) -> Diagnosis:
    """What can be said from one batch, without a data set and a history."""
    rate = step.optimizer.learning_rate
    chance = chance_of(step.loss, outputs_of(step, images))
    layers, update, found = measure_network(step, images, labels, rate, len(images), chance)
    found += input_findings(images)
    reason = "one batch has no history and no data set"
    kept = {"dead-units", "saturated-units", "vanishing-gradients", "exploding-gradients", "not-normalized"}
    missing = {name: reason for name in ILLNESSES if name not in kept} | {
        name: why for name, why in unjudged(layers, Course(), None, None).items() if name in kept
    }
    return Diagnosis(
        most_serious_first(found), tuple(layers), update, (), None, None, 0.0, step.optimizer.step_count,
        f"a batch of {len(images)}", missing,
    )  # fmt: skip
