"""The learning-rate range test: what it finds, and that it leaves no trace."""

import io

import numpy as np
import pytest
from PIL import Image

import inkgrad as ig
from inkgrad.errors import OptionError, RunError
from inkgrad.training import Settings, Trainer, TrainStep, assemble, plot_range_test, range_test
from inkgrad.training.checkpoint import save_checkpoint

SMALL = {"model": "mlp", "hidden": (16,), "batch_size": 50}


def test_rates_rise_evenly_in_their_logarithms(small):
    found = range_test(assemble(Settings(**SMALL), small), lowest=1e-4, highest=1e4, steps=160)
    n = len(found.rates)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-4, 1e4, 160)[:n])
    assert found.ran_away
    assert n < 160
    assert found.losses.shape == found.smoothed.shape == (n,)
    assert found.suggestion <= found.minimum / 10
    assert found.suggestion <= found.steepest < found.minimum < found.rates[-1]
    assert found.smoothed.argmin() == np.flatnonzero(found.rates == found.minimum)[0]


@pytest.mark.parametrize(
    ("optimizer", "low", "high"), [("sgd", 0.01, 1.0), ("momentum", 2e-3, 0.2), ("adam", 5e-4, 0.05)]
)
def test_the_suggestion_trains(small, optimizer, low, high):
    found = range_test(assemble(Settings(**SMALL, optimizer=optimizer), small))
    assert low < found.suggestion < high
    trained = assemble(Settings(**SMALL, optimizer=optimizer, learning_rate=found.suggestion), small).fit(epochs=20)
    still = assemble(Settings(**SMALL, optimizer=optimizer, learning_rate=found.suggestion / 1000), small).fit(
        epochs=20
    )
    assert trained[-1]["loss"] < 0.75 * still[-1]["loss"]


def test_nothing_is_left_of_it(small, stateful, tmp_path):
    """Weights, running statistics, optimizer, average, generators, place in the epoch: the checkpoint is the same."""

    def trainer():
        net = stateful()
        step = TrainStep(
            net, ig.nn.cross_entropy, ig.optim.Adam(net, 0.01), average=ig.optim.MovingAverage(net, decay=0.9)
        )
        made = Trainer(step, small.train, validation=small.validation, batch_size=30)
        made.fit(steps=10)  # in the middle of an epoch
        for record in made.history:
            record["seconds"] = record["images_per_second"] = 0.0
        made._seconds = 0.0
        return made

    tested, untouched = trainer(), trainer()
    tested.step.net.eval()
    range_test(tested, highest=1e3, steps=60)
    assert not tested.step.net.training
    assert tested.step.optimizer.learning_rate == 0.01
    for name, one in (("tested", tested), ("untouched", untouched)):
        save_checkpoint(tmp_path / name, one)
    assert (tmp_path / "tested").read_bytes() == (tmp_path / "untouched").read_bytes()
    tested.fit(steps=25)
    untouched.fit(steps=25)
    assert [r["loss"] for r in tested.history] == [r["loss"] for r in untouched.history]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lowest": 0}, "must rise from above 0, but go from 0 to 10"),
        ({"lowest": 1.0, "highest": 0.1}, "must rise from above 0, but go from 1 to 0.1"),
        ({"highest": float("inf")}, "must rise from above 0, but go from 1e-06 to inf"),
        ({"steps": 9}, "needs at least 10 steps, but got 9"),
        ({"smoothing": -0.1}, "smoothing of a range test must be from 0 to below 1"),
    ],
)
def test_options_that_cannot_be(small, options, words):
    with pytest.raises(OptionError, match=words):
        range_test(assemble(Settings(**SMALL), small), **options)


def test_nothing_to_suggest(small):
    with pytest.raises(
        RunError, match=r"hardly fell between the learning rates 1e-09 and 1e-08 \(from 2\.\d+ to 2\.\d+\)"
    ):
        range_test(assemble(Settings(**SMALL), small), lowest=1e-9, highest=1e-8, steps=50)
    with pytest.raises(RunError, match="begin lower"):
        range_test(assemble(Settings(**SMALL, optimizer="sgd"), small), lowest=1e30, highest=1e31)


def test_the_plot_is_a_picture_of_one_size(small):
    found = range_test(assemble(Settings(**SMALL), small), steps=50)
    assert Image.open(io.BytesIO(plot_range_test(found))).size == (1152, 604)
    assert plot_range_test(found) == plot_range_test(found)
