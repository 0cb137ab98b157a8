"""Steps, epochs and history."""

import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn, optim
from inkgrad.errors import DivergenceError, OptionError
from inkgrad.training import Callback, EarlyStopping, Trainer, TrainStep
from inkgrad.training.diagnosis import RunawayLoss
from inkgrad.training.interrupt import Interruption
from inkgrad.training.threads import blas_threads


def trainer(train, *, net=None, rate=0.5, batch_size=30, seed=0, average=None, **options):
    net = net or ig.models.build("two-layer", rng=ig.default_rng(seed), hidden=12)
    optimizer = optim.SGD(net, learning_rate=rate, momentum=0.5)
    follow = None if average is None else optim.MovingAverage(net, decay=average)
    step = TrainStep(net, nn.cross_entropy, optimizer, average=follow)
    return Trainer(step, train, batch_size=batch_size, rng=ig.default_rng(seed), **options)


class Watch(Callback):
    def __init__(self):
        self.calls = []

    def on_start(self, trainer):
        self.calls.append("start")

    def on_step(self, trainer):
        self.calls.append(trainer.step_count)

    def on_epoch(self, trainer, record):
        self.calls.append("epoch")

    def on_interrupt(self, trainer):
        self.calls.append("interrupt")

    def on_end(self, trainer):
        self.calls.append("end")


def test_history(small):
    watch = Watch()
    it = trainer(small.train, validation=small.validation, callbacks=[watch])
    losses = []

    class Losses(Callback):
        def on_step(self, trainer):
            losses.append(trainer.last_loss)

    it.callbacks.append(Losses())
    history = it.fit(epochs=2)
    assert history is it.history
    assert [record["epoch"] for record in history] == [1, 2]
    assert [record["step"] for record in history] == [7, 14]
    sizes = [30] * 6 + [20]
    for epoch, record in enumerate(history):
        assert set(record) == {
            *("epoch", "step", "loss", "accuracy", "learning_rate", "images_per_second", "seconds"),
            *("validation_loss", "validation_accuracy"),
        }
        mean = np.dot(losses[7 * epoch : 7 * epoch + 7], sizes) / 200
        assert record["loss"] == pytest.approx(mean, rel=1e-12)
    assert watch.calls == ["start", *range(1, 8), "epoch", *range(8, 15), "epoch", "end"]
    assert it.epoch == 2
    assert it.step.net.training
    logits = ig.models.network_logits(it.step.net, small.validation.images, it.loader.scaling)
    last = history[-1]
    assert last["validation_accuracy"] == (logits.argmax(axis=1) == small.validation.labels).mean()
    assert last["validation_loss"] == nn.cross_entropy(logits, small.validation.labels).item()


def test_it_learns(small):
    net = ig.models.build("mlp", rng=ig.default_rng(0))
    history = trainer(small.train, net=net, rate=0.2, validation=small.validation).fit(epochs=12)
    assert history[-1]["loss"] < 0.2 < 1 < history[0]["loss"]
    assert history[-1]["accuracy"] > 0.95
    assert history[-1]["validation_accuracy"] > 0.8


def test_validation_is_of_the_average(small):
    it = trainer(small.train, validation=small.validation, average=0.9)
    record = it.fit(epochs=1)[0]
    logits = ig.models.network_logits(it.step.net, small.validation.images, it.loader.scaling)
    assert record["validation_loss"] != nn.cross_entropy(logits, small.validation.labels).item()
    with it.step.average.applied():
        logits = ig.models.network_logits(it.step.net, small.validation.images, it.loader.scaling)
    assert record["validation_loss"] == nn.cross_entropy(logits, small.validation.labels).item()


@pytest.mark.parametrize("parts", [[3, 20], [7, 14, 20], [1, 2, 3, 13, 20], [20]])
def test_in_parts_as_in_one_go(small, stateful, weights_of, parts):
    whole = trainer(small.train, net=stateful())
    whole.fit(steps=20)
    it = trainer(small.train, net=stateful())
    for steps in parts:
        it.fit(steps=steps)
        assert it.step_count == steps
    assert weights_of(it.step.net) == weights_of(whole.step.net)
    assert sum(record["seconds"] > 0 for record in it.history) == len(it.history)


