"""The public face: what there is, and what it costs to import."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import inkgrad as ig

HEAVY = {
    "numba",
    "scipy",
    "cv2",
    "sklearn",
    "matplotlib",
    "numpy",
    "PIL",
    "pooch",
    "rich",
    "safetensors",
    "optuna",
    "onnx",
}


def loaded_by(program):
    """The packages that a program has loaded in an interpreter of its own when it ends."""
    program = f"import atexit, json, sys\natexit.register(lambda: print(json.dumps(sorted(sys.modules))))\n{program}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_all_that_is_promised_is_there():
    assert sorted(ig.__all__) == dir(ig)
    for name in ig.__all__:
        assert getattr(ig, name) is not None
    assert len(set(ig.__all__)) == len(ig.__all__) <= 25
    with pytest.raises(AttributeError, match="no attribute 'tensor'"):
        _ = ig.tensor


def test_every_room_has_all_that_it_promises():
    rooms = "autodiff data errors estimator explain export kernels lessons models nn optim reading training"
    for room in rooms.split():
        module = getattr(ig, room)
        assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_the_tree_of_errors_is_the_one_drawn():
    drawn = ig.errors.__doc__
    for name in ig.errors.__all__:
        kind = getattr(ig.errors, name)
        assert name in drawn
        assert issubclass(kind, ig.errors.InkgradError)
        assert issubclass(kind, ValueError) == issubclass(kind, ig.errors.InputError)
        assert issubclass(kind, RuntimeError) == issubclass(kind, ig.errors.RunError)


def test_import_loads_nothing_heavy():
    assert loaded_by("import inkgrad; inkgrad.__version__; dir(inkgrad)") & HEAVY == set()


def test_the_classes_load_without_a_compiler():
    compilers = {"numba", "sklearn", "matplotlib"}
    assert loaded_by("import inkgrad as ig; ig.Tensor([1.0]); ig.models.build") & compilers == set()


@pytest.mark.slow
def test_scikit_learn_loads_with_the_estimators_alone():
    assert "sklearn" not in loaded_by("import inkgrad as ig; ig.training.Trainer; ig.data.load_mnist")
    assert {"optuna", "onnx", "matplotlib", "cv2"}.isdisjoint(loaded_by("import inkgrad as ig; ig.estimator.Deskewer"))


def test_training_loads_nothing_optional():
    assert loaded_by("import inkgrad as ig; ig.training.Tuning; ig.export") & {"optuna", "sqlalchemy", "onnx"} == set()


@pytest.mark.parametrize(
    "line",
    [
        ["--help"],
        ["--version"],
        ["train", "--help"],
        ["tune", "--help"],
        ["export", "--help"],
        ["classify", "--help"],
        [],
    ],
)
def test_help_loads_no_numpy(line):
    assert loaded_by(f"from inkgrad.cli.main import main\nmain({line!r})") & (HEAVY - {"rich"}) == set()


def test_the_package_is_a_command():
    env = os.environ | {"COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-m", "inkgrad", "--version"], capture_output=True, text=True, env=env, timeout=60, check=True
    )
    assert done.stdout == f"inkgrad {ig.__version__}\n"


def test_types_are_shipped():
    assert (Path(ig.__file__).parent / "py.typed").exists()
