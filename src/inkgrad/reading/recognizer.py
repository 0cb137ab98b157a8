"""From strips of rows to the probabilities of labels at each of their steps."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import no_grad
from inkgrad.data.dataset import Images
from inkgrad.data.numbers import LABELS, STRIP_HEIGHT
from inkgrad.data.projective import warped
from inkgrad.models.rows import STEP, RowNetwork, label_log_probabilities

__all__ = ["Recognizer", "position"]

_WINDOW = 208  # pixels: what the network sees is always as wide, so that it is planned for one shape, once
_SHARED = 64  # pixels that neighboring windows have in common: more than a step of the network looks at
_STRIDE = _WINDOW - _SHARED
_AT_ONCE = 64  # windows
_EDGE = 8  # pixels of paper before a strip, and behind it as far as there are steps
_SLANTS = (0.0, 0.2, -0.2)  # pixels to the right for each pixel up, by which every window is looked at
_DOUBT = 1e-4  # the least that a look at a window says, so that one look alone rules nothing out
_BEHIND = 40  # pixels of paper behind a strip at least, so that the end of the last window is not seen

LogProbabilities = NDArray[np.float64]


class Recognizer:
    """A network for rows, and how strips are brought to it.

    A strip that is wider than a window is looked at through several, which overlap so far that each step
    is told by one that sees all around it: the same as if the network had seen the strip as a whole.

    Each window is looked at as it is, and leaning to either side. Labels stand at the middles of digits, which lean
    around the middle of the strip and stay where they are, so what is said of a step is averaged: the normalized
    geometric mean. What is misread tends to be misread in one look and not in the others, so it becomes less certain.

    Args:
        net: in prediction mode.
    """

    def __init__(self, net: RowNetwork) -> None:
        self.net = net

    def __call__(self, strips: Sequence[Images]) -> list[LogProbabilities]:
        """The logarithms of the probabilities, float64 (steps, labels), of each strip, uint8 (40, w).

        Step t of a strip is what the network says of its pixels around `position(t)`.
        """
        if not strips:
            return []
        sheets = [_laid(strip) for strip in strips]
        windows = [_windows(_leaning(sheet, slant)) for slant in _SLANTS for sheet in sheets]
        log_p = _agreed(self._seen(np.concatenate(windows)))
        found, first = [], 0
        for strip, sheet in zip(strips, windows, strict=False):
            found.append(_joined(log_p[first : first + len(sheet)])[: -(-(strip.shape[1] + 2 * _EDGE) // STEP)])
            first += len(sheet)
        return found

    def _seen(self, windows: Images) -> LogProbabilities:
        """uint8 (n, 40, 208) -> float64 (n, 52, labels)."""
        log_p = np.empty((len(windows), _WINDOW // STEP, LABELS))
        for start in range(0, len(windows), _AT_ONCE):
            with no_grad():
                logits = self.net(windows[start : start + _AT_ONCE, None] * np.float32(1 / 255)).data
            log_p[start : start + _AT_ONCE] = label_log_probabilities(logits)
        return log_p


def position(step: float) -> float:
    """The pixel of a strip, from its left edge, in the middle of what a step sees."""
    return (step + 0.5) * STEP - _EDGE


def _laid(strip: Images) -> Images:
    """A strip on paper as wide as all of its windows."""
    more = max(0, -(-(_EDGE + strip.shape[1] + _BEHIND - _WINDOW) // _STRIDE))
    sheet = np.zeros((STRIP_HEIGHT, _WINDOW + more * _STRIDE), np.uint8)
    sheet[:, _EDGE : _EDGE + strip.shape[1]] = strip
    return sheet


def _leaning(sheet: Images, slant: float) -> Images:
    """What is on a sheet, leaning to the right around the line in its middle."""
    if slant == 0:
        return sheet
    upright = np.array([[1, slant, -slant * STRIP_HEIGHT / 2], [0, 1, 0], [0, 0, 1]])
    return warped(sheet, upright, (sheet.shape[1], STRIP_HEIGHT), outside=0)


def _windows(sheet: Images) -> Images:
    """(40, w) -> (n, 40, 208)."""
    return np.lib.stride_tricks.sliding_window_view(sheet, _WINDOW, axis=1)[:, ::_STRIDE].swapaxes(0, 1)


def _agreed(looks: LogProbabilities) -> LogProbabilities:
    """What the looks say together, (looks * n, ..., labels) -> (n, ..., labels)."""
    apart = looks.reshape(len(_SLANTS), -1, *looks.shape[1:])
    mean = np.maximum(apart, np.log(_DOUBT)).mean(axis=0)
    agreed: LogProbabilities = mean - np.logaddexp.reduce(mean, axis=-1, keepdims=True)
    return agreed


def _joined(windows: LogProbabilities) -> LogProbabilities:
    """(n, steps, labels) of neighboring windows as one: of the steps that two of them see, each tells a half."""
    half = _SHARED // STEP // 2
    parts = [
        window[half if index else 0 : len(window) - (half if index < len(windows) - 1 else 0)]
        for index, window in enumerate(windows)
    ]
    return np.concatenate(parts)
