"""How good a classifier is on labeled images: accuracy with its interval, confusions, calibration.

Everything here is arithmetic on labels and probabilities; no network is called.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import DataError, OptionError, ShapeError

__all__ = [
    "ConfusedPair",
    "Evaluation",
    "Reliability",
    "evaluate_predictions",
    "expected_calibration_error",
    "reliability",
    "wilson_interval",
]

BINS = 15
"""Bins of the calibration error, as many as Guo et al. (2017) take."""

_SUM_TOLERANCE = 1e-3  # wide enough for rows that were rounded to float16


class ConfusedPair(NamedTuple):
    """How often one class was taken for another; `true` and `predicted` index the classes."""

    true: int
    predicted: int
    times: int  # `count` is a method of tuples


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence beside accuracy, in equal bins of the confidence.

    Attributes:
        edges: float64 (bins + 1,), from 0 to 1; bin b holds the confidences in (edges[b], edges[b + 1]].
        count: int64 (bins,), images in each bin.
        confidence: float64 (bins,), mean probability of the predicted class; 0 in an empty bin.
        accuracy: float64 (bins,), share predicted correctly; 0 in an empty bin.
    """

    edges: NDArray[np.float64]
    count: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error: Σ_b n_b / n · |accuracy_b - confidence_b| (Guo et al. 2017, eq. 3)."""
        return float(np.dot(self.count, np.abs(self.accuracy - self.confidence)) / self.count.sum())


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a classifier did on n labeled images with k classes.

    Attributes:
        classes: the k names.
        confusion: int64 (k, k); row = true class, column = predicted class.
        reliability: confidence beside accuracy, in 15 bins.
        log_loss: mean of -ln(probability of the true class), in nats.
    """

    classes: tuple[str, ...]
    confusion: NDArray[np.int64]
    reliability: Reliability
    log_loss: float

    @property
    def n(self) -> int:
        """How many images."""
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        """How many images were predicted correctly."""
        return int(np.trace(self.confusion))

    @property
    def accuracy(self) -> float:
        """The share predicted correctly, 0 to 1."""
        return self.correct / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson 95 % interval of the accuracy."""
        return wilson_interval(self.correct, self.n)

    @property
    def support(self) -> NDArray[np.int64]:
        """int64 (k,): how many images of each class there are."""
        return np.asarray(self.confusion.sum(axis=1))

    @property
    def precision(self) -> NDArray[np.float64]:
        """float64 (k,): of the images predicted as a class, the share that is one; 0 for a class never predicted."""
        return _share(np.diagonal(self.confusion), self.confusion.sum(axis=0))

    @property
    def recall(self) -> NDArray[np.float64]:
        """float64 (k,): of the images of a class, the share predicted as it; 0 for a class that never occurs."""
        return _share(np.diagonal(self.confusion), self.support)

    @property
    def most_confused(self) -> list[ConfusedPair]:
        """Every pair that was confused, most often first; ties in order of the true, then the predicted class."""
        places = np.argwhere(self.confusion).tolist()
        pairs = [ConfusedPair(true, guess, int(self.confusion[true, guess])) for true, guess in places if true != guess]
        return sorted(pairs, key=lambda pair: (-pair.times, pair))

    @property
    def calibration_error(self) -> float:
        """The expected calibration error, 0 to 1; see `expected_calibration_error`."""
        return self.reliability.error

    def as_json(self) -> dict[str, Any]:
        """The figures in types that the `json` module writes.

        Returns:
            `n`, `correct`; `accuracy`, `interval` ([low, high]), `calibration_error` (0 to 1); `log_loss` (nats);
            `classes` (k names); `precision`, `recall`, `support` (k numbers); `confusion` (k rows of k counts,
            rows true); `most_confused` (at most 10 of {"true": name, "predicted": name, "count": number}).

        >>> result = evaluate_predictions(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), "ab")
        >>> result.as_json()["confusion"], result.as_json()["most_confused"]
        ([[1, 0], [1, 1]], [{'true': 'b', 'predicted': 'a', 'count': 1}])
        """
        names = self.classes
        return {
            "n": self.n,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "calibration_error": self.calibration_error,
            "log_loss": self.log_loss,
            "classes": list(names),
            "precision": self.precision.tolist(),
            "recall": self.recall.tolist(),
            "support": self.support.tolist(),
            "confusion": self.confusion.tolist(),
            "most_confused": [
                {"true": names[pair.true], "predicted": names[pair.predicted], "count": pair.times}
                for pair in self.most_confused[:10]
            ],
        }


def evaluate_predictions(
    labels: NDArray[np.int64], probabilities: NDArray[np.floating[Any]], classes: Sequence[str]
) -> Evaluation:
    """Compare predicted probabilities with the true labels.

    The predicted class is the most probable one, the first of several equal ones.

    Args:
        labels: int64 (n,), indices into `classes`; n at least 1.
        probabilities: floats (n, k); rows sum to 1 within 0.001. For the log loss a probability below the machine
            epsilon of its dtype counts as that epsilon, as in scikit-learn, so that one 0 does not make it infinite.
        classes: k names.

    Raises:
        ShapeError: a shape or dtype does not fit.
        DataError: nothing to evaluate, a label outside the classes, or rows that are no probabilities.

    >>> probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    >>> result = evaluate_predictions(np.array([0, 1, 1, 1]), probabilities, ["even", "odd"])
    >>> result.accuracy, result.recall.round(2), result.most_confused[0]
    (0.75, array([1.  , 0.67]), ConfusedPair(true=1, predicted=0, times=1))
    """
    _check(labels, probabilities)
    k = probabilities.shape[1]
    if len(classes) != k:
        raise ShapeError(
            f"probabilities have {k} columns, but {len(classes)} classes are named; give one name a column"
        )
    predicted = probabilities.argmax(axis=1)
    confusion = np.bincount(labels * k + predicted, minlength=k * k).reshape(k, k).astype(np.int64)
    own = probabilities[np.arange(len(labels)), labels]
    smallest = np.finfo(probabilities.dtype).eps
    log_loss = float(-np.log(np.clip(own, smallest, 1).astype(np.float64)).mean()) + 0.0  # no -0.0
    return Evaluation(tuple(classes), confusion, reliability(labels, probabilities), log_loss)


def wilson_interval(correct: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927).

    With p = correct / n and z the normal quantile of (1 + level) / 2:
    (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n). Unlike p ± z √(p(1 - p)/n) it stays inside 0..1 and keeps
    a width when every prediction is correct.

    Args:
        correct: successes, 0 to n.
        n: trials, at least 1.
        level: probability that such intervals cover the true share, strictly between 0 and 1.

    Returns:
        (low, high), both 0 to 1.

    Raises:
        OptionError: an argument is outside its range.

    >>> low, high = wilson_interval(9_900, 10_000)
    >>> f"{low:.4f} {high:.4f}"
    '0.9879 0.9918'
    """
    if n < 1 or not 0 <= correct <= n:
        raise OptionError(f"an interval for {correct} correct of {n} cannot be; expected n at least 1 and correct 0..n")
    if not 0 < level < 1:
        raise OptionError(f"level of an interval is {level}, expected strictly between 0 and 1; 0.95 is usual")
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    share = correct / n
    middle = share + z2 / (2 * n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n)))
    # Rounding must not push the two exact ends off 0 and 1.
    low = 0.0 if correct == 0 else (middle - half) / (1 + z2 / n)
    high = 1.0 if correct == n else (middle + half) / (1 + z2 / n)
    return low, high


