"""A process that does one task after the other, and the pipe to it."""

import contextlib
import copy
import os
import pickle
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

from inkgrad.errors import RunError
from inkgrad.interrupts import deaf_to_ctrl_c
from inkgrad.kernels.threads import use_threads

__all__ = ["LAST_SECONDS", "start_process"]

LAST_SECONDS = 2.0
"""That a process has to end by itself when it is not needed any more."""


def start_process(start: Callable[[], Callable[[Any], Any]]) -> tuple[Any, Connection]:
    """Start a process with one thread for arithmetic.

    Through the pipe it takes tasks and says `("ready", None)` once, then for each task `("done", result)` or
    `("error", exception)`; that alone if it cannot start. It ends when the pipe does, and with the process that started
    it.

    Args:
        start: makes the function that does a task; pickled.

    Returns:
        The process, of `multiprocessing`, and the pipe.
    """
    context = get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, start), daemon=True)
    with deaf_to_ctrl_c(), _one_thread():
        process.start()
    theirs.close()
    return process, pipe


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Libraries that start a thread for each core when they are loaded are told not to in the processes to come."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@dataclass(frozen=True)
class _Unreadable:
    """Stands for a task that came, but could not be unpickled."""

    error: Exception


def _work(pipe: Connection, start: Callable[[], Callable[[Any], Any]]) -> None:
    """What a process does: one task after the other, until nobody listens any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    use_threads(1)
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, tasks), daemon=True).start()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        try:
            work = start()
        except Exception as error:
            pipe.send(("error", _sendable(error)))
            return
        pipe.send(("ready", None))
        while (held := tasks.get()) is not None:
            pipe.send(("error", held.error) if isinstance(held, _Unreadable) else _answer(work, held[0]))


def _answer(work: Callable[[Any], Any], task: Any) -> tuple[str, Any]:
    try:
        return "done", work(task)
    except Exception as error:
        return "error", _sendable(error)


def _sendable(error: Exception) -> Exception:
    """An exception that survives the way: one whose arguments are not those of its class does not."""
    try:
        pickle.dumps(copy.copy(error))  # which makes it anew as the other end does
    except Exception:
        return RunError(f"unexpected {type(error).__name__}: {error}; report it, please")
    return error


def _unpickled(content: bytes) -> "tuple[Any] | _Unreadable":
    """A task as it was sent, or why it cannot be had here."""
    try:
        return (ForkingPickler.loads(content),)
    except Exception as error:  # unpickling fails in any way
        told = f"a task cannot be taken over by another process ({type(error).__name__}: {error})"
        return _Unreadable(RunError(f"{told}; report it, please"))


def _receive(pipe: Connection, tasks: "queue.SimpleQueue[Any]") -> None:
    """Take tasks at once, so that who sends them never waits; at their end interrupt what is being done."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            tasks.put(_unpickled(pipe.recv_bytes()))
    tasks.put(None)
    main = threading.main_thread().ident
    if sys.platform == "win32" or main is None:
        os._exit(0)
    signal.pthread_kill(main, signal.SIGTERM)  # to that thread: waiting of any kind ends
    time.sleep(LAST_SECONDS)
    os._exit(0)  # what does not come back from a library hears no signal
