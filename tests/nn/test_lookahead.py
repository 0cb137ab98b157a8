"""What a sequence can still come to, against all alignments."""

import itertools

import numpy as np
import pytest

import cases
import inkgrad as ig
from inkgrad.nn import Automaton
from inkgrad.nn.automaton import Allowed


def drawn(seed, states, k):
    rng = np.random.default_rng(seed)
    return Automaton(rng.integers(-1, states, size=(states, k)), rng.random(states) < 0.4, int(rng.integers(states)))


def best_alignment(log_p, automaton):
    """The most probable one of a sequence that is accepted, by trying all."""
    best = -np.inf
    for path in itertools.product(range(log_p.shape[1]), repeat=len(log_p)):
        state = automaton.start
        for label in (c for c, _ in itertools.groupby(path) if c):
            state = automaton.transitions[state][label] if state >= 0 else -1
        if state >= 0 and automaton.accepting[state]:
            best = max(best, sum(log_p[i, c] for i, c in enumerate(path)))
    return best


def from_start(automaton, log_p):
    allowed = Allowed.of(automaton, log_p.shape[1])
    return allowed.lookahead.over(log_p)[0][allowed.lookahead.closed + allowed.start]


@pytest.mark.parametrize("small", [10**6, 0])
@pytest.mark.parametrize("seed", range(30))
def test_it_is_never_too_low(seed, small, monkeypatch):
    monkeypatch.setattr("inkgrad.nn.lookahead._SMALL", small)
    monkeypatch.setattr("inkgrad.nn.lookahead._SURE", np.log(0.2))
    often_blank = np.array([2, 0, 0])
    log_p = ig.ops.log_softmax(often_blank + cases.Draw(f"lookahead {seed}").normal(5, 3)).data
    automaton = drawn(seed, 1 + seed % 4, 3)
    assert from_start(automaton, log_p) >= best_alignment(log_p, automaton) - 1e-5


@pytest.mark.parametrize("small", [10**6, 0])
def test_it_is_exact_without_loops_and_equal_neighbors(small, monkeypatch):
    """1, 2, 1 or 2, 1, also where surely blank steps are taken as one."""
    monkeypatch.setattr("inkgrad.nn.lookahead._SMALL", small)
    transitions = np.array([[-1, 1, 2], [-1, -1, 2], [-1, 3, -1], [-1, -1, -1]])
    automaton = Automaton(transitions, np.array([False, False, False, True]))
    for seed in range(5):
        z = cases.Draw(f"exact lookahead {seed}").normal(8, 3)
        z[[0, 3, 4, 6], 0] += 9
        log_p = ig.ops.log_softmax(z).data
        assert from_start(automaton, log_p) == pytest.approx(best_alignment(log_p, automaton), abs=1e-4)


def test_an_automaton_is_taken_apart_once():
    allowed = Allowed.of(drawn(0, 3, 3), 3)
    assert Allowed.of(allowed, 3) is allowed
    assert allowed.lookahead is allowed.lookahead
    log_p = ig.ops.log_softmax(cases.Draw("once").normal(4, 3)).data
    assert ig.nn.beam_search(log_p, allow=allowed) == ig.nn.beam_search(log_p, allow=drawn(0, 3, 3))
