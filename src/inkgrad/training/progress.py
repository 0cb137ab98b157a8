"""Progress of a training on standard error: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from typing import Any

from inkgrad.training.callbacks import Callback
from inkgrad.training.trainer import Trainer

__all__ = ["Progress"]

REFRESH_SECONDS = 0.1


class Progress(Callback):
    """Shows epoch, loss, accuracy, images/s and the time left; each finished epoch leaves one line.

    Args:
        every_seconds: without a terminal, how often a line about an unfinished epoch is written.
        every_epochs: how many epochs a line is left for, 1 for each.
    """

    def __init__(self, *, every_seconds: float = 10.0, every_epochs: int = 1) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._every_seconds = every_seconds
        self._every_epochs = every_epochs
        self._bar: Any = None
        self._task: Any = None
        self._shown = 0.0

    def on_start(self, trainer: Trainer) -> None:
        """Open the bar."""
        self._shown = time.monotonic()
        if not self._console.is_terminal:
            return
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task("training", total=trainer.total_steps, completed=trainer.step_count)

    def on_step(self, trainer: Trainer) -> None:
        """Refresh if it is time."""
        now = time.monotonic()
        wait = REFRESH_SECONDS if self._bar is not None else self._every_seconds
        if now - self._shown < wait:
            return
        self._shown = now
        record = trainer.record()
        if self._bar is not None:
            self._bar.update(self._task, completed=trainer.step_count, description=_short(record))
        else:
            part = trainer.step_count / trainer.total_steps
            self._say(f"{_line(record)}  {part:.0%} done")

    def on_epoch(self, trainer: Trainer, record: dict[str, Any]) -> None:
        """Leave the epoch's line."""
        if round(record["epoch"]) % self._every_epochs and trainer.step_count < trainer.total_steps:
            return
        text = _line(record)
        if "validation_loss" in record:
            text += f"  validation: loss {record['validation_loss']:.4f}"
        if "validation_accuracy" in record:
            text += f"  accuracy {record['validation_accuracy']:.2%}"
        self._say(text)
        self._shown = time.monotonic()

    def on_end(self, trainer: Trainer) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        if trainer.stopped is not None:
            self._say(f"stopped early: {trainer.stopped}")

    def _say(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, soft_wrap=True)
        else:
            print(text, file=sys.stderr, flush=True)  # noqa: T201  progress goes to standard error


def _line(record: dict[str, Any]) -> str:
    accuracy = f"accuracy {record['accuracy']:.2%}  " if "accuracy" in record else ""
    return (
        f"epoch {record['epoch']:6.2f}  step {record['step']:>6}  loss {record['loss']:.4f}  "
        f"{accuracy}{record['images_per_second']:>9,.0f} images/s"
    )


def _short(record: dict[str, Any]) -> str:
    """What leaves room for a bar in 80 columns."""
    accuracy = f"{record['accuracy']:.1%}  " if "accuracy" in record else ""
    return f"epoch {record['epoch']:.2f}  loss {record['loss']:.4f}  {accuracy}{record['images_per_second']:,.0f}/s"
