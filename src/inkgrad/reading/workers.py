"""Many tasks on several processes, their results in order, however many there are and whatever becomes of a process."""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic, TypeVar

from inkgrad.errors import RunError
from inkgrad.reading.worker_process import LAST_SECONDS, start_process

__all__ = ["Crew", "Done", "in_order", "why_died"]

Task = TypeVar("Task")
Result = TypeVar("Result")

LOOK_AHEAD = 8  # tasks for each process that may wait for one before them
AT_ONCE = 4  # tasks that a process holds, so that it does not wait for the next
TRIES = 2  # of a task that ends its process
STILLBORN = 3  # processes that may end before they are ready, until no more are started
LOOK_UP_SECONDS = 0.5  # how often to see whether Ctrl-C was pressed, where waiting is not interrupted by it


@dataclass(frozen=True)
class Done(Generic[Result]):
    """A task that needs no work any more: its result is known."""

    result: Result


@dataclass(frozen=True)
class _Raised:
    """What a task raised."""

    error: Exception


@dataclass
class _Slot(Generic[Task, Result]):
    """A place in the order: the task, how many processes it has ended, and, when it is there, its result or error."""

    task: Task
    result: list[Result | _Raised] = field(default_factory=list)
    deaths: int = 0


@dataclass
class _Worker(Generic[Task, Result]):
    """A process, the pipe to it, what it has been given, in order, and since when it does the first of it."""

    process: Any
    pipe: Connection
    ready: bool = False
    slots: deque[_Slot[Task, Result]] = field(default_factory=deque)
    began: float = 0.0


def in_order(
    tasks: Iterable[Task | Done[Result]],
    start: Callable[[], Callable[[Task], Result]],
    died: Callable[[Task, int | None], Result],
    *,
    jobs: int,
    seconds: float | None = None,
) -> Generator[Result]:
    """The results of tasks, in their order.

    Other processes do them, with one thread each: whatever a task does to its process, it does not end this one. A
    task whose process ends is done once more, while no other is, as memory may have been short. Tasks are given out up
    to a bounded distance ahead of the first that is not done, so that neither tasks nor results pile up. No process is
    started before it has something to do. All end with this process, and when the caller stops asking for results.

    Args:
        tasks: asked for as they are needed; what goes to another process is pickled.
        start: makes the function that does a task, once in each process; pickled.
        died: the result of a task that ends its process, from the task and the exit status, or None if it took longer
            than it may.
        jobs: how many processes.
        seconds: that a task may take; its process is killed then. None for any time.

    Raises:
        Exception: what `start` raises; what a task raises, where its result would come.
        RunError: processes end before they are ready.

    >>> from functools import partial
    >>> list(in_order([-3, Done(10), -5], partial(partial, abs), lambda task, status: -1, jobs=1))
    [3, 10, 5]
    """
    with Crew(start, died, jobs=jobs, seconds=seconds) as crew:
        yield from crew.in_order(tasks)


