"""A second look at short numbers, with a likeness that says what it is shown."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.data.numbers import to_strip
from inkgrad.reading.likeness import digit_likeness, doubted
from inkgrad.reading.page import Digit, Number
from inkgrad.reading.placing import box_between


def written(*digits):
    """Digits of scikit-learn's on a turned sheet: the strip, and the number that they are, as sure as can be."""
    _, test = ig.data.load_digits()
    images = [test.images[np.flatnonzero(test.labels == digit)[3]] for digit in digits]
    page = np.full((120, 60 + 40 * len(digits)), 230, np.uint8)
    for place, image in enumerate(images):
        page[40:68, 40 + 40 * place : 68 + 40 * place] = 230 - (image * 0.8).astype(np.uint8)
    box = np.array([44.0, 44.0, 40.0 * len(digits) - 20, 20.0])
    strip = to_strip(np.rot90(page, 2).copy(), np.array([[*page.shape[::-1]]]) - _corners(box))
    edges = [(6 + 56.0 * place, 34 + 56.0 * place) for place in range(len(digits))]
    found = tuple(
        Digit(value, 0.9, ((1, 0.05),), box_between(strip, *edge)) for value, edge in zip(digits, edges, strict=True)
    )
    text = "".join(map(str, digits))
    return strip, images, Number(text, text, 0.8, box_between(strip, 6, edges[-1][1]), found)


def _corners(box):
    left, top, width, height = box
    return np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])


class Likely:
    def __init__(self, *values):
        self.values, self.seen = values, None

    def __call__(self, images):
        self.seen = images
        return np.array(self.values)


@pytest.mark.parametrize(("digits", "values"), [((7,), (0.25,)), ((4, 3), (0.9, 0.3))])
def test_short_numbers_are_no_surer_than_their_digits_look_like_digits(digits, values):
    strip, images, number = written(*digits)
    likely = Likely(*values)
    found = doubted(number, strip, likely)
    assert found.confidence == pytest.approx(0.8 * np.mean(values))
    assert [digit.confidence for digit in found.digits] == pytest.approx([0.9 * np.mean(values)] * len(digits))
    assert (found.text, found.box) == (number.text, number.box)
    assert [digit.alternatives for digit in found.digits] == [digit.alternatives for digit in number.digits]
    assert likely.seen.shape == (len(digits), 28, 28)
    for shown, image in zip(likely.seen, images, strict=True):  # upright, in MNIST's form, cut out of a turned sheet
        alike = np.corrcoef(shown.ravel(), ig.data.to_form(image).ravel())[0, 1]
        assert alike > 0.85


def test_longer_numbers_are_left_alone():
    strip, _, number = written(1, 2, 3)
    assert doubted(number, strip, Likely()) is number


def test_a_box_without_ink_is_shown_as_nothing():
    strip, _, number = written(7)
    empty = strip._replace(pixels=np.zeros_like(strip.pixels))
    likely = Likely(0.5)
    doubted(number, empty, likely)
    assert not likely.seen.any()


def test_the_network_that_is_asked_knows_letters_from_digits():
    strip, images, number = written(3)
    assert doubted(number, strip, digit_likeness).confidence > 0.9 * number.confidence
    letter = ig.data.nondigits(["letters"], 40, ig.data.load_digits()[0], ig.default_rng(0)).images
    assert np.median(digit_likeness(letter)) < 0.1 < np.median(digit_likeness(np.stack(images)))
