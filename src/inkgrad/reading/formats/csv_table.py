"""CSV as RFC 4180 has it: a header, commas, lines that end in CR LF, quotes where they are needed; UTF-8.

A spreadsheet that opens the file takes a cell that begins with `=`, `+`, `-` or `@` for a formula. Names of files may
come from strangers, and an amount may be written as `=12-`. Such a cell, unless it is a plain number such as `-5` or
`-1.50`, which is the same as a value, gets an apostrophe in front: spreadsheets calculate nothing then. So does a cell
that begins with an apostrophe, a tab or a line end itself. Programs that want the very characters drop one leading
apostrophe from cells of text, or read JSON or Parquet, which hold them as they are.

Spreadsheets also drop zeros at the beginning of what looks like a number, such as a postcode in the column `text`.
Import that column as text to keep them.

Truth is `true` or `false`; nothing is an empty cell.
"""

import csv
import re
from collections.abc import Callable

from inkgrad.reading.formats.columns import Cell, Columns
from inkgrad.reading.record import Record, Tally

__all__ = ["CsvTable", "harmless"]

_FORMULA = re.compile(r"[-=+@'\t\r\n]")
_NUMBER = re.compile(r"-?[0-9]+([.,][0-9]+)?")


class CsvTable:
    """Writes rows as they come, the header before the first."""

    def __init__(self, write: Callable[[str], object], columns: Columns) -> None:
        self._columns = columns
        self._csv = csv.writer(_Writable(write), lineterminator="\r\n")
        self._begun = False

    def add(self, record: Record) -> None:
        """Write the rows of one page."""
        self._begin()
        for row in self._columns.rows(record):
            self._csv.writerow([_as_text(cell) for cell in row])

    def end(self, tally: Tally) -> None:  # noqa: ARG002  a table has no last line
        """Write the header of a table without rows."""
        self._begin()

    def _begin(self) -> None:
        if not self._begun:
            self._csv.writerow([harmless(name) for name, _ in self._columns.columns])
            self._begun = True


def harmless(text: str) -> str:
    """What no spreadsheet takes for a formula.

    >>> harmless("1.234,56"), harmless("-5"), harmless("=12"), harmless("-5-3"), harmless("'07")
    ('1.234,56', '-5', "'=12", "'-5-3", "''07")
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _as_text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        return harmless(cell)
    return "" if cell is None else repr(cell)


class _Writable:
    """What `csv.writer` writes to."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self.write = write
