"""Rows with targets and weights, and how they reach the training loop."""

import numpy as np
import pytest
from scipy import sparse

from inkgrad.data import Augmentation, Loader, Samples
from inkgrad.errors import DataError, OptionError
from inkgrad.random import default_rng

ROWS = np.arange(21, dtype=np.float32).reshape(7, 3)
LABELS = np.array([0, 1, 2, 0, 1, 2, 0])
WEIGHTS = np.linspace(0.5, 2, 7, dtype=np.float32)


def samples(features=ROWS, targets=LABELS, weights=None, classes=("a", "b", "c")):
    return Samples(features, targets, "seven", weights, classes)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_every_row_once_an_epoch_with_what_belongs_to_it(form, weights):
    data = samples(form(ROWS), weights=weights)
    for size in (3, 7):
        seen = []
        for features, labels, *more in Loader(data, batch_size=size, rng=default_rng(0)):
            numbers = (features[:, 0] / 3).astype(int)
            assert np.array_equal(features, ROWS[numbers])
            assert np.array_equal(labels, LABELS[numbers])
            assert len(more) == (weights is not None)
            assert not more or np.array_equal(more[0], WEIGHTS[numbers])
            seen += numbers.tolist()
        assert sorted(seen) == list(range(7))
        assert (seen == list(range(7))) == (size == 7)
    assert np.array_equal(np.concatenate(list(data.parts(2))), ROWS)
    assert data.fingerprint() == samples(weights=weights).fingerprint()
    assert data.fingerprint() != samples(ROWS + 1, weights=weights).fingerprint()


def test_in_their_own_order_where_nothing_is_shuffled():
    loader = Loader(samples(), batch_size=3, rng=default_rng(0), shuffle=False)
    for _ in range(2):
        assert np.concatenate([labels for _, labels in loader]).tolist() == LABELS.tolist()


def test_images_are_augmented_also_in_their_own_order():
    images = default_rng(0).random((7, 1, 8, 8), np.float32)
    options = {"batch_size": 7, "augmentation": Augmentation(rotation=20), "shuffle": False}
    (changed, labels, weights), *_ = Loader(samples(images, weights=WEIGHTS), rng=default_rng(0), **options)
    assert changed.shape == images.shape
    assert not np.array_equal(changed, images)
    assert np.array_equal(labels, LABELS)
    assert np.array_equal(weights, WEIGHTS)
    with pytest.raises(OptionError, match=r"seven are rows of shape \(3,\)"):
        Loader(samples(), rng=default_rng(0), **options)
    with pytest.raises(OptionError, match="mixup blends images of a data set"):
        Loader(samples(images), batch_size=7, rng=default_rng(0), mixup=0.2)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"features": ROWS.astype(np.float64)}, "features of seven must be float32"),
        ({"features": ROWS[:6]}, "targets of seven must be int64, one for each of its 6 rows, but 7 came"),
        ({"targets": LABELS.astype(np.int32)}, "targets of seven must be int64"),
        ({"targets": ROWS.astype(np.float64)}, "targets of seven must be float32"),
        ({"weights": WEIGHTS.astype(np.float64)}, "weights of seven must be float32"),
        ({"weights": WEIGHTS[:6]}, "weights of seven must be float32, one for each of its 7 rows, but 6 came"),
        ({"targets": LABELS + 1}, r"a label of seven is outside 0\.\.2"),
    ],
)
def test_what_does_not_fit_is_told(changes, told):
    with pytest.raises(DataError, match=told):
        samples(**changes)
