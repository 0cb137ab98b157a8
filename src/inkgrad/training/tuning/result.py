"""What a tuning is, and what came out of it."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from inkgrad.errors import CheckpointError, OptionError
from inkgrad.training.settings import Settings

__all__ = ["Metric", "Outcome", "Pruner", "TrialRecord", "Tuned", "TuningSettings", "saved_trials", "saved_tuning"]

TUNING_FILE = "tuning.json"
Metric = Literal["accuracy", "loss"]
Pruner = Literal["median", "hyperband", "none"]
State = Literal["complete", "pruned", "diverged", "refused", "lost", "running"]


@dataclass(frozen=True)
class TuningSettings:
    """Everything that decides what a tuning does; saved in its folder.

    Attributes:
        base: the settings that are not searched; its seed is that of every trial and of the search.
        search: what is searched, such as "learning_rate=1e-4..0.1:log"; see `parse_search`.
        metric: what is best: "accuracy" or "loss", that of the validation part after the last epoch.
        pruner: what ends bad trials early: "median", "hyperband" or "none".

    >>> settings = TuningSettings(Settings(), ("l2=0..0.1",), metric="loss")
    >>> TuningSettings.from_json(settings.as_json()) == settings
    True
    """

    base: Settings
    search: tuple[str, ...]
    metric: Metric = "accuracy"
    pruner: Pruner = "median"

    def __post_init__(self) -> None:
        for name, kind in (("metric", Metric), ("pruner", Pruner)):
            if getattr(self, name) not in get_args(kind):
                raise OptionError(f"{name} {getattr(self, name)!r} is not known; there are {', '.join(get_args(kind))}")
        if self.base.train_on == "all":
            raise OptionError("a search needs validation data, but train-on all leaves none")

    @property
    def key(self) -> str:
        """The key of the history that the trials are compared by."""
        return f"validation_{self.metric}"

    def as_json(self) -> dict[str, Any]:
        """The settings as JSON holds them."""
        return asdict(self) | {"base": self.base.as_json(), "search": list(self.search)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TuningSettings":
        """The settings that `as_json` described."""
        return cls(Settings.from_json(values["base"]), tuple(values["search"]), values["metric"], values["pruner"])


def saved_tuning(folder: str | os.PathLike[str]) -> TuningSettings:
    """The settings of the tuning in a folder.

    Raises:
        CheckpointError: the folder holds no tuning, or its settings cannot be read.
    """
    return TuningSettings.from_json(read_saved(Path(folder))["settings"])


def saved_trials(folder: str | os.PathLike[str]) -> int:
    """How many trials the tuning in a folder was to make.

    Raises:
        CheckpointError: the folder holds no tuning, or its settings cannot be read.
    """
    return int(read_saved(Path(folder))["trials"])


def read_saved(folder: Path) -> dict[str, Any]:
    """What stands in the folder's file: `settings`, `trials`, `data` (fingerprints), `shared`."""
    path = folder / TUNING_FILE
    if not path.is_file():
        raise CheckpointError(f"there is no tuning to resume in {folder}: it has no {TUNING_FILE}")
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        TuningSettings.from_json(saved["settings"])
        return {
            "settings": saved["settings"],
            "trials": int(saved["trials"]),
            "data": str(saved["data"]),
            "shared": bool(saved.get("shared")),
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is damaged: {type(error).__name__} {error}") from error


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: complete with a value, pruned, diverged, or refused as its settings cannot stand together."""

    state: State
    value: float | None = None
    message: str | None = None


@dataclass(frozen=True)
class TrialRecord:
    """One trial.

    Attributes:
        number: from 0; also the name of its folder.
        state: "complete", "pruned", "diverged", "refused", "running", or "lost": its process was killed, and another
            trial has gone on in its place.
        params: field -> value, of the fields that were searched in it.
        value: the metric after the last epoch that was made, None without one.
        epochs: the metric after each epoch.
        message: why it diverged or was refused.
    """

    number: int
    state: State
    params: dict[str, Any]
    value: float | None
    epochs: tuple[float, ...]
    message: str | None = None


@dataclass(frozen=True)
class Tuned:
    """What a tuning has found so far.

    Attributes:
        metric: what is best.
        trials: in the order in which they began.
        importance: field -> its share of what decides the metric, largest first; empty where that cannot be told.

    >>> worse = TrialRecord(0, "complete", {"l2": 0.1}, 0.9, (0.8, 0.9))
    >>> Tuned("accuracy", (worse, TrialRecord(1, "complete", {"l2": 0.2}, 0.95, (0.9, 0.95))), {}).best.number
    1
    """

    metric: Metric
    trials: tuple[TrialRecord, ...]
    importance: dict[str, float]

    @property
    def best(self) -> TrialRecord | None:
        """The best complete trial, the first of equal ones; None without any."""
        sign = -1 if self.metric == "accuracy" else 1
        complete = [trial for trial in self.trials if trial.state == "complete" and trial.value is not None]
        return min(complete, key=lambda trial: sign * (trial.value or 0.0), default=None)

    def count(self, state: State) -> int:
        """How many trials ended so."""
        return sum(trial.state == state for trial in self.trials)

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON holds it; `best` is a number."""
        return {
            "metric": f"validation_{self.metric}",
            "best": None if self.best is None else self.best.number,
            "importance": self.importance,
            "trials": [asdict(trial) for trial in self.trials],
        }
