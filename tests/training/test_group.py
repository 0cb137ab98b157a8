"""A training by several processes is that of one: the same losses, the same records, the same ends."""

from dataclasses import replace

import numpy as np
import pytest

from group_of_threads import Lost, in_threads
from inkgrad.data import Augmentation, Dataset, Loader, Part, Samples
from inkgrad.errors import DataError, DivergenceError, OptionError
from inkgrad.kernels.threads import use_threads
from inkgrad.models import build
from inkgrad.nn import Dropout, Flatten, Linear, Sequential, cross_entropy
from inkgrad.optim import L2, SGD, Adam, ClipByGlobalNorm, MovingAverage
from inkgrad.random import default_rng
from inkgrad.training import Callback, EarlyStopping, Trainer, TrainStep, load_checkpoint, save_checkpoint

STEPS = 30


class Losses(Callback):
    """The loss of each step."""

    def __init__(self):
        self.values = []

    def on_step(self, trainer):
        self.values.append(trainer.last_loss)


@pytest.fixture(autouse=True)
def one_thread():
    """For plans that talk to others in the middle: the helpers of this process cannot serve two ranks at once."""
    use_threads(1)
    yield
    use_threads(None)


def trainer_for(train, group=None, *, model="two-layer", dtype=np.float32, callbacks=(), net=None, **options):
    net = build(model, rng=default_rng(3)) if net is None else net()
    net = net.astype(dtype) if dtype != np.float32 else net
    optimizer = options.pop("optimizer", lambda net: SGD(net, 0.01, momentum=0.9))(net)
    average = MovingAverage(net, decay=0.9) if options.pop("average", False) else None
    step = TrainStep(net, cross_entropy, optimizer, penalties=options.pop("penalties", ()), average=average)
    losses = Losses()
    options = {"batch_size": 32, "rng": default_rng(5)} | options
    return Trainer(step, train, callbacks=[losses, *callbacks], group=group, **options), losses


def fitted(train, group=None, *, steps=STEPS, **options):
    trainer, losses = trainer_for(train, group, **options)
    history = trainer.fit(steps=steps)
    weights = trainer.step.optimizer.parameters.weights.copy()
    return losses.values, history, weights, trainer


def same(one, other, tolerance):
    for mine, theirs in zip(one[:1] + one[2:3], other[:1] + other[2:3], strict=True):
        assert np.abs(np.subtract(mine, theirs)).max() <= tolerance * np.abs(theirs).max()
    for mine, theirs in zip(one[1], other[1], strict=True):
        for key in set(theirs) - {"images_per_second", "seconds"}:
            assert mine[key] == pytest.approx(theirs[key], rel=tolerance, abs=1e-12), key


