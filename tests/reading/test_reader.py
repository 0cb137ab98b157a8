"""A reader from picture to page, with a network that says what is written below bars of ink."""

import numpy as np
import pytest

from inkgrad.data.numbers import LABELS, labels_of
from inkgrad.errors import OptionError
from inkgrad.reading import Reader, expect_list
from inkgrad.reading.calibration import Calibration
from inkgrad.reading.recognizer import position

SURE = 0.999


class Bars:
    """Takes each bar of ink for the next digit of a text, as surely as it is told; counts what it is shown."""

    def __init__(self, text, sure=SURE):
        self.text, self.sure, self.calls = text, sure, []

    def __call__(self, strips):
        self.calls.append(len(strips))
        return [self.seen(strip) for strip in strips]

    def seen(self, strip):
        log_p = np.full((-(-(strip.shape[1] + 16) // 4), LABELS), 1e-7)
        log_p[:, 0] = 1
        ink = np.concatenate([[False], (strip >= 128).sum(axis=0) > 12, [False]])
        starts, ends = np.flatnonzero(ink[1:] & ~ink[:-1]), np.flatnonzero(~ink[1:] & ink[:-1])
        for label, x in zip(labels_of(self.text), (starts + ends) / 2, strict=False):
            step = int(np.argmin([abs(position(s) - x) for s in range(len(log_p))]))
            log_p[step] = (1 - self.sure) / (LABELS - 1)
            log_p[step, label] = self.sure
        return np.log(log_p / log_p.sum(axis=1, keepdims=True))


def page(*places):
    """Bars 40 pixels high, at some places from left to right."""
    pixels = np.full((300, 420), 235, np.uint8)
    for x in places:
        pixels[120:160, x : x + 7] = 40
    return pixels


def read_by(recognizer, calibration=None):
    """A reader to whom every bar looks like a digit."""
    return Reader(recognizer, calibration or Calibration(), lambda images: np.ones(len(images)))


def test_an_expression_can_be_given_as_text():
    image = page(60, 85, 148, 173, 198)
    reader = read_by(Bars("12345"))
    assert [number.text for number in reader.read(image).numbers] == ["12", "345"]
    (number,) = reader.read(image, expect=r"\d{5}").numbers
    assert (number.text, number.free) == ("12345", "12345")
    codes = expect_list(["12345", "99999"])
    assert reader.read(image, expect=r"1\d*", expectation=codes).numbers == (number,)
    with pytest.raises(OptionError, match="no number fits both"):
        reader.read(image, expect=r"\d{4}", expectation=codes)
    with pytest.raises(OptionError, match="the expression"):
        reader.read(image, expect="(")
    with pytest.raises(OptionError, match="from 0 to 1, but is 2"):
        reader.read(image, min_confidence=2)


def test_what_does_not_fit_is_doubtful_and_not_lost():
    image = page(60, 85)
    for least in (0, 0.5):
        found = read_by(Bars("12")).read(image, expect=r"\d{40}", min_confidence=least)
        assert found.numbers == ()
        (number,) = found.doubtful
        assert (number.text, number.free, number.confidence) == ("12", "12", 0.0)
    found = read_by(Bars("12")).read(image, expectation=expect_list(["13"]))
    (number,) = found.doubtful
    assert (number.text, number.free) == ("13", "12") and number.confidence < 0.01


def test_a_row_is_read_in_other_ways_only_if_it_is_not_sure():
    image = page(60, 85, 110)
    image[164:166, 20:400] = 60  # a rule to write on
    sure, unsure = Bars("123"), Bars("123", sure=0.8)
    for recognizer in (sure, unsure):
        numbers = read_by(recognizer).read(image, min_confidence=0).numbers
        assert [number.text for number in numbers] == ["123"]
    assert sum(sure.calls) < sum(unsure.calls)


def test_confidences_go_together():
    reader = read_by(Bars("123", sure=0.97), Calibration(0.6, -0.3))
    (number,) = reader.read(page(60, 85, 110), min_confidence=0).numbers
    assert number.confidence < min(digit.confidence for digit in number.digits) < 0.97
    for digit in number.digits:
        assert digit.confidence + sum(p for _, p in digit.alternatives) <= 1 + 1e-9


def test_what_looks_like_no_digit_is_doubtful():
    image = page(60)
    asked = []

    def unlike(images):
        asked.append(images)
        return np.full(len(images), 0.4)

    found = Reader(Bars("7"), Calibration(), unlike).read(image)
    (number,) = found.doubtful
    assert found.numbers == () and number.text == "7"
    assert number.confidence == pytest.approx(0.4 * SURE, rel=0.01)
    (shown,) = asked
    assert shown.shape == (1, 28, 28) and np.ptp(np.flatnonzero(shown[0].max(axis=1))) == 19  # the bar
    long = Reader(Bars("123"), Calibration(), unlike).read(page(60, 85, 110))
    assert [one.text for one in long.numbers] == ["123"] and len(asked) == 1
