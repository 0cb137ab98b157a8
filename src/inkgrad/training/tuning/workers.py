"""Several trials at once, each in a process of its own.

The workers train and report; the process that was started alone decides and stores.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from inkgrad.data import Splits
from inkgrad.errors import InkgradError, RunError
from inkgrad.interrupts import deaf_to_ctrl_c
from inkgrad.kernels.threads import thread_count, use_threads
from inkgrad.training.callbacks import Callback
from inkgrad.training.interrupt import Interruption
from inkgrad.training.trainer import Trainer
from inkgrad.training.tuning.result import Outcome
from inkgrad.training.tuning.trial import Job, Report, train_trial

__all__ = ["train_in_processes"]

LOOK_UP_SECONDS = 0.1  # how often to see whether Ctrl-C was pressed


@dataclass
class _Worker:
    """A process, the pipe for work and answers, and the pipe that only says stop."""

    process: Any
    pipe: Connection
    stop: Connection
    job: Job | None = None


def train_in_processes(
    count: int,
    splits: Splits,
    jobs: Iterator[Job],
    report: Report,
    finished: Callable[[Job, Outcome], None],
    ctrl_c: Interruption,
) -> None:
    """Keep `count` processes busy until there is no next job; each has its share of the threads.

    Raises:
        RunError: a process ended before its trial; the others have saved checkpoints.
        KeyboardInterrupt: Ctrl-C; each trial has saved a checkpoint.
    """
    workers: list[_Worker] = []
    try:
        for job in jobs:
            if len(workers) < count:
                workers.append(_start(splits, max(1, thread_count() // count)))
                worker = workers[-1]
            else:
                worker = _next_idle(workers, report, finished, ctrl_c)
            worker.job = job
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # its end is seen when it is listened to
                worker.pipe.send(job)
        while any(worker.job is not None for worker in workers):
            _next_idle(workers, report, finished, ctrl_c)
    finally:
        _end(workers)


def _next_idle(
    workers: list[_Worker], report: Report, finished: Callable[[Job, Outcome], None], ctrl_c: Interruption
) -> _Worker:
    """Answer the workers until one of them has finished its trial."""
    while True:
        ctrl_c.check()
        busy = {worker.pipe: worker for worker in workers if worker.job is not None}
        for ready in wait(list(busy), timeout=LOOK_UP_SECONDS):
            worker = busy[ready]  # type: ignore[index]
            assert worker.job is not None
            kind, content = _receive(worker)
            if kind == "epoch":
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # seen when it is listened to
                    worker.pipe.send(report(*content))
            elif kind == "error":
                raise content
            else:
                job, worker.job = worker.job, None
                finished(job, content)
                return worker


def _receive(worker: _Worker) -> tuple[str, Any]:
    try:
        message: tuple[str, Any] = worker.pipe.recv()
        return message
    except (EOFError, OSError):  # also in the middle of a message
        worker.process.join()
        number = worker.job.number if worker.job is not None else 0
        raise RunError(
            f"the process of trial {number} ended with status {worker.process.exitcode} before the trial did, perhaps "
            f"for want of memory; continue with --resume, with fewer --processes"
        ) from None


def _start(splits: Splits, threads: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    stopping, stop = context.Pipe(duplex=False)
    # A daemon, so that an exit in between takes it along.
    process = context.Process(target=_work, args=(theirs, stopping, splits, threads), daemon=True)
    with deaf_to_ctrl_c():
        process.start()
    theirs.close()
    stopping.close()
    return _Worker(process, pipe, stop)


def _end(workers: list[_Worker]) -> None:
    """Ask all to save and end, and wait for that; a second Ctrl-C ends them at once."""
    try:
        for worker in workers:
            with contextlib.suppress(OSError):
                worker.stop.send(None)
            worker.pipe.close()
        for worker in workers:
            worker.process.join()
    except BaseException:
        for worker in workers:
            worker.process.kill()
        raise
    finally:
        for worker in workers:
            worker.stop.close()


class _Stopping(Callback):
    """Ends the training after the step in which the flag is set, as Ctrl-C would."""

    def __init__(self, flag: threading.Event) -> None:
        self.flag = flag

    def on_step(self, trainer: Trainer) -> None:
        """Save and end if it is time."""
        if self.flag.is_set():
            for callback in trainer.callbacks:
                callback.on_interrupt(trainer)
            raise KeyboardInterrupt


def _work(pipe: Connection, stopping: Connection, splits: Splits, threads: int) -> None:
    """What a worker does: train what comes until nothing comes any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    flag = threading.Event()
    threading.Thread(target=_watch, args=(stopping, flag), daemon=True).start()
    use_threads(threads)

    def report(number: int, epoch: int, value: float) -> bool:
        try:
            pipe.send(("epoch", (number, epoch, value)))
            return bool(pipe.recv())
        except (EOFError, OSError):  # nobody listens any more; the checkpoint of this epoch is still to be saved
            flag.set()
            return False

    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            pipe.send(_trained(pipe.recv(), splits, report, flag))


def _trained(job: Job, splits: Splits, report: Report, flag: threading.Event) -> tuple[str, Any]:
    try:
        return "done", train_trial(job, splits, report, [_Stopping(flag)])
    except InkgradError as error:
        return "error", error
    except Exception as error:
        return "error", RunError(f"trial {job.number} failed: {type(error).__name__}: {error}")


def _watch(stopping: Connection, flag: threading.Event) -> None:
    """Wait for the word to stop; the end of the pipe is the end of the process that started this one."""
    try:
        stopping.recv()
        flag.set()
    except (EOFError, OSError):
        os._exit(1)
