"""Decoding against all sequences of labels, each with all of its alignments."""

import itertools
import math

import numpy as np
import pytest

import cases
import inkgrad as ig
from inkgrad import nn
from inkgrad.errors import OptionError, ShapeError
from inkgrad.nn import Automaton, beam_search, greedy_decode


def every_sequence(log_p, blank):
    """labels -> logarithm of the sum over the alignments, of all that are possible."""
    sums = {}
    for path in itertools.product(range(log_p.shape[1]), repeat=len(log_p)):
        labels = tuple(c for c, _ in itertools.groupby(path) if c != blank)
        sums.setdefault(labels, []).append(math.exp(sum(log_p[i, c] for i, c in enumerate(path))))
    return {labels: math.log(math.fsum(parts)) for labels, parts in sums.items()}


def agree(got, expected):
    """The same sequences with the same values, the most likely first."""
    assert {tuple(labels) for labels, _ in got} == set(expected)
    for labels, value in got:
        assert value == pytest.approx(expected[tuple(labels)], rel=1e-12)
        assert all(type(label) is int for label in labels)
    values = [value for _, value in got]
    assert values == sorted(values, reverse=True)


def log_softmax(name, t, k, scale=1.0):
    return ig.ops.log_softmax(scale * cases.Draw(name).normal(t, k)).data


@pytest.mark.parametrize("scale", [0.3, 3])
@pytest.mark.parametrize("t, k, blank", [(0, 2, 0), (1, 3, 1), (4, 3, 0), (5, 3, 2), (6, 2, 1), (3, 1, 0), (4, 4, 3)])
def test_a_large_beam_finds_all(t, k, blank, scale):
    log_p = log_softmax(f"{t} {k} {blank}", t, k, scale)
    expected = every_sequence(log_p, blank) if t else {(): 0.0}
    got = beam_search(log_p, beam=5000, blank=blank)
    agree(got, expected)
    assert math.fsum(math.exp(value) for _, value in got) == pytest.approx(1)


def test_its_values_are_those_of_the_loss():
    log_p = log_softmax("loss", 5, 3)
    for labels, value in beam_search(log_p, beam=500):
        assert ig.ops.ctc_loss(log_p[None], [labels]).data == pytest.approx(-value, abs=1e-12)


def accepts(automaton, labels):
    state = automaton.start
    for label in labels:
        state = automaton.transitions[state][label]
        if state < 0:
            return False
    return bool(automaton.accepting[state])


def drawn_automaton(seed, states, k):
    rng = np.random.default_rng(seed)
    transitions = rng.integers(-1, states, size=(states, k))
    return Automaton(transitions, rng.random(states) < 0.4, int(rng.integers(states)))


@pytest.mark.parametrize("seed", range(25))
def test_only_what_an_automaton_accepts(seed):
    """Some of the automata accept nothing, or nothing that is short enough."""
    blank = seed % 3
    log_p = log_softmax(f"automaton {seed}", 5, 3)
    automaton = drawn_automaton(seed, 1 + seed % 4, 3)
    before = automaton.transitions.copy()
    expected = {s: value for s, value in every_sequence(log_p, blank).items() if accepts(automaton, s)}
    agree(beam_search(log_p, beam=5000, blank=blank, allow=automaton), expected)
    np.testing.assert_array_equal(automaton.transitions, before)


def test_a_tuple_is_an_automaton_and_starts_at_0():
    log_p = log_softmax("tuple", 4, 3)
    twice = np.array([[-1, 1, 1], [-1, 2, 2], [-1, -1, -1]]), np.array([False, False, True])
    assert beam_search(log_p, allow=twice) == beam_search(log_p, allow=(*twice, 0))
    assert {len(labels) for labels, _ in beam_search(log_p, allow=twice)} == {2}


@pytest.mark.parametrize("beam", [1, 2, 3])
def test_a_small_beam_never_claims_too_much(beam):
    for seed in range(20):
        log_p = log_softmax(f"small beam {seed}", 6, 3, 2)
        exact = every_sequence(log_p, 0)
        got = beam_search(log_p, beam=beam)
        assert 1 <= len(got) <= beam
        assert all(value <= exact[tuple(labels)] + 1e-12 for labels, value in got)


