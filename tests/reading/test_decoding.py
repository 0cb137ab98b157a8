"""From what a network says at each step to numbers: groups, digits, signs, confidence, places."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkgrad.data.numbers import LABELS, Strip, digits_of, labels_of, written_as
from inkgrad.nn.certainty import sequence_probability
from inkgrad.random import default_rng
from inkgrad.reading.beliefs import expected_beliefs, free_beliefs, without_signs
from inkgrad.reading.decoding import read_row, reading_of_row
from inkgrad.reading.expect import decode_expected, expect_amount, expect_list, expect_pattern
from inkgrad.reading.grouping import find_groups
from inkgrad.reading.recognizer import position

MATRIX = np.array([[2.0, 0, 100], [0, 2.0, 50], [0, 0, 1]])  # the strip lies at (100, 50), twice as large


def row(text, places, sure=0.98, width=400, noise=0.0005):
    """A strip with a bar of ink at each place, and what a network would say of it."""
    pixels = np.zeros((40, width), np.uint8)
    log_p = np.full((width // 4 + 4, LABELS), noise)
    log_p[:, 0] = 1
    for label, x in zip(labels_of(text), places, strict=True):
        pixels[8:32, x - 4 : x + 4] = 255
        step = int(np.argmin([abs(position(s) - x) for s in range(len(log_p))]))
        log_p[step] = (1 - sure) / (LABELS - 1)
        log_p[step, label] = sure
    return np.log(log_p / log_p.sum(axis=1, keepdims=True)), Strip(pixels, MATRIX)


def test_a_number_with_signs():
    log_p, strip = row("1.234,56", range(20, 180, 20))
    (number,) = read_row(log_p, strip, None, lambda p: p)
    assert (number.text, number.written, number.free) == ("123456", "1.234,56", None)
    assert [digit.value for digit in number.digits] == [1, 2, 3, 4, 5, 6]
    assert 0.2 < number.confidence < 0.98**6
    assert all(digit.confidence > number.confidence for digit in number.digits)
    assert number.digits[1].box == ((212.0, 66.0), (228.0, 66.0), (228.0, 114.0), (212.0, 114.0))
    assert number.box == ((132.0, 66.0), (428.0, 66.0), (428.0, 114.0), (132.0, 114.0))


def test_a_wide_gap_parts_numbers():
    places = [20, 40, 60, 180, 200, 330]
    log_p, strip = row("123459", places)
    assert [number.text for number in read_row(log_p, strip, None, lambda p: p)] == ["123", "45", "9"]
    assert next(span.start for span in find_groups(log_p, strip.pixels)) == 0
    assert find_groups(log_p, strip.pixels)[-1].end == len(log_p)
    even, strip = row("1234", [20, 70, 120, 170])  # wide, but as wide everywhere
    assert [number.text for number in read_row(even, strip, None, lambda p: p)] == ["1234"]


def test_nothing_and_signs_alone_are_no_numbers():
    for text, places in (("", []), ("-", [40]), (".,", [40, 60])):
        log_p, strip = row(text, places)
        assert read_row(log_p, strip, None, lambda p: p) == []


def test_alternatives():
    log_p, strip = row("17", [40, 70])
    step = int(log_p[:, labels_of("7")[0]].argmax())
    log_p[step, labels_of("1")[0]] = np.log(0.3)
    log_p[step, labels_of("7")[0]] = np.log(0.6)
    (number,) = read_row(log_p, strip, None, lambda p: p)
    value, probability = number.digits[1].alternatives[0]
    assert value == 1
    assert probability == pytest.approx(number.digits[1].confidence / 2, rel=0.1)


def test_what_is_expected_wins():
    log_p, strip = row("17", [40, 70])
    step = int(log_p[:, labels_of("7")[0]].argmax())
    log_p[step, labels_of("1")[0]] = np.log(0.3)
    (number,) = read_row(log_p, strip, expect_pattern(r"\d*1"), lambda p: p)
    assert (number.text, number.free) == ("11", "17")


def shown(numbers):
    return [(number.text, number.free) for number in numbers]


TOGETHER = {  # text, places, what is expected -> (text, free) of each number
    "joined": ("12345", [20, 40, 120, 140, 160], r"\d{5}", [("12345", "12345")]),
    "as the gaps say": ("12345", [20, 40, 120, 140, 160], r"\d{2,5}", [("12", "12"), ("345", "345")]),
    "parted": ("1234", [20, 40, 70, 90], r"\d\d", [("12", "12"), ("34", "34")]),
    "parted and joined": ("123456", [20, 100, 120, 150, 170, 190], r"\d{3}", [("123", "123"), ("456", "456")]),
    "three as one": ("123456", [20, 40, 120, 140, 220, 240], r"\d{6}", [("123456", "123456")]),
    "with its signs": ("1.23,-", [20, 40, 60, 80, 100, 115], r"\d,\d\d", [("123", "123")]),
}


@pytest.mark.parametrize("case", TOGETHER)
def test_what_is_expected_decides_what_is_one_number(case):
    text, places, pattern, expected = TOGETHER[case]
    log_p, strip = row(text, places, sure=0.995, noise=1e-6)
    numbers = read_row(log_p, strip, expect_pattern(pattern), lambda p: p)
    assert shown(numbers) == expected
    if case != "with its signs":
        assert all(number.confidence > 0.9 for number in numbers)


def test_something_else_beside_does_not_spoil_a_number():
    log_p, strip = row("123457", [20, 40, 60, 80, 100, 200], sure=0.995, noise=1e-6)
    five, other = read_row(log_p, strip, expect_pattern(r"\d{5}"), lambda p: p)
    assert (five.text, five.free) == ("12345", "12345") and five.confidence > 0.9
    assert other.free == "7" and other.confidence < 1e-3
    whole = reading_of_row(log_p, strip, expect_pattern(r"\d{5}"))
    assert 0 < whole.probability <= 1e-3
    assert reading_of_row(log_p, strip, expect_pattern(r"\d+")).probability > 0.9


def test_what_cannot_fit_is_not_lost():
    """Thirty digits have no room in so few steps."""
    log_p, strip = row("12", [20, 40], width=60)
    (number,) = read_row(log_p, strip, expect_pattern(r"\d{30}"), lambda p: p)
    assert (number.text, number.free, number.confidence, number.written) == ("12", "12", 0.0, "12")
    assert [digit.value for digit in number.digits] == [1, 2]


def test_the_sum_over_all_signs():
    """A sign that nobody can tell makes no digit unsure."""
    log_p, strip = row("1.2", [30, 50, 70], sure=0.999, noise=1e-6)
    step = int(log_p[:, labels_of(".")[0]].argmax())
    log_p[step] = np.log(1e-6)
    log_p[step, [0, *labels_of(".,-'")]] = np.log(0.2)
    (number,) = read_row(log_p, strip, None, lambda p: p)
    assert number.text == "12" and number.confidence > 0.98
    (amount,) = read_row(log_p, strip, expect_pattern(r"\d,\d"), lambda p: p)
    assert (amount.text, amount.written) == ("12", "1,2") and amount.confidence == pytest.approx(0.2, abs=0.02)
    assert amount.free == "12"


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.sampled_from([None, r"\d{3}", r"\d\d", "list", "amount"]))
def test_what_is_sure_is_what_a_full_search_finds(seed, what):
    """Rows of any certainty, beside a search of everything."""
    rng = default_rng(seed)
    text = "".join(rng.choice(list("0123456789.,"), 4))
    log_p, _ = row(text, [20, 40, 60, 80], sure=float(rng.choice([0.6, 0.9, 0.99, 0.9999])), width=100)
    noise = log_p + rng.normal(0, rng.choice([0.1, 1.5]), log_p.shape)
    log_p = noise - np.logaddexp.reduce(noise, axis=1, keepdims=True)
    named = {None: None, "list": expect_list(["123", "4567", "89"]), "amount": expect_amount()}
    expected = named[what] if what in named else expect_pattern(what)
    totals = {}
    for labels, value in decode_expected(log_p, expected, beam=500):
        digits = digits_of(written_as(labels))
        totals[digits] = totals.get(digits, 0.0) + float(np.exp(value))
    beliefs = free = free_beliefs(without_signs(log_p))
    if expected is not None:
        beliefs = expected_beliefs(log_p, without_signs(log_p), free, expected)
    if max(totals.values()) < 0.05:  # nothing that could be read
        assert beliefs.probability < 0.1
        return
    if what == "amount":  # the small beam misses some ways to write the digits
        assert totals[beliefs.best] == pytest.approx(max(totals.values()), rel=0.2, abs=0.05)
        assert totals[beliefs.best] / 2 < beliefs.probability <= 1.1 * totals[beliefs.best]
        return
    exact = {text: sequence_probability(without_signs(log_p), labels_of(text)) for text in totals}
    assert all(exact[text] >= total - 1e-9 for text, total in totals.items())
    assert exact[beliefs.best] == pytest.approx(max(exact.values()), rel=0.05, abs=0.01)  # the beam is narrow
    assert beliefs.probability == pytest.approx(exact[beliefs.best], rel=0.05, abs=0.01)
    assert beliefs.probability <= exact[beliefs.best] + 1e-9