def test_an_unfinished_epoch_has_a_line_too(small):
    it = trainer(small.train)
    history = it.fit(steps=10)
    assert [record["step"] for record in history] == [7, 10]
    assert history[-1]["epoch"] == pytest.approx(10 / 7, abs=1e-6)
    it.fit(steps=10)
    assert len(it.history) == 2


def test_the_seed_decides_every_bit(small, stateful, weights_of):
    def run(seed):
        it = trainer(small.train, net=stateful(seed), seed=seed)
        it.fit(epochs=2)
        return weights_of(it.step.net)

    assert run(3) == run(3)
    assert run(3) != run(4)


SAME = """
import hashlib, inkgrad as ig
train, test = ig.data.load_digits()
net = ig.models.build("mlp", rng=ig.default_rng(7))
step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.Adam(net))
ig.training.Trainer(step, train[:300], rng=ig.default_rng(8)).fit(epochs=2)
digest = hashlib.sha256()
for _, parameter in net.named_parameters():
    digest.update(parameter.data.tobytes())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_the_seed_decides_every_bit_in_every_process():
    outputs = [
        subprocess.run([sys.executable, "-c", SAME], capture_output=True, text=True, check=True, timeout=120).stdout
        for _ in range(2)
    ]
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) == 65


@pytest.mark.parametrize("length", [{}, {"epochs": 1, "steps": 1}, {"epochs": 0}, {"steps": 0}, {"steps": -1}])
def test_a_length_that_cannot_be(small, length):
    with pytest.raises(OptionError, match=r"either epochs or steps|at least one step"):
        trainer(small.train).fit(**length)


# Stopping


def test_early_stopping_waits_for_its_patience(small):
    class Script(Callback):
        losses = iter([1.0, 0.8, 0.9, 0.8, 0.85, 0.1])

        def on_epoch(self, trainer, record):
            record["validation_loss"] = next(self.losses)

    it = trainer(small.train, validation=small.validation, callbacks=[Script(), EarlyStopping(3)])
    it.fit(epochs=6)
    assert len(it.history) == 5
    assert it.stopped == "the validation loss has not improved for 3 epochs"
    it.fit(epochs=6)  # what is over stays over
    assert len(it.history) == 5


def test_early_stopping_may_ask_for_more_than_a_hair(small):
    class Script(Callback):
        losses = iter([1.0, 0.99, 0.98, 0.5, 0.49])

        def on_epoch(self, trainer, record):
            record["validation_loss"] = next(self.losses)

    early = EarlyStopping(2, minimum_improvement=0.1)
    it = trainer(small.train, validation=small.validation, callbacks=[Script(), early])
    it.fit(epochs=5)
    assert len(it.history) == 3
    again = EarlyStopping(2)
    again.load_state(early.state())
    assert (again.best, again.waited) == (1.0, 2)


def test_early_stopping_needs_validation(small):
    with pytest.raises(OptionError, match="early stopping needs validation data"):
        trainer(small.train, callbacks=[EarlyStopping()]).fit(epochs=1)
    with pytest.raises(OptionError, match="patience of at least 1"):
        EarlyStopping(0)


def test_early_stopping_by_another_figure(small):
    it = trainer(small.train, rate=1e-6, callbacks=[EarlyStopping(2, minimum_improvement=1.0, measure="loss")])
    it.fit(epochs=9)
    assert len(it.history) == 3
    assert it.stopped == "the loss has not improved for 2 epochs"
    with pytest.raises(OptionError, match="early stopping looks at 'speed', which no epoch's record has"):
        trainer(small.train, callbacks=[EarlyStopping(measure="speed")]).fit(epochs=1)


def test_any_callback_may_stop(small):
    class Enough(Callback):
        def on_step(self, trainer):
            if trainer.step_count == 4:
                trainer.stop("enough")

    watch = Watch()
    it = trainer(small.train, callbacks=[watch, Enough()])
    it.fit(epochs=3)
    assert it.step_count == 4
    assert watch.calls == ["start", 1, 2, 3, 4, "epoch", "end"]


def test_a_loss_that_runs_away(small):
    watch = Watch()
    it = trainer(small.train, rate=60.0, batch_size=10, callbacks=[watch])
    with pytest.raises(DivergenceError, match=r"the loss rose from 2\.\d+ to .* at a learning rate of 60; lower the"):
        it.fit(epochs=20)
    assert watch.calls[-1] == "end"


def test_runaway_loss_looks_at_means_of_windows():
    watch = RunawayLoss(factor=10, window=4)
    for step, loss in enumerate([0.1, 30, 1, 1, 1, 9, 9, 20]):  # one wild batch is no divergence
        watch.check(loss, step, 0.1)
    again = RunawayLoss(factor=10, window=4)
    again.load_state(watch.state())
    for loss in (9, 11, 11):
        again.check(loss, 9, 0.1)
    with pytest.raises(DivergenceError, match=r"rose from 0\.1 to 10\.5 by step 12 at a learning rate of 0\.25"):
        again.check(11, 12, 0.25)


def test_weights_that_are_finite_but_too_large_for_validation(small):
    it = trainer(small.train, validation=small.validation, batch_size=200, rate=1e30)
    with pytest.raises(
        DivergenceError, match=r"the validation loss is (nan|inf) after step 1; lower the learning rate"
    ):
        it.fit(epochs=1)
    assert it.history == []


# Ctrl-C


def test_an_interruption_waits_for_the_step(small):
    class Press(Watch):
        def on_step(self, trainer):
            super().on_step(trainer)
            if trainer.step_count == 3:
                signal.raise_signal(signal.SIGINT)

    press = Press()
    it = trainer(small.train, callbacks=[press])
    with pytest.raises(KeyboardInterrupt):
        it.fit(epochs=2)
    assert press.calls == ["start", 1, 2, 3, "interrupt", "end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    it.fit(epochs=2)
    assert it.step_count == 14


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_interruption_does_not_wait(number):
    with pytest.raises(KeyboardInterrupt), Interruption() as interruption:
        signal.raise_signal(number)
        assert interruption.asked
        signal.raise_signal(number)
        pytest.fail("it went on")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_inside_another_shares_its_flag(number):
    reached = []
    with pytest.raises(KeyboardInterrupt), Interruption() as outer:
        with Interruption() as inner:
            signal.raise_signal(number)
            assert inner.asked
        reached.append("behind the inner one")
        assert outer.asked
        with pytest.raises(KeyboardInterrupt):
            outer.check()
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interruption_after_the_last_step_is_not_lost(small):
    class Press(Watch):
        def on_epoch(self, trainer, record):
            signal.raise_signal(signal.SIGINT)

    press = Press()
    it = trainer(small.train, callbacks=[press])
    with pytest.raises(KeyboardInterrupt):
        it.fit(epochs=1)
    assert press.calls == ["start", 1, 2, 3, 4, 5, 6, 7, "interrupt", "end"]
    assert len(it.history) == 1


def test_an_interruption_at_the_very_end_is_not_lost(small):
    class Press(Callback):
        def on_end(self, trainer):
            signal.raise_signal(signal.SIGINT)

    it = trainer(small.train, callbacks=[Press()])
    with pytest.raises(KeyboardInterrupt):
        it.fit(epochs=1)
    assert len(it.history) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_handler_of_others_stays():
    pressed = []
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(1))
    try:
        with Interruption() as interruption:
            signal.raise_signal(signal.SIGINT)
        assert pressed == [1]
        assert not interruption.asked
    finally:
        signal.signal(signal.SIGINT, before)


def test_training_in_another_thread(small):
    it = trainer(small.train)
    thread = threading.Thread(target=it.fit, kwargs={"epochs": 1})
    thread.start()
    thread.join()
    assert it.step_count == 7


# Threads


def blas_limits():
    from threadpoolctl import threadpool_info

    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_threads_are_restored(monkeypatch):
    monkeypatch.delenv("INKGRAD_THREADS", raising=False)
    before = blas_limits()
    with blas_threads(1000):
        assert set(blas_limits()) == {1}
    assert blas_limits() == before
    with blas_threads(10**9):
        assert blas_limits() == before
    monkeypatch.setenv("INKGRAD_THREADS", "1")
    with blas_threads(10**9):
        assert set(blas_limits()) == {1}
    assert blas_limits() == before


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_a_number_of_threads_that_cannot_be(monkeypatch, value):
    monkeypatch.setenv("INKGRAD_THREADS", value)
    with (
        pytest.raises(OptionError, match=f"INKGRAD_THREADS must be a number from 1 to 256, but is '{value}'"),
        blas_threads(1),
    ):
        pass


# Rows of a table


def rows_of(n, seed, weights=None, classes=("a", "b", "c")):
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, 5), np.float32)
    labels = features[:, :3].argmax(axis=1)
    targets = labels if classes else features[:, :2] - features[:, 2:4]
    return ig.data.Samples(features, targets, "rows", weights, classes)


def table_trainer(train, loss=nn.cross_entropy, **options):
    outputs = len(train.classes) or 2
    net = nn.Sequential(*ig.models.dense_layers([5, 8, outputs], rng=ig.default_rng(0)))
    return Trainer(TrainStep(net, loss, optim.Adam(net, 0.02)), train, rng=ig.default_rng(0), **options)


def test_a_table_with_weights_is_learned_and_measured():
    weights = np.random.default_rng(0).integers(1, 4, 50).astype(np.float32)
    train, held = rows_of(300, 0), rows_of(50, 1, weights)
    it = table_trainer(train, validation=held, batch_size=64)
    record = it.fit(epochs=30)[-1]
    assert it.step.fallback is None
    logits = ig.models.network_outputs(it.step.net, held.parts(20))
    loss = nn.cross_entropy(logits, held.targets, sample_weights=weights).item()
    assert record["validation_loss"] == pytest.approx(loss, rel=1e-6)
    right = logits.argmax(axis=1) == held.targets
    assert record["validation_accuracy"] == pytest.approx(np.average(right, weights=weights))
    assert right.mean() > 0.7
    assert np.array_equal(it.validation_logits, logits)


def test_an_epochs_means_are_weighted():
    weights = np.random.default_rng(0).integers(1, 4, 50).astype(np.float32)
    batches, seen = list(table_trainer(rows_of(50, 0, weights), batch_size=20).batches()), []

    class Look(Callback):
        def on_step(self, trainer):
            seen.append((trainer.last_loss, trainer.step.logits.argmax(axis=1)))

    record = table_trainer(rows_of(50, 0, weights), batch_size=20, callbacks=[Look()]).fit(epochs=1)[0]
    masses = [mass.sum() for *_, mass in batches]
    assert record["loss"] == pytest.approx(np.average([loss for loss, _ in seen], weights=masses))
    right = sum(mass @ (said == labels) for (_, said), (_, labels, mass) in zip(seen, batches, strict=True))
    assert record["accuracy"] == pytest.approx(right / weights.sum())


def test_targets_have_no_accuracy(capsys):
    from inkgrad.training.progress import Progress

    it = table_trainer(rows_of(90, 0, classes=()), nn.mean_squared_error, validation=rows_of(30, 1, classes=()))
    it.callbacks.append(Progress())
    record = it.fit(epochs=40)[-1]
    assert record["loss"] < 0.5
    assert {"accuracy", "validation_accuracy"}.isdisjoint(record)
    assert "accuracy" not in capsys.readouterr().err


def test_a_training_on_a_table_can_be_resumed(weights_of):
    weights = np.random.default_rng(0).integers(1, 4, 50).astype(np.float32)
    whole, first, second = (table_trainer(rows_of(50, 0, weights), batch_size=20) for _ in range(3))
    whole.fit(steps=8)
    first.fit(steps=4)
    state, arrays = first.state(), nn.state_of(first.step.net)
    nn.load_state(second.step.net, arrays)
    second.step.optimizer.load_state_arrays(first.step.optimizer.state_arrays())
    second.load_state(state)
    second.fit(steps=8)
    assert weights_of(second.step.net) == weights_of(whole.step.net)
    assert second.history[-1]["loss"] == whole.history[-1]["loss"]
    before_there_were_weights = state | {"epoch_so_far": state["epoch_so_far"][:4]}
    second.load_state(before_there_were_weights)


def test_rows_come_in_their_own_order_where_that_is_wanted():
    it = table_trainer(rows_of(50, 0), batch_size=20, shuffle=False)
    assert np.array_equal(np.concatenate([labels for _, labels in it.loader]), it.train.targets)


def test_the_doctor_looks_at_images_only():
    with pytest.raises(OptionError, match="the doctor examines trainings on data sets of images, but rows are samples"):
        ig.training.examine(table_trainer(rows_of(50, 0)))
