"""Where in a row each label stands: the most probable alignment of a text that is known."""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.numbers import BLANK

__all__ = ["align"]


def align(log_p: NDArray[np.float64], labels: Sequence[int]) -> list[tuple[int, int]]:
    """The steps, from the first to behind the last, at which each label of a text is seen.

    Viterbi's algorithm over the text with blanks between, before and behind its labels.

    Args:
        log_p: (t, k), logarithms of probabilities.
        labels: of the text, without blanks; it must fit into the steps.

    >>> p = np.log([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
    >>> align(p, [1, 1])
    [(0, 2), (3, 4)]
    """
    if not labels:
        return []
    runs = _runs(log_p)  # the most probable alignment of all; most texts are what it shows
    if [label for label, _, _ in runs] == list(labels):
        return [(start, end) for _, start, end in runs]
    states = np.full(2 * len(labels) + 1, BLANK)
    states[1::2] = labels
    skip = np.zeros(len(states), np.bool_)
    skip[3::2] = states[3::2] != states[1:-2:2]  # from a label to another one without a blank between them
    score = np.full(len(states), -np.inf)
    score[:2] = log_p[0, states[:2]]
    came = np.zeros((len(log_p), len(states)), np.int64)
    for step in range(1, len(log_p)):
        one = np.concatenate([[-np.inf], score[:-1]])
        two = np.where(skip, np.concatenate([[-np.inf, -np.inf], score[:-2]]), -np.inf)
        options = np.stack([score, one, two])
        came[step] = options.argmax(axis=0)
        score = options.max(axis=0) + log_p[step, states]
    state = len(states) - 1 if score[-1] >= score[-2] else len(states) - 2
    path = np.empty(len(log_p), np.int64)
    for step in range(len(log_p) - 1, -1, -1):
        path[step] = state
        state -= int(came[step, state])
    places = [np.flatnonzero(path == 2 * index + 1) for index in range(len(labels))]
    return [(int(place[0]), int(place[-1]) + 1) for place in places]


def _runs(log_p: NDArray[np.float64]) -> list[tuple[int, int, int]]:
    """The labels of the most probable alignment, each with its first step and the one behind its last."""
    best = log_p.argmax(axis=1)
    edges = [0, *(np.flatnonzero(best[1:] != best[:-1]) + 1).tolist(), len(best)]
    runs = [(int(best[start]), start, end) for start, end in itertools.pairwise(edges) if end > start]
    return [run for run in runs if run[0] != BLANK]
