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
    """Runs the tasks in its mailbox; sleeps when there have been none for a while."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._room = np.zeros(2 * control.MAILBOX, np.int64)
        self.mailbox = self._room.ctypes.data + -self._room.ctypes.data % 64
        self.gate = threading.Lock()
        self.gate.acquire()
        self.start()

    def run(self) -> None:
        words = np.array([self.mailbox, AWAKE, 0], np.int64)
        address = words.ctypes.data
        while True:
            control.serve(address)
            if not words[2]:
                self.gate.acquire()


class _Team:
    """The helpers of this process; a forked child makes its own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._helpers: list[_Helper] = []
        self._entries: Sequence[int] = ()  # those of the last run, so that the next of the same has nothing to prepare
        self._instruction: Instruction | None = None
        self._pause = address_of_pause()
        for instruction in (control.post, control.lead, control.serve):
            instruction.address  # noqa: B018  compiled before a helper needs it

    def _grow(self, count: int) -> None:
        while len(self._helpers) < count:
            self._helpers.append(_Helper(f"inkgrad-{len(self._helpers) + 1}"))
        self._mailboxes = np.array([helper.mailbox for helper in self._helpers], np.int64)
        self._words, self._sleeping = np.zeros_like(self._mailboxes), np.zeros_like(self._mailboxes)
        fixed = self._mailboxes.ctypes.data
        self._post = np.array([0, 0, fixed, self._words.ctypes.data, self._sleeping.ctypes.data], np.int64)
        self._lead = np.array([0, 0, fixed, 0, self._pause], np.int64)
        self._post_address, self._lead_address = self._post.ctypes.data, self._lead.ctypes.data

    def run(self, instruction: Instruction, entries: Sequence[int]) -> None:
        if entries is not self._entries or instruction is not self._instruction:
            self._prepare(instruction, entries)
        control.post(self._post_address)
        for i in range(len(entries) - 1):
            if self._sleeping[i]:
                self._helpers[i].gate.release()
        control.lead(self._lead_address)

    def _prepare(self, instruction: Instruction, entries: Sequence[int]) -> None:
        count = len(entries) - 1
        if len(self._helpers) < count:
            self._grow(count)
        self._words[:count] = entries[1:]
        self._post[:2] = count, instruction.address
        self._lead[:2] = count, instruction.address
        self._lead[3] = entries[0]
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