class Crew(Generic[Task, Result]):
    """The processes of `in_order`, which stay for further tasks until the end of the `with` block.

    The arguments are those of `in_order`. After an error there is nothing more to be had.

    >>> from functools import partial
    >>> with Crew(partial(partial, abs), lambda task, status: -1, jobs=1) as crew:
    ...     list(crew.in_order([-3, -5])), list(crew.in_order([-7]))
    ([3, 5], [7])
    """

    def __init__(
        self,
        start: Callable[[], Callable[[Task], Result]],
        died: Callable[[Task, int | None], Result],
        *,
        jobs: int,
        seconds: float | None = None,
    ) -> None:
        self._start, self._died, self._jobs, self._seconds = start, died, jobs, seconds
        self._workers: list[_Worker[Task, Result]] = []
        self._waiting: deque[_Slot[Task, Result]] = deque()
        self._suspects: deque[_Slot[Task, Result]] = deque()
        self._stillborn = 0
        self._clock = 0.0  # seconds that others were waited for: time in which this process was stopped does not count

    def __enter__(self) -> "Crew[Task, Result]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def in_order(self, tasks: Iterable[Task | Done[Result]]) -> Generator[Result]:
        """The results of tasks, in their order; all of them are to be taken before other tasks are given."""
        tasks = iter(tasks)
        slots: deque[_Slot[Task, Result]] = deque()
        more = True
        while more or slots:
            while more and len(slots) < LOOK_AHEAD * self._jobs:
                more = self._take(tasks, slots)
                if slots and slots[0].result:
                    break
            while slots and slots[0].result:
                if isinstance(result := slots.popleft().result[0], _Raised):
                    raise result.error
                yield result
                more = more and self._take(tasks, slots)
            if slots:
                self._hire()
                self._hand_out()
                self._listen()

    def _take(self, tasks: Iterator[Task | Done[Result]], slots: deque[_Slot[Task, Result]]) -> bool:
        """Give the next task its place; whether there was one."""
        for task in tasks:
            if isinstance(task, Done):
                slots.append(_Slot(task, [task.result]))  # type: ignore[arg-type]
            else:
                slots.append(_Slot(task))
                self._waiting.append(slots[-1])
            return True
        return False

    def _hire(self) -> None:
        """Start as many processes as have something to do."""
        busy = sum(bool(worker.slots) for worker in self._workers)
        useful = busy + len(self._waiting) + len(self._suspects)
        for _ in range(len(self._workers), min(max(1, self._jobs - self._stillborn), useful)):
            self._workers.append(_Worker(*start_process(self._start)))

    def _hand_out(self) -> None:
        held = [slot for worker in self._workers for slot in worker.slots]
        free = sorted((worker for worker in self._workers if worker.ready), key=lambda worker: len(worker.slots))
        if any(slot.deaths for slot in held):
            return
        if self._suspects:
            if free and not held:
                self._give(free[0], self._suspects.popleft())
            return
        for worker in free:
            while self._waiting and len(worker.slots) < AT_ONCE:
                self._give(worker, self._waiting.popleft())

    def _give(self, worker: _Worker[Task, Result], slot: _Slot[Task, Result]) -> None:
        if not worker.slots:
            worker.began = self._clock
        worker.slots.append(slot)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # its end is seen by listening
            worker.pipe.send(slot.task)

    def _listen(self) -> None:
        """Wait for a moment for what the processes say."""
        before = time.monotonic()
        pipes = {worker.pipe: worker for worker in self._workers}
        ready = wait(list(pipes), timeout=LOOK_UP_SECONDS)
        self._clock += min(time.monotonic() - before, LOOK_UP_SECONDS)
        for pipe in ready:
            self._hear(pipes[pipe])  # type: ignore[index]
        if self._seconds is not None:
            for worker in list(self._workers):
                if worker.slots and self._clock - worker.began > self._seconds and not worker.pipe.poll():
                    worker.process.kill()
                    self._bury(worker, late=True)

    def _hear(self, worker: _Worker[Task, Result]) -> None:
        try:
            kind, content = worker.pipe.recv()
        except (EOFError, OSError):  # also in the middle of a message
            self._bury(worker)
            return
        if kind == "ready":
            worker.ready = True
        elif kind == "done":
            worker.slots.popleft().result.append(content)
            worker.began = self._clock
        elif worker.ready:
            worker.slots.popleft().result.append(_Raised(content))
            worker.began = self._clock
        else:
            raise content

    def _bury(self, worker: _Worker[Task, Result], *, late: bool = False) -> None:
        """What it was doing is tried again or has failed; what it had still to do waits again, before all others."""
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join()
        status: int = worker.process.exitcode
        if not worker.ready:
            self._stillborn += 1
            if self._stillborn >= STILLBORN and not self._workers:
                raise RunError(
                    f"{self._stillborn} processes ended before they could begin, the last with {_ended_with(status)}, "
                    "perhaps for want of memory; free some and try again"
                )
        if worker.slots:
            slot = worker.slots.popleft()
            slot.deaths += 1
            if late or slot.deaths == TRIES:
                slot.result.append(self._died(slot.task, None if late else status))
            else:
                self._suspects.append(slot)
        self._waiting.extendleft(reversed(worker.slots))

    def _end(self) -> None:
        """The end of its pipe tells a process to end; one that does not is ended."""
        for worker in self._workers:
            worker.pipe.close()
        deadline = time.monotonic() + LAST_SECONDS
        try:
            for worker in self._workers:
                worker.process.join(max(0.0, deadline - time.monotonic()))
        finally:
            for worker in self._workers:
                if worker.process.exitcode is None:
                    worker.process.kill()
                    worker.process.join()
            self._workers.clear()


def why_died(doing: str, status: int | None, seconds: float | None) -> str:
    """Why something could not be done, to go on after its name.

    >>> why_died("read", -11, 60.0)
    'ended the process that read it (signal 11), and again when tried alone; it is damaged or needs too much memory'
    >>> why_died("opened", None, 60.0)
    'took longer than 60 seconds to be opened; give more with --timeout, or leave it out'
    """
    if status is None:
        return f"took longer than {seconds:g} seconds to be {doing}; give more with --timeout, or leave it out"
    return (
        f"ended the process that {doing} it ({_ended_with(status)}), and again when tried alone; it is damaged or "
        "needs too much memory"
    )


def _ended_with(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
