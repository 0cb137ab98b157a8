"""The threads that run programs: as many as there are cores, waiting between two steps."""

import ctypes
import os
import threading
from collections.abc import Callable, Sequence

from inkgrad.errors import OptionError
from inkgrad.kernels.numba_cpu import control

__all__ = ["run_on_threads", "thread_count", "use_threads"]

Runner = Callable[[int], None]

_chosen: list[int | None] = [None]


def use_threads(n: int | None) -> None:
    """Let compiled plans run on `n` threads from now on; None asks INKGRAD_THREADS again, or counts the cores.

    Raises:
        OptionError: n < 1.
    """
    if n is not None and n < 1:
        raise OptionError(f"use_threads needs at least 1 thread, but got {n}")
    _chosen[0] = n


def thread_count() -> int:
    """How many threads plans run on: `use_threads`, else INKGRAD_THREADS, else the cores this process may use.

    Raises:
        OptionError: INKGRAD_THREADS is no positive number.
    """
    if _chosen[0] is not None:
        return _chosen[0]
    wanted = os.environ.get("INKGRAD_THREADS")
    if wanted:
        if not wanted.isdecimal() or int(wanted) < 1:
            raise OptionError(f"INKGRAD_THREADS must be a positive number, but is {wanted!r}")
        return int(wanted)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


class _Worker(threading.Thread):
    """Runs one program when told to."""

    def __init__(self, runner: Runner, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._runner = runner
        self._go = threading.Lock()
        self._done = threading.Lock()
        self._go.acquire()
        self._done.acquire()
        self._entry = 0
        self.start()

    def begin(self, entry: int) -> None:
        self._entry = entry
        self._go.release()

    def end(self) -> None:
        self._done.acquire()

    def run(self) -> None:
        while True:
            self._go.acquire()
            self._runner(self._entry)
            self._done.release()


class _Team:
    """Workers of this process; a forked child makes its own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.workers: list[_Worker] = []
        self.runner: Runner = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(control.run.address)

    def run(self, entries: Sequence[int]) -> None:
        while len(self.workers) < len(entries) - 1:
            self.workers.append(_Worker(self.runner, f"inkgrad-{len(self.workers) + 1}"))
        helpers = self.workers[: len(entries) - 1]
        for worker, entry in zip(helpers, entries[1:], strict=True):
            worker.begin(entry)
        self.runner(entries[0])
        for worker in helpers:
            worker.end()


_teams: dict[int, _Team] = {}
_making = threading.Lock()


def run_on_threads(entries: Sequence[int]) -> None:
    """Run one program on each thread; returns when all have ended. Several callers take turns."""
    team = _teams.get(os.getpid())
    if team is None:
        with _making:
            team = _teams.setdefault(os.getpid(), _Team())
    if len(entries) == 1:
        team.runner(entries[0])
        return
    with team.lock:
        team.run(entries)
