"""Results on standard output, as one JSON object or for people; everything else on standard error."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from inkgrad.errors import InputError, StorageError
from inkgrad.files import plain

__all__ = ["PrintedError", "Standard", "emit_json", "say", "sentence_and_status", "show_digit", "table"]


def emit_json(result: dict[str, Any]) -> None:
    """Print one JSON object, the only thing on standard output."""
    sys.stdout.write(json.dumps(plain(result)) + "\n")
    sys.stdout.flush()


class PrintedError(Exception):
    """An error, chained to this one, of which the JSON object that was begun on standard output tells already."""


class Standard:
    """Standard output for what comes in parts: each is written at once, and nothing waits to be written at the end.

    Args:
        encoding: of the text; by default that of standard output, with what it lacks spelled out.
    """

    def __init__(self, encoding: str | None = None) -> None:
        self.failed = False
        self._encoding = encoding or sys.stdout.encoding or "utf-8"
        sys.stdout.flush()

    def __call__(self, text: str) -> None:
        """Write a part.

        Raises:
            StorageError: standard output goes to a file, and it could not be written.
            BrokenPipeError: who read it has gone.
        """
        content = memoryview(text.encode(self._encoding, "backslashreplace"))
        stream: Any = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)
        try:
            while content:
                content = content[stream.write(content) :]
        except OSError as error:
            self.failed = True
            if isinstance(error, BrokenPipeError):
                raise
            raise StorageError(f"cannot write standard output: {error.strerror or error}; make room for it") from error


def sentence_and_status(error: BaseException) -> tuple[str, int]:
    """What is said of an error in one sentence, and the exit status.

    >>> sentence_and_status(KeyboardInterrupt())
    ('interrupted', 130)
    """
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", 130
    return " ".join(str(error).split()), 2 if isinstance(error, InputError) else 1


def say(text: str = "", *, error: bool = False) -> None:
    """Print a line for people; `error` sends it to standard error, where messages and progress go."""
    stream = sys.stderr if error else sys.stdout
    stream.write(text + "\n")
    stream.flush()


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print a table; the columns numbered in `right` are aligned to the right."""
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]

    def line(cells: Sequence[str]) -> str:
        padded = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return "  ".join(padded).rstrip()

    say(line(columns))
    say(line(["-" * width for width in widths]))
    for row in rows:
        say(line(row))


def show_digit(image: Any) -> None:
    """Print a uint8 (28, 28) image as 28 lines, two characters a pixel, as characters are twice as high as wide."""
    shades = " .:-=+*#%@"
    for row in image:
        say("    |" + "".join(2 * shades[int(value) * len(shades) // 256] for value in row) + "|")
