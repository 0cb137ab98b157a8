"""Rows of real numbers to learn from: their pictures, changed a little each time, and what they say."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import no_grad
from inkgrad.data.amounts import Amount
from inkgrad.data.numbers import BLANK, LABELS, SIGNS, digits_of, is_digit, labels_of, row_of_boxes, written_as
from inkgrad.models.rows import STEP, RowNetwork, label_log_probabilities
from inkgrad.nn import Automaton, beam_search
from inkgrad.training.numbers.shown import Shown, shown

__all__ = ["Real", "guessed_signs"]


@dataclass(frozen=True)
class Real:
    """A picture of a number.

    Attributes:
        amount: the picture, its digits and where they stand.
        text: its digits, with the signs among them as far as known.
    """

    amount: Amount
    text: str
    _shown: dict[int | None, Shown] = field(default_factory=dict, init=False, repr=False, compare=False)

    def shown(self, way: int | None = None) -> Shown:
        """In normal form, as it is, or in one of many ways found a little elsewhere and lit in another way."""
        if way not in self._shown:
            self._shown[way] = self._cut(way)
        return self._shown[way]

    def _cut(self, way: int | None) -> Shown:
        rng = None if way is None else np.random.Generator(np.random.PCG64([way, *self.amount.name.encode()]))
        place = row_of_boxes(self.amount.boxes, rng)
        gray = self.amount.gray
        if rng is not None:
            light = np.exp(rng.normal(0, 0.15))
            gray = np.clip(255 * (gray / 255.0) ** light, 0, 255).astype(np.uint8)
        middles = np.full((len(self.text), 2), np.nan)
        if digits_of(self.text) == self.amount.digits:
            boxes = self.amount.boxes
            middles[[character not in SIGNS for character in self.text]] = boxes[:, :2] + boxes[:, 2:] / 2
        return shown(gray, place, tuple(labels_of(self.text)), middles, light_ink=False)


def guessed_signs(net: RowNetwork, rows: Sequence[Real]) -> list[Real]:
    """The rows with the signs that a network sees between their digits, which nobody has written down.

    Of all texts that have the right digits, the most probable one. A row that cannot be one keeps its text.
    """
    return [replace(row, text=_with_signs(net, row)) for row in rows]


def _with_signs(net: RowNetwork, row: Real) -> str:
    pixels = row.shown().pixels
    width = -(-pixels.shape[1] // STEP) * STEP
    canvas = np.zeros((1, 1, pixels.shape[0], width), np.float32)
    canvas[0, 0, :, : pixels.shape[1]] = pixels / np.float32(255)
    with no_grad():
        log_p = label_log_probabilities(net(canvas).data)[0]
    found = beam_search(log_p, beam=12, blank=BLANK, allow=_spelled(row.amount.digits))
    return written_as(found[0][0]) if found else row.text


def _spelled(digits: str) -> Automaton:
    """Accepts these digits in their order, with at most two signs in a row anywhere."""
    signs = [label for label in range(LABELS) if label != BLANK and not is_digit(label)]
    states = 3 * (len(digits) + 1)  # behind so many digits, and none, one or two signs
    transitions: NDArray[np.int64] = np.full((states, LABELS), -1, np.int64)
    for place in range(len(digits) + 1):
        for count in range(3):
            state = 3 * place + count
            if count < 2:
                transitions[state, signs] = state + 1
            if place < len(digits):
                transitions[state, labels_of(digits[place])[0]] = 3 * (place + 1)
    accepting = np.arange(states) >= 3 * len(digits)
    return Automaton(transitions, accepting, 0)
