"""What happens when plans are first used: nothing that anybody waits for, anywhere that anybody may install."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import models

PACKAGE = Path(ig.__file__).parent

TRAIN = """
    import numpy as np
    import inkgrad as ig
    from inkgrad import nn, optim
    from inkgrad.training import TrainStep

    ig.use_threads(2)
    rng = np.random.default_rng(0)
    images, labels = rng.random((20, 1, 8, 8), dtype=np.float32), np.arange(20) % 10

    def trained(plan):
        draw = ig.default_rng(0)
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 6, rng=draw), nn.ReLU(), nn.Linear(6, 10, rng=draw))
        step = TrainStep(net, nn.cross_entropy, optim.SGD(net, 0.1), plan=plan)
        losses = [step(images, labels) for _ in range(5)]
        assert (step.fallback is None) == plan, step.fallback
        return losses

    np.testing.assert_allclose(trained(True), trained(False), rtol=1e-5)
    print("right")
"""


def start(program, *arguments, environment=None, **options):
    """A Python process of its own."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)]
    return subprocess.Popen(command, env=os.environ | (environment or {}), **pipes, **options)


def told(process):
    """What it printed, when it has ended well."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    return out


# Without compiled kernels


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model file of the size that `inkgrad quickstart` makes."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    net = models.build("two-layer", rng=ig.default_rng(0))
    models.save(path, net, scaling=ig.data.linear_scaling(), classes=tuple("0123456789"))
    return path


PREDICT = """
    import sys
    import numpy as np
    import inkgrad as ig
    digits = ig.models.load(sys.argv[1])
    digits.predict(np.zeros((int(sys.argv[2]), 28, 28), np.uint8))
    digits.predict_proba(np.zeros((1, 28, 28), np.uint8))
    print("numba" in sys.modules)
"""
CLASSIFY = """
    import atexit, sys
    atexit.register(lambda: print("numba" in sys.modules))
    from inkgrad.cli.main import main
    main(["classify", "--model", sys.argv[1], sys.argv[2]])
"""


@pytest.mark.parametrize("count", [1, 500])
def test_a_first_prediction_waits_for_no_compiler(model, count):
    assert told(start(PREDICT, model, count)) == "False\n"


def test_the_command_classifies_without_a_compiler(model, tmp_path):
    from PIL import Image

    picture = np.zeros((28, 28), np.uint8)
    picture[6:22, 12:16] = 255
    Image.fromarray(255 - picture).save(tmp_path / "one.png")
    assert told(start(CLASSIFY, model, tmp_path / "one.png")).endswith("\nFalse\n")


LOADING = """
    import sys, threading
    import numpy as np
    import inkgrad as ig
    from inkgrad.kernels import active_backend
    from inkgrad.nn import prediction

    digits = ig.models.load(sys.argv[1])
    net, images = digits.network, np.random.default_rng(0).random((40, 1, 28, 28), dtype=np.float32)
    assert active_backend() == "reference"
    with ig.no_grad():
        eager = net(images).data
        assert "numba" not in sys.modules
        assert net.fallback is not None
        prediction.PATIENCE = 0  # as if much time had gone into it
        again = net(images).data
        for thread in threading.enumerate():
            if thread.name == "inkgrad-loading":
                while thread.is_alive():  # predictions go on meanwhile
                    np.testing.assert_allclose(net(images).data, eager, rtol=1e-4, atol=1e-6)
        assert active_backend() == "numba_cpu"
        planned = net(images).data
        assert net.fallback is None, net.fallback
        one = net(images[:1]).data
    np.testing.assert_array_equal(again, eager)
    np.testing.assert_allclose(planned, eager, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(one, eager[:1], rtol=1e-4, atol=1e-6)
    print("right")
"""


@pytest.mark.slow
def test_kernels_are_loaded_beside_long_predictions(model):
    assert told(start(LOADING, model)) == "right\n"


# With a cache that is empty, shared, or nowhere


@pytest.mark.slow
def test_two_processes_compile_at_once_into_an_empty_cache(tmp_path):
    """Both compute what is right, and a third one finds everything there."""
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    both = [start(TRAIN, environment=environment) for _ in range(2)]
    assert [told(process) for process in both] == ["right\n"] * 2
    kept = sorted((tmp_path / "cache").rglob("*.nbc"))
    assert kept
    times = [path.stat().st_mtime_ns for path in kept]
    assert told(start(TRAIN, environment=environment)) == "right\n"
    assert sorted((tmp_path / "cache").rglob("*.nbc")) == kept
    assert [path.stat().st_mtime_ns for path in kept] == times


def installed_where_nothing_can_be_kept(folder):
    """A copy of the package whose caches cannot be made, by anyone: files lie where their folders would."""
    copy = folder / "installed" / "inkgrad"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for inner in [copy, *copy.rglob("*/")]:
        if inner.is_dir():
            (inner / "__pycache__").write_text("no folder")
    (folder / "home").write_text("no folder")
    return {
        "PYTHONPATH": str(copy.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        **dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder / "home")),
    }


UPDATE = """
    import numpy as np
    import inkgrad
    from inkgrad.kernels import load_backend, sgd_update, use_backend
    from inkgrad.kernels.numba_cpu.transpose import transpose
    load_backend()
    w, g = np.arange(5, dtype=np.float32), np.ones(5, np.float32)
    sgd_update(w, g, w, 0.5, 0.0, False)
    assert w.tolist() == [-0.5, 0.5, 1.5, 2.5, 3.5]
    x, y = np.arange(6, dtype=np.float32), np.zeros(6, np.float32)
    words = np.array([1, 0, 2, 2, 3, x.ctypes.data, y.ctypes.data])
    transpose(words.ctypes.data)
    assert y.tolist() == [0, 3, 1, 4, 2, 5]
    print(inkgrad.__file__)
"""


@pytest.mark.slow
def test_kernels_compile_where_nothing_can_be_kept(tmp_path):
    environment = installed_where_nothing_can_be_kept(tmp_path)
    assert told(start(UPDATE, environment=environment)).startswith(str(tmp_path / "installed"))
    assert not list(tmp_path.rglob("*.nbc"))


@pytest.mark.slow
def test_plans_work_where_nothing_can_be_kept(tmp_path):
    environment = installed_where_nothing_can_be_kept(tmp_path)
    assert told(start(TRAIN, environment=environment)) == "right\n"
    assert not list(tmp_path.rglob("*.nbc"))
