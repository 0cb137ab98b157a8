"""What the benchmarks share: targets, networks as plain data, turns and their timing."""

import importlib
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import inkgrad as ig

FOLDER = Path(__file__).parents[1] / "benchmarks"
MODULES = ("harness", "networks", "contest", "cluster")


@pytest.fixture
def of(monkeypatch):
    """name -> that module of the benchmarks' folder, forgotten after the test."""
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)  # as the harness does for good
    yield importlib.import_module
    for name in MODULES:
        sys.modules.pop(name, None)


def test_targets_in_words(of):
    target = of("harness").Target
    assert target(2.0, 3.0).judge(1.9) == "at least 2, goal 3: MISSED"
    assert target(2.0, 3.0).judge(2.0) == "at least 2, goal 3: met"
    assert target(2.0, 3.0).judge(3.0) == "at least 2, goal 3: goal met"
    assert target(4.0, 2.0, most=True).judge(4.1) == "at most 4, goal 2: MISSED"
    assert target(4.0, 2.0, most=True).judge(1.0) == "at most 4, goal 2: goal met"
    assert target(1.7).judge(1.8) == "at least 1.7: met"


def test_spread_of_one_and_of_three(of):
    spread = of("harness").spread
    assert spread([2.0])["std"] == 0
    assert spread([1.0, 2.0, 6.0]) == {"mean": 3.0, "std": 7**0.5, "median": 2.0, "min": 1.0, "max": 6.0}


def test_operations_of_lenet5(of):
    networks = of("networks")
    net = ig.models.build("lenet5", rng=ig.default_rng(0))
    first, rest = 6 * 25 * 28 * 28, 16 * 6 * 25 * 10 * 10 + 400 * 120 + 120 * 84 + 84 * 10
    weights = {name: member.data for name, member in net.named_state()}
    assert networks.flops(networks.describe(net), weights) == {
        "forward": 2 * (first + rest),
        "train": 4 * first + 6 * rest,
    }


@pytest.mark.parametrize("name", ["mlp", "lenet5", "cnn", "simple-cnn"])
def test_networks_go_to_the_peers_whole(of, name, tmp_path):
    networks = of("networks")
    net = ig.models.build(name, rng=ig.default_rng(0))
    networks.export(net, tmp_path)
    layers, weights = networks.read(tmp_path)
    assert len(layers) == len(net)
    assert {layer[part] for layer in layers for part in networks.PARTS if part in layer} == set(weights)
    for path, member in net.named_state():
        np.testing.assert_array_equal(weights[path], member.data)


def test_a_layer_without_a_twin_is_named(of):
    with pytest.raises(SystemExit, match=r"no twin of the layer layers\.0, a Conv2d|layers\.1, a ScaledAveragePool2d"):
        of("networks").describe(ig.models.build("lenet5-1998", rng=ig.default_rng(0)))


def test_batches_are_whole_and_scaled(of):
    images, labels = np.full((7, 28, 28), 255, np.uint8), np.arange(7, dtype=np.uint8)
    made = of("networks").batches(images, labels, 3)
    assert [len(part) for _, part in made] == [3, 3]
    assert made[0][0].shape == (3, 1, 28, 28)
    assert made[0][0].dtype == np.float32
    assert made[0][0].max() == 1
    assert made[1][1].dtype == np.int64


def test_a_round_is_as_long_as_asked(of):
    numbers, waits = [], []

    def step(number):
        numbers.append(number)
        time.sleep(0.001)

    timed = of("contest").Timed(step, lambda: waits.append(len(numbers)), warm=0.01, seconds=0.02)
    assert timed.round() >= 0.001
    assert 1 <= timed.count <= 20
    assert numbers == list(range(len(numbers)))
    assert waits[-1] == len(numbers)
    assert len(timed.calls()) == timed.count


