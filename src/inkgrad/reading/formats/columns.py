"""The columns of tables: one row a number, or of forms one row a page.

Of numbers:

| column | holds |
|---|---|
| `file` | the name of the file |
| `page` | the page in it, from 1 |
| `index` | the number on the page, from 1: first those one may be sure of in reading order, then the doubtful ones |
| `text` | its digits only; text, so that zeros at the beginning stay |
| `written` | with separators and signs |
| `confidence` | the probability that all of its digits are right, 0 to 1 |
| `doubtful` | whether it is one of the doubtful |
| `x1`, `y1` to `x4`, `y4` | its corners in pixels of the page, clockwise from the number's own upper left |
| `free` | what it would have been read as without what was expected; nothing if nothing was expected |

Of forms `file`, `page`, and for each field by its name three columns: `NAME` (its digits, nothing if none are written),
`NAME_confidence` (nothing if none are written) and `NAME_doubtful`.

A page without numbers has no row in the first, one row of empty fields in the second. What could not be read has no
row.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol, TypeAlias

from inkgrad.reading.record import Record

__all__ = ["Cell", "Column", "Columns", "FieldColumns", "NumberColumns", "field_columns"]

Kind: TypeAlias = Literal["text", "whole", "real", "flag"]
Column: TypeAlias = tuple[str, Kind]
"""Name and kind."""

Cell: TypeAlias = str | int | float | bool | None

_CORNERS: tuple[Column, ...] = tuple((f"{axis}{corner}", "real") for corner in range(1, 5) for axis in "xy")


class Columns(Protocol):
    """A table's columns and its rows."""

    @property
    def columns(self) -> Sequence[Column]:
        """From left to right."""

    def rows(self, record: Record) -> Iterator[list[Cell]]:
        """The rows of one page, a cell for each column."""


class NumberColumns:
    """One row a number."""

    columns: Sequence[Column] = (
        ("file", "text"),
        ("page", "whole"),
        ("index", "whole"),
        ("text", "text"),
        ("written", "text"),
        ("confidence", "real"),
        ("doubtful", "flag"),
        *_CORNERS,
        ("free", "text"),
    )

    def rows(self, record: Record) -> Iterator[list[Cell]]:
        """The rows of one page, a cell for each column."""
        if "error" in record:
            return
        sure, doubtful = record["numbers"], record["doubtful"]
        for index, number in enumerate([*sure, *doubtful]):
            corners: list[Any] = [float(place) for corner in number["box"] for place in corner]
            head = [record["file"], record["page"], index + 1, number["text"], number["written"]]
            yield [*head, float(number["confidence"]), index >= len(sure), *corners, number["free"]]


def field_columns(name: str) -> tuple[Column, Column, Column]:
    """The three columns of a form's field.

    >>> field_columns("amount")
    (('amount', 'text'), ('amount_confidence', 'real'), ('amount_doubtful', 'flag'))
    """
    return (name, "text"), (f"{name}_confidence", "real"), (f"{name}_doubtful", "flag")


class FieldColumns:
    """One row a page of a form."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = tuple(fields)
        self.columns: Sequence[Column] = (
            ("file", "text"),
            ("page", "whole"),
            *(column for name in fields for column in field_columns(name)),
        )

    def rows(self, record: Record) -> Iterator[list[Cell]]:
        """The one row of a page, a cell for each column."""
        if "error" in record:
            return
        row: list[Cell] = [record["file"], record["page"]]
        for name in self._fields:
            field = record["fields"][name]
            confidence = field["confidence"]
            row += [field["text"], None if confidence is None else float(confidence), field["doubtful"]]
        yield row
