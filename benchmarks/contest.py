"""Contenders in processes of their own that work in turn: no two run at once.

A script starts itself once for each contender with `--worker NAME`. The worker prepares, answers with one line of JSON,
and then does a round of work for each line that it reads. All else that it prints goes to standard error.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import harness

PAUSE = 0.2  # seconds before each round, in which the threads of the contender before it come to rest

Answer = dict[str, Any]


class Contender:
    """The parent's end of a worker.

    Args:
        name: what it is called in tables.
        script: that it runs, of this folder.
        arguments: behind `--worker`.
        environment: beside that of this process.
        launcher: the words before Python, such as those of mpiexec.

    Attributes:
        info: what it said of itself once it was ready.
    """

    def __init__(
        self,
        name: str,
        script: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        launcher: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [*launcher, sys.executable, str(harness.HERE / script), "--worker", *arguments],
            env=dict(os.environ) | dict(environment or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.info = self._answer()

    def go(self, **request: Any) -> Answer:
        """One round; returns when it is over."""
        time.sleep(PAUSE)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> Answer:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.close()
            raise SystemExit(f"the worker {self.name} ended with status {self.process.returncode}")
        answer: Answer = json.loads(line)
        return answer

    def close(self) -> None:
        """End the worker."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        time.sleep(PAUSE)


def alternate(contenders: Sequence[Contender], rounds: int, **request: Any) -> dict[str, list[Answer]]:
    """So many rounds of each, in turn, every other time in the opposite order."""
    answers: dict[str, list[Answer]] = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        for contender in contenders if number % 2 == 0 else reversed(contenders):
            answers[contender.name].append(contender.go(**request))
    return answers


def serve(prepare: Callable[[], tuple[Answer, Callable[..., Answer]]]) -> None:
    """The worker's end: prepare, say so, and do a round for each request until there are no more."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def send(answer: Answer) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    info, act = prepare()
    send(info)
    for line in sys.stdin:
        send(act(**json.loads(line)))


def nothing() -> None:
    """What waits for work that is done when the call returns."""


class Timed:
    """A step that is called again and again, and how many calls fill a round.

    Args:
        step: does the work of the call with this number; may return before it is done.
        finish: waits for work that is not done yet.
        warm: seconds of work before anything is measured.
        seconds: how long a round should last.
    """

    def __init__(
        self, step: Callable[[int], object], finish: Callable[[], object] = nothing, *, warm: float, seconds: float
    ) -> None:
        self.step, self.finish = step, finish
        self.next = 0
        start = time.perf_counter()
        self.run(1)
        self.first = time.perf_counter() - start  # which may have compiled
        count, start = 1, time.perf_counter()
        while time.perf_counter() - start < warm:
            taken = self.run(count)
            count = count if taken > warm / 8 else 2 * count
        taken = self.run(count)
        self.count = max(round(seconds * count / taken), 1)

    def run(self, count: int) -> float:
        """The seconds of so many calls."""
        step, first = self.step, self.next
        self.next += count
        start = time.perf_counter()
        for number in range(first, self.next):
            step(number)
        self.finish()
        return time.perf_counter() - start

    def round(self) -> float:
        """The seconds a call takes, over one round; a tenth as many go before, as the caches were another's."""
        self.run(self.count // 10)
        return self.run(self.count) / self.count

    def calls(self) -> list[float]:
        """The seconds of each call of a round, for steps that return when they are done."""
        self.run(self.count // 10)
        times = []
        for number in range(self.next, self.next + self.count):
            start = time.perf_counter()
            self.step(number)
            times.append(time.perf_counter() - start)
        self.next += self.count
        return times
