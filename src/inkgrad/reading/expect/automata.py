"""Automata over the recognizer's labels: made free of signs, smaller, and two of them at once.

All of them are deterministic and start at state 0.
"""

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.numbers import LABELS
from inkgrad.nn import Automaton

__all__ = [
    "DIGITS",
    "HAS_DIGIT",
    "SIGN_LABELS",
    "TooManyStatesError",
    "free_of_signs",
    "intersection",
    "least_labels",
    "minimal",
    "trimmed",
]

DIGITS = range(1, 11)
"""The labels of the digits 0 to 9."""

SIGN_LABELS = range(11, LABELS)
"""The labels of the signs."""


class TooManyStatesError(Exception):
    """An automaton grew over its limit; what is shown to a user says of which expectation."""


def _has_digit() -> Automaton:
    transitions = np.full((2, LABELS), 1, np.int32)
    transitions[0, SIGN_LABELS] = 0
    transitions[:, 0] = -1
    return Automaton(transitions, np.array([False, True]))


HAS_DIGIT = _has_digit()
"""Accepts what has at least one digit."""


def free_of_signs(digits: Automaton) -> Automaton:
    """What an automaton of digits accepts, with any signs before, between and behind the digits."""
    transitions = np.array(digits.transitions)
    transitions[:, SIGN_LABELS] = np.arange(len(transitions))[:, None]
    return Automaton(transitions, digits.accepting)


def least_labels(transitions: NDArray[np.int32], accepting: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How many labels each state needs at least to come to an accepting one, infinity where none is within reach.

    Breadth first from the accepting states, against the transitions.

    Args:
        transitions: integers (states, k), -1 where there is none.
        accepting: bool (states,).

    >>> least_labels(np.array([[1], [2], [-1]]), np.array([False, False, True]))
    array([2., 1., 0.])
    """
    sources, labels = np.nonzero(transitions >= 0)
    targets = transitions[sources, labels]
    order = np.argsort(targets, kind="stable")
    sources = sources[order]
    begins = np.searchsorted(targets[order], np.arange(len(transitions) + 1))
    least = np.where(accepting, 0.0, np.inf)
    front, distance = np.flatnonzero(accepting), 0
    while front.size:
        distance += 1
        before = sources[_within(begins[front], begins[front + 1])]
        front = np.unique(before[np.isinf(least[before])])
        least[front] = distance
    return least


def _within(begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """All integers from each begin to below its end."""
    counts = ends - begins
    shift = begins - np.cumsum(counts) + counts
    return np.repeat(shift, counts) + np.arange(int(counts.sum()))


def trimmed(automaton: Automaton) -> Automaton | None:
    """Without the states from which nothing is accepted any more; None if nothing is accepted at all.

    The states are taken to be within reach of the start.
    """
    alive = np.isfinite(least_labels(automaton.transitions, automaton.accepting))
    if not alive[0]:
        return None
    number = np.where(alive, np.cumsum(alive) - 1, -1).astype(np.int32)
    kept = automaton.transitions[alive]
    return Automaton(np.where(kept >= 0, number[kept], np.int32(-1)), automaton.accepting[alive])


def minimal(automaton: Automaton) -> Automaton:
    """The smallest automaton that accepts the same (Moore 1956): states part until all with one fate are together.

    The first partition is by how far it is to being accepted, and to where the fewest labels are allowed, which parts
    nearly all at once.

    Args:
        automaton: trimmed.
    """
    transitions, accepting = automaton.transitions, automaton.accepting
    choices = (transitions >= 0).sum(axis=1)
    far = least_labels(transitions, accepting), least_labels(transitions, choices == choices.min())
    classes = np.unique(np.column_stack(far), axis=0, return_inverse=True)[1].reshape(-1)
    columns = np.unique(transitions, axis=1)  # many labels do the same everywhere
    while True:
        after = np.where(columns >= 0, classes[columns], -1)
        rows = np.column_stack([classes, after])
        _, first, finer = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        if len(first) == classes.max() + 1:
            return _merged(automaton, first, finer.reshape(-1))
        classes = finer.reshape(-1)


def _merged(automaton: Automaton, first: NDArray[np.int64], classes: NDArray[np.int64]) -> Automaton:
    """One state for each class, in the order of their first members."""
    order = np.argsort(first)
    number = np.empty(len(order), np.int32)
    number[order] = np.arange(len(order))
    kept = automaton.transitions[first[order]]
    after = np.where(kept >= 0, number[classes][kept], np.int32(-1))
    return Automaton(after, automaton.accepting[first[order]])


def intersection(a: Automaton, b: Automaton, most_states: int) -> Automaton | None:
    """What both accept, trimmed; None if that is nothing.

    Raises:
        TooManyStatesError: more pairs of states are within reach than the limit.
    """
    width = len(b.transitions)
    numbers = {0: 0}  # of the pairs, each coded as one integer
    front, rows = np.zeros(1, np.int64), []
    while front.size:
        after_a, after_b = a.transitions[front // width].astype(np.int64), b.transitions[front % width]
        codes = np.where((after_a >= 0) & (after_b >= 0), after_a * width + after_b, -1)
        rows.append(codes)
        fresh = [code for code in np.unique(codes).tolist() if code >= 0 and code not in numbers]
        numbers.update((code, len(numbers) + i) for i, code in enumerate(fresh))
        if len(numbers) > most_states:
            raise TooManyStatesError
        front = np.array(fresh, np.int64)
    pairs, codes = np.fromiter(numbers, np.int64, len(numbers)), np.concatenate(rows)
    order = np.argsort(pairs)
    places = np.minimum(np.searchsorted(pairs, codes, sorter=order), len(pairs) - 1)
    transitions = np.where(codes >= 0, order[places], -1).astype(np.int32)
    return trimmed(Automaton(transitions, a.accepting[pairs // width] & b.accepting[pairs % width]))
