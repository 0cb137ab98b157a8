"""Suspect labels: the training digits that a network finds hardest to believe."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.training.doctor.findings import Finding
from inkgrad.training.doctor.reading import Reading

__all__ = ["Suspect", "label_findings", "suspects"]

SHOWN = 60
"""Digits in the gallery."""

DISBELIEVED = 0.05
"""Probability of the given label below which it is doubted."""

MANY = 0.005
"""Share of doubted labels that is worth a warning; Northcutt et al. (2021, arXiv 2103.14749) find 0.15 % in
MNIST's test set."""

SEVERAL = 5
"""Doubted labels from which the share means something."""

BELIEVABLE = 0.8
"""Accuracy on the training digits below which a network's doubts say more about the network."""


@dataclass(frozen=True)
class Suspect:
    """A training digit with a high loss.

    Attributes:
        index: its place in the training set, from 0.
        label: the class that is given.
        predicted: the class that the network reads.
        loss: -ln(probability of the given class).
        confidence: the probability of the class that the network reads.
        doubted: whether it counts as a suspect label, and not merely as hard.
    """

    index: int
    label: str
    predicted: str
    loss: float
    confidence: float
    doubted: bool

    def as_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def suspects(reading: Reading, classes: tuple[str, ...], *, most: int = SHOWN) -> list[Suspect]:
    """The digits with the highest losses, the highest first."""
    losses, doubted, predicted = reading.losses, _doubted(reading), reading.predicted
    return [
        Suspect(
            index=int(reading.indices[i]),
            label=classes[reading.labels[i]],
            predicted=classes[predicted[i]],
            loss=float(losses[i]),
            confidence=float(reading.probabilities[i].max()),
            doubted=bool(doubted[i]),
        )
        for i in np.argsort(-losses, kind="stable")[:most]
    ]


def label_findings(reading: Reading, worst: list[Suspect]) -> list[Finding]:
    """Whether labels are to be doubted, by confident learning (Northcutt et al. 2021, arXiv 1911.00068).

    A label is doubted where the network reads another class, with at least the confidence that it has on average in
    digits of that class, and gives the label less than a twentieth.
    """
    count = int(_doubted(reading).sum())
    if not count:
        return []
    share, named = count / len(reading), "; ".join(_named(worst))
    return [
        Finding(
            "suspect-labels",
            "warning" if share >= MANY and count >= SEVERAL else "note",
            f"{count:,} of {len(reading):,} training digits are read with confidence as another class: {named}.",
            "Look at the gallery in doctor.html, and correct or leave out the labels that are wrong; "
            "--label-smoothing 0.1 makes those that remain do less harm. A long training learns wrong labels by "
            "heart: the doctor sees more of them after a few epochs.",
            {"count": count, "share": share, "indices": [s.index for s in worst if s.doubted]},
        )
    ]


def _named(worst: list[Suspect], most: int = 3) -> list[str]:
    doubted = [f"no. {s.index} is labeled {s.label}, read as {s.predicted}" for s in worst if s.doubted]
    return doubted[:most] + (["and more"] if len(doubted) > most else [])


def _doubted(reading: Reading) -> NDArray[np.bool_]:
    labels, predicted = reading.labels, reading.predicted
    sums = np.bincount(labels, reading.given, reading.probabilities.shape[1])
    counts = np.bincount(labels, minlength=reading.probabilities.shape[1])
    usual = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)  # the mean confidence in each class's own digits
    sure = reading.probabilities.max(axis=1) >= usual[predicted]
    return np.asarray((predicted != labels) & sure & (reading.given < DISBELIEVED))
