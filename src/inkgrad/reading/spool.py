"""Standard input and pipes in temporary files: what can be read only once is there for every process."""

import stat
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from inkgrad.errors import ImageError, StorageError
from inkgrad.reading.sources import STDIN, Source
from inkgrad.reading.sources_pages import piped_input

__all__ = ["Spool", "is_pipe"]

_MOST_BYTES = 1 << 30
_PIECE = 1 << 20


class Spool:
    """A folder for such files, made when it is needed and deleted at the end of the `with` block."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def keep(self, source: Source) -> Path:
        """Copy what comes from a pipe to a file.

        Raises:
            ImageError: nothing comes, or more than 1 GiB.
            StorageError: there is no room for it.
        """
        if source is STDIN:
            return self._copied(piped_input(), str(source))
        assert isinstance(source, Path)
        with source.open("rb") as stream:
            return self._copied(stream, str(source))

    def _copied(self, stream: BinaryIO, name: str) -> Path:
        left = _MOST_BYTES
        try:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="inkgrad-", ignore_cleanup_errors=True)
            self._count += 1
            path = Path(self._folder.name) / str(self._count)
            with path.open("wb") as file:
                while left >= 0 and (piece := stream.read(_PIECE)):
                    file.write(piece)
                    left -= len(piece)
        except OSError as error:
            raise StorageError(
                f"cannot keep {name} in {tempfile.gettempdir()}: {error.strerror or error}; make room there, or name "
                "another folder with TMPDIR"
            ) from error
        if left == _MOST_BYTES:
            raise ImageError(f"{name} is empty, expected the bytes of an image or a PDF; pipe one into it")
        if left < 0:
            raise ImageError(f"{name} has more than 1 GiB, which is the most that is read of a pipe; name a file")
        return path


def is_pipe(path: Path) -> bool:
    """Whether a path is a pipe, such as the `/dev/fd/63` that a shell makes of `<(...)`."""
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except OSError:
        return False
