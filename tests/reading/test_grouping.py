"""Digits of one number belong together, however far apart its cells are; numbers do not."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inkgrad.data.numbers import LABELS, labels_of
from inkgrad.reading.grouping import find_gaps, find_groups
from inkgrad.reading.recognizer import position


def row(places, text=None, wide=8):
    """What a network would say of bars of ink at some places, and the strip."""
    pixels = np.zeros((40, int(max(places)) + 20), np.uint8)
    log_p = np.full((pixels.shape[1] // 4 + 4, LABELS), 0.0005)
    log_p[:, 0] = 1
    for label, x in zip(labels_of(text or "7" * len(places)), places, strict=True):
        pixels[8:32, max(0, round(x - wide / 2)) : round(x + wide / 2)] = 255
        step = int(np.argmin([abs(position(s) - x) for s in range(len(log_p))]))
        log_p[step] = 0.0005
        log_p[step, label] = 1
    return np.log(log_p / log_p.sum(axis=1, keepdims=True)), pixels


def counts(log_p, pixels):
    """How many labels each group has."""
    best = log_p.argmax(axis=1)
    return [int((best[span.start : span.end] > 0).sum()) for span in find_groups(log_p, pixels)]


@given(st.integers(2, 12), st.floats(14, 52), st.floats(4, 20), st.integers(0, 2**32))
def test_a_comb_holds_one_number(cells, pitch, wide, seed):
    """Digits stand up to a tenth of a cell beside its middle."""
    shift = np.random.default_rng(seed).uniform(-0.1, 0.1, cells)
    assert counts(*row(10 + pitch * (np.arange(cells) + shift), wide=min(wide, pitch - 6))) == [cells]


@given(st.lists(st.integers(1, 6), min_size=2, max_size=4), st.floats(14, 26), st.floats(1, 4), st.integers(0, 2**32))
def test_numbers_far_apart_are_several(digits, pitch, more, seed):
    """Between them there is no ink for longer than digits are high, and for much longer than between their digits."""
    if max(digits) == 1 or sum(digits) < 4:
        digits = [3, *digits]
    rng, places, x = np.random.default_rng(seed), [], 10.0
    for count in digits:
        for _ in range(count):
            places.append(x)
            x += pitch * rng.uniform(0.9, 1.1)
        x += 28 + 4 * more + pitch
    assert counts(*row(places)) == digits


def test_two_lone_digits():
    """Of two, nobody knows the pitch: they are one number unless they stand farther apart than cells are wide."""
    assert counts(*row([10, 60])) == [2]
    assert counts(*row([10, 90])) == [1, 1]


def test_signs_do_not_make_the_pitch_narrow():
    assert counts(*row([10, 20, 60, 110], "1.23")) == [4]
    assert counts(*row([10, 20, 40, 60, 130, 140, 160], "1.234.5")) == [4, 3]


def test_groups_are_the_whole_row():
    log_p, pixels = row([20, 40, 60, 180, 200, 330])
    groups = find_groups(log_p, pixels)
    assert groups[0].start == 0 and groups[-1].end == len(log_p)
    assert all(one.end == other.start for one, other in itertools.pairwise(groups))
    gaps = find_gaps(log_p, pixels)
    assert [gap.parts for gap in gaps] == [False, False, True, False, True]
    assert [gap.bare for gap in gaps] == [12, 12, 112, 12, 122]
    blank = np.log(np.full((5, LABELS), 1 / LABELS))
    blank[:, 0] = 0
    assert find_gaps(blank, pixels) is None and find_groups(blank, pixels) == []
