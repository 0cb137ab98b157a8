"""Folders on any file system that PyArrow opens: a disk, an object store, what fsspec knows."""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inkgrad.errors import OptionError, StorageError
from inkgrad.files import write_atomically

__all__ = ["Folder", "absolute", "is_uri", "opened"]

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SECRET = re.compile(r"(?<=://)[^/]*:[^/]*(?=@)|(?<=[?&])(\w*(secret|password|token|_key)\w*|sig)=[^&]*", re.I)
_WHOLE = ("s3", "gcs", "abfs")  # where a file is there when all of it is, and not before


def is_uri(place: str) -> bool:
    """Whether a place is a URI and no path.

    >>> is_uri("s3://scans/2024"), is_uri("C:/scans"), is_uri("scans")
    (True, False, False)
    """
    return _URI.match(place) is not None


def absolute(place: str) -> str:
    """A place that means the same in every process and, on storage that all share, on every machine."""
    return place if is_uri(place) else os.path.realpath(place)


def opened(place: str) -> tuple[Any, str]:
    """The file system of a place, of PyArrow, and the path in it.

    Args:
        place: a path or a URI such as `s3://bucket/folder`, `file:///folder` or `fsspec+sftp://host/folder`.

    Raises:
        OptionError: no file system of that kind is known, or the URI has a password in it.
        OSError: it cannot be reached.
    """
    from pyarrow import fs

    if not is_uri(place):
        return fs.LocalFileSystem(), absolute(place)
    if _SECRET.search(place):
        raise OptionError(
            f"the URI {_SECRET.sub('...', place)} has a secret in it, which the output would keep; give it through the "
            "environment or the settings of the storage"
        )
    try:
        found: tuple[Any, str] = fs.FileSystem.from_uri(place)
    except (ValueError, ImportError, NotImplementedError) as error:
        raise OptionError(
            f"{place} is on no file system that PyArrow opens ({' '.join(str(error).split())}); give a path, or a URI "
            "such as s3://, gs://, abfs://, hdfs:// or file://"
        ) from error
    return found


class Folder:
    """A folder in which files are written whole or not at all.

    Args:
        place: a path or a URI.

    Raises:
        OptionError: as `opened`.
        StorageError: it cannot be reached.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = Folder(place)
    ...     folder.write("numbers/a", b"7")
    ...     folder.names("numbers"), folder.names("errors"), folder.read("numbers/a"), folder.read("numbers/b")
    (['a'], [], b'7', None)
    """

    def __init__(self, place: str) -> None:
        self.place = place
        try:
            self.files, self._base = opened(place)
        except OSError as error:
            raise StorageError(f"cannot open {place}: {_reason(error)}; check it, and the way there") from error
        self.path = Path(self._base) if self.files.type_name == "local" else None
        """Where it lies on this machine; None if elsewhere."""

    def names(self, inside: str = "") -> list[str]:
        """What is in it, or in a folder inside; nothing if it is not there."""
        from pyarrow import fs

        with self._told("open", inside):
            found = self.files.get_file_info(fs.FileSelector(self._at(inside), allow_not_found=True))
        return sorted(info.base_name for info in found)

    def read(self, name: str) -> bytes | None:
        """What is in a file; None if it is not there."""
        with self._told("read", name):
            try:
                with self.files.open_input_stream(self._at(name)) as stream:
                    content: bytes = stream.read()
            except FileNotFoundError:
                return None
        return content

    def open(self, name: str) -> Any:
        """A file to read at any place, of PyArrow."""
        with self._told("read", name):
            return self.files.open_input_file(self._at(name))

    def write(self, name: str, content: bytes) -> None:
        """Write a file, with the folders that it needs; another of that name is replaced.

        Raises:
            StorageError: it could not be written.
        """
        if self.path is not None:
            write_atomically(self.path / name, content)
            return
        with self._told("write", name):
            at = self._at(name)
            if self.files.type_name in _WHOLE:
                self._put(at, content)
                return
            above, _, last = at.rpartition("/")
            part = f"{above}/.{last}.{secrets.token_hex(8)}.part"
            self.files.create_dir(above, recursive=True)
            self._put(part, content)
            self.files.move(part, at)

    def delete(self, name: str) -> None:
        """Delete a file or a folder inside, if it is there."""
        from pyarrow import fs

        with self._told("delete", name):
            kind = self.files.get_file_info(self._at(name)).type
            if kind == fs.FileType.Directory:
                self.files.delete_dir(self._at(name))
            elif kind != fs.FileType.NotFound:
                self.files.delete_file(self._at(name))

    def _put(self, at: str, content: bytes) -> None:
        with self.files.open_output_stream(at) as stream:
            stream.write(content)

    def _at(self, name: str) -> str:
        return f"{self._base.rstrip('/')}/{name}" if name else self._base

    @contextlib.contextmanager
    def _told(self, doing: str, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = f"{self.place.rstrip('/')}/{name}" if name else self.place
            raise StorageError(f"cannot {doing} {place}: {_reason(error)}; what was read before is kept") from error


def _reason(error: OSError) -> str:
    return " ".join(str(os.strerror(error.errno) if error.errno else error).split())
