"""What is beyond doubt is what the search finds, with all of its alignments."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkgrad.errors import OptionError, ShapeError
from inkgrad.nn import beam_search, ctc_loss, sure_sequence
from inkgrad.nn.certainty import sequence_probability
from inkgrad.random import default_rng


def drawn(seed, t, k, scale):
    z = scale * default_rng(seed).normal(0, 1, (t, k))
    return z - np.logaddexp.reduce(z, axis=1, keepdims=True)


@given(
    st.integers(0, 2**32), st.integers(0, 5), st.integers(1, 4), st.sampled_from([0.5, 2, 5, 9]), st.floats(0.5, 0.99)
)
def test_it_is_the_best_of_all_or_none(seed, t, k, scale, least):
    log_p, blank = drawn(seed, t, k, scale), seed % k
    sums = {}
    for path in itertools.product(range(k), repeat=t):
        labels = tuple(c for c, _ in itertools.groupby(path) if c != blank)
        sums.setdefault(labels, []).append(math.exp(sum(log_p[i, c] for i, c in enumerate(path))))
    best = max(sums, key=lambda labels: math.fsum(sums[labels]))
    found = sure_sequence(log_p, blank=blank, least=least)
    if found is None:
        shown = [c for c, _ in itertools.groupby(log_p.argmax(axis=1)) if c != blank]
        assert tuple(shown) != best or math.fsum(sums[best]) < max(least, 0.5) + 1e-9
    else:
        assert tuple(found[0]) == best
        assert found[1] == pytest.approx(math.log(math.fsum(sums[best])), abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_the_search_finds_the_same(seed):
    """Rows as a network sees them: long, of few labels, and mostly sure."""
    rng = default_rng(seed)
    log_p = drawn(seed, 60, 8, 1.5)
    log_p[:, 0] += 7
    for step in rng.choice(29, 6, replace=False) * 2:
        log_p[step, 0] -= 9
        log_p[step, rng.integers(1, 8)] += 9
    log_p -= np.logaddexp.reduce(log_p, axis=1, keepdims=True)
    labels, value = beam_search(log_p, beam=64)[0]
    found = sure_sequence(log_p)
    assert (found is not None) == (value > math.log(0.5))
    if found:
        assert found[0] == labels
        assert found[1] == pytest.approx(value, abs=1e-3) and found[1] >= value - 1e-12
        assert found[1] == pytest.approx(-float(ctc_loss(log_p[None], [labels]).data), abs=1e-9)


def test_only_what_is_allowed():
    log_p = np.log([[0.01, 0.98, 0.01], [0.98, 0.01, 0.01]])
    one = np.array([[-1, 1, -1], [-1, -1, -1]]), np.array([False, True])
    other = np.array([[-1, -1, 1], [-1, -1, -1]]), np.array([False, True])
    longer = np.array([[-1, 1, -1], [-1, 2, 2], [-1, -1, -1]]), np.array([False, False, True])
    assert sure_sequence(log_p, allow=one)[0] == [1]
    assert sure_sequence(log_p, allow=other) is None
    assert sure_sequence(log_p, allow=longer) is None


def test_small_probabilities():
    log_p = np.full((3000, 2), np.log(0.5))
    assert sequence_probability(log_p, [1] * 1400) == 0
    assert sure_sequence(log_p) is None
    assert sure_sequence(np.zeros((0, 3))) == ([], 0.0)


def test_what_cannot_be_is_refused():
    with pytest.raises(ShapeError, match=r"\(t, k\) of one sample, but they have \(1, 2, 3\)"):
        sure_sequence(np.zeros((1, 2, 3)))
    with pytest.raises(OptionError, match=r"labels 0\.\.2, but got 3"):
        sure_sequence(np.zeros((2, 3)), blank=3)
    with pytest.raises(OptionError, match=r"0\.5 to 1 on, but got 0\.4"):
        sure_sequence(np.zeros((2, 3)), least=0.4)
