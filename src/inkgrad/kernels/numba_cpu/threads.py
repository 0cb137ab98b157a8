"""The threads that run instructions: as many as there are cores, waiting between two steps."""

import ctypes
import os
import threading
from collections.abc import Sequence

import numpy as np

from inkgrad.kernels.numba_cpu import control
from inkgrad.kernels.numba_cpu.native import Instruction
from inkgrad.kernels.threads import thread_count, use_threads

__all__ = ["address_of_pause", "forks", "run_on_threads", "thread_count", "use_threads"]

AWAKE = 20_000  # turns of waiting, about a millisecond, before a helper sleeps


class _Helper(threading.Thread):
    """Runs the tasks in its mailbox, for ever; sleeps when there have been none for a while."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._room = np.zeros(2 * control.MAILBOX, np.int64)
        skip = -self._room.ctypes.data % 64
        self.mailbox = self._room.ctypes.data + skip
        self._room[skip // 8 + control.GATE] = _closed_lock()
        self.start()

    def run(self) -> None:
        words = np.array([self.mailbox, AWAKE, _function("PyThread_acquire_lock")], np.int64)
        control.serve(words.ctypes.data)


def _function(name: str) -> int:
    """The address of a function of Python's own, one that needs no interpreter."""
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


def _closed_lock() -> int:
    """The address of a new lock that is taken."""
    make = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThread_allocate_lock", ctypes.pythonapi))
    take = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)(("PyThread_acquire_lock", ctypes.pythonapi))
    lock = make()
    if lock is None:
        raise MemoryError("the system has no further lock for a thread")
    take(lock, 1)
    return int(lock)


class _Team:
    """The helpers of this process; a forked child makes its own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._helpers: list[_Helper] = []
        self._entries: Sequence[int] = ()  # those of the last run, so that the next of the same has nothing to prepare
        self._instruction: Instruction | None = None
        self._words = np.zeros(0, np.int64)
        self._mailboxes = np.zeros(0, np.int64)
        self._lead = np.array([0, 0, 0, 0, 0, address_of_pause(), _function("PyThread_release_lock")], np.int64)
        self._lead_address = self._lead.ctypes.data
        for instruction in (control.lead, control.serve):
            instruction.address  # noqa: B018  compiled before a helper needs it

    def run(self, instruction: Instruction, entries: Sequence[int]) -> None:
        if entries is not self._entries or instruction is not self._instruction:
            self._prepare(instruction, entries)
        control.lead(self._lead_address)

    def _prepare(self, instruction: Instruction, entries: Sequence[int]) -> None:
        self._entries = ()  # an exception, Ctrl-C's too, may come anywhere
        count = len(entries) - 1
        while len(self._helpers) < count:
            self._helpers.append(_Helper(f"inkgrad-{len(self._helpers) + 1}"))
        if len(self._mailboxes) != len(self._helpers):
            self._mailboxes = np.array([helper.mailbox for helper in self._helpers], np.int64)
            self._words = np.zeros_like(self._mailboxes)
        self._words[:count] = entries[1:]
        arrays = self._mailboxes.ctypes.data, self._words.ctypes.data
        self._lead[:5] = count, instruction.address, *arrays, entries[0]
        self._instruction = instruction
        self._entries = entries if isinstance(entries, tuple) else ()  # a list might be filled otherwise next time


def address_of_pause() -> int:
    """The address of the system's function that lets another thread run; 0 where it has none that we know."""
    try:
        return ctypes.cast(ctypes.CDLL(None).sched_yield, ctypes.c_void_p).value or 0
    except (AttributeError, OSError, TypeError):
        return 0


_teams: dict[int, _Team] = {}
_making = [threading.Lock()]
_forks = [0]


def forks() -> int:
    """How often this process's ancestors have forked on its way; what was under way at that time never ends."""
    return _forks[0]


def _forked() -> None:
    _forks[0] += 1
    _making[0] = threading.Lock()  # that of the parent may be held by a thread that does not exist here
    _teams.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def run_on_threads(entries: Sequence[int], instruction: Instruction = control.run) -> None:
    """Run an instruction once on each thread, each on the words at its own address; returns when all have ended.

    Several callers take turns.
    """
    if len(entries) == 1:
        instruction(entries[0])
        return
    instruction.address  # noqa: B018  compiled before the threads begin
    team = _teams.get(os.getpid())
    if team is None:
        with _making[0]:
            team = _teams.setdefault(os.getpid(), _Team())
    with team.lock:
        team.run(instruction, entries)
