"""Parquet, written by pyarrow in groups of rows, so that a long table needs no more memory than a short one."""

from collections.abc import Iterable
from typing import Any, BinaryIO

from inkgrad.errors import OptionError
from inkgrad.reading.formats.columns import Cell, Columns
from inkgrad.reading.record import Record, Tally

__all__ = ["Parquet", "require_pyarrow"]

GROUP = 10_000  # rows


class Parquet:
    """Writes a group of rows whenever there are enough.

    Text is a string, page and index are int32, confidences and corners doubles, truth is a boolean; nothing is null.

    Args:
        file: binary, at its beginning.
        columns: of the table.
        group: rows that are written at a time.

    Raises:
        OptionError: pyarrow is not installed.
    """

    def __init__(self, file: BinaryIO, columns: Columns, *, group: int = GROUP) -> None:
        require_pyarrow()
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {"text": pa.string(), "whole": pa.int32(), "real": pa.float64(), "flag": pa.bool_()}
        self._columns, self._group = columns, group
        self._schema = pa.schema([pa.field(name, kinds[kind]) for name, kind in columns.columns])
        self._writer: Any = pq.ParquetWriter(file, self._schema)
        self._rows: list[list[Cell]] = []

    def add(self, record: Record) -> None:
        """Take the rows of one page."""
        self.add_rows(self._columns.rows(record))

    def add_rows(self, rows: Iterable[list[Cell]]) -> None:
        """Take rows, a cell for each column."""
        self._rows.extend(rows)
        if len(self._rows) >= self._group:
            self._flush()

    def end(self, tally: Tally) -> None:  # noqa: ARG002  a table has no last line
        """Write the last rows and the directory of the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._rows:
            return
        cells = [
            pa.array(column, kind)
            for column, kind in zip(zip(*self._rows, strict=True), self._schema.types, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(cells, schema=self._schema), row_group_size=len(self._rows))
        self._rows = []


def require_pyarrow() -> None:
    """Raise an OptionError that says what to install, if pyarrow is not there."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise OptionError('Parquet needs pyarrow; install it with pip install "inkgrad[parquet]"') from error
