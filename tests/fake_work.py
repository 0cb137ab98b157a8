"""Tasks for tests of the processes that do them; found by name in other processes."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


def double(task):
    return 2 * task


def start_double():
    return double


@dataclass(frozen=True)
class Starting:
    """Makes the function for a process; `folder` gets a file for each process that is ready."""

    folder: Path

    def __call__(self):
        (self.folder / str(os.getpid())).touch()
        return self.work

    def ready(self):
        return sorted(int(path.name) for path in self.folder.iterdir())

    def work(self, task):
        """What a task says; (kind, value) -> (value, process)."""
        kind, value = task
        if kind == "wait":  # until so many others are ready
            deadline = time.monotonic() + 60
            while len(self.ready()) < value:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            time.sleep(0.2)  # and have said so
        elif kind == "sleep":
            time.sleep(value)
        elif kind == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif kind == "die unless alone":  # as where memory is short
            busy = any(self.folder.parent.glob("busy-*"))
            if busy or not self.folder.with_name("died").exists():
                self.folder.with_name("died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        elif kind == "busy":
            mine = self.folder.with_name(f"busy-{os.getpid()}")  # two may be busy at once
            mine.touch()
            time.sleep(value)
            mine.unlink()
        elif kind == "raise":
            raise value
        elif kind == "large":
            value = bytes(value)
        return value, os.getpid()


def died(task, status):
    return ("died", task, status), 0


@dataclass(frozen=True)
class Refusing:
    error: Exception

    def __call__(self):
        raise self.error


class TwoWordsError(Exception):
    """Cannot be pickled and had again, as its arguments are not those of its class."""

    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def refuse_in_two_words():
    raise TwoWordsError("no", "way")


def stillborn():
    os._exit(3)


def _unpickle_badly(words):
    raise LookupError(words)


class Unreadable:
    """Can be pickled, but not had again."""

    def __reduce__(self):
        return _unpickle_badly, ("nothing of that name",)
