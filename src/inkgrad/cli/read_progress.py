"""Progress of a reading on standard error: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from inkgrad.cli.output import say
from inkgrad.reading.record import Record, Tally

__all__ = ["ReadProgress"]

LINE_SECONDS = 10.0


class ReadProgress:
    """Tells how many files, or pages of one, have been read, and of each that could not be.

    Args:
        total: how many there are, as far as it is known; of one no progress is shown.
        whole: whether they are files.
        bar: whether there may be a bar, on a terminal.
        several: whether there are more than one, although it is not known yet how many.
    """

    def __init__(self, total: int, *, whole: bool, bar: bool, several: bool = False) -> None:
        self._total, self._whole, self._wanted = total, whole, bar and (several or total > 1)
        self._done, self._last = 0, ""
        self._bar: Any = None
        self._task: Any = None
        self._shown = time.monotonic()

    def __enter__(self) -> "ReadProgress":
        if self._wanted:
            from rich.console import Console

            console = Console(stderr=True, highlight=False)
            if console.is_terminal:
                self._open(console)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def page(self, record: Record, *, tally: Tally) -> None:
        """A page has been read, or could not be."""
        if "error" in record:
            self._say(f"inkgrad: {record['error']}")
        if record["file"] != self._last or not self._whole:
            self._done, self._last = self._done + 1, record["file"]
        self._show(tally)

    def files(self, done: int, total: int, tally: Tally, errors: Sequence[str]) -> None:
        """So many files of all have been read, some of them in vain."""
        for error in errors:
            self._say(f"inkgrad: {error}")
        self._done, self._total = done, total
        self._show(tally)

    def _show(self, tally: Tally) -> None:
        if self._bar is not None:
            self._bar.update(
                self._task, total=self._total, completed=self._done, description=f"{tally.doubtful:,} doubtful"
            )
        elif self._wanted and time.monotonic() - self._shown > LINE_SECONDS:
            self._shown = time.monotonic()
            self._say(f"{self._done:,} of {self._total:,} {'files' if self._whole else 'pages'}, {tally.sentence()}")

    def _open(self, console: Any) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("reading"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task("", total=self._total)

    def _say(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, soft_wrap=True, markup=False)
        else:
            say(text, error=True)
