"""Small tables and images that a network learns in a blink."""

import numpy as np
import pytest
from sklearn import datasets

import inkgrad as ig


@pytest.fixture(scope="session")
def table():
    """(X, y, X of others, y of others): 8x8 digits as rows of 64 numbers, 400 to learn and 200 to test."""
    X, y = datasets.load_digits(return_X_y=True)
    return X[:400], y[:400], X[400:600], y[400:600]


@pytest.fixture(scope="session")
def digits():
    """(images, labels) of 300 digits, uint8 (n, 28, 28)."""
    train, _ = ig.data.load_digits()
    return train.images[:300], train.labels[:300]


@pytest.fixture(scope="session")
def curve():
    """(X, y) of a function of ten numbers, five of which count."""
    X, y = datasets.make_friedman1(400, random_state=0)
    return X, y


@pytest.fixture
def blobs():
    """(X, y) of a batch at most: 60 rows of 4 numbers, in three classes that overlap."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=60)
    return rng.normal(size=(60, 4)) + y[:, None], y
