"""`NetworkRegressor` on tables."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

import inkgrad as ig
from inkgrad import nn
from inkgrad.errors import OptionError
from inkgrad.estimator import NetworkRegressor


def fitted(X, y, **options):
    return NetworkRegressor(**{"random_state": 0, "max_iter": 30} | options).fit(X, y)


def test_targets_on_any_scale_are_learned_by_default(curve):
    X, y = curve
    net = NetworkRegressor(random_state=0).fit(X, y)
    assert net.score(X, y) > 0.9
    assert net._step.fallback is None
    assert net.predict(X).dtype == np.float64
    far = NetworkRegressor(random_state=0).fit(X, 1e9 + 1e6 * y)
    np.testing.assert_allclose((far.predict(X) - 1e9) / 1e6, net.predict(X), atol=1e-3)
    assert "accuracy" not in net.history_[0]
    variance = np.mean((net.predict(X) - y) ** 2) / y.var()
    assert net.history_[-1]["loss"] == pytest.approx(variance, rel=0.05)


def test_without_scaling_targets_go_as_they_come(curve):
    X, y = curve
    net = fitted(X, y, scale=False, max_iter=1)
    assert net.history_[0]["loss"] > 0.5 * np.mean(y**2)


def test_several_targets_a_sample(curve):
    X, y = curve
    both = np.column_stack([y, 1000 - y**2])
    net = fitted(X, both, max_iter=200)
    assert net.predict(X).shape == (400, 2)
    assert net.score(X, both) > 0.9
    assert fitted(X, y[:, None]).predict(X).shape == (400, 1)
    with pytest.raises(ValueError, match="y has 1 outputs, but NetworkRegressor is expecting 2"):
        net.partial_fit(X, y)


@pytest.mark.parametrize("outputs", [1, 2])
def test_in_one_batch_weights_are_repetition_to_the_last_bit(curve, outputs):
    X, y = (part[:50] for part in curve)
    y = np.column_stack([y, -y])[:, :outputs]
    weights = np.random.default_rng(1).integers(0, 4, 50)
    rows = np.random.default_rng(2).permutation(np.repeat(np.arange(50), weights))
    one = NetworkRegressor(random_state=0, max_iter=20).fit(X, y, sample_weight=weights)
    other = fitted(X[rows], y[rows], max_iter=20)
    assert np.array_equal(one.predict(X), other.predict(X))
    assert not np.array_equal(one.predict(X), fitted(X, y, max_iter=20).predict(X))


def test_validation_is_measured_on_scaled_targets(curve):
    X, y = curve
    net = NetworkRegressor(random_state=0, max_iter=3, n_iter_no_change=None)
    net.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    loss = np.mean((net.predict(X[300:]) - y[300:]) ** 2) / y[:300].var()
    assert net.history_[-1]["validation_loss"] == pytest.approx(loss, rel=1e-4)
    split = fitted(X, y, validation_fraction=0.25, n_iter_no_change=2, max_iter=200, learning_rate=0.03)
    assert split.n_iter_ < 200
    assert all("validation_loss" in record for record in split.history_)


def test_parts_warm_starts_and_copies(curve):
    X, y = curve
    net = NetworkRegressor(random_state=0, learning_rate=0.01)
    for _ in range(20):
        for part in np.array_split(np.arange(400), 4):
            net.partial_fit(X[part], y[part])
    assert net.score(X, y) > 0.85
    twin = pickle.loads(pickle.dumps(net))
    assert np.array_equal(twin.partial_fit(X, y).predict(X), net.partial_fit(X, y).predict(X))
    warm = fitted(X, y, warm_start=True)
    first = warm.score(X, y)
    assert warm.fit(X, y).score(X, y) > first
    assert warm.n_iter_ == 60
    assert not hasattr(clone(warm), "network_")


def test_a_network_of_ones_own(curve):
    X, y = curve
    rng = ig.default_rng(0)
    own = nn.Sequential(nn.Linear(10, 30, rng=rng), nn.GELU(), nn.Linear(30, 1, rng=rng))
    assert fitted(X, y, network=own, learning_rate=0.01).score(X, y) > 0.8
    with pytest.raises(OptionError, match="network 'lenet5' is a classifier"):
        fitted(X, y, network="lenet5")


def test_images_too(digits):
    """How much ink there is."""
    images, _ = digits
    ink = images.mean(axis=(1, 2))
    net = fitted(images, ink, max_iter=100)
    assert net.score(images, ink) > 0.9
    assert np.array_equal(net.predict(images), net.predict(images.reshape(-1, 784)))


@pytest.mark.parametrize(
    ("y", "told"),
    [
        (np.array(["a"] * 400), "could not convert string to float|dtype='numeric' is not compatible"),
        (np.full(400, np.inf), "Input y contains infinity"),
        (np.zeros(399), "inconsistent numbers of samples"),
        (None, "requires y to be passed"),
    ],
)
def test_targets_that_cannot_be(curve, y, told):
    with pytest.raises(ValueError, match=told):
        NetworkRegressor().fit(curve[0], y)
