"""From the probabilities of a row's labels to its numbers."""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.numbers import Strip, is_digit, written_as
from inkgrad.reading.beliefs import Beliefs, expected_beliefs, free_beliefs, without_signs
from inkgrad.reading.calibration import rated
from inkgrad.reading.certainty import certainties
from inkgrad.reading.expect import Expectation
from inkgrad.reading.grouping import Gap, Span, find_gaps
from inkgrad.reading.page import Digit, Number
from inkgrad.reading.partition import fitting_spans
from inkgrad.reading.placing import box_between, edges_of
from inkgrad.reading.spelling import spelled, spelled_digits

__all__ = ["RowReading", "read_row", "reading_of_row"]

_UNFIT = 1e-3  # as probable as that is it that something else stands in a row than what is expected
_EVIDENT = 0.3  # probability from which on what is expected is read where otherwise nothing would be

Floats = NDArray[np.float64]
Confidence = Callable[[float], float]


class RowReading(NamedTuple):
    """What a row says.

    Attributes:
        numbers: from left to right; as confidence they have the probability.
        probability: of all of them together; what does not fit what is expected counts as improbable only.
    """

    numbers: list[Number]
    probability: float


def read_row(log_p: Floats, strip: Strip, expected: Expectation | None, confidence: Confidence) -> list[Number]:
    """The numbers of a row, from left to right.

    Args:
        log_p: (steps, labels), logarithms of probabilities.
        strip: the row.
        expected: what they must look like; None for any. Where something stands that cannot be it, the number is what
            it would be without, with a confidence of 0.
        confidence: from a probability, of a number or a digit, to its confidence.
    """
    return [rated(number, confidence) for number in reading_of_row(log_p, strip, expected).numbers]


def reading_of_row(log_p: Floats, strip: Strip, expected: Expectation | None) -> RowReading:
    """The numbers of a row with their probabilities; arguments as those of `read_row`."""
    gaps = find_gaps(log_p, strip.pixels)
    if gaps is None:
        return RowReading([], 1.0)
    row = _Row(log_p, strip, expected)
    spans = _by_gaps(gaps, len(log_p))
    if expected is not None and not all(row.fits(span) for span in spans):
        spans = fitting_spans(gaps, len(log_p), row.worth)
    numbers = [number for span in spans if (number := row.number(span)) is not None]
    return RowReading(numbers, math.exp(sum(row.worth(span) for span in spans)))


def _by_gaps(gaps: list[Gap], steps: int) -> list[Span]:
    return [Span(*edges) for edges in itertools.pairwise([0, *(gap.step for gap in gaps if gap.parts), steps])]


class _Row:
    """A row of which parts are looked at, each once."""

    def __init__(self, log_p: Floats, strip: Strip, expected: Expectation | None) -> None:
        self.log_p, self.merged, self.strip, self.expected = log_p, without_signs(log_p), strip, expected
        self._believed: dict[Span, tuple[Beliefs, Beliefs]] = {}

    def believed(self, span: Span) -> tuple[Beliefs, Beliefs]:
        """What a part says where all is possible, and among what is expected."""
        if span not in self._believed:
            merged = self.merged[span.start : span.end]
            free = fitting = free_beliefs(merged)
            if self.expected is not None:
                fitting = expected_beliefs(self.log_p[span.start : span.end], merged, free, self.expected)
            self._believed[span] = free, fitting
        return self._believed[span]

    def fits(self, span: Span) -> bool:
        """Whether a part says what is expected, as far as one can see."""
        free, fitting = self.believed(span)
        return free.best == fitting.best or not self._is_number(span)

    def worth(self, span: Span) -> float:
        """The logarithm of the probability of the number that a part is taken for."""
        free, fitting = self.believed(span)
        if not self._is_number(span):
            return math.log(max(free.texts.get("", 0.0), 1e-300)) if self.expected is not None else 0.0
        if self.expected is None:
            return math.log(max(free.probability, 1e-300))
        return math.log(max(fitting.probability, _UNFIT * free.probability, 1e-300))

    def number(self, span: Span) -> Number | None:
        """The number that a part says; None for none."""
        if not self._is_number(span):
            return None
        free, fitting = self.believed(span)
        beliefs = fitting if fitting.best else free
        log_p, merged = self.log_p[span.start : span.end], self.merged[span.start : span.end]
        labels = beliefs.labels.get(beliefs.best)
        places = spelled_digits(log_p, merged, beliefs.best) if labels is None else spelled(log_p, labels)
        certain = certainties(beliefs, merged, [place for place in places if is_digit(place.label)])
        edges = edges_of([place.moved(span.start) for place in places], self.strip)
        edges = [edge for edge, place in zip(edges, places, strict=True) if is_digit(place.label)]
        digits = tuple(
            Digit(int(value), *certainty, box_between(self.strip, *edge))
            for value, certainty, edge in zip(beliefs.best, certain, edges, strict=True)
        )
        return Number(
            beliefs.best,
            written_as(place.label for place in places),
            fitting.probability if fitting.best else 0.0,
            box_between(self.strip, edges[0][0], edges[-1][1]),
            digits,
            None if self.expected is None else free.best,
        )

    def _is_number(self, span: Span) -> bool:
        free, fitting = self.believed(span)
        return bool(free.best) or (bool(fitting.best) and fitting.probability > _EVIDENT)
