"""What a part of a row may say: texts of digits with their probabilities."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.numbers import BLANK, LABELS, digits_of, is_digit, labels_of, written_as
from inkgrad.nn import beam_search, sure_sequence
from inkgrad.reading.expect import Expectation, decode_expected

__all__ = ["Beliefs", "expected_beliefs", "free_beliefs", "without_signs"]

_BEAM = 16
_SURE = 0.99  # probability from which on the others are not looked for
_LEAST = 1e-6  # rest of the probability, as sums are not exact
_FAINTEST = 1e-4  # probability of a digit at a step, below which it is not looked at where all is possible
_SIGNS = [label for label in range(LABELS) if label != BLANK and not is_digit(label)]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Beliefs:
    """Texts that a part of a row may say.

    Attributes:
        texts: the probability of each text of digits, whatever signs stand among them; the most probable first.
        labels: of some texts, all labels where signs are part of what was expected.
    """

    texts: dict[str, float]
    labels: dict[str, list[int]] = field(default_factory=dict)

    @property
    def best(self) -> str:
        """The most probable text; empty for none."""
        return next(iter(self.texts), "")

    @property
    def probability(self) -> float:
        """That of the most probable text."""
        return min(next(iter(self.texts.values()), 0.0), 1.0)


def without_signs(log_p: Floats) -> Floats:
    """(steps, LABELS) -> (steps, 11): no digit, as a blank or any sign, and the ten digits.

    A text of digits has the sum of the probabilities of all ways to put signs among them: signs part equal digits as
    blanks do, so the sum is that of its alignments with all of them taken for one label.
    """
    merged = np.empty((len(log_p), 11))
    merged[:, 0] = np.logaddexp.reduce(log_p[:, [BLANK, *_SIGNS]], axis=1)
    merged[:, 1:] = log_p[:, 1:11]
    return merged


def free_beliefs(merged: Floats) -> Beliefs:
    """What is most probable of everything.

    Args:
        merged: (steps, 11), of `without_signs`.
    """
    sure = sure_sequence(merged, least=_SURE)
    found = [sure] if sure else beam_search(merged, beam=_BEAM, prune=_FAINTEST)
    return Beliefs({written_as(labels): float(np.exp(value)) for labels, value in found})


def expected_beliefs(log_p: Floats, merged: Floats, free: Beliefs, expected: Expectation) -> Beliefs:
    """What is most probable of what is expected; without texts if nothing of that fits into so many steps.

    Probabilities are those among all that could be read: what is expected but not there stays improbable.

    Args:
        log_p: (steps, LABELS), logarithms of probabilities.
        merged: of `without_signs`.
        free: what is believed where all is possible.
        expected: what is expected.
    """
    digits = expected.digits
    if digits is not None:
        fitting = {text: p for text, p in free.texts.items() if digits.accepts(labels_of(text))}
        # What was not found has the rest of the probability at most: something else that fits cannot be more probable.
        if next(iter(fitting.values()), 0.0) > max(1 - sum(free.texts.values()), _LEAST):
            return Beliefs(fitting)
        found = beam_search(merged, beam=_BEAM, allow=digits)
        return Beliefs({written_as(labels): float(np.exp(value)) for labels, value in found})
    sure = sure_sequence(log_p, allow=expected.allowed, least=_SURE)
    texts: dict[str, float] = {}
    spelled: dict[str, list[int]] = {}
    for labels, value in [sure] if sure else decode_expected(log_p, expected, beam=_BEAM):
        text = digits_of(written_as(labels))
        texts[text] = texts.get(text, 0.0) + float(np.exp(value))
        spelled.setdefault(text, labels)
    return Beliefs(dict(sorted(texts.items(), key=lambda item: -item[1])), spelled)
