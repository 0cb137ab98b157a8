"""Aligned text for people: one line a number, or of forms one line a page.

The column of files is as wide as the longest name, where that is known. Others are as wide as what has come so far, as
nothing is kept to wait for what is still to come. A doubtful number is
marked as such behind its confidence, and where something was expected that changed the reading, what it would have been
follows. What could not be read has no line here; it is reported where messages go.
"""

from collections.abc import Callable, Sequence

from inkgrad.reading.formats.columns import Columns, FieldColumns
from inkgrad.reading.record import Record, Tally

__all__ = ["Text", "printable"]

_HEADINGS = ("file", "page", "written", "digits", "confidence", "")
_RIGHT = (1, 2, 3, 4)
_GAP = "  "


class Text:
    """Writes lines as they come, a heading above the first."""

    def __init__(self, write: Callable[[str], object], columns: Columns, file_width: int = 0) -> None:
        self._write = write
        self._forms = isinstance(columns, FieldColumns)
        names = [name for name, _ in columns.columns]
        self._headings = [printable(name) for name in (names[:2] + names[2::3] if self._forms else _HEADINGS)]
        self._right = (1,) if self._forms else _RIGHT
        self._widths = [len(heading) for heading in self._headings]
        self._widths[0] = max(self._widths[0], file_width)
        self._begun = False

    def add(self, record: Record) -> None:
        """Write the lines of one page."""
        if "error" in record:
            return
        lines = [_form_line(record)] if self._forms else _number_lines(record)
        for line in lines:
            self._widths = [max(width, len(cell)) for width, cell in zip(self._widths, line, strict=True)]
        if not self._begun:
            self._line(self._headings)
            self._begun = True
        for line in lines:
            self._line(line)

    def end(self, tally: Tally) -> None:
        """Nothing: what all come to is told where messages go."""

    def _line(self, cells: Sequence[str]) -> None:
        padded = [
            cell.rjust(width) if place in self._right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(cells, self._widths, strict=True))
        ]
        self._write(_GAP.join(padded).rstrip() + "\n")


def _number_lines(record: Record) -> list[list[str]]:
    lines = []
    numbers, sure = [*record["numbers"], *record["doubtful"]], len(record["numbers"])
    head = [printable(record["file"]), str(record["page"])]
    for index, number in enumerate(numbers):
        notes = ["doubtful"] if index >= sure else []
        if number["free"] not in (None, number["text"], number["written"]):
            notes.append(f"freely read {printable(number['free']) or 'nothing'}")
        share = f"{number['confidence']:.1%}"
        lines.append([*head, printable(number["written"]), number["text"], share, ", ".join(notes)])
    return lines or [[*head, "", "", "", "no number"]]


def _form_line(record: Record) -> list[str]:
    cells = []
    for field in record["fields"].values():
        share = "" if field["confidence"] is None else f" {field['confidence']:.1%}"
        cells.append(f"{field['text'] or '-'}{f' ?{share}' if field['doubtful'] else ''}")
    return [printable(record["file"]), str(record["page"]), *cells]


def printable(text: str) -> str:
    r"""Text without characters that a terminal would obey: names of files may come from strangers.

    >>> print(printable("a" + chr(27) + "[2J.png"))
    a\x1b[2J.png
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
