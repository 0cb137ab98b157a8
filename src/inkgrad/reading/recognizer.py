"""From strips of rows to the probabilities of labels at each of their steps."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import no_grad
from inkgrad.data.dataset import Images
from inkgrad.data.numbers import LABELS, STRIP_HEIGHT
from inkgrad.models.rows import STEP, RowNetwork, label_log_probabilities

__all__ = ["Recognizer", "position"]

_WINDOW = 208  # pixels: what the network sees is always as wide, so that it is planned for one shape, once
_SHARED = 64  # pixels that neighboring windows have in common: more than a step of the network looks at
_AT_ONCE = 64  # windows
_EDGE = 8  # pixels of paper before a strip, and behind it as far as there are steps
_BEHIND = 32  # pixels of paper behind a strip at least, so that the end of the last window is not seen

LogProbabilities = NDArray[np.float64]


class Recognizer:
    """A network for rows, and how strips are brought to it.

    A strip that is wider than a window is looked at through several, which overlap so far that each step
    is told by one that sees all around it: the same as if the network had seen the strip as a whole.

    Args:
        net: in prediction mode.
    """

    def __init__(self, net: RowNetwork) -> None:
        self.net = net

    def __call__(self, strips: Sequence[Images]) -> list[LogProbabilities]:
        """The logarithms of the probabilities, float64 (steps, labels), of each strip, uint8 (40, w).

        Step t of a strip is what the network says of its pixels around `position(t)`.
        """
        counts = [_windows(strip.shape[1]) for strip in strips]
        images = np.zeros((sum(counts), 1, STRIP_HEIGHT, _WINDOW), np.float32)
        first = 0
        for strip, count in zip(strips, counts, strict=True):
            for window in range(count):
                _show(strip, window, images[first + window, 0])
            first += count
        log_p = self._seen(images)
        found, first = [], 0
        for strip, count in zip(strips, counts, strict=True):
            found.append(_joined(log_p[first : first + count])[: -(-(strip.shape[1] + 2 * _EDGE) // STEP)])
            first += count
        return found

    def _seen(self, images: NDArray[np.float32]) -> LogProbabilities:
        """float32 (n, 1, 40, 208) -> float64 (n, 52, labels)."""
        log_p = np.empty((len(images), _WINDOW // STEP, LABELS))
        for start in range(0, len(images), _AT_ONCE):
            with no_grad():
                logits = self.net(images[start : start + _AT_ONCE]).data
            log_p[start : start + _AT_ONCE] = label_log_probabilities(logits)
        return log_p


def position(step: float) -> float:
    """The pixel of a strip, from its left edge, in the middle of what a step sees."""
    return (step + 0.5) * STEP - _EDGE


def _windows(width: int) -> int:
    """How many windows a strip so wide takes."""
    return 1 + max(0, -(-(_EDGE + width + _BEHIND - _WINDOW) // (_WINDOW - _SHARED)))


def _show(strip: Images, window: int, image: NDArray[np.float32]) -> None:
    """Draw what is seen of a strip through one of its windows, 0 to 1, on paper."""
    left = window * (_WINDOW - _SHARED) - _EDGE
    part = strip[:, max(left, 0) : left + _WINDOW]
    at = max(-left, 0)
    np.multiply(part, np.float32(1 / 255), out=image[:, at : at + part.shape[1]])


def _joined(windows: LogProbabilities) -> LogProbabilities:
    """(n, steps, labels) of neighboring windows as one: of the steps that two of them see, each tells a half."""
    half = _SHARED // STEP // 2
    parts = [
        window[half if index else 0 : len(window) - (half if index < len(windows) - 1 else 0)]
        for index, window in enumerate(windows)
    ]
    return np.concatenate(parts)
