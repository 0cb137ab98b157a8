"""One trial: a run in a folder of its own that tells its figures after each epoch."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgrad.data import Splits
from inkgrad.errors import DivergenceError, OptionError
from inkgrad.training.callbacks import Callback
from inkgrad.training.checkpoint import CHECKPOINT_FILE
from inkgrad.training.run import Run
from inkgrad.training.settings import Settings
from inkgrad.training.trainer import Trainer
from inkgrad.training.tuning.result import Outcome

__all__ = ["Job", "Report", "clear", "train_trial"]

Report = Callable[[int, int, float], bool]
"""(number of the trial, epoch from 1, metric) -> whether to prune."""


@dataclass(frozen=True)
class Job:
    """What a trial is to do."""

    number: int
    settings: Settings
    folder: Path
    key: str
    checkpoint_seconds: float


class _Reporting(Callback):
    """Reports each epoch, and stops the training where the answer says so."""

    def __init__(self, job: Job, report: Report) -> None:
        self.job = job
        self.report = report
        self.pruned = False

    def on_start(self, trainer: Trainer) -> None:
        """Ask again about the last epoch: a checkpoint may be newer than what was done about the answer."""
        if trainer.history:
            self._ask(trainer)

    def on_epoch(self, trainer: Trainer, record: dict[str, Any]) -> None:
        """Report."""
        del record
        self._ask(trainer)

    def _ask(self, trainer: Trainer) -> None:
        worse = self.report(self.job.number, len(trainer.history), trainer.history[-1][self.job.key])
        if worse and trainer.step_count < trainer.total_steps:
            self.pruned = True
            trainer.stop("pruned")


def train_trial(job: Job, splits: Splits, report: Report, callbacks: Sequence[Callback] = ()) -> Outcome:
    """Train one trial, from its checkpoint where there is one.

    Raises:
        StorageError: a file could not be written.
        KeyboardInterrupt: Ctrl-C; a checkpoint has been saved.
    """
    reporting = _Reporting(job, report)
    try:
        run = Run(
            job.folder,
            job.settings,
            splits,
            resume=True,
            checkpoint_seconds=job.checkpoint_seconds,
            callbacks=[reporting, *callbacks],
        )
    except OptionError as error:
        return Outcome("refused", message=str(error))
    try:
        last = run.fit()
    except DivergenceError as error:
        return Outcome("diverged", message=str(error))
    return Outcome("pruned") if reporting.pruned else Outcome("complete", value=float(last[job.key]))


def clear(folder: Path) -> None:
    """Remove the checkpoint of a trial that has ended; its settings and its history stay."""
    for path in (folder / CHECKPOINT_FILE, *folder.glob(".*.part")):  # the latter from processes that were killed
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
