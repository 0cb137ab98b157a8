"""A run as it lies in its folder: finished, unfinished, or ended by divergence."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgrad.data import Splits, load
from inkgrad.errors import CheckpointError, DivergenceError
from inkgrad.models import MODEL_FILE
from inkgrad.models import load as load_model
from inkgrad.nn import load_state, state_of
from inkgrad.training.assembly import assemble
from inkgrad.training.checkpoint import CHECKPOINT_FILE, load_checkpoint
from inkgrad.training.recipes import RECIPE_FILE
from inkgrad.training.run import HISTORY_FILE, SETTINGS_FILE, saved_settings
from inkgrad.training.settings import Settings
from inkgrad.training.trainer import Trainer

__all__ = ["OpenRun", "open_run"]

REHEARSED = 100
"""Steps that an unfinished run is continued for in memory, to see whether it diverges. The same seeds give the same
steps, so what ended a training soon after its last checkpoint ends it again."""


@dataclass(frozen=True, eq=False)
class OpenRun:
    """A run, ready to be looked at.

    Attributes:
        settings: those of the run.
        trainer: as the last checkpoint left it, or the model, or before the first step.
        source: which of these, in words.
        finished: whether the run has a model, so has made all its steps.
        failure: the message with which it diverges, None if it does not.
    """

    settings: Settings
    trainer: Trainer
    source: str
    finished: bool
    failure: str | None


def open_run(folder: str | os.PathLike[str]) -> OpenRun:
    """Load the run in a folder; the folder itself stays as it is.

    Raises:
        CheckpointError: there is no run, its settings are damaged, or they no longer fit its data.
        ModelFileError: its checkpoint or model is damaged.
        DataError: its data set is not there.
    """
    path = Path(folder)
    if not path.exists():
        raise CheckpointError(f"there is no folder {path}; name the folder of a run, such as runs/mlp")
    if not path.is_dir():
        raise CheckpointError(f"{path} is a file, but the doctor needs the folder of a run, such as runs/mlp")
    if not (path / SETTINGS_FILE).is_file():
        raise CheckpointError(f"{path} holds no run: it has no {SETTINGS_FILE}; name a folder that inkgrad train made")
    settings = saved_settings(path)
    if settings.members > 1:
        raise CheckpointError(f"{path} is an ensemble; name one of its members, such as {path / 'member-0'}")
    splits = load(settings.data, train_on=settings.train_on)
    trainer, source = _restored(path, settings, splits)
    trainer.total_steps = settings.total_steps(len(splits.train))
    finished = (path / MODEL_FILE).is_file()
    failure = None
    if not finished and trainer.step_count < trainer.total_steps:
        failure = _rehearse(_restored(path, settings, splits)[0], trainer.total_steps)
    return OpenRun(settings, trainer, source, finished, failure)


def _restored(path: Path, settings: Settings, splits: Splits) -> tuple[Trainer, str]:
    """A trainer as the run left it, and what that was taken from."""
    trainer = assemble(settings, splits)
    if (path / CHECKPOINT_FILE).is_file():
        load_checkpoint(path / CHECKPOINT_FILE, trainer)
        return trainer, f"the checkpoint {path / CHECKPOINT_FILE}"
    if not (path / MODEL_FILE).is_file():
        if _history(path / HISTORY_FILE):
            raise CheckpointError(
                f"the weights of the run in {path} were not kept, as of a trial of a search; to examine it, train it "
                f"again: inkgrad train --recipe {path / RECIPE_FILE}"
            )
        return trainer, "the weights before the first step, as there is no checkpoint"
    classifier = load_model(path / MODEL_FILE)
    load_state(trainer.step.net, state_of(classifier.network), source=str(path / MODEL_FILE))
    trainer.history = _history(path / HISTORY_FILE)
    trainer.step_count = int(trainer.history[-1]["step"]) if trainer.history else 0
    return trainer, f"the model {path / MODEL_FILE}, with a fresh optimizer, as there is no checkpoint"


def _history(path: Path) -> list[dict[str, Any]]:
    """The lines of a history file; none if there is none."""
    if not path.is_file():
        return []
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [dict(line) | {"epoch": float(line["epoch"]), "step": int(line["step"])} for line in lines]
    except (ValueError, TypeError, KeyError) as error:
        raise CheckpointError(
            f"{path} is damaged: {type(error).__name__} {error}; delete it to examine the run without its history"
        ) from error


def _rehearse(trainer: Trainer, total: int) -> str | None:
    """Go on with a run in memory; the message if it diverges."""
    try:
        trainer.fit(steps=min(total, trainer.step_count + REHEARSED))
    except DivergenceError as error:
        return str(error)
    return None