def test_workers_take_turns(of, tmp_path, monkeypatch):
    contest, harness = of("contest"), of("harness")
    monkeypatch.setattr(harness, "HERE", tmp_path)
    monkeypatch.setattr(contest, "PAUSE", 0.0)
    (tmp_path / "script.py").write_text(
        f"import sys; sys.path.insert(0, {str(FOLDER)!r})\nimport contest\nname = sys.argv[2]\n"
        "def act(number):\n    print('noise')\n    return {'got': name + str(number)}\n"
        "contest.serve(lambda: ({'name': name}, act))\n"
    )
    contenders = [contest.Contender(name, "script.py", name) for name in ("a", "b")]
    assert [contender.info["name"] for contender in contenders] == ["a", "b"]
    assert contest.alternate(contenders, 2, number=7) == {"a": [{"got": "a7"}] * 2, "b": [{"got": "b7"}] * 2}
    for contender in contenders:
        contender.close()
        assert contender.process.returncode == 0


def test_a_worker_that_fails_ends_the_benchmark(of, tmp_path, monkeypatch):
    contest, harness = of("contest"), of("harness")
    monkeypatch.setattr(harness, "HERE", tmp_path)
    (tmp_path / "script.py").write_text("raise SystemExit(3)\n")
    with pytest.raises(SystemExit, match="the worker a ended with status 3"):
        contest.Contender("a", "script.py")


def test_every_script_says_what_it_does():
    for script in FOLDER.glob("*.py"):
        text = script.read_text()
        assert text.startswith('"""'), script
        assert len(text.splitlines()) <= 300, script
    assert {p.stem for p in FOLDER.glob("*.py")} <= set(
        (FOLDER / "README.md").read_text().replace("`", " ").replace(".py", " ").split()
    )


def test_the_sum_of_a_message_over_nodes(of):
    cluster = of("cluster")
    link = cluster.Link("", alpha=1.0, beta=0.01, gamma=0.001)
    assert cluster.allreduce(link, 1, 800) == {"none": 0.0}
    for nodes, rounds in ((2, 1), (4, 2), (6, 3), (8, 3)):
        found = cluster.allreduce(link, nodes, 800)
        shared = (nodes - 1) / nodes * 800 * (0.02 + 0.001)
        assert found["ring"] == pytest.approx(2 * (nodes - 1) + shared)
        assert found["tree"] == pytest.approx(rounds * (1 + 800 * 0.011))
        assert found["Rabenseifner"] == pytest.approx(2 * rounds + shared)


def test_where_more_nodes_stop_paying(of):
    """A step costs 1 + batch; then two nodes with 64 of 128 images each are 129 / (65 + the sum) as fast."""
    cluster = of("cluster")
    times = {size: 1.0 + size for size in (1, 16, 128, 256)}
    free, slow = (cluster.Link("", alpha=0.0, beta=beta) for beta in (0.0, 0.004))
    lines = cluster.steps(times, 1000, 128, free, grows=False)
    assert [line["speedup"] for line in lines] == pytest.approx([129 / (1 + 128 / n) for n in cluster.NODES])
    assert cluster.pays_to(lines) == 64  # 43 times as fast
    lines = cluster.steps(times, 1000, 128, slow, grows=False)
    assert lines[2]["speedup"] == pytest.approx(129 / (33 + 6))
    assert cluster.pays_to(lines) == 8  # 16 are 129 / (9 + 7.5) = 7.8 times as fast
    lines = cluster.steps(times, 1000, 128, slow, grows=True)
    assert lines[1]["speedup"] == pytest.approx(2 * 129 / (129 + 4))
    assert cluster.computed(times, 0.5) == 2.0


def test_the_link_that_messages_tell_of(of):
    cluster = of("cluster")
    link = cluster.fitted("", {size: 3e-6 + size * 2e-10 for size in (8, 512, 32768, 1 << 20)}, 2)
    assert (link.alpha, link.beta) == (pytest.approx(3e-6), pytest.approx(2e-10))
