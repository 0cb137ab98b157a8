"""A training that is watched: it is the trainer's own, waits, goes on, is changed, and says how it ended."""

import threading
import time

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.errors import OptionError
from inkgrad.kernels import use_backend
from inkgrad.lessons import live as module
from inkgrad.lessons.course import Point, Thinned
from inkgrad.lessons.digits import lesson_digits
from inkgrad.lessons.glimpse import glimpse
from inkgrad.lessons.live import LiveTraining
from inkgrad.lessons.live_settings import LiveSettings, network_of, offered_data


class Losses(ig.training.Callback):
    def __init__(self):
        self.seen = []

    def on_step(self, trainer):
        self.seen.append(trainer.last_loss)


@pytest.mark.parametrize(
    ("optimizer", "made"),
    [
        ("sgd", lambda net: ig.optim.SGD(net, learning_rate=0.05)),
        ("momentum", lambda net: ig.optim.SGD(net, learning_rate=0.05, momentum=0.9)),
        ("adam", lambda net: ig.optim.Adam(net, learning_rate=0.05)),
    ],
)
def test_it_is_what_the_trainer_does(optimizer, made):
    settings = LiveSettings("two-layer", optimizer=optimizer, learning_rate=0.05, batch_size=32, seed=4)
    training = LiveTraining(settings, most_steps=50)
    training.run()
    found = training.news()
    train, test = lesson_digits()
    net, losses = ig.models.build("two-layer", rng=ig.default_rng(4)), Losses()
    with use_backend("reference"):
        step = ig.training.TrainStep(net, ig.nn.cross_entropy, made(net))
        ig.training.Trainer(step, train, callbacks=[losses], batch_size=32, rng=ig.default_rng(4)).fit(steps=50)
        logits = ig.models.network_logits(net, test.images, ig.data.linear_scaling())
        seen = glimpse(net, found.glimpse.image, found.glimpse.label)
    assert [point.loss for point in found.points] == losses.seen
    assert found.points[-1].mean == pytest.approx(np.mean(losses.seen[-25:]))
    assert found.measures[-1].accuracy == (logits.argmax(axis=1) == test.labels).mean()
    expected = [np.sqrt((net.layers[i].weight.grad ** 2).sum() + (net.layers[i].bias.grad ** 2).sum()) for i in (1, 3)]
    assert found.points[-1].norms == pytest.approx(expected, rel=1e-5)
    np.testing.assert_array_equal(found.glimpse.layers[0].weights, net.layers[1].weight.data.reshape(50, 28, 28))
    np.testing.assert_array_equal(found.glimpse.layers[0].activations, seen.layers[0].activations)
    assert found.glimpse.step == 50 and found.state.reason == "finished"


def test_what_lenet5_shows_of_itself():
    net = network_of(LiveSettings("lenet5"))
    _, test = lesson_digits()
    seen = glimpse(net, test.images[0], int(test.labels[0]))
    assert [(one.kind, one.weights.shape, one.columns, one.activations.shape) for one in seen.layers] == [
        ("Conv2d", (6, 5, 5), 6, (6, 28, 28)),
        ("Conv2d", (96, 5, 5), 16, (16, 10, 10)),
        ("Linear", (120, 20, 20), 12, (1, 10, 12)),
        ("Linear", (84, 10, 12), 12, (1, 7, 12)),
        ("Linear", (10, 7, 12), 10, (1, 1, 10)),
    ]
    np.testing.assert_array_equal(seen.layers[1].weights[16 * 2 + 5], net.layers[3].weight.data[5, 2])
    maps = ig.nn.feature_maps(net, ig.data.linear_scaling().apply(test.images[:1]))
    np.testing.assert_array_equal(seen.layers[0].activations, maps["layers.1"][0])  # after ReLU
    assert seen.layers[0].activations.min() == 0
    np.testing.assert_array_equal(seen.layers[4].activations.ravel(), maps["layers.11"][0])


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def begun():
    """Begins trainings in threads, and ends them."""
    all_of_them = []

    def begin(*arguments, **options):
        training = LiveTraining(*arguments, **options)
        thread = threading.Thread(target=training.run)
        thread.start()
        all_of_them.append((training, thread))
        return training

    yield begin
    for training, thread in all_of_them:
        training.end()
        thread.join(60)
        assert not thread.is_alive()


def steps(training):
    points = training.news().points
    return points[-1].step if points else 0


def test_it_waits_goes_on_step_by_step_and_takes_another_rate(begun):
    training = begun(LiveSettings(), pace=200.0)
    until(lambda: steps(training) >= 5)
    training.change(running=False)
    until(lambda: training.news().glimpse.step == steps(training))
    stopped = steps(training)
    time.sleep(0.3)
    assert steps(training) == stopped
    training.change(step=True, learning_rate=0.7)
    until(lambda: steps(training) == stopped + 1)
    assert training.news().points[-1].rate == 0.7 and not training.news().state.running
    training.change(digit=8)
    until(lambda: training.news().glimpse.label == 8)
    training.change(running=True)
    until(lambda: steps(training) > stopped + 5)
    training.end()
    until(lambda: training.news().state.reason == "ended")
    assert training.change(learning_rate=5.0).learning_rate == 0.7  # it is over


def test_no_step_that_was_asked_for_is_lost(begun):
    training = begun(LiveSettings(), pace=200.0)
    training.change(running=False)
    until(lambda: training.news().glimpse is not None and training.news().glimpse.step == steps(training))
    stopped = steps(training)
    for _ in range(3):
        training.change(step=True)
    until(lambda: steps(training) == stopped + 3)
    training.change(step=True, digit=8)  # it has to look first
    until(lambda: steps(training) == stopped + 4)
    until(lambda: training.news().glimpse.label == 8 and training.news().glimpse.step == stopped + 4)
    assert steps(training) == stopped + 4 and not training.current.running


