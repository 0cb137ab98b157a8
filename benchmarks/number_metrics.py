"""How well whole numbers are read: strictly, by digits, and at a stated rate of errors; how honest confidences are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkgrad.reading.calibration import fitted_threshold

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Said:
    """What a picture says, what was read of it, and how surely."""

    name: str
    label: str
    text: str
    confidence: float

    @property
    def right(self) -> bool:
        return self.label == self.text


def edits(one: str, other: str) -> int:
    """The fewest digits to insert, leave out or exchange (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]


def accuracy(said: Sequence[Said]) -> float:
    """Whole numbers that are right, in %."""
    return 100 * float(np.mean([one.right for one in said]))


def digit_error_rate(said: Sequence[Said]) -> float:
    """Edits for each digit that there is, in %."""
    return 100 * sum(edits(one.label, one.text) for one in said) / max(1, sum(len(one.label) for one in said))


def read_at(said: Sequence[Said], part: NDArray[np.int64], error: float) -> tuple[float, float]:
    """Read, and wrong among these, both in %, where the threshold of each part comes from the other parts."""
    confidence = np.array([one.confidence for one in said])
    right = np.array([one.right for one in said])
    read = np.zeros(len(said), bool)
    for own in np.unique(part):
        others = part != own
        least = fitted_threshold(confidence[others], right[others], error)
        read[~others] = confidence[~others] >= (2.0 if least is None else least)
    return 100 * float(read.mean()), 100 * float((~right)[read].mean()) if read.any() else 0.0


def calibration_error(confidence: Floats, right: Flags, bins: int = 5) -> float:
    """The expected calibration error over bins of equal size, as a share."""
    return float(
        sum(len(p) * abs(confidence[p].mean() - right[p].mean()) for p in _bins(confidence, bins)) / len(right)
    )


def reliability(confidence: Floats, right: Flags, bins: int = 5) -> list[tuple[float, float, int]]:
    """Of each bin the mean confidence, the share that is right, and how many there are."""
    return [(float(confidence[p].mean()), float(right[p].mean()), len(p)) for p in _bins(confidence, bins)]


def _bins(confidence: Floats, bins: int) -> list[NDArray[np.int64]]:
    return [part for part in np.array_split(np.argsort(confidence, kind="stable"), bins) if len(part)]
