"""From bytes to the numbers that a network sees."""

import json

import numpy as np
import pytest

from inkgrad.data import Dataset, Scaling, linear_scaling, standardization
from inkgrad.errors import DataError, OptionError


def random(n=9, seed=0):
    rng = np.random.default_rng(seed)
    return Dataset(rng.integers(0, 256, (n, 28, 28), np.uint8), np.zeros(n, np.int64), "random")


def test_linear_is_division_by_255():
    every = np.arange(784, dtype=np.uint8).reshape(1, 28, 28)
    scaled = linear_scaling().apply(every)
    assert scaled.dtype == np.float32
    assert scaled.shape == (1, 1, 28, 28)
    np.testing.assert_array_equal(scaled[0, 0], every[0] * np.float32(1 / 255))
    np.testing.assert_allclose(scaled[0, 0], every[0] / 255, rtol=1.2e-7)
    assert scaled.min() == 0
    assert scaled.max() == 1


def test_standardized_data_have_mean_0_and_deviation_1():
    data = random()
    scaling = standardization(data)
    pixels = data.images.astype(np.float64)
    assert scaling.scale == pytest.approx(1 / pixels.std(), rel=1e-12)
    assert scaling.shift == pytest.approx(-pixels.mean() / pixels.std(), rel=1e-12)
    scaled = scaling.apply(data.images).astype(np.float64)
    np.testing.assert_allclose(scaled[:, 0], (pixels - pixels.mean()) / pixels.std(), atol=1e-6)
    assert abs(scaled.mean()) < 1e-6
    assert scaled.std() == pytest.approx(1, abs=1e-6)


@pytest.mark.slow
def test_standardization_of_mnist_is_the_known_one(mnist):
    scaling = standardization(mnist[0])
    mean, deviation = -scaling.shift / scaling.scale / 255, 1 / scaling.scale / 255
    assert (round(mean, 4), round(deviation, 4)) == (0.1307, 0.3081)


def test_chosen_images_are_scaled_alike():
    data = random()
    scaling = standardization(data)
    whole = scaling.apply(data.images)
    chosen = np.array([8, 0, 0, 3])
    np.testing.assert_array_equal(scaling.apply(data.images, chosen), whole[chosen])
    np.testing.assert_array_equal(scaling.apply(data.images[::-2]), whole[::-2])
    assert scaling.apply(data.images[:0]).shape == (0, 1, 28, 28)
    assert scaling.apply(data.images, chosen[:0]).shape == (0, 1, 28, 28)


@pytest.mark.parametrize("value", [0, 255])
def test_equal_pixels_cannot_be_standardized(value):
    data = Dataset(np.full((3, 28, 28), value, np.uint8), np.zeros(3, np.int64), "flat")
    with pytest.raises(DataError, match="all pixels of flat are equal"):
        standardization(data)


def test_no_images_cannot_be_standardized():
    with pytest.raises(DataError, match="random has no images"):
        standardization(random(0))


def test_json_keeps_the_scaling_to_the_last_bit():
    scaling = standardization(random())
    assert Scaling.from_json(json.loads(json.dumps(scaling.as_json()))) == scaling


@pytest.mark.parametrize(
    "fields", [{}, {"kind": "linear", "scale": "x", "shift": 0}, {"kind": "linear", "scale": 1}, 7]
)
def test_json_of_something_else(fields):
    with pytest.raises(OptionError, match="needs kind, scale and shift"):
        Scaling.from_json(fields)
