"""Composed pages: every number stands where the truth says, whatever became of the page."""

import cv2
import numpy as np
import pytest

from inkgrad.data import load_digits
from inkgrad.data.numbers import Hands, Layout, Paper, compose_page
from inkgrad.data.numbers.page import FORMS
from inkgrad.errors import OptionError
from inkgrad.random import default_rng

CLEAN = Paper(dark=0, shade=0, pattern=0, ruled=0, boxes=0, stamp=0, pale=0, blur=0, noise=0, jpeg=0, negative=0)


@pytest.fixture(scope="module")
def hands():
    return Hands(load_digits()[0])


@pytest.mark.parametrize("layout", [Layout(rows=3, columns=2), Layout(rows=2, angle=12), Layout(rows=2, table=True)])
def test_ink_is_where_the_digits_are_said_to_be_and_nowhere_else(hands, layout):
    page = compose_page(hands, layout, CLEAN, default_rng(1))
    inside = np.zeros(page.pixels.shape, np.uint8)
    for number in page.numbers:
        assert len(number.text) == len(number.corners)
        for corners in number.corners:
            digit = np.zeros_like(inside)
            cv2.fillPoly(digit, [np.rint(corners).astype(np.int32)], 1)
            levels = page.pixels[digit > 0].astype(float)
            assert np.quantile(levels, 0.02) < 0.75 * np.quantile(levels, 0.95)
            inside |= cv2.dilate(digit, np.ones((5, 5), np.uint8))
    if not layout.table:
        assert page.pixels[inside == 0].min() > 240
    assert len(page.numbers) == layout.rows * layout.columns


@pytest.mark.parametrize("form", FORMS[1:])
def test_forms_print_what_they_are_called(hands, form):
    blank, printed = (
        compose_page(hands, Layout(rows=2, columns=2, form=name), CLEAN, default_rng(2)).pixels
        for name in ("plain", form)
    )
    dark = (printed < 220) & (blank > 220)
    longest = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, 80), np.uint8))
    assert longest.any() or form == "ruled"
    assert (dark.sum(axis=1) > 80).any()


def test_the_seed_decides(hands):
    layout = Layout(rows=2, words=5, table=True, shadow=True)
    one, same, other = (compose_page(hands, layout, Paper(), default_rng(seed)).pixels for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_pages_that_cannot_be():
    with pytest.raises(OptionError, match="form of a page must be one of plain, ruled, boxed, cells, but is 'round'"):
        Layout(form="round")
    with pytest.raises(OptionError, match="9 rows of digits 100 pixels high do not fit on a page of 700 pixels"):
        Layout(rows=9, size=100)
