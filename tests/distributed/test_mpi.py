"""Training by mpiexec, for real: the same losses as alone, and how it ends when something goes wrong."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from distributed.losses import HERE, both, environment
from inkgrad.distributed import join
from inkgrad.errors import OptionError

INKGRAD = ("-m", "inkgrad")
QUICK = ("train", "--model", "two-layer", "--batch-size", 100, "--distributed", "mpi")


@functools.cache
def alone(model):
    return both(model, 200)


@pytest.mark.parametrize(
    ("ranks", "model", "threads"),
    [
        (2, "two-layer", 1),
        pytest.param(4, "two-layer", 1, marks=pytest.mark.slow),
        pytest.param(2, "lenet5", 1, marks=pytest.mark.slow),
        pytest.param(4, "lenet5", 1, marks=pytest.mark.slow),
        pytest.param(4, "normalized", 1, marks=pytest.mark.slow),
        pytest.param(2, "normalized", 2, marks=pytest.mark.slow),
    ],
)
def test_the_losses_are_those_of_one_process(mpiexec, ranks, model, threads):
    """200 steps at learning rate 0.01, each rank with its part of a batch of 64; with batch normalization too."""
    ended = mpiexec(ranks, HERE / "losses.py", model, 200, INKGRAD_THREADS=str(threads))
    assert (ended.status, ended.err) == (0, "")
    for together, single, tolerance in zip(json.loads(ended.out), alone(model), (1e-3, 1e-9), strict=True):
        assert len(together) == 202
        assert single[0] / single[199] > 1.5  # it has learned
        np.testing.assert_allclose(together, single, rtol=tolerance)


def records(folder):
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("seconds", "images_per_second")} for line in lines]


@pytest.mark.slow
def test_the_command_makes_the_run_that_one_process_makes_and_resumes_with_other_numbers(mpiexec, tmp_path):
    """Begun by 3, continued by 2, by this command alone without MPI, and by 4."""
    line = (*QUICK[:-2], "--seed", 5)
    whole = mpiexec(1, *INKGRAD, *line, "--steps", 40, "--out", "whole", "--json")
    assert whole.status == 0
    ended = mpiexec(3, *INKGRAD, *line, "--steps", 7, "--out", "parts", "--json", "--distributed", "mpi")
    assert ended.status == 0, ended.err
    assert json.loads(ended.out)["step"] == 7
    assert ended.err.count("epoch") == 1  # rank 0 alone tells of its progress
    for ranks, steps, more in ((2, 15, ("--distributed", "mpi")), (1, 23, ()), (4, 40, ("--distributed", "mpi"))):
        ended = mpiexec(ranks, *INKGRAD, "train", "--resume", "--steps", steps, "--out", "parts", "--json", *more)
        assert ended.status == 0, ended.err
    one, several = json.loads(whole.out), json.loads(ended.out)
    for key in ("step", "epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "parameters"):
        assert several[key] == pytest.approx(one[key], rel=1e-4), key
    names = {path.name for path in (tmp_path / "whole").iterdir()}
    assert {path.name for path in (tmp_path / "parts").iterdir()} == names


def rank_process(rank, out):
    """The process of a rank, by its environment."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words, variables = ((folder / name).read_bytes().split(b"\0") for name in ("cmdline", "environ"))
        except OSError:
            continue
        if f"PMI_RANK={rank}".encode() in variables and out.encode() in words and b"inkgrad" in words:
            return int(folder.name)
    raise AssertionError(f"rank {rank} is not there")


