"""Nearest neighbours: exact distances, ties as stated, scikit-learn as oracle."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

import inkgrad as ig
from inkgrad.errors import OptionError, ShapeError
from inkgrad.models import KNearest


@pytest.fixture(scope="module")
def digits():
    return ig.data.load_digits()


def exact(known, asked):
    a, b = (x.reshape(len(x), -1).astype(np.int64) for x in (asked, known))
    return ((a[:, None] - b[None]) ** 2).sum(2)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_distances_are_exact_and_ordered(digits, k):
    train, test = digits
    known, asked = train.images[:200], test.images[:60]
    known = np.concatenate([known, known[:7]])  # ties
    found, distances = KNearest(k).fit(known, np.arange(len(known))).neighbors(asked)
    all_of_them = exact(known, asked)
    order = np.argsort(all_of_them, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(found, order)
    np.testing.assert_array_equal(distances, np.take_along_axis(all_of_them, order, 1))


def test_extreme_pixels_do_not_round():
    rng = ig.default_rng(0)
    images = rng.choice(np.array([0, 1, 254, 255], np.uint8), (40, 32, 32))
    found, distances = KNearest(5).fit(images, np.arange(40)).neighbors(images)
    np.testing.assert_array_equal(distances, np.sort(exact(images, images), 1)[:, :5])
    np.testing.assert_array_equal(found[:, 0], np.arange(40))


@pytest.mark.parametrize("k", [1, 3, 5])
def test_it_agrees_with_scikit_learn(digits, k):
    train, test = digits
    ours = KNearest(k).fit(train.images, train.labels).predict(test.images)
    theirs = KNeighborsClassifier(k, algorithm="brute").fit(train.images.reshape(len(train), -1) / 255, train.labels)
    assert (ours == theirs.predict(test.images.reshape(len(test), -1) / 255)).mean() > 0.99  # but for ties
    assert (ours == test.labels).mean() > 0.95


def test_among_classes_with_as_many_votes_the_nearest_wins():
    known = np.array([[[10]], [[20]], [[31]], [[41]]], np.uint8)
    asked = np.array([[[9]], [[45]], [[25]]], np.uint8)
    assert KNearest(4).fit(known, np.array([1, 2, 2, 1])).predict(asked).tolist() == [1, 1, 2]


def test_bad_input(digits):
    train, _ = digits
    with pytest.raises(OptionError, match="k of at least 1"):
        KNearest(0)
    with pytest.raises(OptionError, match="call fit first"):
        KNearest().predict(train.images)
    with pytest.raises(ShapeError, match="at least as many images"):
        KNearest(3).fit(train.images[:2], train.labels[:2])
    with pytest.raises(ShapeError, match="a label for each"):
        KNearest(3).fit(train.images, train.labels[:2])
    with pytest.raises(ShapeError, match="takes uint8 images"):
        KNearest(3).fit(train.images / 255, train.labels)
    with pytest.raises(ShapeError, match="at most 1,024 pixels"):
        KNearest(1).fit(np.zeros((3, 40, 40), np.uint8), np.zeros(3, np.int64))
    with pytest.raises(ShapeError, match="fitted on 784 pixels"):
        KNearest(3).fit(train.images, train.labels).predict(np.zeros((2, 5, 5), np.uint8))
