"""`inkgrad benchmark`: a figure for each network and kind of work, and what it ran on."""

from types import SimpleNamespace

import pytest

from inkgrad.training import benchmark

FEW = {"mlp": 16, "lenet5": 4}


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(benchmark, "TRAINED", FEW)
    monkeypatch.setattr(benchmark, "PREDICTED", 20)


@pytest.mark.slow
def test_json(inkgrad, few):
    ended = inkgrad("benchmark", "--quick", "--json")
    assert ended.status == 0
    assert set(ended.json) == {"results", "machine", "reference_kernels"}
    results = ended.json["results"]
    wanted = [(n, w, b) for n, size in FEW.items() for w, b in (("train", size), ("predict", 20), ("predict", 1))]
    assert [(r["network"], r["work"], r["batch"]) for r in results] == wanted
    for r in results:
        assert set(r) == {"network", "work", "batch", "images_per_second", "milliseconds", "plan"}
        assert r["images_per_second"] == pytest.approx(1000 * r["batch"] / r["milliseconds"])
        assert r["milliseconds"] > 0
        assert r["plan"]
    machine = ended.json["machine"]
    assert machine["backend"] == "numba_cpu"
    assert machine["cores"] >= 1
    assert machine["blas"]


@pytest.mark.slow
def test_table(inkgrad, few):
    ended = inkgrad("benchmark", "--quick")
    assert ended.status == 0
    for words in ("mlp      train batch 16", "lenet5   predict one image", "processor ", "for what is not planned: "):
        assert words in ended.out
    assert ended.err.count("measured ") == 6


def test_kernels_without_a_twin(monkeypatch):
    with_twin = SimpleNamespace(twins={benchmark.active_backend(): None})
    alone = SimpleNamespace(twins={})
    monkeypatch.setattr(benchmark, "KERNELS", {"b": alone, "a": alone, "c": with_twin})
    assert benchmark.kernels_without_twin() == ["a", "b"]


def test_how_the_work_is_done():
    assert benchmark.plan_of(SimpleNamespace(fallback=None)) == "planned"
    assert benchmark.plan_of(SimpleNamespace(fallback="float64")) == "float64"
