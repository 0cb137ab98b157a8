"""A row that is read in several ways: how else it is cut out, which reading is taken, and how sure one may be of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from inkgrad.data.dataset import Images
from inkgrad.data.numbers import Strip, to_strip
from inkgrad.reading.decoding import RowReading
from inkgrad.reading.page import Digit, Number
from inkgrad.reading.rows import Row

__all__ = ["agreed", "cut_otherwise"]

_BEYOND = (0.08, -0.08, -0.2)  # of a row's height by which it is cut out higher at its top and its bottom
_OTHERS = 2  # readings beside the chosen one that count, the surest: of a row well found, some cuts spoil it


def cut_otherwise(gray: Images, row: Row) -> list[Strip]:
    """The strips of a row without the printed lines that run through it, if any do, and cut out higher and lower.

    A line, a stamp or a speck makes a row higher than its digits, which are then smaller in its strip than any that the
    network has learned from.

    Args:
        gray: uint8 (h, w), the page.
        row: on it.
    """
    corners = np.array(row.box)
    down = corners[[3, 2, 2, 3]] - corners[[0, 1, 1, 0]]
    outward = np.array([-1.0, -1.0, 1.0, 1.0])[:, None] * down
    cuts = [to_strip(gray, corners + beyond * outward, light_ink=row.light_ink) for beyond in _BEYOND]
    return [*row.strips[1:], *cuts]


def agreed(readings: Sequence[RowReading]) -> tuple[int, RowReading]:
    """The reading that is most probable by itself, with the mean of the probabilities that the three surest give it.

    Of a row in normal form one reading is right, and surer than those of the row cut out worse. But what is read in one
    of the ways alone is wrong more often than it says. A way in which nothing is found counts as sure, and speaks
    against the number: it is letters and things taken for one that some ways find nothing in.

    Args:
        readings: of one row, at least one.

    Returns:
        Its place among the readings; the numbers that it says.
    """
    if len(readings) == 1:
        return 0, readings[0]
    best = max(range(len(readings)), key=lambda place: (bool(readings[place].numbers), readings[place].probability))
    others = sorted((*readings[:best], *readings[best + 1 :]), key=lambda reading: -reading.probability)[:_OTHERS]
    counted = [readings[best], *others]
    numbers = [
        _averaged(number, [_counterpart(number, reading.numbers) for reading in counted])
        for number in readings[best].numbers
    ]
    return best, readings[best]._replace(numbers=numbers)


def _counterpart(number: Number, others: Sequence[Number]) -> Number | None:
    """What stands at a number's place in another reading of the row."""
    middle = np.mean(number.box, axis=0)
    return min(others, key=lambda other: float(np.linalg.norm(np.mean(other.box, axis=0) - middle)), default=None)


def _averaged(number: Number, ways: Sequence[Number | None]) -> Number:
    sure = sum(way.confidence for way in ways if way is not None and way.text == number.text) / len(ways)
    digits = tuple(
        _averaged_digit(digit, [_said(way, number.text, place) for way in ways], sure)
        for place, digit in enumerate(number.digits)
    )
    return replace(number, confidence=sure, digits=digits)


def _said(way: Number | None, text: str, place: int) -> Digit | None:
    """What a reading has for a digit of a text; one of more or fewer digits, if it begins or ends alike up to it."""
    if way is None:
        return None
    if len(way.text) == len(text) or way.text.startswith(text[: place + 1]):
        return way.digits[place]
    return way.digits[place - len(text)] if way.text.endswith(text[place:]) else None


def _averaged_digit(digit: Digit, ways: Sequence[Digit | None], least: float) -> Digit:
    """A digit as all ways see it, no less sure than its number."""
    total = dict.fromkeys(range(10), 0.0)
    for way in ways:
        for value, probability in _all_values(way):
            total[value] += probability / len(ways)
    sure = min(max(total.pop(digit.value), least), 1.0)
    share = min(1.0, (1 - sure) / max(sum(total.values()), 1e-300))
    others = sorted(((value, share * p) for value, p in total.items() if p > 0), key=lambda one: -one[1])
    return replace(digit, confidence=sure, alternatives=tuple(others))


def _all_values(digit: Digit | None) -> Iterable[tuple[int, float]]:
    return () if digit is None else ((digit.value, digit.confidence), *digit.alternatives)
