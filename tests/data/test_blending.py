"""Mixup: images and targets blended by the same shares."""

import json

import numpy as np
import pytest

from inkgrad.data import Augmentation, Loader, load_digits, mixup
from inkgrad.errors import OptionError
from inkgrad.random import default_rng

TRAIN = load_digits()[0][:90]


def test_images_and_targets_have_the_same_shares():
    """One-hot images tell what was blended."""
    labels = np.arange(300) % 10
    images = np.zeros((300, 1, 28, 28), np.float32)
    images[np.arange(300), 0, 0, labels] = 1
    blended, targets = mixup(images, labels, 10, 0.5, default_rng(0))
    np.testing.assert_allclose(blended[:, 0, 0, :10], targets, atol=1e-6)
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    assert blended.dtype == targets.dtype == np.float32
    assert ((targets > 0.01).sum(axis=1) == 2).mean() > 0.5


@pytest.mark.parametrize("alpha", [0.1, 1.0, 5.0])
def test_shares_are_beta_distributed(alpha):
    n = 3000
    _, targets = mixup(np.zeros((n, 1, 1, 1), np.float32), np.arange(n), n, alpha, default_rng(1))
    share = targets.diagonal()  # each image is a class of its own
    assert share.mean() == pytest.approx(0.5, abs=0.03)
    assert share.var() == pytest.approx(0.25 / (2 * alpha + 1), rel=0.1)


def loader(seed=3, **options):
    return Loader(TRAIN, batch_size=25, rng=default_rng(seed), **options)


def test_the_loader_blends_after_augmentation_and_continues_bit_for_bit():
    options = {"mixup": 0.4, "augmentation": Augmentation(rotation=10)}
    through = loader(**options)
    whole = [batch for _ in range(2) for batch in through]
    first = loader(**options)
    taken = [next(iter(first))]
    state = json.loads(json.dumps(first.state()))
    again = loader(seed=9, **options)
    again.load_state(state)
    rest = [batch for _ in range(2) for batch in again]
    for (x, t), (y, u) in zip(whole, taken + rest, strict=True):
        np.testing.assert_array_equal(x, y)
        np.testing.assert_array_equal(t, u)
    assert whole[0][1].shape == (25, 10)
    assert whole[3][1].shape == (15, 10)
    assert not np.array_equal(whole[0][0], next(iter(loader(augmentation=options["augmentation"])))[0])


def test_a_batch_of_everything_is_blended_anew():
    it = Loader(TRAIN, batch_size=90, rng=default_rng(0), mixup=1.0)
    ((one, _),), ((other, _),) = list(it), list(it)
    assert not np.array_equal(one, other)


def test_what_is_refused():
    with pytest.raises(OptionError, match="mixup needs an alpha of at least 0, but got -1"):
        loader(mixup=-1)
    with pytest.raises(OptionError, match=r"mixup needs a random generator; give the loader rng=\.\.\."):
        Loader(TRAIN, batch_size=5, mixup=0.2)
