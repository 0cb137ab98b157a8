"""Digits, trainings of any network on them, and runs in folders."""

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn
from inkgrad.data import Dataset, Splits
from inkgrad.training import Run, Settings, Trainer, TrainStep


@pytest.fixture(scope="session")
def digits() -> Splits:
    """All bundled digits."""
    return ig.data.load("digits")


@pytest.fixture(scope="session")
def deep() -> Callable[..., nn.Sequential]:
    """784, several hidden layers of 64 with any activation and any initial weights, 10."""

    def make(activation: type[nn.Module], layers: int, init: Any = nn.init.he_normal) -> nn.Sequential:
        rng, widths = ig.default_rng(0), [784] + [64] * layers
        inner = [(nn.Linear(a, b, rng=rng, init=init), activation()) for a, b in itertools.pairwise(widths)]
        flat = [layer for pair in inner for layer in pair]
        return nn.Sequential(nn.Flatten(), *flat, nn.Linear(64, 10, rng=rng, init=init))

    return make


@pytest.fixture(scope="session")
def trained(digits: Splits) -> Callable[..., Trainer]:
    """A trainer that has trained a network, by default with momentum on the bundled digits."""

    def train(net: nn.Module, *, rate: float = 0.02, epochs: int = 2, train: Dataset | None = None, **options: Any):
        step = TrainStep(net, nn.cross_entropy, ig.optim.SGD(net, rate, momentum=0.9))
        trainer = Trainer(step, train or digits.train, validation=digits.validation, **options)
        trainer.fit(epochs=epochs)
        return trainer

    return train


@pytest.fixture(scope="session")
def run_of(digits: Splits) -> Callable[..., Trainer]:
    """The trainer of `inkgrad train` with some settings, after its training; `splits` stands for the digits."""

    def train(splits: Splits | None = None, **settings: Any) -> Trainer:
        chosen = Settings(**{"epochs": 10} | settings)
        trainer = ig.training.assemble(chosen, splits or digits)
        trainer.fit(steps=chosen.total_steps(len(trainer.train)))
        return trainer

    return train


@pytest.fixture(scope="session")
def mislabeled(digits: Splits) -> tuple[Splits, np.ndarray]:
    """The digits with one label in a hundred wrong, and which these are."""
    rng, labels = np.random.default_rng(0), digits.train.labels.copy()
    wrong = rng.choice(len(labels), len(labels) // 100, replace=False)
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, len(wrong))) % 10
    return digits._replace(train=dataclasses.replace(digits.train, labels=labels)), wrong


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, digits: Splits) -> Path:
    """The folder of a run that is done."""
    folder = tmp_path_factory.mktemp("doctor") / "run"
    Run(folder, Settings(model="two-layer", epochs=3, learning_rate=0.2), digits).train()
    return folder
