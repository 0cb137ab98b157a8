"""Dispatch: which implementation runs, where and why."""

import threading

import numpy as np
import pytest

from inkgrad import kernels
from inkgrad.errors import OptionError
from inkgrad.kernels import registry


@pytest.fixture
def doubled():
    """A kernel of our own with a twin that says so, taken out of the registry afterwards."""

    @kernels.kernel
    def doubled(x, scale=2):
        """scale x."""
        return "reference", x * scale

    @kernels.implements(doubled, backend="numba_cpu", when=lambda x, scale=2: x >= 0)
    def twin(x, scale=2):
        return "twin", x * scale

    yield doubled
    del kernels.KERNELS["doubled"]


@pytest.fixture
def fresh_default(monkeypatch):
    """The default backend as in a new process."""
    monkeypatch.setattr(registry, "_default", ["reference"])


def test_a_kernel_is_its_reference_and_says_what_twins_it_has(doubled):
    assert kernels.KERNELS["doubled"] is doubled
    assert doubled.name == "doubled"
    assert doubled.__doc__ == "scale x."
    assert repr(doubled) == "<kernel doubled: reference, numba_cpu>"


def test_the_backend_in_force_does_the_work(doubled, fresh_default):
    assert doubled(1) == ("reference", 2)
    with kernels.use_backend("numba_cpu"):
        assert doubled(1) == ("twin", 2)
        assert doubled(1, scale=3) == ("twin", 3)
    assert doubled(1) == ("reference", 2)


def test_where_the_condition_does_not_hold_the_reference_runs(doubled):
    with kernels.use_backend("numba_cpu"):
        assert doubled(-1) == ("reference", -2)


def test_a_kernel_without_twin_runs_its_reference():
    x = np.ones((2, 3), np.float32)
    with kernels.use_backend("numba_cpu"):
        assert kernels.activation_forward(x, "relu").tolist() == x.tolist()


def test_use_backend_nests(fresh_default):
    seen = [kernels.active_backend()]
    with kernels.use_backend("numba_cpu"):
        seen.append(kernels.active_backend())
        with kernels.use_backend("reference"):
            seen.append(kernels.active_backend())
        seen.append(kernels.active_backend())
    seen.append(kernels.active_backend())
    assert seen == ["reference", "numba_cpu", "reference", "numba_cpu", "reference"]


def test_use_backend_ends_with_an_error_too(fresh_default):
    with pytest.raises(RuntimeError, match="inside"), kernels.use_backend("numba_cpu"):
        raise RuntimeError("inside")
    assert kernels.active_backend() == "reference"


def test_use_backend_holds_in_this_thread_only(fresh_default):
    seen = []
    with kernels.use_backend("numba_cpu"):
        thread = threading.Thread(target=lambda: seen.append(kernels.active_backend()))
        thread.start()
        thread.join()
        assert kernels.active_backend() == "numba_cpu"
    assert seen == ["reference"]


def test_load_backend_makes_the_default_of_every_thread(fresh_default):
    kernels.load_backend()
    kernels.load_backend("numba_cpu")
    seen = []
    thread = threading.Thread(target=lambda: seen.append(kernels.active_backend()))
    thread.start()
    thread.join()
    assert seen == ["numba_cpu"]
    with kernels.use_backend("reference"):
        assert kernels.active_backend() == "reference"


def test_use_backend_does_not_change_the_default(fresh_default):
    with kernels.use_backend("numba_cpu"):
        pass
    assert kernels.active_backend() == "reference"


@pytest.mark.parametrize("enter", [kernels.load_backend, lambda name: kernels.use_backend(name).__enter__()])
def test_an_unknown_backend_is_named_with_those_there_are(enter):
    with pytest.raises(OptionError, match=r"no kernel backend is named 'cuda'; there are reference, numba_cpu"):
        enter("cuda")


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x,
        lambda y, scale=2: y,
        lambda x, scale=3: x,
        lambda x, *, scale=2: x,
        lambda x, scale=2, more=1: x,
        lambda scale, x=2: x,
    ],
    ids=["missing", "renamed", "default", "keyword-only", "extra", "order"],
)
def test_another_signature_is_refused(doubled, function):
    before = dict(doubled.twins)
    with pytest.raises(TypeError, match=r"numba_cpu implements doubled with parameters .* the reference has"):
        kernels.implements(doubled, backend="numba_cpu", when=lambda *_: True)(function)
    assert doubled.twins == before


def test_a_name_is_declared_once(doubled):
    def again(x):
        return x

    again.__name__ = "doubled"
    with pytest.raises(ValueError, match="a kernel named doubled is declared already"):
        kernels.kernel(again)
