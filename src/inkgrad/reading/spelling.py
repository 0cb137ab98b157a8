"""The signs that stand among the digits of a number, and where each label stands."""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.numbers import BLANK, LABELS, is_digit, labels_of
from inkgrad.nn import beam_search, sure_sequence
from inkgrad.reading.alignment import align

__all__ = ["Spelled", "spelled", "spelled_digits"]

_BEAM = 8
_UNLIKELY = 0.3  # expected signs between two digits, below which there is none
_NO_DIGITS = [BLANK, *(label for label in range(LABELS) if label != BLANK and not is_digit(label))]

Floats = NDArray[np.float64]


class Spelled(NamedTuple):
    """A label of a number and the steps at which it is seen, from the first to behind the last."""

    label: int
    start: int
    end: int

    def moved(self, by: int) -> "Spelled":
        """The same, so many steps later."""
        return Spelled(self.label, self.start + by, self.end + by)


def spelled(log_p: Floats, labels: list[int]) -> list[Spelled]:
    """Where labels that are known, signs and all, stand in (steps, LABELS)."""
    return [Spelled(label, *steps) for label, steps in zip(labels, align(log_p, labels), strict=True)]


def spelled_digits(log_p: Floats, merged: Floats, digits: str) -> list[Spelled]:
    """Where digits stand, with the most probable signs before, between and behind them.

    Args:
        log_p: (steps, LABELS), logarithms of probabilities.
        merged: (steps, 11), with all that is no digit as one.
        digits: the text of the number.
    """
    labels = labels_of(digits)
    places = [Spelled(label, *steps) for label, steps in zip(labels, align(merged, labels), strict=True)]
    signs = log_p[:, _NO_DIGITS]
    signs = signs - np.logaddexp.reduce(signs, axis=1, keepdims=True)
    expected = 1 - np.exp(signs[:, 0])
    edges = [0, *itertools.chain.from_iterable((place.start, place.end) for place in places), len(log_p)]
    found: list[Spelled] = []
    for index, (start, end) in enumerate(zip(edges[::2], edges[1::2], strict=True)):
        if expected[start:end].sum() > _UNLIKELY:
            found += _signs(signs[start:end], start)
        found += places[index : index + 1]
    return found


def _signs(signs: Floats, first: int) -> list[Spelled]:
    """The most probable signs where no digit is: logarithms of probabilities of none and of each sign."""
    labels, _ = sure_sequence(signs) or beam_search(signs, beam=_BEAM)[0]
    steps = align(signs, labels)
    return [Spelled(_NO_DIGITS[c], first + a, first + b) for c, (a, b) in zip(labels, steps, strict=True)]
