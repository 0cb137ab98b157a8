"""`Reading`: how a network reads some digits, in prediction mode."""

import contextlib
import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data import Dataset, Scaling
from inkgrad.models import NAMED, Classifier, Refusal
from inkgrad.training.step import TrainStep

__all__ = ["Reading", "read"]

TINY = 1e-30
"""The least probability that is told from 0; its loss is 69."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a network makes of n digits.

    Attributes:
        indices: int64 (n,), their places in the data set.
        labels: int64 (n,), as given.
        probabilities: float64 (n, k).
    """

    indices: NDArray[np.int64]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def given(self) -> NDArray[np.float64]:
        """The probability of the class that the label gives."""
        return np.asarray(self.probabilities[np.arange(len(self)), self.labels], np.float64)

    @property
    def losses(self) -> NDArray[np.float64]:
        """-ln of that probability."""
        return -np.log(np.maximum(self.given, TINY))

    @property
    def correct(self) -> int:
        """How many are read as their label says."""
        return int((self.predicted == self.labels).sum())

    @property
    def accuracy(self) -> float:
        """Their share."""
        return self.correct / max(len(self), 1)

    @property
    def knowledge(self) -> float:
        """By how much the mean loss is below that of guessing, as a share: 0 for guessing, 1 for certainty."""
        return 1 - float(self.losses.mean()) / math.log(self.probabilities.shape[1])


def read(
    step: TrainStep, scaling: Scaling, dataset: Dataset, *, most: int, rng: np.random.Generator, rejects: bool = False
) -> Reading:
    """Have a copy of the network read a data set, with averaged weights where the training keeps them.

    Args:
        step: the step of the training.
        scaling: from bytes to floats.
        dataset: the digits.
        most: of larger data sets so many are drawn.
        rng: draws them.
        rejects: whether the network has learned what is none of the classes.
    """
    indices = np.arange(len(dataset))
    if len(dataset) > most:
        indices = np.sort(rng.choice(len(dataset), most, replace=False))
    net, average = copy.deepcopy((step.net, step.average))
    named: Any = NAMED.get(getattr(net, "architecture", ""))
    kind = "softmax" if named is None else named.probabilities
    averaged = contextlib.nullcontext() if average is None else average.applied()
    with averaged, np.errstate(over="ignore", invalid="ignore"):
        refusal = Refusal() if rejects and not dataset.rejects else None
        reader = Classifier(net, scaling, dataset.classes, kind, refusal=refusal)
        probabilities = reader.predict_proba(dataset.images[indices])
    return Reading(indices, dataset.labels[indices], probabilities.astype(np.float64))
