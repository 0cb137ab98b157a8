"""How sure each digit of a number is, and what else it may be."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from inkgrad.reading.beliefs import Beliefs
from inkgrad.reading.spelling import Spelled

__all__ = ["Certainty", "certainties"]

Certainty = tuple[float, tuple[tuple[int, float], ...]]
"""The probability of a digit; other digits with theirs, the most probable first."""


def certainties(beliefs: Beliefs, merged: NDArray[np.float64], places: Iterable[Spelled]) -> list[Certainty]:
    """That of each digit of the most probable text.

    Args:
        beliefs: texts that a part of a row may say.
        merged: (steps, 11), of that part: no digit, and the ten digits.
        places: of the digits of the most probable text.
    """
    if len(beliefs.texts) == 1 and beliefs.probability > 0.5:
        return [_seen(merged, place, beliefs.probability) for place in places]
    return [_of_texts(place, beliefs) for place in range(len(beliefs.best))]


def _of_texts(place: int, beliefs: Beliefs) -> Certainty:
    """By the other texts: those of more digits or of fewer have the digit if they begin or end alike up to it."""
    digits, others = beliefs.best, [0.0] * 10
    for text, probability in beliefs.texts.items():
        if len(text) == len(digits):
            others[int(text[place])] += probability
        elif text.startswith(digits[: place + 1]) or text.endswith(digits[place:]):
            others[int(digits[place])] += probability
    return _certainty(int(digits[place]), others)


def _seen(merged: NDArray[np.float64], place: Spelled, probability: float) -> Certainty:
    """By the step at which a digit of a text that is all but sure is seen best."""
    run = merged[place.start : place.end]
    best = run[run[:, place.label].argmax(), 1:]
    others = np.minimum(np.exp(best - best[place.label - 1]), 1) * probability
    value = place.label - 1
    others[value] = 0
    # The text itself has the digit, so the digit is no less probable.
    others *= min(1.0, (1 - probability) / max(float(others.sum()), 1e-300))
    others[value] = 1 - others.sum()
    return _certainty(value, others.tolist())


def _certainty(value: int, probabilities: list[float]) -> Certainty:
    alternatives = [(d, min(p, 1.0)) for d, p in enumerate(probabilities) if d != value and p > 0]
    return min(probabilities[value], 1.0), tuple(sorted(alternatives, key=lambda one: -one[1]))
