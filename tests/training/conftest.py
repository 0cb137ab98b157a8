"""Small data that a network can learn in a few steps, and small networks with everything that has a state."""

from collections.abc import Callable

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn
from inkgrad.data import Dataset, Splits, load_digits


@pytest.fixture(scope="session")
def small() -> Splits:
    """200 real digits to learn from, 60 to validate, 60 to test."""
    train, test = load_digits()
    return Splits(train[:200], train[200:260], test[:60])


@pytest.fixture(scope="session")
def batch(small: Splits) -> tuple[np.ndarray, np.ndarray]:
    return ig.data.linear_scaling().apply(small.train.images[:20]), small.train.labels[:20]


@pytest.fixture
def stateful() -> Callable[..., nn.Module]:
    """A network with running statistics and two generators."""

    def make(seed: int = 0) -> nn.Module:
        weights, one, two = ig.default_rng(seed).spawn(3)
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, 16, rng=weights),
            nn.BatchNorm1d(16),
            nn.ReLU(),
            nn.Dropout(0.3, rng=one),
            nn.Residual(nn.Sequential(nn.Linear(16, 16, rng=weights), nn.Tanh(), nn.Dropout(0.2, rng=two))),
            nn.Linear(16, 10, rng=weights),
        )

    return make


@pytest.fixture
def weights_of() -> Callable[[nn.Module], bytes]:
    """All weights and buffers, to the last bit."""

    def of(net: nn.Module) -> bytes:
        return b"".join(array.tobytes() for array in nn.state_of(net).values())

    return of


@pytest.fixture
def made() -> Callable[..., Dataset]:
    """Random images without any meaning."""

    def make(n: int, seed: int = 0) -> Dataset:
        rng = np.random.default_rng(seed)
        return Dataset(rng.integers(0, 256, (n, 28, 28), np.uint8), rng.integers(0, 10, n), "made")

    return make
