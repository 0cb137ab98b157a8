"""Results on standard output, as one JSON object or for people; everything else on standard error."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from inkgrad.files import plain

__all__ = ["emit_json", "say", "show_digit", "table"]


def emit_json(result: dict[str, Any]) -> None:
    """Print one JSON object, the only thing on standard output."""
    sys.stdout.write(json.dumps(plain(result)) + "\n")
    sys.stdout.flush()


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
