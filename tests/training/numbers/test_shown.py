"""Rows as they are learned from: what is cut off with the page is not among their labels."""

import numpy as np

from inkgrad.training.numbers.shown import shown

PLACE = np.array([[55.0, 18.0], [110.0, 18.0], [110.0, 42.0], [55.0, 42.0]])
GRAY = np.full((60, 200), 230, np.uint8)
GRAY[20:40, 60:64] = GRAY[20:40, 100:104] = 20


def test_signs_beyond_the_strip_are_no_labels():
    middles = np.array([[5.0, 30.0], [62.0, 30.0], [np.nan, np.nan], [102.0, 30.0], [195.0, 30.0]])
    row = shown(GRAY, PLACE, (1, 2, 3, 4, 5), middles, light_ink=False)
    assert row.labels == (2, 3, 4)
    assert np.isnan(row.middles[1])
    ink = row.pixels.max(axis=0)
    assert all(ink[round(x)] > 200 for x in row.middles[[0, 2]])


def test_a_row_without_labels_has_none():
    row = shown(GRAY, PLACE, (), np.empty((0, 2)), light_ink=False)
    assert row.labels == () and row.middles.shape == (0,)