def begun(started, ranks, out, tmp_path, **more):
    """A long training that has saved a checkpoint."""
    line = (*INKGRAD, *QUICK, "--epochs", 100_000, "--checkpoint-seconds", 0.2, "--out", out)
    process = started(ranks, *line, **more)
    deadline = time.monotonic() + 120
    while not (tmp_path / out / "checkpoint.safetensors").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_is_killed_ends_the_training_with_its_name_and_the_checkpoint_stays(
    started, mpiexec, tmp_path, rank
):
    process = begun(started, 2, "run", tmp_path)
    number = rank_process(rank, "run")
    os.kill(number, signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode
    (line,) = [line for line in said.splitlines() if line.startswith("inkgrad:")]
    assert line.startswith(f"inkgrad: rank {rank} of 2 on ")
    assert f"(process {number}) has ended without a word, as when it is killed or memory is short" in line
    assert line.endswith(
        "what was saved stays, continue with: mpiexec -n 2 inkgrad train --distributed mpi --resume --out run"
    )
    steps = max((record["step"] for record in records(tmp_path / "run")), default=0)
    resumed = mpiexec(
        2, *INKGRAD, "train", "--distributed", "mpi", "--resume", "--out", "run", "--steps", steps + 3000, "--json"
    )
    assert resumed.status == 0, resumed.err
    assert json.loads(resumed.out)["step"] == steps + 3000


@pytest.mark.slow
def test_ctrl_c_saves_and_ends_all(started, tmp_path):
    process = begun(started, 2, "run", tmp_path)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "a checkpoint is saved; continue with: mpiexec -n 2 inkgrad train --distributed mpi --resume" in said
    assert said.count("inkgrad: interrupted") == 1
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("odd", "status", "words"),
    [
        ("other-data", 2, "sees other training data than rank 0: fingerprint "),
        ("no-data", 2, "rank 1 of 2 on "),
        ("fails", 1, "unexpected ZeroDivisionError: by chance (rank 1 of 2 on "),
        ("fails-last", 2, "rank 1 of 2 on "),
        ("hangs", 1, "rank 0 of 2 on "),
    ],
)
def test_a_rank_that_goes_wrong_ends_all_with_one_message(mpiexec, odd, status, words):
    ended = mpiexec(2, HERE / "odd_rank.py", odd, *QUICK, "--steps", 5, "--out", "run", INKGRAD_MPI_TIMEOUT="3")
    (line,) = [line for line in ended.err.splitlines() if line.startswith("inkgrad:")]
    assert ended.status == status
    assert words in line
    if odd == "no-data":
        assert line.endswith(": there is no data set here; put it there")
    if odd == "fails-last":
        assert line.endswith(": there was something wrong; put it right")
    if odd == "hangs":
        assert "has waited 3 s for the others, of which one hangs or has ended" in line
    assert "Traceback" not in ended.err


@pytest.mark.slow
def test_mistakes_that_all_make_are_told_once(mpiexec, tmp_path):
    (tmp_path / "file").touch()
    for more, status, words in (
        (("--learning-rate=-1",), 2, "the learning rate must be positive"),
        (("--out", "file"), 2, "file is a file, but a run needs a folder"),
        (("--members", 2), 2, "--distributed trains one network, but members is 2"),
        (("--out", "/proc/nowhere"), 1, "cannot write"),
        (("--data", "nowhere"), 2, "there is no data set 'nowhere'"),
    ):
        ended = mpiexec(2, *INKGRAD, *QUICK, "--steps", 2, *more)
        assert ended.status == status
        assert words in ended.err
        assert len(ended.err.splitlines()) == 1


@pytest.mark.slow
def test_who_forgets_distributed_is_told(tmp_path):
    command = [sys.executable, *INKGRAD, "train", "--model", "two-layer", "--steps", "2", "--out", "run"]
    variables = environment(PMI_SIZE="4", OMPI_COMM_WORLD_SIZE="4")
    ended = subprocess.run(
        command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=600, check=False
    )
    assert ended.returncode == 0
    assert "4 processes were started, each trains alone; for one training: --distributed mpi\n" in ended.stderr


def test_feedback_is_learned_by_one_process():
    command = [sys.executable, *INKGRAD, "train", "--from-feedback", "--distributed", "mpi"]
    ended = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 2
    assert ended.stderr == ("inkgrad: --from-feedback trains in one process; leave --distributed and mpiexec out\n")


def test_without_mpi4py_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(OptionError, match=r'but mpi4py is not installed; .*pip install "inkgrad\[mpi\]"'):
        join()


@pytest.mark.parametrize("said", ["soon", "0", "-1"])
def test_a_limit_that_is_none(monkeypatch, said):
    monkeypatch.setenv("INKGRAD_MPI_TIMEOUT", said)
    with pytest.raises(OptionError, match="INKGRAD_MPI_TIMEOUT must be a number of seconds above 0"):
        join()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"MPI4PY_LIBMPI": "/nowhere/libmpi.so"},
            "mpi4py finds no MPI library (cannot load MPI library /nowhere/libmpi.so",
        ),
        ({"OMPI_COMM_WORLD_SIZE": "4"}, "4 processes were started, but the MPI of mpi4py ("),
    ],
)
def test_no_mpi_that_fits(tmp_path, variables, words):
    pytest.importorskip("mpi4py", reason="mpi4py is not installed: the extra mpi")
    command = [sys.executable, *INKGRAD, *map(str, QUICK), "--steps", "2"]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment(**variables), capture_output=True, text=True, timeout=600, check=False
    )
    assert ended.returncode == 2
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()
