"""From X to what a network takes."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from inkgrad.estimator import inputs
from inkgrad.estimator.inputs import Inputs, as_rows


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return rng.normal(5, 3, (50, 4)), rng.integers(1, 4, 50).astype(float)


@pytest.mark.parametrize("together", [4096, 7])
@pytest.mark.parametrize("weighted", [False, True])
def test_columns_are_standardized_as_by_scikit_learn(table, together, weighted, monkeypatch):
    monkeypatch.setattr(inputs, "TOGETHER", together)
    X, weights = table
    weights = weights if weighted else None
    scaler = StandardScaler().fit(X, sample_weight=weights)
    ours = Inputs.of_columns(X, weights, (4,)).apply(X)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, scaler.transform(X), rtol=1e-5, atol=1e-6)
    rows = sparse.csr_array(X)
    kept = Inputs.of_columns(rows, weights, (4,))
    assert sparse.issparse(kept.apply(rows))
    expected = StandardScaler(with_mean=False).fit(rows, sample_weight=weights).transform(rows)
    np.testing.assert_allclose(kept.apply(rows).toarray(), expected.toarray(), rtol=1e-5)
    np.testing.assert_allclose(kept.apply(X), expected.toarray(), rtol=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e17 / 3, -1e-300])
def test_a_column_of_equal_numbers_becomes_0_and_stays_as_wide(value):
    X = np.full((97, 1), value)
    scaled = Inputs.of_columns(X, np.linspace(0.1, 1, 97), (1,))
    assert scaled.factor.tolist() == [1.0]
    assert np.abs(scaled.apply(X)).max() <= 1e-15 * abs(value)


def test_pixels_go_from_0_to_1():
    images = np.array([[0, 51], [102, 0]], np.uint8)
    assert Inputs.of_pixels(images, (1, 1, 2)).apply(images).max() == pytest.approx(0.4)  # bytes: 255 is full
    assert Inputs.of_pixels(images, (1, 1, 2)).apply(images).shape == (2, 1, 1, 2)
    shares = Inputs.of_pixels(images / 51 - 1, (1, 1, 2)).apply(images / 51 - 1)
    np.testing.assert_allclose(shares.reshape(2, 2), [[0, 0.5], [1, 0]])
    blank = np.full((2, 2), 7.0)
    assert not Inputs.of_pixels(blank, (2,)).apply(blank).any()


def test_images_become_rows():
    images = np.arange(24).reshape(2, 3, 4)
    for given in (images, images[:, None], images.tolist()):
        rows, shape = as_rows(given, "It")
        assert rows.tolist() == images.reshape(2, 12).tolist()
        assert shape == (3, 4)
    for given in (images[0], images[0].tolist(), [], [[]], sparse.csr_array(images[0]), "text"):
        rows, shape = as_rows(given, "It")
        assert rows is given
        assert shape is None
    with pytest.raises(ValueError, match="Found array with dim 4 and 2 channels, while It expects images of one"):
        as_rows(np.zeros((5, 2, 3, 4)), "It")


def test_what_need_not_be_changed_is_not_copied(table):
    X = table[0].astype(np.float32)
    X.flags.writeable = False  # as joblib gives its workers
    unscaled = Inputs.unscaled((2, 2))
    assert np.shares_memory(unscaled.apply(X), X) and unscaled.apply(X).shape == (50, 2, 2)
    np.testing.assert_array_equal(unscaled.apply(X.astype(np.float64)), X.reshape(50, 2, 2))
    assert unscaled.apply(X[:, ::-1]).flags.c_contiguous
    assert np.isinf(unscaled.apply(np.full((1, 4), 1e300))).all()