@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dtype": np.float64},
        {"penalties": [L2(0.01)], "optimizer": lambda net: Adam(net, 0.01, clip=ClipByGlobalNorm(0.5))},
        {"model": "tiny", "average": True},
    ],
    ids=["plain", "float64", "penalty-clip", "tiny-average"],
)
def test_losses_records_and_weights_are_those_of_one_process(small, size, options):
    """The epoch's last batch has 2 images, which 4 ranks cannot divide."""
    train = small.train[: 32 * 4 + 2]
    options = options | {"validation": small.validation[:101]}
    alone = fitted(train, **options)
    ends = in_threads(size, lambda group: fitted(train, group, **options))
    for end in ends:
        assert not isinstance(end, BaseException), end
    same(ends[0], alone, 1e-12 if options.get("dtype") else 2e-4)
    for end in ends[1:]:
        np.testing.assert_array_equal(end[2], ends[0][2])
        assert not end[0]  # callbacks are rank 0's


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("model", ["mlp-normalized", "images"])
def test_batch_statistics_are_those_of_the_whole_batch(small, size, model):
    from inkgrad.nn import BatchNorm1d, BatchNorm2d, Conv2d, ReLU

    def net():
        rng = default_rng(3)
        if model == "images":
            parts = Conv2d(1, 3, 5, rng=rng), BatchNorm2d(3), ReLU(), Flatten(), Linear(3 * 24 * 24, 10, rng=rng)
        else:
            parts = Flatten(), Linear(784, 16, rng=rng), BatchNorm1d(16), ReLU(), Linear(16, 10, rng=rng)
        return Sequential(*parts)

    train = small.train[: 32 * 2 + 2]
    alone = fitted(train, net=net, dtype=np.float64, steps=9)
    ends = in_threads(size, lambda group: fitted(train, group, net=net, dtype=np.float64, steps=9))
    same(ends[0], alone, 1e-10)
    for (name, mine), (_, theirs) in zip(
        ends[1][3].step.net.named_state(), alone[3].step.net.named_state(), strict=True
    ):
        np.testing.assert_allclose(mine.data, theirs.data, rtol=1e-6, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("size", [2, 4])
def test_a_plan_has_the_statistics_of_the_whole_batch_too(small, size):
    """The last batch has 2 images, which 4 ranks cannot divide; two layers, one behind the other."""
    from inkgrad.nn import BatchNorm2d, Conv2d, ReLU

    def net():
        rng = default_rng(3)
        first = Conv2d(1, 3, 5, stride=2, rng=rng), BatchNorm2d(3), ReLU()
        second = Conv2d(3, 4, 3, stride=2, rng=rng), BatchNorm2d(4)
        return Sequential(*first, *second, Flatten(), Linear(100, 10, rng=rng))

    options = {"net": net, "steps": 9, "validation": small.validation[:50]}
    train = small.train[: 32 * 2 + 2]
    alone = fitted(train, **options)
    assert alone[3].step.fallback is None
    ends = in_threads(size, lambda group: fitted(train, group, **options))
    for end in ends:
        assert not isinstance(end, BaseException), end
        assert end[3].step.fallback is None
        np.testing.assert_array_equal(end[2], ends[0][2])
    same(ends[0], alone, 1e-3)
    for (name, mine), (_, theirs) in zip(
        ends[1][3].step.net.named_state(), alone[3].step.net.named_state(), strict=True
    ):
        np.testing.assert_allclose(mine.data, theirs.data, rtol=1e-3, atol=1e-4, err_msg=name)


def test_planned_and_eager_ranks_understand_each_other(small):
    """Whichever way a rank goes, the messages are the same."""
    from inkgrad.nn import BatchNorm2d, Conv2d

    def work(group, eager):
        rng = default_rng(3)
        net = Sequential(Conv2d(1, 3, 5, stride=3, rng=rng), BatchNorm2d(3), Flatten(), Linear(192, 10, rng=rng))
        step = TrainStep(net, cross_entropy, SGD(net, 0.01), plan=group is not None and group.rank not in eager)
        trainer = Trainer(step, small.train, batch_size=32, group=group)
        return [record["loss"] for record in trainer.fit(epochs=2)], step.fallback

    mixed = in_threads(2, lambda group: work(group, [1]))
    assert [fallback is None for _, fallback in mixed] == [True, False]
    np.testing.assert_allclose(mixed[0][0], work(None, [])[0], rtol=1e-4)


def test_what_is_wrong_with_one_part_of_a_normalized_batch_is_told_to_all(small):
    from inkgrad.nn import BatchNorm2d, Conv2d

    train = replace(small.train[:64], labels=small.train.labels[:64].copy())
    train.labels[40] = 11  # behind its back

    def work(group):
        rng = default_rng(3)
        net = Sequential(Conv2d(1, 3, 5, stride=3, rng=rng), BatchNorm2d(3), Flatten(), Linear(192, 10, rng=rng))
        step = TrainStep(net, cross_entropy, SGD(net, 0.01))
        Trainer(step, train, batch_size=64, shuffle=False, group=group).fit(steps=1)

    first, second = (str(end) for end in in_threads(2, work))
    assert first == second
    assert "11" in first


def test_samples_with_weights_some_of_which_are_zero():
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 3, 60).astype(np.float32)
    weights[:16] = 0  # of whole parts too
    rows = Samples(
        rng.normal(size=(60, 7)).astype(np.float32), rng.integers(0, 3, 60), "rows", weights, ("a", "b", "c")
    )

    def net():
        return Sequential(Linear(7, 3, rng=default_rng(1)))

    options = {"net": net, "shuffle": False, "batch_size": 20, "validation": rows, "steps": 12}
    alone = fitted(rows, **options)
    same(in_threads(4, lambda group: fitted(rows, group, **options))[0], alone, 1e-5)


