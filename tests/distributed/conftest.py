"""mpiexec for real; whatever it has started ends with the test."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from distributed.losses import environment


@dataclass(frozen=True)
class Ended:
    """How all ranks ended."""

    status: int
    out: str
    err: str


def found_mpiexec() -> str:
    """The mpiexec beside this Python, else that of the system; skips where there is no MPI."""
    pytest.importorskip("mpi4py", reason="mpi4py is not installed: the extra mpi")
    found = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if found is None:
        pytest.skip("mpiexec is not installed: the extra mpi")
    return found


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts ranks, each a Python with these words; in a folder of the test's own."""
    mpiexec, processes = found_mpiexec(), []

    def start(ranks: int, *words: Any, **more: str) -> "subprocess.Popen[str]":
        command = [mpiexec, "-n", str(ranks), sys.executable, *map(str, words)]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, cwd=tmp_path, env=environment(**more), start_new_session=True, **pipes)
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)  # mpiexec ends its ranks
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def mpiexec(started: Callable[..., "subprocess.Popen[str]"]) -> Callable[..., Ended]:
    """Runs ranks to their end."""

    def run(ranks: int, *words: Any, seconds: float = 900, **more: str) -> Ended:
        process = started(ranks, *words, **more)
        out, err = process.communicate(timeout=seconds)
        return Ended(process.returncode, out, err)

    return run
