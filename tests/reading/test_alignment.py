"""The best alignment of a text, beside all alignments one by one."""

import itertools

import numpy as np
import pytest

from inkgrad.random import default_rng
from inkgrad.reading.alignment import align


def brute(log_p, labels):
    """The path of most probability among all that collapse to the labels."""
    best, score = None, -np.inf
    for path in itertools.product(range(log_p.shape[1]), repeat=len(log_p)):
        merged = [label for label, _ in itertools.groupby(path)]
        if [label for label in merged if label] != labels:
            continue
        value = sum(log_p[step, label] for step, label in enumerate(path))
        if value > score:
            best, score = path, value
    return best


@pytest.mark.parametrize("labels", [[1], [1, 2], [2, 2], [1, 2, 1], [1, 1, 2]])
def test_it_is_the_best_of_all(labels):
    rng = default_rng(len(labels))
    for _ in range(5):
        log_p = np.log(rng.dirichlet(np.ones(3), 6))
        path = brute(log_p, labels)
        spans = [(len(list(run)), label) for label, run in itertools.groupby(path)]
        ends = np.cumsum([count for count, _ in spans])
        expected = [(int(e) - c, int(e)) for e, (c, label) in zip(ends, spans, strict=True) if label]
        assert align(log_p, labels) == expected


def test_no_labels():
    assert align(np.zeros((4, 3)), []) == []
