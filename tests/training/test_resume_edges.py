"""Places where a resumed training could differ from one that never stopped."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.data import Dataset
from inkgrad.training import Callback, Trainer, TrainStep, load_checkpoint, save_checkpoint
from inkgrad.training.threads import blas_threads


def data(n=40):
    rng = ig.default_rng(3)
    return Dataset(rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), np.arange(n) % 10, "noise")


class SaveAt(Callback):
    """Saves after a step, as the clock may do at any of them."""

    def __init__(self, path, step):
        self.path, self.step = path, step

    def on_step(self, trainer):
        if trainer.step_count == self.step:
            save_checkpoint(self.path, trainer)


def trainer(rng, callbacks=()):
    weights = ig.default_rng(0)
    net = ig.nn.Sequential(
        ig.nn.Flatten(),
        ig.nn.Linear(784, 12, rng=weights),
        ig.nn.ReLU(),
        ig.nn.Dropout(0.5, rng=rng),
        ig.nn.Linear(12, 10, rng=weights),
    )
    step = TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.05, momentum=0.9))
    return Trainer(step, data(), validation=data(20), batch_size=8, rng=rng, callbacks=callbacks)


def told(history):
    return [{k: v for k, v in record.items() if k not in ("seconds", "images_per_second")} for record in history]


@pytest.mark.parametrize("at", [1, 4, 5, 7, 9, 10])
@pytest.mark.parametrize("steps", [5, 10, 12])
def test_one_generator_for_layers_and_order_and_any_last_step(tmp_path, at, steps):
    """Epochs have 5 steps; a checkpoint may be the last thing that an epoch or the training writes."""
    if at > steps:
        at = steps
    path = tmp_path / "checkpoint.safetensors"
    whole = trainer(ig.default_rng(7), [SaveAt(path, at)])
    whole.fit(steps=steps)
    rest = trainer(ig.default_rng(8), [SaveAt(tmp_path / "other", 10**6)])
    load_checkpoint(path, rest)
    rest.fit(steps=steps)
    for (name, a), (_, b) in zip(whole.step.net.named_state(), rest.step.net.named_state(), strict=True):
        assert np.array_equal(a.data, b.data), name
    assert told(rest.history) == told(whole.history)


def test_trainings_that_overlap_give_the_threads_back():
    from threadpoolctl import threadpool_info

    def threads():
        return [info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"]

    before = threads()
    first, second = blas_threads(1), blas_threads(1)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert threads() == before