@pytest.mark.slow
def test_it_does_not_wait_for_ever(begun):
    training = begun(LiveSettings(), pace=200.0, idle_seconds=0.6)
    until(lambda: steps(training) >= 3)
    time.sleep(0.8)
    assert training.current.running  # one that goes on is not idle
    training.change(running=False)
    for digit in range(4):
        time.sleep(0.3)
        assert training.change(digit=digit).reason == ""  # nor is one that is changed
    until(lambda: training.current.reason == "idle")


def test_what_was_ended_does_not_begin():
    training = LiveTraining(LiveSettings())
    training.end()
    training.run()
    found = training.news()
    assert (found.state.reason, found.points, found.measures) == ("ended", [], [])


class Planned(LiveTraining):
    """Changes its learning rate after some steps."""

    def __init__(self, settings, rates, **options):
        super().__init__(settings, **options)
        self.rates = rates

    def on_step(self, trainer):
        if trainer.step_count in self.rates:
            self.change(learning_rate=self.rates[trainer.step_count])
        super().on_step(trainer)


@pytest.mark.parametrize("network", ["two-layer", "mlp", pytest.param("lenet5", marks=pytest.mark.slow)])
def test_the_rates_of_the_task(network):
    """0.3, 1 and 100 after 200 steps at 0.1: one learns, one forgets all, one diverges."""
    training = Planned(LiveSettings(network), {200: 0.3, 280: 1.0, 360: 100.0}, most_steps=460)
    training.run()
    found = training.news()
    mean = {point.step: point.mean for point in found.points}
    if network == "lenet5":  # 0.3 is too much for it already
        assert mean[200] < 0.2 < 2 < mean[360]
    else:
        assert mean[280] < 0.4 > mean[200] and mean[360] == pytest.approx(np.log(10), abs=0.1)
    assert found.state.reason == "diverged" and "lower the learning rate" in found.state.detail


@pytest.mark.slow
def test_the_pace_is_kept(begun):
    training = begun(LiveSettings(), pace=10.0)
    until(lambda: steps(training) >= 2)
    first, since = steps(training), time.monotonic()
    time.sleep(1)
    assert steps(training) - first <= 10 * (time.monotonic() - since) + 2
    training.change(pace=200.0)
    until(lambda: steps(training) > first + 40)


def test_while_nobody_watches_nothing_is_done(begun, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.5)
    watched = threading.Event()
    training = begun(LiveSettings(), attended=watched.is_set)
    time.sleep(0.2)
    assert steps(training) == 0
    watched.set()
    until(lambda: steps(training) > 3)
    watched.clear()
    until(lambda: training.news().state.reason == "unwatched")
    assert not training.news().state.running


@pytest.mark.parametrize("network", ["two-layer", "mlp", "lenet5"])
def test_a_rate_that_diverges_is_said(network):
    training = LiveTraining(LiveSettings(network, learning_rate=1e5), most_steps=200)
    training.run()
    found = training.news()
    assert found.state.reason == "diverged" and "learning rate" in found.state.detail
    assert steps(training) < 200
    for layer in found.glimpse.layers:
        assert np.isfinite(layer.weights).all() and np.isfinite(layer.activations).all()


def test_a_long_training_keeps_few_points():
    points = Thinned[Point](100)
    for step in range(1, 5001):
        points.add(Point(step, 0.0, 0.0, 0.1, ()))
    kept = [point.step for point in points.since(0)]
    assert points.every == 64 and kept == list(range(64, 5001, 64))


def test_of_a_long_training_only_what_is_new_is_told():
    told = []

    class Watched(LiveTraining):
        def on_step(self, trainer):
            super().on_step(trainer)
            if trainer.step_count % 10 == 0:
                found = self.news(*since)
                since[0] = found.points[-1].step if found.points else since[0]
                since[1] = found.measures[-1].step if found.measures else since[1]
                told.append((trainer.step_count, found))

    since = [-1, -1]
    training = Watched(LiveSettings(batch_size=4), most_steps=2000)
    training.run()
    assert len(told) == 200
    for step, found in told:
        assert found.latest.step == found.measured.step == step  # however few are kept
        assert len(found.points) <= 10 // found.every + 1 and len(found.measures) <= 2
    assert training.news().every == 4 and len(training.news().points) == 500


def test_mnist_is_offered_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("INKGRAD_DATA", str(tmp_path))
    assert offered_data() == ("digits",)
    training = LiveTraining(LiveSettings(data="mnist"))
    training.run()  # nothing is downloaded
    assert training.news().state.reason == "failed" and "mnist" in training.news().state.detail
    for name in ig.data.mnist.SHA256:
        (tmp_path / "mnist").mkdir(exist_ok=True)
        (tmp_path / "mnist" / f"{name}.gz").touch()
    assert offered_data() == ("digits", "mnist")


def test_what_cannot_be_trained():
    for settings in (LiveSettings(learning_rate=0.0), LiveSettings(learning_rate=float("nan"))):
        with pytest.raises(OptionError, match="the learning rate must be a number above 0 and at most 1,000,000"):
            LiveTraining(settings)
    with pytest.raises(OptionError, match="1 image or more, but batch_size is 0"):
        LiveTraining(LiveSettings(batch_size=0))
    with pytest.raises(OptionError, match="pace"):
        LiveTraining(LiveSettings()).change(pace=-1.0)
