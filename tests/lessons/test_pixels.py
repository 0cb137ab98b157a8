"""Convolution by hand, digits that are moved, and readers that disagree."""

import numpy as np
import pytest
from scipy.signal import correlate2d
from sklearn.neighbors import KNeighborsClassifier

import inkgrad as ig
from inkgrad.errors import OptionError, ShapeError
from inkgrad.lessons.digits import lesson_digits
from inkgrad.lessons.pixels import convolve, shifted
from inkgrad.lessons.reader_weights import READERS, learned
from inkgrad.lessons.readers import (
    SHIFTS,
    accuracy,
    accuracy_by_shift,
    disagreements,
    moved,
    trained,
)


@pytest.mark.parametrize("size", [3, 5])
def test_a_convolution_by_hand(size):
    _, test = lesson_digits()
    image, kernel = test.images[2], ig.default_rng(0).normal(size=(size, size)).astype(np.float32)
    found = convolve(image, kernel)
    expected = correlate2d(image / 255.0, kernel, mode="valid")
    np.testing.assert_allclose(found.maps, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.rectified, np.maximum(found.maps, 0))
    half = len(found.maps) // 2
    np.testing.assert_array_equal(found.pooled, found.rectified.reshape(half, 2, half, 2).max(axis=(1, 3)))
    for row, column in ((0, 0), (9, 12), (28 - size, 28 - size)):
        place = found.place(row, column)
        np.testing.assert_allclose(place.products, place.window * kernel)
        assert place.products.sum() == pytest.approx(place.total, rel=1e-4, abs=1e-5)
        assert place.total == found.maps[row, column]
        assert place.block.shape == (2, 2) and place.block.max() == place.largest
        assert found.rectified[row, column] in place.block


def test_what_cannot_be_convolved():
    image = np.zeros((28, 28), np.uint8)
    with pytest.raises(ShapeError, match="3x3 or 5x5"):
        convolve(image, np.ones((4, 4), np.float32))
    with pytest.raises(OptionError, match="0 to 25"):
        convolve(image, np.ones((3, 3), np.float32)).place(26, 0)


def test_a_convolution_moves_along_and_pooling_by_half():
    _, test = lesson_digits()
    image, kernel = test.images[5], np.array([[-1, 0, 1]] * 3, np.float32)
    here, there = convolve(image, kernel), convolve(shifted(image, 2, -2), kernel)
    np.testing.assert_array_equal(there.maps[4:-2, 2:-4], here.maps[2:-4, 4:-2])
    np.testing.assert_array_equal(there.pooled[2:-1, 1:-2], here.pooled[1:-2, 2:-1])
    for down, right in ((0, 0), (3, -4), (-28, 28)):
        np.testing.assert_array_equal(shifted(shifted(image, down, right), -down, -right) > image, False)


def test_the_networks_have_learned_and_the_vote_is_that_of_others():
    train, test = lesson_digits()
    found = accuracy()
    assert found["lenet5"] > 0.9 and found["lenet5-middle"] > 0.9 and found["two-layer"] > 0.75
    others = KNeighborsClassifier(1).fit(train.images.reshape(len(train), -1), train.labels)
    flat = test.images.reshape(len(test), -1)
    distances, nearest = (array[:, 0] for array in others.kneighbors(flat))
    votes = {one.sample: one for one in disagreements()}
    assert len(votes) > 5
    logits = ig.models.network_logits(trained(), test.images, ig.data.linear_scaling())
    for sample, one in votes.items():
        assert one.network == logits[sample].argmax() != one.vote
        assert one.label == test.labels[sample]
        assert one.distances[0] == pytest.approx(distances[sample] / 255, rel=1e-5)
        assert one.neighbors[0] == nearest[sample] and one.labels == tuple(train.labels[list(one.neighbors)])
        assert one.vote in one.labels


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_what_is_shipped_can_be_learned_again(name):
    """To the bit only where sums are rounded alike; as good everywhere."""
    _, test = lesson_digits()
    again, shipped = learned(name), trained(name)
    assert again.architecture == shipped.architecture and not shipped.training
    right = [
        (ig.models.network_logits(net, test.images, ig.data.linear_scaling()).argmax(axis=1) == test.labels).mean()
        for net in (again, shipped)
    ]
    assert right[0] == pytest.approx(right[1], abs=0.05)


def test_who_reads_digits_that_are_moved():
    found = accuracy_by_shift()
    at = {shift: index for index, shift in enumerate(SHIFTS)}
    far, middle = at[4], at[0]
    assert found["lenet5"][far] > 0.8 > 0.5 > found["lenet5-middle"][far]
    assert found["lenet5"][far] > found["two-layer"][far] > found["neighbors"][far]
    assert min(found["neighbors"][middle], found["lenet5-middle"][middle]) > 0.9
    _, test = lesson_digits()
    one = moved(test.images[0], 0, 2)
    maps = ig.nn.feature_maps(trained(), ig.data.linear_scaling().apply(shifted(test.images[:1], 0, 2)))
    np.testing.assert_array_equal(one.maps, maps["layers.1"][0])
    np.testing.assert_array_equal(one.pooled, maps["layers.2"][0])
    assert one.probabilities["lenet5"].argmax() == one.logits.argmax()
