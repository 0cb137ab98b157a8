"""Ctrl-C and the processes that are started here."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from multiprocessing import resource_tracker

__all__ = ["deaf_to_ctrl_c"]


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that are started within never hear Ctrl-C: it goes to the whole group, but one process decides.

    They inherit that it is held back, while here it arrives a moment later. Windows has nothing of the kind.

    >>> with deaf_to_ctrl_c():
    ...     pass  # start them
    """
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # a process started with the first worker, which would let Ctrl-C through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
