"""All choices of a training as one record, and the trainer that they make."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

from inkgrad.data import (
    NORMALIZATIONS,
    Augmentation,
    Dataset,
    Scaling,
    Splits,
    linear_scaling,
    normalize,
    standardization,
)
from inkgrad.errors import OptionError
from inkgrad.models import NAMED, Network, build
from inkgrad.nn import cross_entropy
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
from inkgrad.training.step import TrainStep
from inkgrad.training.trainer import Trainer

__all__ = ["OPTIMIZERS", "SCHEDULES", "Settings", "assemble"]

OPTIMIZERS = {
    "sgd": 0.1,
    "momentum": 0.02,
    "nesterov": 0.02,
    "adagrad": 0.01,
    "rmsprop": 0.001,
    "adam": 0.001,
    "adamw": 0.001,
}
"""Optimizer names of the command line, with their default learning rates."""

MOMENTUM, WEIGHT_DECAY = 0.9, 0.01
"""Of the optimizers that have them, where none is given."""

SCHEDULES = ("constant", "step", "exponential", "cosine", "one-cycle")
SCALINGS = ("linear", "standard")


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a training does; saved in its folder.

    Attributes:
        data: a data set's name or path.
        train_on: "train", or "all" to learn from the validation part too.
        model: a named network.
        hidden: widths of its hidden layers, by default its own.
        width, depth: options of the networks that have them, by default their own.
        epochs, steps: how long; one of the two.
        batch_size: images a step.
        optimizer: one of `OPTIMIZERS`; "momentum" and "nesterov" are SGD with momentum 0.9 unless given.
        learning_rate: the base rate; by default the optimizer's.
        momentum: for momentum and nesterov, 0.9 by default.
        schedule: one of `SCHEDULES`, over the whole training.
        warmup_steps: a rise to the base rate first.
        l1, l2: strengths of the penalties, 0 for none.
        weight_decay: of adamw, 0.01 by default.
        clip_norm, clip_value: limits of the gradient.
        average: decay of the moving average of the weights, for instance 0.999.
        label_smoothing: share of each target that is spread evenly over all classes.
        augmentation: how training images are changed at random.
        normalize: names of what is done to every image first; see `data.normalize`.
        scaling: "linear" (pixels / 255) or "standard" (mean and deviation of the training pixels).
        early_stopping: epochs without improvement of the validation loss, or None.
        seed: of all random generators.
        recipe: the name of the recipe that the settings came from.
    """

    data: str = "digits"
    train_on: Literal["train", "all"] = "train"
    model: str = "mlp"
    hidden: tuple[int, ...] | None = None
    width: int | None = None
    depth: int | None = None
    epochs: int | None = None
    steps: int | None = None
    batch_size: int = 128
    optimizer: str = "momentum"
    learning_rate: float | None = None
    momentum: float | None = None
    schedule: str = "constant"
    warmup_steps: int = 0
    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float | None = None
    clip_norm: float | None = None
    clip_value: float | None = None
    average: float | None = None
    label_smoothing: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    normalize: tuple[str, ...] = ()
    scaling: str = "linear"
    early_stopping: int | None = None
    seed: int = 0
    recipe: str | None = None

    def __post_init__(self) -> None:
        _choice("optimizer", self.optimizer, OPTIMIZERS)
        _choice("schedule", self.schedule, SCHEDULES)
        _choice("scaling", self.scaling, SCALINGS)
        _choice("model", self.model, NAMED)
        if self.epochs is not None and self.steps is not None:
            raise OptionError("give a training either epochs or steps, not both")
        for name in ("epochs", "steps", "batch_size", "early_stopping"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise OptionError(f"{name.replace('_', '-')} must be at least 1, but is {value}")
        if self.learning_rate is not None and not 0 < self.learning_rate < float("inf"):
            raise OptionError(f"the learning rate must be positive and finite, but is {self.learning_rate:g}")
        for name in ("l1", "l2", "weight_decay", "warmup_steps", "seed"):
            if not 0 <= (getattr(self, name) or 0) < float("inf"):
                raise OptionError(f"{name.replace('_', '-')} must not be negative, but is {getattr(self, name)}")
        for name in self.normalize:
            _choice("normalization", name, NORMALIZATIONS)
        if not 0 <= self.label_smoothing < 1:
            raise OptionError(f"label-smoothing must be from 0 to below 1, but is {self.label_smoothing:g}")
        if self.label_smoothing and NAMED[self.model].loss is not cross_entropy:
            raise OptionError(f"label-smoothing belongs to cross-entropy, which is not the loss of {self.model}")
        if self.momentum is not None and self.optimizer not in ("momentum", "nesterov"):
            raise OptionError(f"{self.optimizer} has no momentum; choose the optimizer momentum or nesterov")
        if self.weight_decay is not None and self.optimizer != "adamw":
            raise OptionError(f"{self.optimizer} has no weight decay; choose the optimizer adamw, or an l2 penalty")
        if self.clip_norm is not None and self.clip_value is not None:
            raise OptionError("clip either by norm or by value, not both")
        if self.early_stopping is not None and self.train_on == "all":
            raise OptionError("early stopping needs validation data, but train-on all leaves none")

    def as_json(self) -> dict[str, Any]:
        """The settings as JSON holds them."""
        return asdict(self) | {"augmentation": self.augmentation.as_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Settings":
        """The settings that `as_json` described.

        Raises:
            OptionError: a field that does not exist, or a value of another type or beyond its bounds.
        """
        hints = get_type_hints(cls)
        full = {}
        for name, value in values.items():
            full[name] = value
            if name not in hints:
                raise OptionError(
                    f"a training has no setting {name!r}; there are {', '.join(n for n in hints if n != 'recipe')}"
                )
            if name in ("hidden", "normalize") and isinstance(value, list):
                full[name] = value = tuple(value)
            if name == "augmentation" and isinstance(value, Mapping):
                full[name] = value = Augmentation.from_json(value)
            if not _is_of(value, hints[name]):
                raise OptionError(f"the setting {name} must be {_in_words(hints[name])}, but is {value!r}")
        return cls(**full)

    @property
    def rate(self) -> float:
        """The base learning rate, with the optimizer's default filled in."""
        return OPTIMIZERS[self.optimizer] if self.learning_rate is None else self.learning_rate

    def total_steps(self, images: int) -> int:
        """How many steps the training has on a data set of so many images."""
        if self.steps is not None:
            return self.steps
        return (10 if self.epochs is None else self.epochs) * -(-images // min(self.batch_size, images))


def _is_of(value: Any, hint: Any) -> bool:
    """Whether a value is of a type; whole numbers are floats too, truth values are no numbers."""
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_is_of(item, get_args(hint)[0]) for item in value)
    if get_args(hint):
        return any(_is_of(value, one) for one in get_args(hint))
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, int | float) if hint is float else isinstance(value, hint)


def _in_words(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(repr(value) for value in get_args(hint))
    if get_origin(hint) is tuple:
        return f"a list of {'whole numbers' if get_args(hint)[0] is int else 'texts'}"
    if get_args(hint):
        return " or ".join(_in_words(one) for one in get_args(hint) if one is not type(None))
    words: dict[Any, str] = {int: "a whole number", float: "a number", str: "a text", Augmentation: "a table"}
    return words.get(hint, str(hint))


def _choice(name: str, value: str, known: Any) -> None:
    if value not in known:
        raise OptionError(f"{name} {value!r} is not known; there are {', '.join(known)}")


def assemble(settings: Settings, splits: Splits, callbacks: Sequence[Callback] = ()) -> Trainer:
    """The trainer, with fresh weights, that the settings describe.

    Raises:
        OptionError: settings that cannot work together.
    """
    train, validation = (_normalized(part, settings.normalize) for part in (splits.train, splits.validation))
    weights_rng, order_rng = default_rng(settings.seed).spawn(2)
    options: dict[str, Any] = {} if settings.hidden is None else {"hidden": list(settings.hidden)}
    options |= {n: v for n in ("width", "depth") if (v := getattr(settings, n)) is not None}
    net = build(settings.model, rng=weights_rng, classes=len(train.classes), **options)
    optimizer = _optimizer(settings, net, settings.total_steps(max(len(train), 1)))
    penalties: list[Penalty] = [
        *([L1(settings.l1)] if settings.l1 else []),
        *([L2(settings.l2)] if settings.l2 else []),
    ]
    average = None if settings.average is None else MovingAverage(net, decay=settings.average)
    loss = NAMED[settings.model].loss
    if settings.label_smoothing:
        loss = functools.partial(loss, label_smoothing=settings.label_smoothing)
    step = TrainStep(net, loss, optimizer, penalties=penalties, average=average)
    return Trainer(
        step,
        train,
        validation=validation,
        callbacks=callbacks,
        batch_size=settings.batch_size,
        rng=order_rng,
        scaling=_scaling(settings, train),
        augmentation=settings.augmentation if settings.augmentation != Augmentation() else None,
    )


def _normalized(dataset: Dataset, names: Sequence[str]) -> Dataset:
    return dataclasses.replace(dataset, images=normalize(dataset.images, names)) if names else dataset


def _scaling(settings: Settings, train: Dataset) -> Scaling:
    return standardization(train) if settings.scaling == "standard" else linear_scaling()


def _optimizer(settings: Settings, net: Network, total_steps: int) -> Optimizer:
    rate, clip = _schedule(settings, total_steps), _clip(settings)
    if settings.optimizer == "sgd":
        return SGD(net, rate, clip=clip)
    if settings.optimizer in ("momentum", "nesterov"):
        momentum = MOMENTUM if settings.momentum is None else settings.momentum
        return SGD(net, rate, momentum=momentum, nesterov=settings.optimizer == "nesterov", clip=clip)
    if settings.optimizer == "adamw":
        decay = WEIGHT_DECAY if settings.weight_decay is None else settings.weight_decay
        return AdamW(net, rate, weight_decay=decay, clip=clip)
    plain: dict[str, Any] = {"adagrad": AdaGrad, "rmsprop": RMSProp, "adam": Adam}
    made: Optimizer = plain[settings.optimizer](net, rate, clip=clip)
    return made


def _schedule(settings: Settings, total_steps: int) -> Schedule:
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
