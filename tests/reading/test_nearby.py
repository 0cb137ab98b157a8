"""Points in boxes, against a look at every pair."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inkgrad.random import default_rng
from inkgrad.reading import nearby


@given(seed=st.integers(0, 1000), points=st.integers(0, 60), boxes=st.integers(0, 60), at_once=st.integers(1, 500))
def test_all_pairs_are_found_once(seed, points, boxes, at_once):
    rng, before = default_rng(seed), nearby._AT_ONCE
    places, low = rng.integers(0, 20, (points, 2)).astype(float), rng.integers(0, 20, (boxes, 2)).astype(float)
    high = low + rng.integers(-2, 12, (boxes, 2))  # some hold nothing
    try:
        nearby._AT_ONCE = at_once
        box, point = nearby.points_within(places, low, high)
    finally:
        nearby._AT_ONCE = before
    inside = ((places >= low[:, None]) & (places <= high[:, None])).all(axis=2)
    assert sorted(zip(box.tolist(), point.tolist(), strict=True)) == [tuple(pair) for pair in np.argwhere(inside)]
