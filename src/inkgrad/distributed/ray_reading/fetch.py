"""Files of other file systems, brought to this machine shortly before they are read."""

import contextlib
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from inkgrad.distributed.ray_reading.listing import LOCAL, Entry
from inkgrad.distributed.ray_reading.storage import opened
from inkgrad.errors import StorageError
from inkgrad.reading.inputs import NamedFile
from inkgrad.reading.joints import BadInput

__all__ = ["Fetcher"]

AHEAD = 4  # files that are fetched at once
PAUSES = (0.2, 2.0)  # seconds before a file that could not be fetched is tried again
_PIECE = 1 << 20


class Fetcher:
    """Gives files as they are asked for; those of other file systems are copied to a folder for the `with` block.

    Args:
        places: the paths and URIs that were given, on whose file systems the files are.
        entries: the files.
    """

    def __init__(self, places: Sequence[str], entries: Sequence[Entry]) -> None:
        self._places, self._entries = places, entries
        self._systems: dict[int, Any] = {}
        self._stack = contextlib.ExitStack()
        self._folder: Path | None = None
        self._copies: deque[tuple[str, Path]] = deque()

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def files(self) -> Iterator[NamedFile | BadInput]:
        """The files in their order; some of those to come are fetched meanwhile."""
        ahead: deque[Future[NamedFile | BadInput] | NamedFile | BadInput] = deque()
        pool = None
        for number, entry in enumerate(self._entries):
            if entry.error:
                ahead.append(BadInput(entry.name, entry.error))
            elif entry.root == LOCAL:
                ahead.append(NamedFile(entry.name, Path(entry.path)))
            else:
                pool = pool or self._prepared()
                ahead.append(pool.submit(self._fetched, entry, self._copy(entry.name, number)))
            while len(ahead) > (AHEAD if pool else 0):
                yield _there(ahead.popleft())
        for one in ahead:
            yield _there(one)

    def forget(self, name: str) -> None:
        """Delete the copies up to that of a file: they have been read."""
        if any(name == known for known, _ in self._copies):
            last = None
            while last != name:
                last, path = self._copies.popleft()
                path.unlink(missing_ok=True)

    def _prepared(self) -> ThreadPoolExecutor:
        try:
            folder = tempfile.TemporaryDirectory(prefix="inkgrad-", ignore_cleanup_errors=True)
        except OSError as error:
            raise _no_room(error) from error
        self._folder = Path(self._stack.enter_context(folder))
        return self._stack.enter_context(ThreadPoolExecutor(AHEAD))

    def _copy(self, name: str, number: int) -> Path:
        assert self._folder is not None
        self._copies.append((name, self._folder / str(number)))
        return self._copies[-1][1]

    def _fetched(self, entry: Entry, copy: Path) -> NamedFile | BadInput:
        for pause in (*PAUSES, None):
            try:
                with self._system(entry.root).open_input_stream(entry.path) as stream, copy.open("wb") as file:
                    while piece := stream.read(_PIECE):
                        _write(file, piece)
                return NamedFile(entry.name, copy)
            except FileNotFoundError:
                return BadInput(entry.name, f"there is no file {entry.name} any more; check the URI")
            except StorageError:  # no fault of the file
                raise
            except Exception as error:  # what fsspec knows has errors of its own
                if pause is None:
                    told = " ".join(str(error).split())
                    return BadInput(entry.name, f"{entry.name} could not be fetched ({told}); try again with --resume")
                time.sleep(pause)
        raise AssertionError("one of the tries was the last")

    def _system(self, root: int) -> Any:
        if root not in self._systems:
            self._systems[root] = opened(self._places[root])[0]
        return self._systems[root]


def _there(one: "Future[NamedFile | BadInput] | NamedFile | BadInput") -> NamedFile | BadInput:
    return one.result() if isinstance(one, Future) else one


def _write(file: Any, piece: bytes) -> None:
    try:
        file.write(piece)
    except OSError as error:
        raise _no_room(error) from error


def _no_room(error: OSError) -> StorageError:
    return StorageError(
        f"cannot keep files in {tempfile.gettempdir()}: {error.strerror or error}; make room there, or name another "
        "folder with TMPDIR"
    )
