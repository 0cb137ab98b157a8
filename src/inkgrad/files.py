"""Writing files whole or not at all, and what JSON can hold."""

import contextlib
import math
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from inkgrad.errors import StorageError

__all__ = ["plain", "write_atomically"]


def plain(value: Any) -> Any:
    """The same as JSON holds it: arrays as lists, and null for NaN and infinity, which are no JSON.

    >>> plain({"loss": float("nan"), 3: (1, 2.5)})
    {'loss': None, '3': [1, 2.5]}
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_atomically(path: str | os.PathLike[str], content: bytes | str | Callable[[BinaryIO], object]) -> Path:
    """Write `content` to `path` so that a reader sees the old file or the new one, never a part.

    A temporary file beside `path` is written, synced and renamed over it (POSIX `rename` is atomic);
    if anything fails, the temporary file goes and the old file stays. Missing parent folders are made.

    Args:
        path: where the file goes.
        content: bytes, text (written as UTF-8), or a function that writes to the open binary file.

    Returns:
        The path written.

    Raises:
        StorageError: the file could not be written, for instance because the disk is full.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder) / "note.txt", "seven").read_text()
    'seven'
    """
    path = Path(os.path.realpath(path))  # what a link points to is replaced, not the link
    temporary: Path | None = None
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # renaming over a device would take it away
            raise StorageError(f"cannot write {path}: it is no ordinary file; name another")
        path.parent.mkdir(parents=True, exist_ok=True)
        name = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        temporary = name
        with os.fdopen(handle, "wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; what was there before is unchanged"
        ) from error
    except BaseException:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise
    return path


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut; not every system can sync a folder."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):  # the new file is in place already
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
