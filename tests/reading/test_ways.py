"""Rows that are cut out in other ways, and what several readings of one say together."""

import numpy as np
import pytest

from inkgrad.reading.decoding import RowReading
from inkgrad.reading.page import Digit, Number
from inkgrad.reading.rows import find_rows
from inkgrad.reading.ways import agreed, cut_otherwise


def box(left, right):
    return (left, 0.0), (right, 0.0), (right, 40.0), (left, 40.0)


def number(text, sure, left=0.0, right=100.0, digits=None):
    """A number, of digits each as sure as told, with what is left on the next value."""
    digits = digits or [sure] * len(text)
    return Number(
        text,
        text,
        sure,
        box(left, right),
        tuple(
            Digit(int(value), p, (((int(value) + 1) % 10, 1 - p),), box(left, right))
            for value, p in zip(text, digits, strict=True)
        ),
    )


def reading(*numbers):
    return RowReading(list(numbers), float(np.prod([one.confidence for one in numbers])))


def bars(height=60, light=False):
    page = np.full((300, 420), 235, np.uint8)
    for x in (60, 90, 120):
        page[100 : 100 + height, x : x + 9] = 40
    return 255 - page if light else page


@pytest.mark.parametrize("light", [False, True])
def test_a_row_is_cut_out_higher_and_lower(light):
    page = bars(light=light)
    (row,) = find_rows(page)
    tall = [np.count_nonzero((strip.pixels >= 128).any(axis=1)) for strip in (row.strips[0], *cut_otherwise(page, row))]
    assert tall == pytest.approx([28, 28 / 1.16, 28 / 0.84, 40], abs=1)  # the last one fills its strip
    middles = [strip.matrix @ [0, 20, 1] for strip in cut_otherwise(page, row)]
    assert all(y == pytest.approx(130) for _, y, _ in middles)


def test_a_ruled_row_is_cut_out_without_its_lines_as_well():
    page = bars()
    page[164:166, 20:400] = 60
    (row,) = find_rows(page)
    assert len(row.strips) == 2
    ways = cut_otherwise(page, row)
    assert len(ways) == 4 and ways[0] is row.strips[1]


def test_the_surest_is_taken_as_sure_as_the_three_surest_are_on_average():
    said = ("12", 0.4), ("17", 0.8), ("19", 0.3), ("17", 0.6), ("7", 0.2)
    ways = [reading(number(text, sure)) for text, sure in said]
    place, found = agreed(ways)
    (one,) = found.numbers
    assert (place, one.text, one.confidence) == (1, "17", pytest.approx(1.4 / 3))
    assert found.probability == 0.8


def test_a_way_without_a_number_speaks_against_one():
    poor = [reading(number("12", sure)) for sure in (0.8, 0.3, 0.2)]
    nothing = RowReading([], 1.0)
    assert agreed(poor)[1].numbers[0].confidence == pytest.approx(1.3 / 3)
    assert agreed([*poor, nothing])[1].numbers[0].confidence == pytest.approx(1.1 / 3)


def test_a_single_reading_stays_as_it_is():
    only = reading(number("12", 0.4))
    assert agreed([only]) == (0, only)


def test_a_reading_of_something_is_taken_before_one_of_nothing():
    place, found = agreed([RowReading([], 1.0), reading(number("5", 0.2)), RowReading([], 1.0)])
    (one,) = found.numbers
    assert (place, one.text, one.confidence) == (1, "5", pytest.approx(0.2 / 3))
    assert agreed([RowReading([], 1.0), RowReading([], 1.0)]) == (0, RowReading([], 1.0))


def test_digits_show_what_the_ways_disagree_on():
    ways = [reading(number("128", 0.8)), reading(number("178", 0.7)), reading(number("128", 0.6))]
    (one,) = agreed(ways)[1].numbers
    first, second, third = one.digits
    assert first.confidence == pytest.approx((0.8 + 0.7 + 0.6) / 3) and third.confidence == first.confidence
    assert second.confidence == pytest.approx(1.4 / 3) == one.confidence
    assert dict(second.alternatives)[7] == pytest.approx(0.7 / 3)
    for digit in one.digits:
        chances = [p for _, p in digit.alternatives]
        assert chances == sorted(chances, reverse=True) and digit.confidence + sum(chances) <= 1 + 1e-9
        assert digit.confidence >= one.confidence


def test_digits_of_a_way_that_lost_one_count_as_far_as_they_begin_or_end_alike():
    ways = [reading(number("1234", 0.6)), reading(number("134", 0.5))]
    (one,) = agreed(ways)[1].numbers
    assert one.confidence == pytest.approx(0.3)
    shares = [digit.confidence for digit in one.digits]
    assert shares == pytest.approx([0.55, 0.3, 0.55, 0.55])


def test_numbers_are_compared_with_what_stands_at_their_place():
    left, right = number("12", 0.9, 0, 40), number("12", 0.5, 60, 100)
    ways = [reading(left, right), reading(number("12", 0.3, 0, 41), number("72", 0.4, 61, 100))]
    first, second = agreed(ways)[1].numbers
    assert first.confidence == pytest.approx(0.6) and second.confidence == pytest.approx(0.25)
    assert second.digits[1].confidence == pytest.approx(0.45)


def test_what_cannot_be_stays_impossible():
    (one,) = agreed([reading(number("12", 0.0, digits=[0.5, 0.5]))] * 3)[1].numbers
    assert one.confidence == 0.0
