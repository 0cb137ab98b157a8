"""Where what was read goes: to a stream as it comes, or to a file that is whole or absent, by way of a journal."""

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from inkgrad.errors import OptionError, StorageError
from inkgrad.files import write_atomically
from inkgrad.reading.formats import Format, FormatName, binary_format
from inkgrad.reading.held import ctrl_c_held
from inkgrad.reading.journal import Journal, Key, Stamp, journal_path
from inkgrad.reading.record import Record, Tally

__all__ = ["FileOutput", "Output", "StreamOutput", "is_finished"]


class Output(Protocol):
    """Takes records in the order of the pages; `tally` says what they come to."""

    tally: Tally

    def find(self, key: Key, stamp: Stamp) -> tuple[int, Record] | None:
        """A record from an earlier run, with the place by which `add` knows it."""

    def add(self, key: Key, stamp: Stamp, record: Record, place: int | None = None) -> None:
        """Take a record; `place` is that of one that was found."""

    def end(self) -> None:
        """All pages are there."""


class StreamOutput:
    """Each record is written at once; nothing is kept."""

    def __init__(self, form: Format) -> None:
        self.tally = Tally()
        self._format = form

    def find(self, key: Key, stamp: Stamp) -> tuple[int, Record] | None:  # noqa: ARG002  nothing is kept
        """Nothing is ever found."""
        return None

    def add(self, key: Key, stamp: Stamp, record: Record, place: int | None = None) -> None:  # noqa: ARG002
        """Write a record."""
        self.tally.add(record)
        self._format.add(record)

    def end(self) -> None:
        """Write what comes after the last page."""
        with ctrl_c_held():
            self._format.end(self.tally)


class FileOutput:
    """Records go to the journal beside the file; when all are there, the file is made of them and the journal deleted.

    For each page a number is kept in memory, the place of its record: eight bytes.

    Args:
        out: the file.
        name: its format.
        options: what the records depend on, in the words of the command line.
        fields: the names of the fields of a form, or None.
        file_width: letters of the longest name of a file, by which text is aligned.
        resume: go on with the journal of an earlier run.
        overwrite: begin anew, whatever is there.

    Raises:
        OptionError: the file or its journal exists and neither `resume` nor `overwrite` is given, or it cannot be
            continued.
        StorageError: it cannot be written.
    """

    def __init__(
        self,
        out: Path,
        name: FormatName,
        *,
        options: dict[str, Any],
        fields: Sequence[str] | None = None,
        file_width: int = 0,
        resume: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.out, self.tally = out, Tally()
        self._name, self._fields, self._file_width = name, fields, file_width
        if out.exists() and not out.is_file():
            raise OptionError(f"cannot write {out}: it is no ordinary file; name another with --out")
        journal = journal_path(out)
        above = next(folder for folder in out.absolute().parents if folder.exists())
        if not above.is_dir():
            raise OptionError(f"cannot write {out}: {above} is no folder; name another with --out")
        if not (resume or overwrite):
            _refuse_existing(out, journal)
        self.journal = Journal(journal, options, resume=resume)
        self._places = array("Q")

    def find(self, key: Key, stamp: Stamp) -> tuple[int, Record] | None:
        """What the journal knows of a page whose file has not changed since."""
        return self.journal.find(key, stamp)

    def add(self, key: Key, stamp: Stamp, record: Record, place: int | None = None) -> None:
        """Note a record, in the journal if it is new there."""
        self.tally.add(record)
        self._places.append(self.journal.append(key, stamp, record) if place is None else place)

    def end(self) -> None:
        """Make the file.

        Raises:
            StorageError: it could not be written; the journal holds everything.
        """
        self.journal.sync()
        try:
            write_atomically(self.out, self._write)
        except StorageError as error:
            raise StorageError(
                f"{error}, and all that was read is in {self.journal.path}: continue with --resume"
            ) from error
        self.journal.remove()

    def close(self) -> None:
        """Keep the journal for another run; after `end`, or if nothing was read, there is nothing to keep."""
        if self.journal.count:
            self.journal.close()
        else:
            self.journal.remove()

    def _write(self, file: BinaryIO) -> None:
        form = binary_format(self._name, file, fields=self._fields, file_width=self._file_width)
        for place in self._places:
            form.add(self.journal.record(place))
        form.end(self.tally)


def is_finished(out: Path) -> bool:
    """Whether the file is there and no journal beside it, so that there is nothing to resume."""
    return out.is_file() and not journal_path(out).exists()


def _refuse_existing(out: Path, journal: Path) -> None:
    if journal.exists() and journal.stat().st_size > 0:
        raise OptionError(
            f"{journal} holds what an earlier run has read; continue it with --resume, or begin anew with --overwrite"
        )
    if out.exists():
        raise OptionError(f"{out} exists; name another --out, or replace it with --overwrite")
