"""What is searched: ranges and lists of values for the fields of `Settings`."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from inkgrad.data import Augmentation, Splits
from inkgrad.errors import OptionError
from inkgrad.models import NAMED
from inkgrad.nn import cross_entropy
from inkgrad.training.assembly import assemble
from inkgrad.training.settings import DECAYING, WITH_MOMENTUM, Settings

if TYPE_CHECKING:
    from optuna.trial import Trial

__all__ = ["Choice", "Range", "Space", "default_search", "parse_search", "parse_setting", "with_values"]

ENOUGH = 1000  # images for a trial of settings: more than an image has principal components
_NEVER = {
    "data": "trials on other data cannot be compared",
    "train_on": "a search needs the validation part",
    "recipe": "name the recipe that the search starts from, and search its fields",
    "members": "a search trains one network at a time",
    "views": "they change the answers of a trained model, not its training",
}
_OPTIMIZERS = {"momentum": WITH_MOMENTUM, "weight_decay": DECAYING}
_NETWORK = ("hidden", "width", "depth")
_PREFIX = "augmentation."
_HINTS = get_type_hints(Settings)


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, both included; evenly, or evenly in their logarithms."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values to be checked: what holds for both ends holds between them."""
        return self.low, self.high

    def suggest(self, trial: "Trial", field: str) -> Any:
        """A value for a trial."""
        if self.whole:
            return trial.suggest_int(field, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(field, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class Choice:
    """One of several values, without an order."""

    values: tuple[Any, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values to be checked: each."""
        return self.values

    def suggest(self, trial: "Trial", field: str) -> Any:
        """A value for a trial; lists are stored as the text that was typed."""
        by_label = {_label(value): value for value in self.values}
        return by_label[trial.suggest_categorical(field, list(by_label))]


def _label(value: Any) -> Any:
    return ("+".join(str(item) for item in value) or "none") if isinstance(value, tuple) else value


def default_search(base: Settings) -> tuple[str, ...]:
    """What is searched where nothing is named: learning rate, batch size, momentum, decay of the weights.

    >>> default_search(Settings(optimizer="adamw"))
    ('learning_rate=0.0001..0.01:log', 'batch_size=32,64,128,256', 'weight_decay=0.001..1:log')
    """
    texts = [f"learning_rate={base.rate / 10:g}..{base.rate * 10:g}:log", "batch_size=32,64,128,256"]
    if base.optimizer in _OPTIMIZERS["momentum"]:
        texts.append("momentum=0.8..0.99")
    texts.append("weight_decay=0.001..1:log" if base.optimizer in DECAYING else "l2=1e-06..0.01:log")
    return tuple(texts)


def parse_setting(text: str) -> tuple[str, Any]:
    """A field and its value from `field=value`.

    The items of a list are joined by +; none stands for no value.

    Raises:
        OptionError: no `=`, an unknown field, or a value of another type.

    >>> parse_setting("hidden=300+100"), parse_setting("augmentation.rotation=10"), parse_setting("clip_norm=none")
    (('hidden', (300, 100)), ('augmentation.rotation', 10.0), ('clip_norm', None))
    """
    field, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not field or not value:
        raise OptionError(f"a setting is given as field=value, such as optimizer=adam, but got {text!r}")
    return field, _value(field, value)


def parse_search(text: str) -> tuple[str, Range | Choice]:
    """A field and what is searched for it, from `field=low..high`, `field=low..high:log` or `field=a,b,c`.

    Raises:
        OptionError: another form, an unknown field, a value of another type, or a range that is none.

    >>> parse_search("learning_rate=1e-4..0.1:log")
    ('learning_rate', Range(low=0.0001, high=0.1, log=True, whole=False))
    >>> parse_search("hidden=64,128,300+100")
    ('hidden', Choice(values=((64,), (128,), (300, 100))))
    """
    field, equals, said = (part.strip() for part in text.partition("="))
    if not equals or not field or not said:
        raise OptionError(
            f"what to search is given as field=low..high, field=low..high:log or field=a,b,c, but got {text!r}"
        )
    if field in _NEVER:
        raise OptionError(f"{field} cannot be searched: {_NEVER[field]}")
    if ".." in said:
        return field, _range(field, said)
    values = tuple(_value(field, part.strip()) for part in said.split(","))
    if len(set(values)) != len(values):
        raise OptionError(f"the search of {field} names a value twice: {said}")
    if len(values) < 2:
        raise OptionError(f"the search of {field} needs a range or at least two values, but got {said!r}")
    return field, Choice(values)


def _range(field: str, said: str) -> Range:
    kind = _kind(field)
    if kind not in (int, float):
        raise OptionError(f"{field} is no number, so it has no range; list its values, such as {field}=a,b,c")
    bounds, colon, scale = said.partition(":")
    if colon and scale.strip() != "log":
        raise OptionError(f"a range ends with nothing or :log, but the search of {field} has {said!r}")
    low, high = (_value(field, part.strip()) for part in bounds.split("..", 1))
    if low is None or high is None or not low < high:
        raise OptionError(f"the range of {field} must rise from low to high, but is {said}")
    if colon and low <= 0:
        raise OptionError(f"a logarithmic range must begin above 0, but that of {field} begins at {low:g}")
    return Range(low, high, log=bool(colon), whole=kind is int)


def _kind(field: str) -> Any:
    """The type of a field without its None: int, float, str, or the type of a list's items in a tuple."""
    if field.startswith(_PREFIX):
        name = field.removeprefix(_PREFIX)
        Augmentation.from_json({name: getattr(Augmentation(), name, 0)})
        return int if name == "cutout" else float
    if field == "augmentation":
        raise OptionError("augmentation has several numbers; name one of them, such as augmentation.rotation")
    if field not in _HINTS:
        Settings.from_json({field: None})  # says which there are
    hint = _HINTS[field]
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(one for one in get_args(hint) if one is not type(None))
    return str if get_origin(hint) is Literal else hint


def _value(field: str, text: str) -> Any:
    """A field's value from what was typed."""
    kind = _kind(field)
    several = get_origin(kind) is tuple
    if text == "none" and several:
        return () if _HINTS[field] == kind else None
    if text == "none" and type(None) in get_args(_HINTS.get(field)):
        return None
    item = get_args(kind)[0] if several else kind
    parts = [part.strip() for part in text.split("+")] if several else [text]
    try:
        read = tuple(item(part) for part in parts)
    except ValueError:
        words = {int: "a whole number", float: "a number"}[item]
        such = f"{words}, or several joined by +" if several else words
        raise OptionError(f"the setting {field} must be {such}, but is {text!r}") from None
    return read if several else read[0]


def with_values(base: Settings, values: Mapping[str, Any]) -> Settings:
    """Settings with some fields changed; `augmentation.NAME` changes one of the augmentation's numbers.

    Raises:
        OptionError: an unknown field, or a value of another type or beyond its bounds.

    >>> with_values(Settings(), {"augmentation.rotation": 5.0, "steps": 100}).augmentation.as_json()
    {'rotation': 5.0}
    """
    fields: dict[str, Any] = base.as_json()
    for one, other in (("epochs", "steps"), ("steps", "epochs")):
        if values.get(one) is not None and other not in values:
            fields[other] = None
    return Settings.from_json(overridden(fields, values))


def overridden(fields: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as `Settings.from_json` takes them, with others in their place; `augmentation.NAME` is one of its own."""
    changes = dict(fields.get("augmentation", {}))
    changes |= {f.removeprefix(_PREFIX): value for f, value in values.items() if f.startswith(_PREFIX)}
    others = {f: value for f, value in values.items() if not f.startswith(_PREFIX)}
    return {**fields, **others, "augmentation": changes}


def _applies(field: str, optimizer: str, model: str) -> bool:
    """Whether an optimizer and a network have the setting."""
    if field in _OPTIMIZERS:
        return optimizer in _OPTIMIZERS[field]
    if field in _NETWORK:
        return field in NAMED[model].options
    return field != "label_smoothing" or NAMED[model].loss is cross_entropy


class Space:
    """The settings that a search chooses among.

    A field that belongs to some optimizers or networks only, such as `momentum`, is chosen in the trials that have one
    of those.

    Args:
        base: the settings that stay as they are.
        search: what is searched, as `parse_search` reads it.

    Raises:
        OptionError: nothing can be searched so, or a field is named twice.

    >>> space = Space(Settings(), ["optimizer=sgd,momentum", "momentum=0.5..0.9"])
    >>> space.settings({"optimizer": "momentum", "momentum": 0.7}).momentum
    0.7
    """

    def __init__(self, base: Settings, search: Sequence[str]) -> None:
        self.base = base
        self.fields: dict[str, Range | Choice] = {}
        for field, domain in map(parse_search, search):
            if field in self.fields:
                raise OptionError(f"{field} is searched twice; name it once")
            self.fields[field] = domain
        if not self.fields:
            raise OptionError("a search needs at least one field")

    def suggest(self, trial: "Trial") -> dict[str, Any]:
        """Values for a trial, of the fields that apply in it."""
        chosen: dict[str, Any] = {}
        for field in sorted(self.fields, key=("optimizer", "model").__contains__, reverse=True):
            if self._applies(field, chosen):
                chosen[field] = self.fields[field].suggest(trial, field)
        return chosen

    def values(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a trial's parameters as Optuna stores them."""
        full = {}
        for field, value in stored.items():
            domain = self.fields[field]
            labels = {_label(one): one for one in domain.values} if isinstance(domain, Choice) else {}
            full[field] = labels.get(value, value)
        return full

    def settings(self, values: Mapping[str, Any]) -> Settings:
        """The settings of a trial.

        Raises:
            OptionError: the values cannot stand together.
        """
        idle = {
            field: getattr(Settings(), field)
            for field in (*_OPTIMIZERS, *_NETWORK, "label_smoothing")
            if field not in values and not self._applies(field, values)
        }
        return with_values(self.base, idle | dict(values))

    def _applies(self, field: str, chosen: Mapping[str, Any]) -> bool:
        return _applies(field, chosen.get("optimizer", self.base.optimizer), chosen.get("model", self.base.model))

    def check(self, splits: Splits) -> None:
        """Build a training with each value of each list and both ends of each range.

        Raises:
            OptionError: a value that cannot be, with the name of its field.
        """
        if self.base.teacher is not None:  # its preprocessing must be that of all images
            assemble(self.base, splits)
        tiny = Splits(splits.train[:ENOUGH], splits.validation[:1], splits.test[:0])
        for field, domain in self.fields.items():
            surroundings = [
                {"optimizer": optimizer, "model": model}
                for optimizer in self._choices("optimizer", field)
                for model in self._choices("model", field)
            ]
            fitting = [one for one in surroundings if self._applies(field, one)]
            for value in domain.ends:
                try:
                    self._try((fitting or surroundings)[0] | {field: value}, tiny)
                except OptionError as error:
                    raise OptionError(f"cannot search {field}: {error}") from error
        together = {"optimizer": self._choices("optimizer", "")[0], "model": self._choices("model", "")[0]}
        together |= {f: domain.ends[0] for f, domain in self.fields.items() if self._applies(f, together)}
        try:
            self._try(together, tiny)
        except OptionError as error:
            raise OptionError(f"what is searched cannot stand together: {error}") from error

    def _try(self, values: Mapping[str, Any], splits: Splits) -> None:
        """Build a training for a few images, whose scaling may differ from the one that the teacher knows."""
        alone: dict[str, Any] = {
            "teacher": None,
            "temperature": Settings().temperature,
            "teacher_weight": Settings().teacher_weight,
        }
        assemble(replace(self.settings(values), **alone), splits)

    def _choices(self, field: str, searched: str) -> tuple[Any, ...]:
        """What an optimizer or a model may be while another field is checked."""
        domain = self.fields.get(field)
        if domain is None or field == searched:
            return (getattr(self.base, field),)
        return domain.ends