def test_parts_of_a_batch_make_it_up(small):
    whole = list(Loader(small.train[:70], batch_size=32, rng=default_rng(0)))
    parts = []
    for index in range(4):
        loader = Loader(small.train[:70], batch_size=32, rng=default_rng(0))
        loader.part = Part(index, 4)
        parts.append([(images, labels, loader.share) for images, labels in loader])
    for number, (images, labels) in enumerate(whole):
        theirs = [part[number] for part in parts]
        assert sum(share for _, _, share in theirs) == pytest.approx(1)
        np.testing.assert_array_equal(np.concatenate([part[0] for part in theirs]), images)
        np.testing.assert_array_equal(np.concatenate([part[1] for part in theirs]), labels)


def test_random_changes_are_drawn_for_each_part(small):
    """As for batches of their own that begin where the parts do; and so they do not depend on what came before."""

    def images(part, position):
        loader = Loader(small.train, batch_size=32, rng=default_rng(0), augmentation=Augmentation(rotation=20))
        loader.part, loader.position = part, position
        return next(iter(loader))[0]

    first, second = (images(Part(i, 2), 32) for i in range(2))
    assert first.shape == second.shape
    np.testing.assert_array_equal(first, images(Part(0, 1), 32)[:16])  # the first part draws what the whole would
    assert not np.array_equal(second, images(Part(0, 1), 32)[16:])


@pytest.mark.parametrize("sizes", [(2, 2), (2, 3), (3, 1), (1, 2)])
def test_a_training_goes_on_with_the_same_or_another_number_of_processes(small, sizes, tmp_path):
    path = tmp_path / "checkpoint.safetensors"

    def begin(group):
        trainer, losses = trainer_for(small.train, group, optimizer=lambda net: Adam(net, 0.01))
        trainer.fit(steps=7)  # in the middle of an epoch
        if group is None or group.rank == 0:
            save_checkpoint(path, trainer)
        return losses.values

    def go_on(group):
        trainer, losses = trainer_for(small.train, group, optimizer=lambda net: Adam(net, 0.01))
        if group is None or group.rank == 0:
            load_checkpoint(path, trainer)
        return losses.values, trainer.fit(steps=15), None

    def by(size, work):
        return work(None) if size == 1 else in_threads(size, work)[0]

    values = by(sizes[0], begin) + (last := by(sizes[1], go_on))[0]
    whole, history, *_ = fitted(small.train, optimizer=lambda net: Adam(net, 0.01), steps=15)
    np.testing.assert_allclose(values, whole, rtol=1e-4)
    assert last[1][-1]["accuracy"] == history[-1]["accuracy"]


def test_dropout_draws_other_masks_on_each_rank_and_resumes_bit_for_bit(small, tmp_path):
    path = tmp_path / "checkpoint.safetensors"

    def net():
        rng = default_rng(3)
        return Sequential(Flatten(), Dropout(0.5, rng=default_rng(9)), Linear(784, 10, rng=rng))

    def work(group, parts):
        weights = None
        for steps in parts:
            trainer, _ = trainer_for(small.train, group, net=net)
            if weights is not None and group.rank == 0:
                load_checkpoint(path, trainer)
            trainer.fit(steps=steps)
            if group.rank == 0:
                save_checkpoint(path, trainer)
            weights = trainer.step.optimizer.parameters.weights.copy()
        return weights, trainer.step.net.layers[1].rng.bit_generator.state

    whole, halves = (in_threads(2, lambda group, parts=parts: work(group, parts)) for parts in ([9], [4, 9]))
    np.testing.assert_array_equal(whole[0][0], whole[1][0])
    np.testing.assert_array_equal(whole[0][0], halves[0][0])
    assert whole[0][1] != whole[1][1]


def test_a_generator_that_is_the_orders_too_is_refused(small):
    def work(group):
        rng = default_rng(0)
        net = Sequential(Flatten(), Dropout(0.5, rng=rng), Linear(784, 10, rng=rng))
        return fitted(small.train, group, net=lambda: net, rng=rng)

    ends = in_threads(2, work)
    assert all("share a random generator" in str(end) for end in ends), ends


