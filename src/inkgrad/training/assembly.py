"""From settings to the trainer that they describe."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

from inkgrad.data import (
    Augmentation,
    Dataset,
    Projection,
    Scaling,
    Splits,
    linear_scaling,
    normalize,
    principal_components,
    standardization,
)
from inkgrad.errors import OptionError
from inkgrad.models import NAMED, build
from inkgrad.nn import Module
from inkgrad.optim import (
    L1,
    L2,
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Clip,
    ClipByGlobalNorm,
    ClipByValue,
    Constant,
    Cosine,
    Exponential,
    MovingAverage,
    Muon,
    OneCycle,
    Optimizer,
    Penalty,
    RMSProp,
    Schedule,
    Step,
    WarmUp,
)
from inkgrad.random import default_rng
from inkgrad.training.callbacks import Callback
from inkgrad.training.distillation import Distillation, load_teacher
from inkgrad.training.group import Group
from inkgrad.training.settings import MOMENTUM, MUON_MOMENTUM, WEIGHT_DECAY, Settings
from inkgrad.training.step import TrainStep
from inkgrad.training.trainer import Trainer

__all__ = ["Prepared", "assemble", "make_optimizer", "make_penalties", "make_schedule", "prepare"]


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Data as a network gets them.

    Attributes:
        train, validation: normalized, and projected where the settings want it.
        projection: what was fitted to the training images, None without `pca`.
    """

    train: Dataset
    validation: Dataset
    projection: Projection | None


def assemble(
    settings: Settings,
    splits: Splits,
    callbacks: Sequence[Callback] = (),
    *,
    prepared: Prepared | None = None,
    group: Group | None = None,
) -> Trainer:
    """The trainer, with fresh weights, that the settings describe.

    Args:
        settings: what to do.
        splits: the data that the settings name.
        callbacks: for the trainer.
        prepared: what `prepare` gave for these settings and data, where that was done before.
        group: the processes that train this network together.

    Raises:
        OptionError: settings that cannot work together.
    """
    prepared = prepare(settings, splits) if prepared is None else prepared
    train = prepared.train
    total = settings.total_steps(max(len(train), 1))
    if settings.warmup_steps >= total:
        raise OptionError(
            f"warmup-steps must be fewer than all steps of the training, but are {settings.warmup_steps} of {total}"
        )
    if train.rejects and NAMED[settings.model].probabilities != "softmax":
        raise OptionError(
            f"{settings.model} gives each class a probability of its own, so it cannot learn what is none of them; "
            "leave nondigits out, or choose another model"
        )
    weights_rng, order_rng = default_rng(settings.seed).spawn(2)
    options: dict[str, Any] = {} if settings.hidden is None else {"hidden": list(settings.hidden)}
    options |= {n: v for n in ("width", "depth") if (v := getattr(settings, n)) is not None}
    net = build(settings.model, rng=weights_rng, classes=len(train.classes), **options)
    optimizer = make_optimizer(settings, net, make_schedule(settings, total))
    average = None if settings.average is None else MovingAverage(net, decay=settings.average)
    scaling = _scaling(settings, train)
    distillation = _distillation(settings, scaling, prepared)
    loss: Any = NAMED[settings.model].loss if distillation is None else distillation.loss
    if settings.label_smoothing:
        loss = functools.partial(loss, label_smoothing=settings.label_smoothing)
    step = TrainStep(net, loss, optimizer, penalties=make_penalties(settings), average=average)
    trainer = Trainer(
        step,
        train,
        validation=prepared.validation,
        callbacks=callbacks,
        batch_size=settings.batch_size,
        rng=order_rng,
        scaling=scaling,
        augmentation=settings.augmentation if settings.augmentation != Augmentation() else None,
        mixup=settings.mixup,
        distillation=distillation,
        group=group,
    )
    trainer.projection = prepared.projection
    return trainer


def _distillation(settings: Settings, scaling: Scaling, prepared: Prepared) -> Distillation | None:
    """The teacher that the settings name, if it suits what is trained."""
    if settings.teacher is None:
        return None
    teacher = load_teacher(settings.teacher)
    made = Distillation(teacher, temperature=settings.temperature, weight=settings.teacher_weight)
    made.check(scaling, prepared.train.classes, settings.normalize, prepared.projection)
    return made


def prepare(settings: Settings, splits: Splits) -> Prepared:
    """Training and validation data as the network gets them."""
    parts = [splits.train, splits.validation]
    if settings.normalize:
        parts = [dataclasses.replace(part, images=normalize(part.images, settings.normalize)) for part in parts]
    if settings.pca is None:
        return Prepared(parts[0], parts[1], None)
    projection = principal_components(parts[0].images, settings.pca)
    parts = [dataclasses.replace(part, images=projection.apply(part.images)) for part in parts]
    return Prepared(parts[0], parts[1], projection)


def _scaling(settings: Settings, train: Dataset) -> Scaling:
    return standardization(train) if settings.scaling == "standard" else linear_scaling()


def make_penalties(settings: Settings) -> list[Penalty]:
    """The penalties that the settings name."""
    l1: list[Penalty] = [L1(settings.l1)] if settings.l1 else []
    return [*l1, L2(settings.l2)] if settings.l2 else l1


def make_optimizer(settings: Settings, net: Module, rate: Schedule) -> Optimizer:
    """The optimizer that the settings name, at this rate instead of theirs."""
    clip = _clip(settings)
    if settings.optimizer == "sgd":
        return SGD(net, rate, clip=clip)
    if settings.optimizer in ("momentum", "nesterov"):
        momentum = MOMENTUM if settings.momentum is None else settings.momentum
        return SGD(net, rate, momentum=momentum, nesterov=settings.optimizer == "nesterov", clip=clip)
    decay = WEIGHT_DECAY if settings.weight_decay is None else settings.weight_decay
    if settings.optimizer == "adamw":
        return AdamW(net, rate, weight_decay=decay, clip=clip)
    if settings.optimizer == "muon":
        momentum = MUON_MOMENTUM if settings.momentum is None else settings.momentum
        return Muon(net, rate, momentum=momentum, weight_decay=decay, clip=clip)
    plain: dict[str, Any] = {"adagrad": AdaGrad, "rmsprop": RMSProp, "adam": Adam}
    made: Optimizer = plain[settings.optimizer](net, rate, clip=clip)
    return made


def make_schedule(settings: Settings, total_steps: int) -> Schedule:
    """The learning rates that the settings name, for a training of so many steps."""
    rate, rest = settings.rate, max(total_steps - settings.warmup_steps, 1)
    schedules: dict[str, Schedule] = {
        "constant": Constant(rate),
        "step": Step(rate, every=max(rest // 3, 1)),  # two drops by 10, at a third and at two thirds
        "exponential": Exponential(rate, steps=rest),
        "cosine": Cosine(rate, steps=rest),
        "one-cycle": OneCycle(rate, steps=rest),
    }
    schedule = schedules[settings.schedule]
    return WarmUp(schedule, steps=settings.warmup_steps) if settings.warmup_steps else schedule


def _clip(settings: Settings) -> Clip | None:
    if settings.clip_norm is not None:
        return ClipByGlobalNorm(settings.clip_norm)
    return None if settings.clip_value is None else ClipByValue(settings.clip_value)