def test_a_beam_of_one_keeps_what_can_still_be_accepted():
    """All steps but the first are all but sure of the blank, yet three labels are wanted."""
    log_p = np.log(np.full((4, 3), 0.005) + np.array([0.985, 0, 0]))
    length = np.array([[-1, 1, 1], [-1, 2, 2], [-1, 3, 3], [-1, -1, -1]])
    ((labels, _),) = beam_search(log_p, beam=1, allow=(length, np.array([False, False, False, True])))
    assert len(labels) == 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_steps_that_are_pruned_hardly_matter(seed):
    z = cases.Draw(f"pruned {seed}").normal(12, 4)
    z[::2, 0] += 14
    log_p = ig.ops.log_softmax(z).data
    exact, pruned = dict(found(log_p)), dict(found(log_p, prune=1e-3))
    best = max(exact, key=exact.__getitem__)
    assert max(pruned, key=pruned.__getitem__) == best
    for labels, value in pruned.items():
        assert value <= exact[labels] + 1e-12
    assert pruned[best] == pytest.approx(exact[best], abs=1e-3)
    assert found(log_p, prune=0) == found(log_p)
    assert found(log_p, prune=1) == [((), pytest.approx(float(log_p[:, 0].sum())))]


def found(log_p, **options):
    return [(tuple(labels), value) for labels, value in beam_search(log_p, beam=4000, **options)]


def test_impossible_labels():
    log_p = np.array([[0.0, -np.inf], [0.0, -np.inf]])
    assert beam_search(log_p) == [([], 0.0)]
    assert beam_search(log_p, allow=(np.array([[0, 1], [0, -1]]), np.array([False, True]))) == []


def test_greedy():
    """Against the best label of each step, merged by hand."""
    z = cases.Draw("greedy").normal(6, 7, 4)
    for blank in range(4):
        for given in (z, z.astype(np.float32), ig.Tensor(z), z.tolist()):
            rows = [[c for c, _ in itertools.groupby(row) if c != blank] for row in z.argmax(axis=2).tolist()]
            assert greedy_decode(given, blank) == rows
    lengths = [7, 0, 1, 2, 3, 6]
    cut = [greedy_decode(z[i : i + 1, :m])[0] for i, m in enumerate(lengths)]
    assert greedy_decode(z, lengths=lengths) == cut
    assert cut[1] == []


def test_without_samples_or_steps():
    assert greedy_decode(np.zeros((0, 3, 4))) == []
    assert greedy_decode(np.zeros((2, 0, 4))) == [[], []]
    assert beam_search(np.zeros((0, 4))) == [([], 0.0)]


P = np.zeros((3, 4))
REFUSED = {
    "logits": (lambda: greedy_decode(P), ShapeError, r"\(n, t, k\).*\(3, 4\)"),
    "blank": (lambda: greedy_decode(P[None], 4), OptionError, "0..3 of 4, but got 4"),
    "lengths": (lambda: greedy_decode(P[None], lengths=[1, 2]), ShapeError, r"lengths \(1,\)"),
    "samples": (lambda: beam_search(P[None]), ShapeError, r"\(t, k\).*\(1, 3, 4\)"),
    "blank of a beam": (lambda: beam_search(P, blank=-1), OptionError, "got -1"),
    "prune": (lambda: beam_search(P, prune=2), OptionError, "0 to 1, but got 2"),
    "beam": (lambda: beam_search(P, beam=0), OptionError, "at least 1 prefix, but got 0"),
    "nan": (lambda: beam_search(P + np.nan), OptionError, "NaN"),
    "infinity": (lambda: beam_search(P + np.inf), OptionError, "infinite"),
    "no tuple": (lambda: beam_search(P, allow=[1]), ShapeError, "an automaton"),
    "labels": (lambda: beam_search(P, allow=(np.zeros((2, 3), int), np.ones(2))), ShapeError, r"\(states, 4\)"),
    "states": (lambda: beam_search(P, allow=(np.zeros((2, 4), int), np.ones(3))), ShapeError, r"\(3,\)"),
    "real": (lambda: beam_search(P, allow=(np.zeros((2, 4)), np.ones(2))), ShapeError, "float64"),
    "goes outside": (lambda: beam_search(P, allow=(np.full((2, 4), 2), np.ones(2))), OptionError, "0..1"),
    "goes below": (lambda: beam_search(P, allow=(np.full((2, 4), -2), np.ones(2))), OptionError, "-2"),
    "starts outside": (lambda: beam_search(P, allow=(np.zeros((2, 4), int), np.ones(2), 2)), OptionError, "at 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(case):
    call, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        call()


def test_the_loss_is_the_operation():
    assert nn.ctc_loss is ig.ops.ctc_loss
