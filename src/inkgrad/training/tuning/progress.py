"""Progress of a tuning on standard error: a bar on a terminal, plain lines elsewhere."""

import sys
from types import TracebackType
from typing import Any

from inkgrad.training.tuning.plots import words
from inkgrad.training.tuning.result import Metric, TrialRecord, Tuned

__all__ = ["TuningProgress"]


class TuningProgress:
    """Each trial that ends leaves one line; on a terminal a bar shows the epoch in progress.

    Args:
        trials: how many there will be.
        metric: what the trials are compared by.
    """

    def __init__(self, trials: int, metric: Metric) -> None:
        from rich.console import Console

        self._trials = trials
        self._metric = metric
        self._console = Console(stderr=True, highlight=False)
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "TuningProgress":
        if self._console.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("tuning", total=self._trials)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def on_epoch(self, number: int, epoch: int, value: float) -> None:
        """Show it in the bar."""
        if self._bar is not None:
            self._bar.update(self._task, description=f"trial {number}  epoch {epoch}  {self.said(value)}")

    def on_trial(self, record: TrialRecord, tuned: Tuned) -> None:
        """Leave a line."""
        params = "  ".join(f"{field}={words(value)}" for field, value in record.params.items())
        value = "" if record.value is None else f"  {self.said(record.value)}"
        best = tuned.best
        so_far = "" if best is None else f"  best {self.said(best.value or 0.0)} (trial {best.number})"
        line = f"trial {record.number:>3}  {record.state:<8}{value}{so_far}  {params}"
        if self._bar is not None:
            self._bar.update(self._task, completed=len(tuned.trials) - tuned.count("running"))
            self._bar.console.print(line, soft_wrap=True, markup=False)
        else:
            print(line, file=sys.stderr, flush=True)  # noqa: T201  progress goes to standard error

    def said(self, value: float) -> str:
        """A value of the metric for people."""
        return f"{value:.2%}" if self._metric == "accuracy" else f"{value:.4f}"
