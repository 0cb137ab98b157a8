"""The hash behind dropout's masks: its definition, and that its bits look like chance."""

import numpy as np
import pytest

from inkgrad import kernels

WORD = 2**32
MASK = kernels.dropout_mask.reference


def mix(x):
    x ^= x >> 16
    x = x * 0x21F0AAAD % WORD
    x ^= x >> 15
    x = x * 0xD35A2D97 % WORD
    return x ^ x >> 15


def hashed(seed, i):
    return mix(mix((i + seed) % WORD) ^ seed // WORD)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32, 123456789012345678, 2**63 - 1, 2**64 - 1])
@pytest.mark.parametrize("p", [0.0, 0.25, 0.5, 0.9])
def test_the_definition(seed, p):
    got = MASK(seed, (2, 3, 5), p)
    assert got.dtype == np.float32
    assert got.shape == (2, 3, 5)
    expected = [np.float32(1 / (1 - p)) if hashed(seed, i) >= int(p * WORD) else 0 for i in range(30)]
    assert got.ravel().tolist() == expected


def test_it_depends_on_the_place_alone():
    whole = MASK(77, (6, 4, 3), 0.5)
    np.testing.assert_array_equal(whole.ravel(), MASK(77, (72,), 0.5))
    np.testing.assert_array_equal(whole[:2], MASK(77, (2, 4, 3), 0.5))
    np.testing.assert_array_equal(whole, MASK(77, (6, 4, 3), 0.5))


def test_nothing_and_almost_everything_is_dropped():
    assert (MASK(5, (1000,), 0.0) == 1).all()
    assert not MASK(5, (1000,), 1 - 2**-53).any()
    assert MASK(5, (0, 3), 0.5).shape == (0, 3)
    assert MASK(5, (), 0.0) == 1


SEEDS = [0, 1, 2, 12345, 2**32, 2**32 + 1, 987654321987654321, 2**63 - 1]
N = 1_000_000


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.8])
def test_the_rate(seed, p):
    dropped = (MASK(seed, (N,), p) == 0).mean()
    assert abs(dropped - p) < 5 * np.sqrt(p * (1 - p) / N)


def correlation(a, b):
    return float(np.mean((a - a.mean()) * (b - b.mean())) / (a.std() * b.std()))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shift", [1, 2, 3, 28, 64, 784, 4096])
def test_neighbors_are_independent(seed, shift):
    mask = MASK(seed, (N,), 0.5)
    assert abs(correlation(mask[shift:], mask[:-shift])) < 5 / np.sqrt(N - shift)


@pytest.mark.parametrize("other", [1, 2, 2**31, 2**32, 3 * 2**32, 2**62, 2**32 + 1])
def test_seeds_are_independent(other):
    """Also those that differ in one bit, in either half."""
    for seed in (0, 424242424242424242 % 2**62):
        a, b = MASK(seed, (N,), 0.5), MASK(seed ^ other, (N,), 0.5)
        assert abs(correlation(a, b)) < 5 / np.sqrt(N)


def test_channels_are_independent():
    mask = MASK(31, (2000, 32), 0.5)
    table = np.corrcoef(mask.T)
    assert np.abs(table - np.eye(32)).max() < 6 / np.sqrt(2000)
    assert abs(mask.mean(axis=0) / 2 - 0.5).max() < 5 * 0.5 / np.sqrt(2000)


def test_the_hashes_are_uniform():
    """Chi-square of the first byte over 256 cells: 255 on average, with a deviation of 22.6."""
    drops = [(MASK(9, (100_000,), k / 256) == 0).sum() for k in range(256)] + [100_000]
    counts = np.diff(drops)
    chi_square = ((counts - 100_000 / 256) ** 2 / (100_000 / 256)).sum()
    assert 255 - 5 * 22.6 < chi_square < 255 + 5 * 22.6
