"""Initial weights: their width follows fan-in and fan-out."""

import math

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.errors import OptionError, ShapeError
from inkgrad.nn import init

SHAPES = [(300, 200), (100, 400), (64, 32, 5, 5)]

# name: the variance from fan-in and fan-out, whether it is uniform
RULES = {
    "lecun_normal": (lambda i, o: 1 / i, False),
    "lecun_uniform": (lambda i, o: 1 / i, True),
    "xavier_normal": (lambda i, o: 2 / (i + o), False),
    "xavier_uniform": (lambda i, o: 2 / (i + o), True),
    "he_normal": (lambda i, o: 2 / i, False),
    "he_uniform": (lambda i, o: 2 / i, True),
}


def test_every_initializer_is_tested():
    assert set(init.__all__) == {*RULES, "Initializer", "fans", "normal", "zeros"}


def test_fans():
    assert init.fans((3, 7)) == (7, 3)
    assert init.fans((16, 6, 5, 5)) == (150, 400)
    assert init.fans((4, 2, 3)) == (6, 12)
    for shape in ((), (5,)):
        with pytest.raises(ShapeError, match="fan-in and fan-out need a weight of shape"):
            init.fans(shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", RULES)
def test_mean_width_and_bounds(name, shape):
    variance, uniform = RULES[name]
    window = math.prod(shape[2:])
    std = math.sqrt(variance(shape[1] * window, shape[0] * window))
    w = getattr(init, name)(shape, ig.default_rng(0))
    assert w.shape == shape
    assert w.dtype == np.float32
    assert w.flags.writeable
    n = w.size
    assert abs(w.mean()) < 4 * std / math.sqrt(n)
    # The variance of a sample variance is (kurtosis - 1) / n: 2 / n normal, 0.8 / n uniform.
    assert abs(w.var() / std**2 - 1) < 4 * math.sqrt((0.8 if uniform else 2) / n)
    limit = math.sqrt(3) * std
    if uniform:
        assert np.abs(w).max() <= limit * (1 + 1e-6)
        assert np.abs(w).max() > 0.999 * limit
    else:
        assert abs((np.abs(w) < std).mean() - 0.6827) < 4 * math.sqrt(0.22 / n)


@pytest.mark.parametrize("name", RULES)
def test_seeded(name):
    draw = getattr(init, name)
    np.testing.assert_array_equal(draw((3, 4), ig.default_rng(5)), draw((3, 4), ig.default_rng(5)))
    assert (draw((3, 4), ig.default_rng(5)) != draw((3, 4), ig.default_rng(6))).any()
    rng = ig.default_rng(5)
    assert (draw((3, 4), rng) != draw([3, 4], rng)).any()


@pytest.mark.parametrize("name", RULES)
def test_a_bias_has_no_fans(name):
    with pytest.raises(ShapeError):
        getattr(init, name)((5,), ig.default_rng(0))


def test_normal():
    w = init.normal(0.01)((300, 200), ig.default_rng(0))
    assert w.dtype == np.float32
    assert abs(w.std() / 0.01 - 1) < 4 / math.sqrt(2 * w.size)
    assert abs(w.mean()) < 4 * 0.01 / math.sqrt(w.size)
    for std in (0, -1, float("nan")):
        with pytest.raises(OptionError, match="standard deviation of initial weights must be positive"):
            init.normal(std)


def test_zeros():
    w = init.zeros((3, 4))
    assert w.dtype == np.float32
    assert w.tolist() == [[0] * 4] * 3
    assert init.zeros((2,), ig.default_rng(0)).tolist() == [0, 0]
