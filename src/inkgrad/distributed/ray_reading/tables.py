"""The tables of one batch: what was read, what could not be, and what each file came to."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from inkgrad.distributed.ray_reading.storage import Folder
from inkgrad.errors import StorageError
from inkgrad.reading.formats.columns import Cell, Column, FieldColumns, NumberColumns
from inkgrad.reading.formats.parquet import Parquet
from inkgrad.reading.record import Record, Tally

__all__ = ["FileResult", "done", "kept", "result_of", "tallies", "write"]


@dataclass
class FileResult:
    """What a file came to.

    Attributes:
        file: its name.
        rows: of the table of numbers or fields.
        errors: its page, or None for all of it, and why that could not be read.
        tally: of its pages.
    """

    file: str
    rows: list[list[Cell]] = field(default_factory=list)
    errors: list[tuple[int | None, str]] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


class _Cells:
    """The columns of a table whose rows are at hand."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns

    def rows(self, record: Record) -> Iterator[list[Cell]]:
        """The one row of a record with a value for each column."""
        yield [record[name] for name, _ in self.columns]


_ERRORS = _Cells((("file", "text"), ("page", "whole"), ("error", "text")))
_FILES = _Cells(
    (("file", "text"), ("pages", "whole"), ("numbers", "whole"), ("doubtful", "whole"), ("failed", "whole"))
)


def result_of(records: Sequence[Record], fields: Sequence[str] | None) -> FileResult:
    """What the records of a file come to.

    >>> from inkgrad.reading.record import error_record
    >>> result_of([error_record("a.png", None, "a.png is empty")], None).errors
    [(None, 'a.png is empty')]
    """
    columns, result = _columns(fields), FileResult(records[0]["file"])
    for record in records:
        result.tally.add(record)
        result.rows.extend(columns.rows(record))
        if "error" in record:
            result.errors.append((record["page"], record["error"]))
    return result


def write(out: Folder, number: int, results: Sequence[FileResult], fields: Sequence[str] | None) -> None:
    """Write the tables of a batch; that of the files last, by which one sees that the others are there.

    Raises:
        StorageError: one could not be written.
    """
    rows = [row for result in results for row in result.rows]
    errors: list[list[Cell]] = [[result.file, page, error] for result in results for page, error in result.errors]
    files: list[list[Cell]] = [[result.file, *vars(result.tally).values()] for result in results]
    out.write(_name("numbers", number), _table(_columns(fields), rows))
    out.write(_name("errors", number), _table(_ERRORS, errors))
    out.write(_name("files", number), _table(_FILES, files))


def kept(out: Folder, number: int, fields: Sequence[str] | None) -> dict[str, FileResult]:
    """What is there of a batch, by the names of the files; those with errors are not: they are tried again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    contents = [out.read(_name(kind, number)) for kind in ("files", "numbers")]
    if any(content is None for content in contents):
        return {}
    try:
        files, rows = (pq.read_table(pa.BufferReader(content)).to_pylist() for content in contents)
        results = {}
        for counts in files:
            name = counts.pop("file")
            results[name] = FileResult(name, tally=Tally(**counts))
        names = [name for name, _ in _columns(fields).columns]
        for row in rows:
            results[row["file"]].rows.append([row[name] for name in names])
    except (ValueError, KeyError, TypeError, OSError):  # of another making: read anew
        return {}
    return {name: result for name, result in results.items() if not result.tally.failed}


def done(out: Folder) -> list[int]:
    """The batches that are there, in order."""
    names = out.names("files")
    return [int(name[5:-8]) for name in names if name.startswith("part-") and name.endswith(".parquet")]


def tallies(out: Folder, number: int) -> tuple[int, Tally]:
    """How many files there are in a batch that has been read, and what they come to."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    content = out.read(_name("files", number))
    try:
        table = pq.read_table(pa.BufferReader(content))
        return len(table), Tally(**{name: pc.sum(table[name]).as_py() or 0 for name in vars(Tally())})
    except (ValueError, KeyError, TypeError, OSError) as error:
        place = f"{out.place}/{_name('files', number)}"
        raise StorageError(f"{place} is damaged ({error}); delete it, and its batch is read again") from error


def _columns(fields: Sequence[str] | None) -> NumberColumns | FieldColumns:
    return NumberColumns() if fields is None else FieldColumns(fields)


def _table(columns: Any, rows: list[list[Cell]]) -> bytes:
    content = io.BytesIO()
    table = Parquet(content, columns)
    table.add_rows(rows)
    table.end(Tally())
    return content.getvalue()


def _name(kind: str, number: int) -> str:
    return f"{kind}/part-{number:06d}.parquet"
