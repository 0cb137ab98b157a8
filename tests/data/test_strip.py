"""The normal form of a row: where it lies, what its gray levels mean, and what it does not depend on."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkgrad.data import load_digits
from inkgrad.data.numbers import Hands, Style, to_strip, write_row
from inkgrad.data.numbers.strip import DIGIT_HEIGHT, MARGIN, STRIP_HEIGHT
from inkgrad.errors import ShapeError
from inkgrad.random import default_rng


@pytest.fixture(scope="module")
def row():
    rng = default_rng(3)
    return write_row("40718", Hands(load_digits()[0]).write([4, 0, 7, 1, 8], rng), Style(height=56), rng)


def sheet(row, paper=200, ink=60, room=40):
    return np.rint(paper - (paper - ink) * np.pad(row.ink, room)).astype(np.uint8)


def place(row, room=40):
    left, top = row.boxes[:, :2].min(axis=0)
    right, bottom = (row.boxes[:, :2] + row.boxes[:, 2:]).max(axis=0)
    return np.array([left + room, top + room, right - left, bottom - top])


def difference(one, other):
    return float(np.abs(one.pixels.astype(float) - other.pixels).mean())


def test_the_row_lies_in_the_middle_and_its_matrix_leads_back(row):
    strip = to_strip(sheet(row), place(row))
    assert strip.pixels.dtype == np.uint8
    assert strip.pixels.shape[0] == STRIP_HEIGHT
    rows = np.flatnonzero((strip.pixels > 100).any(axis=1))
    assert (rows[0], rows[-1]) == pytest.approx((MARGIN, MARGIN + DIGIT_HEIGHT - 1), abs=1)
    assert np.median(strip.pixels[strip.pixels > 128]) > 220
    assert np.median(strip.pixels[:, :MARGIN]) == 0
    page = sheet(row)
    y, x = np.mgrid[:STRIP_HEIGHT, : strip.pixels.shape[1]] + 0.5
    u, v, w = strip.matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    seen = page[(v / w).astype(int), (u / w).astype(int)]
    assert np.corrcoef(seen, strip.pixels.ravel())[0, 1] < -0.93


@given(angle=st.floats(-60, 60), light=st.booleans(), scale=st.floats(0.5, 3))
def test_turned_scaled_and_negative_rows_give_the_same_strip(row, angle, light, scale):
    page = sheet(row, room=200)
    left, top, width, height = place(row, 200)
    corners = np.add([[0, 0], [width, 0], [width, height], [0, height]], (left, top))
    middle = page.shape[1] / 2, page.shape[0] / 2
    turn = np.vstack([cv2.getRotationMatrix2D(middle, angle, scale), [0, 0, 1]])
    # OpenCV's coordinates are those of the pixels' middles.
    turned = cv2.warpAffine(page, turn[:2], page.shape[::-1], flags=cv2.INTER_AREA, borderValue=200)
    turned = 255 - turned if light else turned
    there = (np.column_stack([corners - 0.5, np.ones(4)]) @ turn.T)[:, :2] + 0.5
    strip, straight = to_strip(turned, there), to_strip(page, corners)
    width = min(strip.pixels.shape[1], straight.pixels.shape[1])
    assert abs(strip.pixels.shape[1] - straight.pixels.shape[1]) <= 1
    inside = ((there > 10) & (there < np.array(page.shape[::-1]) - 10)).all()
    if inside:
        assert np.abs(strip.pixels[:, :width].astype(float) - straight.pixels[:, :width]).mean() < 12


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (200, 150), (90, 50), (30, 200), (250, 235)])
def test_contrast_and_polarity_do_not_matter(row, paper, ink):
    assert difference(to_strip(sheet(row, paper, ink), place(row)), to_strip(sheet(row), place(row))) < 3


def test_light_that_changes_along_the_row_is_taken_out(row):
    page = sheet(row)
    light = np.linspace(0.35, 1.2, page.shape[1])
    strip = to_strip(np.clip(page * light, 0, 255).astype(np.uint8), place(row))
    assert difference(strip, to_strip(page, place(row))) < 6


def test_bare_paper_is_not_made_ink():
    noise = default_rng(0).normal(180, 2, (60, 200))
    strip = to_strip(noise.astype(np.uint8), np.array([20, 10, 150, 40]))
    assert np.quantile(strip.pixels, 0.95) < 200
    assert not to_strip(np.full((60, 200), 7, np.uint8), np.array([20, 10, 150, 40])).pixels.any()


def test_what_lies_outside_the_page_is_paper(row):
    strip = to_strip(sheet(row), np.array([-100, -60, 200, 120]))
    assert not strip.pixels[:15].any()
    assert not strip.pixels[:, :25].any()


def test_places_that_cannot_be():
    page = np.zeros((20, 30), np.uint8)
    with pytest.raises(ShapeError, match=r"a page must be uint8 \(h, w\) and not empty, but is float64 \(20, 30\)"):
        to_strip(page.astype(float), np.array([0, 0, 5, 5]))
    with pytest.raises(ShapeError, match=r"the place of a row must be .* give one row at a time"):
        to_strip(page, np.zeros((2, 4)))
    with pytest.raises(ShapeError, match=r"must go around it clockwise, .* begin at the upper left"):
        to_strip(page, np.array([0, 0, 0, 5]))
    with pytest.raises(ShapeError, match="clockwise"):
        to_strip(page, np.array([[0, 0], [0, 9], [9, 9], [9, 0]]))