def reliability(
    labels: NDArray[np.int64], probabilities: NDArray[np.floating[Any]], *, bins: int = BINS
) -> Reliability:
    """Sort predictions into equal bins of the predicted class's probability, for a reliability diagram.

    Args:
        labels: int64 (n,); n at least 1.
        probabilities: floats (n, k); rows sum to 1.
        bins: at least 1.

    Raises:
        ShapeError: a shape or dtype does not fit.
        DataError: nothing to evaluate, a label outside the columns, or rows that are no probabilities.
        OptionError: fewer than one bin.

    >>> table = reliability(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]), bins=2)
    >>> table.count, table.confidence, table.accuracy
    (array([0, 2]), array([0.  , 0.75]), array([0. , 0.5]))
    """
    _check(labels, probabilities)
    if bins < 1:
        raise OptionError(f"a reliability diagram with {bins} bins cannot be drawn; give at least 1")
    confidence = probabilities.max(axis=1).astype(np.float64).clip(0, 1)
    correct = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], confidence, side="left")
    count = np.bincount(place, minlength=bins).astype(np.int64)
    return Reliability(
        edges=edges,
        count=count,
        confidence=_share(np.bincount(place, confidence, bins), count),
        accuracy=_share(np.bincount(place, correct, bins), count),
    )


def expected_calibration_error(
    labels: NDArray[np.int64], probabilities: NDArray[np.floating[Any]], *, bins: int = BINS
) -> float:
    """How far confidence is from accuracy on average: ECE = Σ_b n_b / n · |accuracy_b - confidence_b|.

    The confidence is the probability of the predicted class, the bins are (0, 1/bins], (1/bins, 2/bins], ...
    (Naeini et al. 2015; Guo et al. 2017, "On Calibration of Modern Neural Networks"). The arguments are those
    of `reliability`.

    Returns:
        0 (perfectly calibrated) to 1.

    Raises:
        ShapeError, DataError, OptionError: see `reliability`.

    >>> round(expected_calibration_error(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]])), 3)
    0.35
    """
    return reliability(labels, probabilities, bins=bins).error


def _share(part: NDArray[Any], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """`part / whole`, 0 where `whole` is 0."""
    shares: NDArray[np.float64] = np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
    return shares


def _check(labels: NDArray[np.int64], probabilities: NDArray[np.floating[Any]]) -> None:
    if labels.ndim != 1 or labels.dtype != np.int64:
        raise ShapeError(f"labels are {labels.dtype} {labels.shape}, expected int64 (n,); convert them first")
    if probabilities.dtype.kind != "f" or probabilities.ndim != 2 or len(probabilities) != len(labels):
        raise ShapeError(
            f"probabilities are {probabilities.dtype} {probabilities.shape}, "
            f"expected floats ({len(labels)}, k), one row a label; convert them first"
        )
    if not probabilities.size:
        raise DataError("there is nothing to evaluate: no image or no class came; give at least one of each")
    k = probabilities.shape[1]
    wrong = np.flatnonzero((labels < 0) | (labels >= k))
    if wrong.size:
        raise DataError(f"label {labels[wrong[0]]} at index {wrong[0]} is outside 0..{k - 1}; correct it")
    sums = probabilities.sum(axis=1, dtype=np.float64)
    # Written so that NaN counts as bad.
    bad = np.flatnonzero(~((np.abs(sums - 1) <= _SUM_TOLERANCE) & (probabilities >= 0).all(axis=1)))
    if bad.size:
        raise DataError(
            f"row {bad[0]} of the probabilities is none: it has smallest value {probabilities[bad[0]].min():.3g} "
            f"and sum {sums[bad[0]]:.3g}, expected values from 0 that sum to 1; apply softmax to logits first"
        )
