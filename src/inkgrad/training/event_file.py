"""Event files, as TensorBoard reads them: a stream of records that only ever grows."""

import os
import time
from pathlib import Path
from typing import Any

from inkgrad.errors import OptionError, StorageError

__all__ = ["EventFile", "require_tensorboardx"]

_PREFIX = "events.out.tfevents."  # TensorBoard takes files with "tfevents" in their names, in the names' order


def require_tensorboardx() -> None:
    """Raise OptionError, with what to do, unless tensorboardX is installed."""
    try:
        import tensorboardX  # noqa: F401
    except ImportError as error:
        raise OptionError(
            'TensorBoard logs need the package tensorboardX; install it with pip install "inkgrad[tensorboard]", '
            "or train without --tensorboard"
        ) from error


class EventFile:
    """The next file of a log folder, written with tensorboardX.

    It begins with the mark of a restart: TensorBoard then forgets what earlier files of the folder hold from `step`
    on. Records are written by the caller's own thread, so that a full disk is an error where it happens.

    Args:
        folder: made if missing.
        step: the first step that this file will tell of.

    Attributes:
        first: whether the folder held no event file before.

    Raises:
        StorageError: here and in each method, the file cannot be written.
    """

    def __init__(self, folder: Path, *, step: int) -> None:
        from tensorboardX.proto.event_pb2 import SessionLog
        from tensorboardX.record_writer import RecordWriter

        try:
            folder.mkdir(parents=True, exist_ok=True)
            taken = [path.name.removeprefix(_PREFIX) for path in folder.glob(f"{_PREFIX}*")]
            number = 1 + max((int(name) for name in taken if name.isdecimal()), default=0)
            self.first = not taken
            self.path = folder / f"{_PREFIX}{number:010d}"
            self._records = RecordWriter(str(self.path))
        except OSError as error:
            raise _storage_error(folder, error) from error
        self.write(file_version="brain.Event:2")
        self.write(step=step, session_log=SessionLog(status=SessionLog.START))

    def write(self, **content: Any) -> None:
        """Write one event: `step`, and one of the fields of TensorBoard's `Event`, such as `summary`."""
        from tensorboardX.proto.event_pb2 import Event

        try:
            self._records.write(Event(wall_time=time.time(), **content).SerializeToString())
        except OSError as error:
            raise _storage_error(self.path, error) from error

    def flush(self) -> None:
        """Bring everything to the disk."""
        try:
            self._records.flush()
        except OSError as error:
            raise _storage_error(self.path, error) from error

    def close(self) -> None:
        """Flush and end the file."""
        try:
            self._records.close()
        except OSError as error:
            raise _storage_error(self.path, error) from error


def _storage_error(path: str | os.PathLike[str], error: OSError) -> StorageError:
    return StorageError(f"cannot write the TensorBoard log {path}: {error.strerror or error}; free space or rights")
