"""All choices of a training as one record."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

from inkgrad.data import NORMALIZATIONS, Augmentation
from inkgrad.errors import OptionError
from inkgrad.models import NAMED, View, first_views
from inkgrad.models.views import given_views
from inkgrad.nn import cross_entropy

__all__ = ["OPTIMIZERS", "SCHEDULES", "Settings"]

OPTIMIZERS = {
    "sgd": 0.1,
    "momentum": 0.02,
    "nesterov": 0.02,
    "adagrad": 0.01,
    "rmsprop": 0.001,
    "adam": 0.001,
    "adamw": 0.001,
    "muon": 0.002,
}
"""Optimizer names of the command line, with their default learning rates."""

MOMENTUM, MUON_MOMENTUM, WEIGHT_DECAY = 0.9, 0.95, 0.01
"""Of the optimizers that have them, where none is given."""

SCHEDULES = ("constant", "step", "exponential", "cosine", "one-cycle")
SCALINGS = ("linear", "standard")
DECAYING = ("adamw", "muon")
WITH_MOMENTUM = ("momentum", "nesterov", "muon")
TEMPERATURE, TEACHER_WEIGHT = 2.0, 0.9


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
        momentum: for momentum and nesterov, 0.9 by default, and for muon, 0.95.
        schedule: one of `SCHEDULES`, over the whole training.
        warmup_steps: a rise to the base rate first.
        l1, l2: strengths of the penalties, 0 for none.
        weight_decay: of adamw, 0.01 by default.
        clip_norm, clip_value: limits of the gradient.
        average: decay of the moving average of the weights, for instance 0.999.
        label_smoothing: share of each target that is spread evenly over all classes.
        augmentation: how training images are changed at random.
        mixup: alpha of `data.mixup`, for instance 0.2; 0 for none.
        teacher: the path of a model whose answers are learned too.
        temperature, teacher_weight: of `nn.distillation_loss`, where there is a teacher.
        normalize: names of what is done to every image first; see `data.normalize`.
        pca: how many principal components are kept of every image, after that; None for all of it.
        views: in how many ways the trained model looks at an image, those of `models.VIEWS`; or these ways themselves,
            (rotation, scale, down, right) of each `models.View`.
        calibrate: whether a temperature and, with `nondigits` among the data, a threshold are fitted to the validation
            images at last; see `training.calibrated`.
        members: how many networks are trained, from the seed onwards, to answer together as one model.
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
    mixup: float = 0.0
    teacher: str | None = None
    temperature: float = TEMPERATURE
    teacher_weight: float = TEACHER_WEIGHT
    normalize: tuple[str, ...] = ()
    pca: int | None = None
    views: int | tuple[tuple[float, ...], ...] = 1
    calibrate: bool = False
    members: int = 1
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
        for name in ("epochs", "steps", "batch_size", "early_stopping", "pca", "members"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise OptionError(f"{name.replace('_', '-')} must be at least 1, but is {value}")
        if self.learning_rate is not None and not 0 < self.learning_rate < float("inf"):
            raise OptionError(f"the learning rate must be positive and finite, but is {self.learning_rate:g}")
        for name in ("l1", "l2", "weight_decay", "warmup_steps", "seed", "mixup"):
            value = getattr(self, name) or 0
            if not 0 <= value < float("inf"):
                words = "not be negative" if value < 0 else "be finite and not negative"
                raise OptionError(f"{name.replace('_', '-')} must {words}, but is {value}")
        for name in ("clip_norm", "clip_value"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise OptionError(f"{name.replace('_', '-')} must be positive and finite, but is {value:g}")
        if self.average is not None and not 0 < self.average < 1:
            raise OptionError(f"average must be between 0 and 1, but is {self.average:g}")
        if self.momentum is not None and not 0 <= self.momentum < 1:
            raise OptionError(f"momentum must be from 0 to below 1, but is {self.momentum:g}")
        for name in self.normalize:
            _choice("normalization", name, NORMALIZATIONS)
        if not 0 <= self.label_smoothing < 1:
            raise OptionError(f"label-smoothing must be from 0 to below 1, but is {self.label_smoothing:g}")
        self.ways()
        self._check_losses()
        if self.momentum is not None and self.optimizer not in WITH_MOMENTUM:
            raise OptionError(f"{self.optimizer} has no momentum; choose the optimizer momentum, nesterov or muon")
        if self.weight_decay is not None and self.optimizer not in DECAYING:
            raise OptionError(
                f"{self.optimizer} has no weight decay; choose the optimizer {' or '.join(DECAYING)}, or an l2 penalty"
            )
        if self.clip_norm is not None and self.clip_value is not None:
            raise OptionError("clip either by norm or by value, not both")
        for name, wanted in (("early stopping", self.early_stopping is not None), ("calibrate", self.calibrate)):
            if wanted and self.train_on == "all":
                raise OptionError(f"{name} needs validation data, but train-on all leaves none")

    def _check_losses(self) -> None:
        """Of what changes the targets: it belongs to cross-entropy, and a teacher gives soft targets of its own."""
        changed = {"label-smoothing": self.label_smoothing, "mixup": self.mixup, "teacher": self.teacher}
        for name, value in changed.items():
            if value and NAMED[self.model].loss is not cross_entropy:
                raise OptionError(f"{name} belongs to cross-entropy, which is not the loss of {self.model}")
        if self.teacher is not None and self.label_smoothing:
            raise OptionError("label-smoothing and a teacher exclude each other: the teacher's answers are soft")
        if self.teacher is None and (self.temperature, self.teacher_weight) != (TEMPERATURE, TEACHER_WEIGHT):
            raise OptionError("temperature and teacher-weight belong to a teacher, but none is given")
        if not 0 < self.temperature < float("inf"):
            raise OptionError(f"temperature must be above 0, but is {self.temperature:g}")
        if not 0 <= self.teacher_weight <= 1:
            raise OptionError(f"teacher-weight must be from 0 to 1, but is {self.teacher_weight:g}")
        if self.members > 1 and NAMED[self.model].probabilities != "softmax":
            raise OptionError(f"{self.model} gives no probabilities by softmax, so members of it cannot be averaged")

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
            if name == "views" and isinstance(value, list):
                full[name] = value = tuple(tuple(one) if isinstance(one, list) else one for one in value)
            if name == "augmentation" and isinstance(value, Mapping):
                full[name] = value = Augmentation.from_json(value)
            if not _is_of(value, hints[name]):
                raise OptionError(f"the setting {name} must be {_in_words(hints[name])}, but is {value!r}")
        return cls(**full)

    def ways(self) -> tuple[View, ...]:
        """The ways in which the trained model looks at an image."""
        return first_views(self.views) if isinstance(self.views, int) else given_views(self.views)

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
        inner = get_args(hint)[0]
        many = {int: "whole numbers", float: "numbers", str: "texts"}
        return f"a list of {many[inner] if inner in many else _in_words(inner).replace('a list', 'lists')}"
    if get_args(hint):
        return " or ".join(_in_words(one) for one in get_args(hint) if one is not type(None))
    words: dict[Any, str] = {int: "a whole number", float: "a number", str: "a text", Augmentation: "a table"}
    return words.get(hint, str(hint))


def _choice(name: str, value: str, known: Any) -> None:
    if value not in known:
        raise OptionError(f"{name} {value!r} is not known; there are {', '.join(known)}")
