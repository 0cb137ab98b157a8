"""Limits on the gradient."""

import numpy as np
import pytest

from inkgrad.errors import OptionError
from inkgrad.optim import ClipByGlobalNorm, ClipByValue

DTYPES = [np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
def test_by_value(dtype):
    g = np.array([-3.0, -0.5, 0.0, 0.5, 3.0], dtype)
    assert ClipByValue(0.5)(g) is None
    assert g.tolist() == [-0.5, -0.5, 0, 0.5, 0.5]
    assert g.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_by_global_norm(dtype):
    g = np.array([3.0, 0.0, -4.0], dtype)
    ClipByGlobalNorm(10)(g)
    assert g.tolist() == [3, 0, -4]
    ClipByGlobalNorm(5)(g)
    assert g.tolist() == [3, 0, -4]
    assert ClipByGlobalNorm(0.5)(g) is None
    np.testing.assert_allclose(g, [0.3, 0, -0.4], rtol=1e-6)
    assert g.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_direction_stays_and_the_norm_is_the_limit(dtype):
    g = np.random.default_rng(0).normal(size=1000).astype(dtype)
    before = g.copy()
    ClipByGlobalNorm(1.0)(g)
    assert np.linalg.norm(g) == pytest.approx(1, rel=1e-6)
    np.testing.assert_allclose(g, before / np.linalg.norm(before), rtol=1e-5)


@pytest.mark.parametrize("size", [1e25, 1e38])
def test_squares_may_overflow(size):
    g = np.array([size, -size], np.float32)
    ClipByGlobalNorm(1.0)(g)
    np.testing.assert_allclose(g, [np.sqrt(0.5), -np.sqrt(0.5)], rtol=1e-6)


@pytest.mark.parametrize("clip", [ClipByValue(1.0), ClipByGlobalNorm(1.0)])
def test_zeros_and_nothing(clip):
    for g in (np.zeros(3, np.float32), np.zeros(0, np.float32)):
        clip(g)
        assert not g.any()


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
@pytest.mark.parametrize("clip", [ClipByValue, ClipByGlobalNorm])
def test_the_limit_is_positive(clip, limit):
    with pytest.raises(OptionError, match="needs a positive limit"):
        clip(limit)
