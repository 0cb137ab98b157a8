"""Which labels of a row belong to one number."""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.numbers import BLANK, DIGIT_HEIGHT, is_digit
from inkgrad.reading.recognizer import position

__all__ = ["Gap", "Span", "find_gaps", "find_groups"]

_APART = 2.4  # heights between the middles of neighbors, from which on they are no one number's in any case
_BARE = 1.0  # heights without ink that part numbers at least
_WIDE = 1.9  # times the row's pitch that neighbors of two numbers are apart at least
_USUAL = 0.25  # share of the distances between neighbors that are smaller than the row's pitch
_INK = 70  # of 255: what is fainter is paper, or a pattern on it


class Span(NamedTuple):
    """The steps of a row that hold one number, from the first to behind the last."""

    start: int
    end: int


class Gap(NamedTuple):
    """A place between two neighboring labels of a row.

    Attributes:
        step: at which what is to the right of it begins.
        bare: the longest run of columns without ink in it, in pixels.
        parts: whether another number begins there.
    """

    step: int
    bare: int
    parts: bool


def find_groups(log_p: NDArray[np.float64], strip: Images) -> list[Span]:
    """The spans of the numbers of a row, from left to right; together they are the whole row.

    Neighbors belong together unless between them there is no ink for longer than a digit is high, and their middles are
    much farther apart than is usual in that row. So digits in the cells of a comb are one number, however many.

    Args:
        log_p: (steps, labels), logarithms of probabilities.
        strip: uint8 (40, w).
    """
    gaps = find_gaps(log_p, strip)
    if gaps is None:
        return []
    edges = [0, *(gap.step for gap in gaps if gap.parts), len(log_p)]
    return [Span(start, end) for start, end in itertools.pairwise(edges)]


def find_gaps(log_p: NDArray[np.float64], strip: Images) -> list[Gap] | None:
    """The places between neighboring labels of a row, from left to right; None if the row has no label.

    Args:
        log_p: (steps, labels), logarithms of probabilities.
        strip: uint8 (40, w).
    """
    seen = _places(log_p)
    if not seen:
        return None
    pairs = list(itertools.pairwise(seen))
    apart = [position(other) - position(one) for (one, _), (other, _) in pairs]
    pitch = _pitch([step for step, label in seen if is_digit(label)])
    gaps = []
    for ((one, _), (other, _)), distance in zip(pairs, apart, strict=True):
        bare = _bare(strip, one, other)
        wide = bare > _BARE * DIGIT_HEIGHT and distance > _WIDE * pitch
        gaps.append(Gap((one + other) // 2 + 1, bare, wide or distance > _APART * DIGIT_HEIGHT))
    return gaps


def _pitch(steps: list[int]) -> float:
    """How far apart the middles of neighboring digits of one number are, in pixels; of two, nobody knows."""
    apart = [position(other) - position(one) for one, other in itertools.pairwise(steps)]
    # Of the distances the larger ones may be those between numbers.
    return float(np.quantile(apart, _USUAL, method="lower")) if len(apart) > 1 else np.inf


def _places(log_p: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The labels of the most probable alignment, each with the step at which it is seen best: (step, label)."""
    best = log_p.argmax(axis=1)
    places: list[tuple[int, int]] = []
    start = 0
    for step in range(1, len(best) + 1):
        if step == len(best) or best[step] != best[start]:
            if best[start] != BLANK:
                label = int(best[start])
                places.append((start + int(log_p[start:step, label].argmax()), label))
            start = step
    return places


def _bare(strip: Images, one: int, other: int) -> int:
    """The longest run of columns without ink between two steps, in pixels."""
    left, right = (min(max(round(position(step)), 0), strip.shape[1]) for step in (one, other))
    bare = np.concatenate([[False], strip[:, left:right].max(axis=0, initial=0) < _INK, [False]])
    changes = np.flatnonzero(bare[1:] != bare[:-1])
    return int((changes[1::2] - changes[::2]).max(initial=0))
