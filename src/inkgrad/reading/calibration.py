"""From what the network believes of a number to how often such numbers are right."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import ModelFileError, OptionError
from inkgrad.models.rows import load_rows, save_rows
from inkgrad.reading.page import Digit, Number

__all__ = ["SHARES", "Calibration", "fitted_calibration", "fitted_threshold", "rated", "save_calibrated"]

SHARES = (0.005, 0.01, 0.02, 0.05)
"""Shares of errors among what is read, for which a reader that was measured knows the least confidence."""

_EDGE = 1e-12  # what is surer counts as this sure


@dataclass(frozen=True)
class Calibration:
    """confidence = 1 / (1 + exp(-(slope * logit p + offset))): Platt's scaling of a number's probability.

    Attributes:
        slope, offset: of the logit.
        thresholds: pairs (share of errors among what is read, confidence from which on that few are wrong).
    """

    slope: float = 1.0
    offset: float = 0.0
    thresholds: tuple[tuple[float, float], ...] = ()

    def __call__(self, probability: float) -> float:
        """The confidence, 0 to 1.

        >>> round(Calibration(slope=0.5)(0.99), 3)
        0.909
        """
        p = min(max(probability, _EDGE), 1 - _EDGE)
        return float(1 / (1 + np.exp(-(self.slope * np.log(p / (1 - p)) + self.offset))))

    def threshold(self, error: float) -> float:
        """The confidence from which on at most this share of numbers is wrong.

        Raises:
            OptionError: the reader has not been measured at an error this low.
        """
        reached = [confidence for share, confidence in self.thresholds if share <= error]
        if not reached:
            shares = ", ".join(f"{share:g}" for share, _ in self.thresholds)
            instead = f"it was measured at {shares}" if shares else "it was never measured; give a confidence instead"
            raise OptionError(
                f"the reader knows no confidence at which only {error:g} of the numbers are wrong: {instead}"
            )
        return min(reached)

    def as_json(self) -> dict[str, Any]:
        """What a model file holds, and `from_json` takes.

        >>> Calibration.from_json(Calibration(0.5, 0.1, ((0.01, 0.9),)).as_json())
        Calibration(slope=0.5, offset=0.1, thresholds=((0.01, 0.9),))
        """
        return {"slope": self.slope, "offset": self.offset, "thresholds": [list(pair) for pair in self.thresholds]}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any] | None) -> "Calibration":
        """What a model file holds; without it, probabilities are taken as they are."""
        if saved is None:
            return cls()
        try:
            pairs = tuple((float(share), float(confidence)) for share, confidence in saved["thresholds"])
            made = cls(float(saved["slope"]), float(saved["offset"]), pairs)
            if not (0 < made.slope < float("inf") and abs(made.offset) < float("inf")):
                raise ValueError(f"a slope of {made.slope} and an offset of {made.offset}")
            if not all(0 <= share <= 1 and 0 <= confidence <= 1 for share, confidence in pairs):
                raise ValueError(f"shares and confidences {pairs}")
            return made
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"a reader has a damaged calibration: {type(error).__name__} {error}") from error


def fitted_calibration(
    probabilities: NDArray[np.float64], right: NDArray[np.bool_], shares: Iterable[float] = ()
) -> Calibration:
    """The slope and offset that make right answers most likely (Platt 1999), with his targets for few samples.

    Args:
        probabilities: float64 (n,), what the network believes of each number.
        right: bool (n,), whether it is right.
        shares: of errors, for which thresholds are found, as far as they can be kept.

    >>> p = np.repeat([0.5, 0.9, 0.999], 100)
    >>> right = np.tile(np.arange(100) < 50, 3) | (np.arange(300) >= 120)
    >>> 0 < fitted_calibration(p, right).slope
    True
    """
    from scipy.optimize import minimize

    p = np.clip(probabilities, _EDGE, 1 - _EDGE)
    logit = np.log(p / (1 - p))
    good, bad = int(right.sum()), int((~right).sum())
    target = np.where(right, (good + 1) / (good + 2), 1 / (bad + 2))

    def loss(x: NDArray[np.float64]) -> float:
        z = x[0] * logit + x[1]
        return float(np.sum(np.logaddexp(0, z) - target * z))

    best = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    fitted = Calibration(float(best[0]), float(best[1]))
    confidence = np.array([fitted(one) for one in probabilities])
    reached = ((share, fitted_threshold(confidence, right, share)) for share in shares)
    return replace(fitted, thresholds=tuple((share, least) for share, least in reached if least is not None))


def fitted_threshold(confidence: NDArray[np.float64], right: NDArray[np.bool_], error: float) -> float | None:
    """The lowest confidence from which on at most a share of the numbers is wrong; None if there is none.

    >>> fitted_threshold(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True]), 0.25)
    0.6
    """
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order])
    parted = np.append(np.diff(confidence[order]) < 0, True)  # equally sure ones are read together or not at all
    good = np.flatnonzero(parted & (wrong <= error * np.arange(1, len(order) + 1)))
    return float(confidence[order[good[-1]]]) if good.size else None


def save_calibrated(
    path: str | os.PathLike[str], calibration: Calibration, *, out: str | os.PathLike[str] | None = None
) -> Path:
    """Write a calibration, with its thresholds, into the model file of a reader; nothing else in it changes.

    Args:
        path: the reader.
        calibration: such as `fitted_calibration` of numbers that the reader has not learned from.
        out: another file to write instead.

    Returns:
        The file that was written.

    Raises:
        ModelFileError: missing, damaged, or no reader.
        StorageError: the file could not be written; what was there is unchanged.
    """
    net, header = load_rows(path)
    reading = header["reading"] | {"calibration": calibration.as_json()}
    target = Path(path if out is None else out)
    save_rows(target, net, reading=reading, training=header["training"])
    return target


def rated(number: Number, confidence: Callable[[float], float]) -> Number:
    """A number with confidences in place of the probabilities of itself and its digits.

    Digits go by the scale of whole numbers. As it rises, a number is never surer than any of its digits. What a digit
    leaves to its alternatives is shared out among them as before. A probability of 0 stays 0.
    """
    digits = tuple(_rated_digit(digit, confidence) for digit in number.digits)
    sure = confidence(number.confidence) if number.confidence > 0 else 0.0
    return replace(number, confidence=sure, digits=digits)


def _rated_digit(digit: Digit, confidence: Callable[[float], float]) -> Digit:
    sure = confidence(digit.confidence)
    share = (1 - sure) / max(1 - digit.confidence, sum(p for _, p in digit.alternatives), _EDGE)
    others = tuple((value, min(p * share, sure)) for value, p in digit.alternatives)
    return replace(digit, confidence=sure, alternatives=others)