def test_buffers_that_drift_apart_are_noticed(small):
    from inkgrad.nn import BatchNorm1d

    class Drifts(Callback):
        def on_step(self, trainer):
            trainer.step.net.layers[1].running_mean.data[0] += 1

    def net():
        return Sequential(Flatten(), BatchNorm1d(784), Linear(784, 10, rng=default_rng(0)))

    ends = in_threads(2, lambda group: fitted(small.train, group, net=net, callbacks=[Drifts()]))
    assert all("are no longer those on rank 0" in str(end) for end in ends)


class Stopper(Callback):
    """Stops in the middle of an epoch."""

    def on_step(self, trainer):
        if trainer.step_count == 3:
            trainer.stop("enough")


def test_what_stops_rank_0_stops_all_at_the_same_step(small):
    def work(group, callback):
        trainer, _ = trainer_for(small.train, group, callbacks=[callback], validation=small.validation)
        trainer.fit(steps=40)
        return trainer.step_count, trainer.stopped

    assert in_threads(3, lambda group: work(group, Stopper())) == [(4, "enough")] * 3
    stops = in_threads(3, lambda group: work(group, EarlyStopping(1, minimum_improvement=9)))
    assert len(set(stops)) == 1
    assert stops[0][0] < 40
    assert "not improved" in stops[0][1]


def test_ctrl_c_at_any_rank_ends_all_after_the_same_step(small, monkeypatch):
    from inkgrad.training import trainer as module

    saved = []

    class Saves(Callback):
        def on_interrupt(self, trainer):
            saved.append(trainer.step_count)

    class Pressed(module.Interruption):
        def __init__(self):
            super().__init__()
            self.looks = 0

        @property
        def asked(self):
            self.looks += 1
            return here.rank == 1 and self.looks > 5

    import threading

    class Here(threading.local):
        rank = 0

    here = Here()
    monkeypatch.setattr(module, "Interruption", Pressed)

    def work(group):
        here.rank = group.rank
        trainer, _ = trainer_for(small.train, group, callbacks=[Saves()])
        try:
            trainer.fit(steps=40)
        except KeyboardInterrupt:
            return trainer.step_count

    ends = in_threads(2, work)
    assert ends[0] == ends[1] < 40
    assert saved == [ends[0]]


@pytest.mark.slow
def test_a_rank_that_sees_other_data_ends_the_training_with_its_name(small):
    def work(group, **options):
        other = options.get("other", False) and group.rank == 1
        shuffle = not options.get("in_order") or group.rank == 0
        dtype = np.float64 if options.get("precise") and group.rank == 1 else np.float32
        train = small.train[1:200] if other else small.train[:199]
        validation = small.validation[: 50 if options.get("validation") and group.rank == 2 else 51]
        return fitted(
            train,
            group,
            validation=validation,
            batch_size=30 + (options.get("batch", 0) * group.rank),
            shuffle=shuffle,
            dtype=dtype,
        )

    for end in in_threads(3, lambda group: work(group, other=True)):
        assert isinstance(end, DataError)
        assert str(end).startswith("rank 1 of 3 sees other training data than rank 0: fingerprint ")
        assert str(end).endswith("give every machine the same files")
    for end in in_threads(3, lambda group: work(group, validation=True)):
        assert str(end).startswith("rank 2 of 3 sees other validation data than rank 0")
    for end in in_threads(2, lambda group: work(group, in_order=True)):
        assert str(end).startswith("rank 1 of 2 has other shuffle than rank 0: False instead of True")
    for end in in_threads(2, lambda group: work(group, precise=True)):
        assert str(end).startswith("rank 1 of 2 has other precision than rank 0: float64 instead of float32")
    for end in in_threads(3, lambda group: work(group, batch=1)):
        assert isinstance(end, OptionError)
        assert str(end).startswith("rank 1 of 3 has other batch size than rank 0: 31 instead of 30")


