"""The journal of a reading: what has been read so far, kept beside the output, from which a run can go on.

It lies at `FILE.part`, one JSON object a line. The first line says what it is and with which options the pages were
read; each other one holds `key` (the file and the page), `stamp` (the size of the file, the time when it was last
changed, and the name of the annotated page if there is one) and `record`. A line is written whole by one call and
synced now and then, so that a process that is killed loses no line that it had written, and a computer that loses power
those of the last second. Half a line at the end is dropped.
"""

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any, TypeAlias

from inkgrad.errors import OptionError, StorageError
from inkgrad.reading.record import Record

__all__ = ["Journal", "Key", "Stamp", "compare_options", "journal_path", "lock"]

Key: TypeAlias = tuple[str, int | None]
"""File and page."""

Stamp: TypeAlias = tuple[int, int] | tuple[int, int, str] | None
"""Size in bytes, time of the last change in nanoseconds, and of a page that is drawn upon the name of that picture.

None for what is not kept, such as standard input.
"""

_KIND = "inkgrad read"
_START = b'{"journal": "' + _KIND.encode() + b'"'
_SYNC_SECONDS = 1.0


def journal_path(out: Path) -> Path:
    """Where the journal of an output lies.

    >>> journal_path(Path("numbers.csv")).name
    'numbers.csv.part'
    """
    return out.with_name(out.name + ".part")


class Journal:
    """Records on disk, found again by file and page.

    What is kept in memory of each record from before is two numbers; of new ones nothing.

    Args:
        path: the file.
        options: what the records depend on, in the words of the command line; plain values.
        resume: go on with what is there; otherwise begin anew.

    Raises:
        OptionError: the file is no journal, or belongs to a reading with other options or one that still runs.
        StorageError: it cannot be written.
    """

    def __init__(self, path: Path, options: dict[str, Any], *, resume: bool) -> None:
        self.path, self.count = path, 0
        self._places: dict[int, int] = {}
        self._synced = time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error.strerror or error}; name another --out") from error
        self._file = os.fdopen(handle, "r+b", buffering=0)
        try:
            lock(handle, path)
            self._end = self._take_up(options) if resume else self._begin(options)
        except BaseException:
            self._file.close()
            raise

    def find(self, key: Key, stamp: Stamp) -> tuple[int, Record] | None:
        """Where a page's record stands and what it says; None if the page has not been read or its file has changed."""
        place = self._places.get(_digest(key))
        if place is None or stamp is None:
            return None
        line = self._line(place)
        same = tuple(line["key"]) == key and line["stamp"] is not None and tuple(line["stamp"]) == stamp
        return (place, line["record"]) if same else None

    def append(self, key: Key, stamp: Stamp, record: Record) -> int:
        """Write a record; returns where it stands.

        Raises:
            StorageError: it could not be written; those from before are unharmed.
        """
        place = self._end
        self._write({"key": key, "stamp": stamp, "record": record})
        self.count += 1
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            self.sync()
        return place

    def record(self, place: int) -> Record:
        """The record that stands there."""
        found: Record = self._line(place)["record"]
        return found

    def sync(self) -> None:
        """Bring what was written to the disk itself."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failure(error) from error
        self._synced = time.monotonic()

    def close(self) -> None:
        """Keep what is there for another run; what is closed already stays so."""
        if not self._file.closed:
            with contextlib.suppress(OSError):
                os.fsync(self._file.fileno())
            self._file.close()

    def remove(self) -> None:
        """Delete the file: its records are safe elsewhere."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _begin(self, options: dict[str, Any]) -> int:
        if not _is_ours(self._file.read(len(_START))):
            raise OptionError(f"{self.path} is no journal of inkgrad read; move it away, or name another --out")
        self._end = 0
        self._file.truncate(0)
        self._write({"journal": _KIND, "options": options})
        return self._end

    def _take_up(self, options: dict[str, Any]) -> int:
        """Note where the records stand; the first line that is not whole ends the file."""
        first = self._parsed(self._file.readline())
        if first is None:
            self._file.seek(0)
            return self._begin(options)
        compare_options(first.get("options", {}), options, self.path)
        place = self._file.tell()
        with open(self._file.fileno(), "rb", closefd=False) as lines:
            lines.seek(place)
            for line in lines:
                entry = self._parsed(line)
                if entry is None:
                    break
                key, failed = tuple(entry["key"]), "error" in entry["record"]
                if failed:  # what failed is tried again
                    self._places.pop(_digest(key), None)
                else:
                    self._places[_digest(key)] = place
                place += len(line)
        self.count = len(self._places)
        self._file.truncate(place)
        return place

    @staticmethod
    def _parsed(line: bytes) -> dict[str, Any] | None:
        if not line.endswith(b"\n"):
            return None
        try:
            entry = json.loads(line)
        except ValueError:  # what a lost power supply may leave
            return None
        known = isinstance(entry, dict) and (
            entry.get("journal") == _KIND or {"key", "stamp", "record"} <= entry.keys()
        )
        return entry if known else None

    def _line(self, place: int) -> dict[str, Any]:
        self._file.seek(place)
        with open(self._file.fileno(), "rb", closefd=False) as lines:
            found: dict[str, Any] = json.loads(lines.readline())
        return found

    def _write(self, entry: dict[str, Any]) -> None:
        content = memoryview(json.dumps(entry).encode() + b"\n")
        start = self._end
        try:
            self._file.seek(start)
            while content:
                content = content[self._file.write(content) or 0 :]
            self._end = self._file.tell()
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(start)
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> StorageError:
        kept = f"the {self.count:,} pages in it are kept, continue with --resume" if self.count else "nothing is lost"
        return StorageError(f"cannot write {self.path}: {error.strerror or error}; {kept}")


def _is_ours(start: bytes) -> bool:
    """Whether a file begins as a journal does, be it that it was cut off early."""
    return start == _START[: len(start)]


def _digest(key: Key) -> int:
    return int.from_bytes(hashlib.blake2b(json.dumps(key).encode(), digest_size=8).digest(), "little")


def compare_options(before: dict[str, Any], now: dict[str, Any], path: Path | str) -> None:
    """Raise an OptionError if what is to be continued at `path` was begun with other options."""
    for name in [*before, *(name for name in now if name not in before)]:
        if before.get(name) != now.get(name):
            was, is_now = (_spoken(options.get(name)) for options in (before, now))
            raise OptionError(
                f"the pages in {path} were read with {name} {was}, not {is_now}; give the same to continue with "
                f"--resume, or begin anew with --overwrite"
            )


def _spoken(value: Any) -> str:
    return "left out" if value in (None, False) else "given" if value is True else str(value)


def lock(handle: int, path: Path) -> None:
    """Only one run at a time writes an output; the lock ends with the process, however that ends.

    Raises:
        OptionError: another one does.
    """
    try:
        import fcntl
    except ImportError:  # not on every system
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OptionError(f"another run is writing {path}; wait for its end, or name another --out") from error
    except OSError:  # some network file systems have no locks
        return
