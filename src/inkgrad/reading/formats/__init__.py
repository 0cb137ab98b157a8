"""What was read, as text for people, or as JSON, CSV or Parquet for machines; each is written page by page."""

from collections.abc import Callable, Sequence
from typing import BinaryIO, Literal, Protocol, TypeAlias

from inkgrad.reading.formats.columns import FieldColumns, NumberColumns
from inkgrad.reading.formats.csv_table import CsvTable
from inkgrad.reading.formats.json_object import JsonObject
from inkgrad.reading.formats.text import Text
from inkgrad.reading.record import Record, Tally

__all__ = ["Format", "FormatName", "binary_format", "text_format"]

FormatName: TypeAlias = Literal["text", "json", "csv", "parquet"]


class Format(Protocol):
    """What every format can do."""

    def add(self, record: Record) -> None:
        """Write what was read of one page."""

    def end(self, tally: Tally) -> None:
        """Write what comes after the last page."""


def text_format(
    name: FormatName, write: Callable[[str], object], *, fields: Sequence[str] | None = None, file_width: int = 0
) -> Format:
    """A format that writes text: all but Parquet.

    Args:
        name: which one.
        write: takes the text, with line ends as they shall be.
        fields: the names of the fields of a form, of which one row a page comes out; None for numbers.
        file_width: letters of the longest name of a file, if it is known, by which text is aligned.

    >>> written: list[str] = []
    >>> table = text_format("csv", written.append)
    >>> table.end(Tally())
    >>> written[0].split(",")[:3]
    ['file', 'page', 'index']
    """
    columns = NumberColumns() if fields is None else FieldColumns(fields)
    if name == "json":
        return JsonObject(write)
    return CsvTable(write, columns) if name == "csv" else Text(write, columns, file_width)


def binary_format(
    name: FormatName, file: BinaryIO, *, fields: Sequence[str] | None = None, file_width: int = 0
) -> Format:
    """Any format, written to a binary file; text in UTF-8.

    Raises:
        OptionError: Parquet is asked for, but pyarrow is not installed.
    """
    if name == "parquet":
        from inkgrad.reading.formats.parquet import Parquet

        return Parquet(file, NumberColumns() if fields is None else FieldColumns(fields))
    return text_format(name, lambda text: file.write(text.encode()), fields=fields, file_width=file_width)
