"""How every command ends: exit status, one sentence, one JSON object."""

import json
import os
import signal
import subprocess
import sys

import pytest

import inkgrad as ig
from inkgrad.errors import DivergenceError

COMMANDS = ("quickstart", "train", "evaluate", "classify", "read", "gradcheck")


def test_help(inkgrad):
    alone, asked = inkgrad(), inkgrad("--help")
    assert alone.status == asked.status == 0
    assert alone.out == asked.out
    assert alone.err == ""
    for command in COMMANDS:
        assert command in alone.out
        ended = inkgrad(command, "-h")
        assert ended.status == 0
        assert "--json" in ended.out
        assert ended.out.startswith(f"Usage: inkgrad {command}")
    assert "inkgrad quickstart" in alone.out


def test_version(inkgrad):
    ended = inkgrad("--version")
    assert (ended.status, ended.out, ended.err) == (0, f"inkgrad {ig.__version__}\n", "")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("draw", "No such command 'draw'; see inkgrad --help"),
        ("--fast", "No such option: --fast; see inkgrad --help"),
        ("train --fast", "No such option: --fast"),
        ("train now", "unexpected extra argument"),
        (
            "train --model lenet",
            "Invalid value for '--model': 'lenet' is not one of 'softmax-regression', 'two-layer', 'two-layer-",
        ),
        ("train --optimizer lion", "'lion' is not one of 'sgd', 'momentum'"),
        ("train --schedule x", "'x' is not one of 'constant', 'step'"),
        ("train --train-on test", "'test' is not one of 'train', 'all'"),
        ("train --epochs ten", "'--epochs'"),
        ("train --learning-rate fast", "'--learning-rate'"),
        ("train --epochs", "Option '--epochs' requires an argument"),
        ("classify", "Missing argument 'files'; see inkgrad classify --help"),
        ("evaluate", "Missing argument 'model'; see inkgrad evaluate --help"),
        ("evaluate run --split train", "'train' is not one of 'test', 'validation'"),
        ("gradcheck --model x", "'x' is not one of"),
        ("gradcheck --seed -1", "seed must not be negative, but is -1"),
        ("gradcheck --batch-size 0", "a gradient check needs at least one image, but batch size 0"),
        ("quickstart --seed -1", "seed must not be negative, but is -1"),
    ],
)
def test_wrong_words_end_in_one_line_and_2(inkgrad, home, line, words):
    ended = inkgrad(*line.split())
    assert ended.status == 2
    assert ended.out == ""
    assert ended.err.startswith("inkgrad: ")
    assert ended.err.count("\n") == 1
    assert words in ended.err
    assert not home.exists()
    spoken = inkgrad(*line.split(), "--json")
    if "requires an argument" not in words:
        assert spoken.json == {"error": ended.err.removeprefix("inkgrad: ").rstrip(), "status": 2}


@pytest.mark.parametrize("place", [0, 1, 3])
def test_debug_shows_the_traceback_wherever_it_stands(inkgrad, place):
    line = ["train", "--learning-rate", "0"]
    plain = inkgrad(*line)
    assert "Traceback" not in plain.err
    line.insert(place, "--debug")
    ended = inkgrad(*line)
    assert ended.status == 2
    assert "Traceback" in ended.err
    assert "OptionError" in ended.err
    assert ended.err.endswith(plain.err)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (DivergenceError("the loss\nis nan"), 1, "inkgrad: the loss is nan\n"),
        (ig.errors.DataError("no data"), 2, "inkgrad: no data\n"),
        (KeyboardInterrupt(), 130, "inkgrad: interrupted\n"),
        (
            MemoryError("Unable to allocate 3 TiB"),
            1,
            "inkgrad: not enough memory: Unable to allocate 3 TiB; ask for less\n",
        ),
        (PermissionError(13, "Permission denied", "/x"), 1, "inkgrad: Permission denied: /x\n"),
        (ZeroDivisionError("x"), 1, "inkgrad: unexpected ZeroDivisionError: x; run again with --debug and report it"),
    ],
)
def test_whatever_is_raised(inkgrad, monkeypatch, error, status, words):
    def fail(**_):
        raise error

    monkeypatch.setattr("inkgrad.cli.gradcheck.run", fail)
    ended = inkgrad("gradcheck")
    assert ended.status == status
    assert ended.out == ""
    assert ended.err.startswith(words)
    assert ended.err.count("\n") == 1
    assert inkgrad("gradcheck", "--json").json["status"] == status


@pytest.mark.skipif(os.name != "posix", reason="the signal is POSIX's")
def test_a_reader_that_has_gone(home):
    program = "import sys; from inkgrad.cli.main import main; main(['train', '--help'])"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-u", "-c", program],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN),
    )
    os.close(writing)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("model", ["softmax-regression", "two-layer", "two-layer-sigmoid", "mlp", "lenet5", "tiny"])
def test_gradcheck(inkgrad, model):
    told, spoken = inkgrad("gradcheck", "--model", model), inkgrad("gradcheck", "--model", model, "--json")
    assert told.status == spoken.status == 0
    assert told.err == spoken.err == ""
    assert "backpropagation agrees with the numerical gradient of every parameter" in told.out
    found = spoken.json
    assert set(found) == {"model", "data", "batch_size", "passed", "tolerance", "parameters"}
    assert found["passed"] is True
    for row in found["parameters"]:
        assert set(row) == {"name", "shape", "norm", "relative_error", "passed"}
        assert f"{row['name']} " in told.out
        assert row["relative_error"] < found["tolerance"]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_wrong_gradient_ends_in_1(inkgrad, monkeypatch, form):
    from inkgrad.autodiff.ops import cross_entropy

    named = ig.models.NAMED["mlp"]
    wrong = type(named)(**(vars(named) | {"loss": lambda z, t: cross_entropy(z, t) + z.detach().sum()}))
    monkeypatch.setitem(ig.models.NAMED, "mlp", wrong)
    ended = inkgrad("gradcheck", *form)
    assert ended.status == 1
    assert ended.err.startswith("inkgrad: the gradient of layers.")
    if form:
        assert json.loads(ended.out)["status"] == 1
    else:
        assert "WRONG" in ended.out