def test_of_settings_within_settings_the_one_that_differs_is_told(small):
    def work(group, **options):
        other = {name: value for name, value in options.items() if group.rank == 1}
        rate, clip = other.get("rate", 0.01), other.get("clip", 1.0)
        return fitted(small.train, group, optimizer=lambda net: SGD(net, rate, clip=ClipByGlobalNorm(clip)))

    for end in in_threads(2, lambda group: work(group, rate=0.02)):
        assert str(end).startswith("rank 1 of 2 has other optimizer than rank 0: schedule rate 0.02 instead of 0.01;")
    for end in in_threads(2, lambda group: work(group, clip=2.0)):
        told = "rank 1 of 2 has other optimizer than rank 0: clip limit 2.0 instead of 1.0;"
        assert str(end).startswith(told)


def test_a_rank_of_another_version_is_refused(small, monkeypatch):
    from inkgrad.training import together as module

    settings = module._settings
    monkeypatch.setattr(
        module,
        "_settings",
        lambda trainer: (
            settings(trainer) | ({"version_of_inkgrad": "9"} if trainer.group.rank else {"version_of_inkgrad": "8"})
        ),
    )
    for end in in_threads(2, lambda group: fitted(small.train, group)):
        assert isinstance(end, OptionError)
        assert str(end) == "rank 1 of 2 has version of inkgrad 9, rank 0 has 8; install the same on every machine"


def test_a_gradient_that_overflows_on_one_rank_is_refused_by_all(small):
    """The loss of each part is finite; so the sum must be looked at."""
    rows = Samples(np.full((64, 1), 1e20, np.float32), np.zeros(64, np.int64), "rows", classes=("a", "b"))
    rows.features[:40] = 0

    def loss(logits, labels):
        return cross_entropy(logits * 1e-18, labels) * 1e38

    def work(group):
        net = Sequential(Linear(1, 2, rng=default_rng(1)))
        net.layers[0].weight.data[...] = 0
        step = TrainStep(net, loss, SGD(net, 0.01))
        trainer = Trainer(step, rows, batch_size=64, shuffle=False, group=group)
        before = step.optimizer.parameters.weights.copy()
        try:
            trainer.fit(steps=1)
        finally:
            np.testing.assert_array_equal(step.optimizer.parameters.weights, before)

    for end in in_threads(2, work):
        assert isinstance(end, DivergenceError), end
        assert "the gradient of" in str(end)


def test_divergence_on_one_rank_is_told_to_all(small):
    images = np.zeros((64, 7), np.float32)
    images[40] = np.nan
    rows = Samples(images, np.zeros(64, np.int64), "rows", classes=("a", "b"))

    def work(group):
        return fitted(
            rows, group, net=lambda: Sequential(Linear(7, 2, rng=default_rng(1))), shuffle=False, batch_size=32
        )

    for end in in_threads(2, work):
        assert isinstance(end, DivergenceError)
        assert "the input holds NaN or infinity, first in image 8 of the batch" in str(end)


def test_weights_that_drift_apart_are_noticed(small):
    class Drifts(Callback):
        def on_step(self, trainer):
            trainer.step.optimizer.parameters.weights[0] += 1

    ends = in_threads(2, lambda group: fitted(small.train, group, callbacks=[Drifts()]))
    assert all("the weights on rank 1 of 2 are no longer those on rank 0 after step" in str(end) for end in ends)


def test_one_message_a_step(small):
    def work(group):
        trainer, _ = trainer_for(small.train, group)
        counts = [0]
        for steps in (1, 3, 6):  # all within an epoch
            trainer.fit(steps=steps)
            counts.append(group.calls)
        _, two, three = np.diff(counts)
        return three - two

    assert in_threads(2, work) == [1, 1]


def test_lost_is_no_error_of_the_project():
    def work(group):
        if group.rank:
            raise ValueError("gone")
        group.all(None)

    assert [type(end) for end in in_threads(2, work)] == [Lost, ValueError]


def test_datasets_smaller_than_the_group(small):
    tiny = small.train[:2]
    assert isinstance(tiny, Dataset)
    alone = fitted(tiny, steps=4, dtype=np.float64)
    same(in_threads(3, lambda group: fitted(tiny, group, steps=4, dtype=np.float64))[0], alone, 1e-12)
