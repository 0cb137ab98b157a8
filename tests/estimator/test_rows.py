"""Equal rows are one row that weighs more."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from inkgrad.estimator.rows import Rows

TABLES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=30)


def tally(rows):
    """(row, target) -> weight."""
    X = rows.X.toarray() if sparse.issparse(rows.X) else rows.X
    weights = np.ones(len(rows)) if rows.weights is None else rows.weights
    sums = {}
    for x, y, weight in zip(X.tolist(), rows.y.tolist(), weights, strict=True):
        key = (tuple(x), y)
        sums[key] = sums.get(key, 0) + weight
    return sums


@settings(deadline=None)
@given(TABLES, st.randoms(), st.booleans())
def test_merging_keeps_what_counts_and_forgets_the_order(table, random, is_sparse):
    X = np.array([[a, -0.0, b] for a, b, _ in table])
    y, weights = np.array([a + b for a, b, _ in table]), np.array([float(w) for *_, w in table])
    if not weights.any():
        weights[0] = 1.0
    form = sparse.csr_array if is_sparse else np.asarray
    rows = Rows(form(X), y, weights).counting()
    merged = rows.merged()
    scale = 1 if merged.weights is not None else next(iter(tally(rows).values()))
    assert tally(merged) == {key: weight / scale for key, weight in tally(rows).items()}
    order = np.repeat(np.arange(len(y)), weights.astype(int))
    random.shuffle(order)
    repeated = Rows(form(X[order]), y[order]).merged()
    assert tally(repeated) == tally(merged)
    for one, other in ((repeated.X, merged.X), (repeated.y, merged.y)):
        one, other = (part.toarray() if sparse.issparse(part) else part for part in (one, other))
        assert np.array_equal(one, other), "in the same order"


def test_rows_without_weight_are_not_there():
    rows = Rows(np.eye(3), np.arange(3), np.array([0.0, 2.0, 1.0])).counting()
    assert rows.y.tolist() == [1, 2]
    assert rows.shares().tolist() == pytest.approx([4 / 3, 2 / 3])
    assert Rows(np.eye(3), np.arange(3)).shares() is None
    with pytest.raises(ValueError, match="at least one non-zero number"):
        Rows(np.eye(3), np.arange(3), np.zeros(3)).counting()


def test_weights_below_what_float32_holds_keep_their_ratios():
    shares = Rows(np.eye(2), np.arange(2), np.array([1e-60, 3e-60])).shares()
    assert shares.tolist() == pytest.approx([0.5, 1.5])
