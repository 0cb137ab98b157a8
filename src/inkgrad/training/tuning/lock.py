"""One tuning a folder: a lock that ends with the process that holds it, however that ends."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from inkgrad.errors import OptionError, StorageError

__all__ = ["only_one"]

LOCK_FILE = "tuning.lock"


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock inside the `with` block.

    Raises:
        OptionError: another process holds it.
        StorageError: the lock's file cannot be made.
    """
    try:  # the operating system gives SQLite's locks back when a process ends, even by kill -9
        lock = sqlite3.connect(folder / LOCK_FILE, timeout=0, isolation_level=None)
    except sqlite3.Error as error:
        raise StorageError(f"cannot write {folder / LOCK_FILE}: {error}") from error
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if "locked" in str(error):
            raise OptionError(f"another process is tuning in {folder}; wait for it or choose another folder") from None
        raise StorageError(f"cannot write {folder / LOCK_FILE}: {error}") from error
    try:
        yield
    finally:
        lock.close()
