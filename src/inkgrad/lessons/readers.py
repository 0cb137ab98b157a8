"""Who reads the bundled digits: `lenet5`, `two-layer`, and a vote of the nearest known digits."""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkgrad.data import linear_scaling
from inkgrad.lessons.digits import lesson_digits
from inkgrad.lessons.pixels import shifted
from inkgrad.lessons.reader_weights import READERS, LearnedReader, shipped
from inkgrad.models import KNearest, Network, network_logits, probabilities_of
from inkgrad.nn import feature_maps

__all__ = [
    "NEIGHBORS",
    "SHIFTS",
    "Disagreement",
    "Moved",
    "accuracy",
    "accuracy_by_shift",
    "disagreements",
    "moved",
    "trained",
]

NEIGHBORS = 3
"""How many vote."""

SHIFTS = tuple(range(-8, 9))
"""Pixels by which digits are moved to the right."""

SHIFTED_DIGITS = 150


@dataclass(frozen=True, eq=False)
class Moved:
    """A digit that was moved, and what is made of it.

    Attributes:
        image: uint8 (28, 28).
        probabilities: of each digit, by reader: "lenet5" and "two-layer", float32 (10,).
        logits: float32 (10,), of `lenet5`.
        vote: what the nearest known digits say.
        maps: float32 (6, 28, 28), what the first convolution of `lenet5` gives, after ReLU.
        pooled: float32 (6, 14, 14), after pooling.
    """

    image: NDArray[np.uint8]
    probabilities: dict[str, NDArray[np.float32]]
    logits: NDArray[np.float32]
    vote: int
    maps: NDArray[np.float32]
    pooled: NDArray[np.float32]


@dataclass(frozen=True)
class Disagreement:
    """A test digit that `lenet5` and the vote read differently.

    Attributes:
        sample: its index in the test part.
        label: what it is.
        network: what the network says.
        probability: that it gives to it.
        vote: what most of the nearest say.
        neighbors: their indices in the training part, nearest first.
        labels: theirs.
        distances: Euclidean, in pixel values / 255.
    """

    sample: int
    label: int
    network: int
    probability: float
    vote: int
    neighbors: tuple[int, ...]
    labels: tuple[int, ...]
    distances: tuple[float, ...]


@functools.cache
def trained(name: LearnedReader = "lenet5") -> Network:
    """A network that has learned the 1,437 bundled digits, as it comes with the package; not to be changed.

    How they were learned says `inkgrad.lessons.reader_weights`, which also makes them again.

    Args:
        name: "lenet5" and "two-layer" have seen digits that were moved at random, "lenet5-middle" has not.

    >>> trained("lenet5").parameter_count()
    61706
    """
    return shipped(name)


@functools.cache
def _neighbors() -> KNearest:
    train, _ = lesson_digits()
    return KNearest(NEIGHBORS).fit(train.images, train.labels)


def moved(image: NDArray[np.uint8], down: int = 0, right: int = 0) -> Moved:
    """Move a digit by whole pixels, and let `lenet5`, `two-layer` and the nearest read it.

    Args:
        image: uint8 (28, 28).
        down: pixels; below 0 upwards.
        right: pixels; below 0 to the left.
    """
    image = shifted(image, down, right)
    maps = feature_maps(trained("lenet5"), linear_scaling().apply(image[None]))
    logits = {"lenet5": maps["layers.11"], "two-layer": _logits(trained("two-layer"), image[None])}
    probabilities = {name: probabilities_of(values)[0] for name, values in logits.items()}
    vote = int(_neighbors().predict(image[None])[0])
    return Moved(image, probabilities, logits["lenet5"][0], vote, maps["layers.1"][0], maps["layers.2"][0])


@functools.cache
def accuracy() -> dict[str, float]:
    """Share of the 360 test digits that each reader reads right; "lenet5-middle" has seen no shifted digit."""
    _, test = lesson_digits()
    return {name: float((answers == test.labels).mean()) for name, answers in _answers(test.images).items()}


@functools.cache
def accuracy_by_shift() -> dict[str, tuple[float, ...]]:
    """Of each reader, its accuracy on 150 test digits that are moved to the right by each of `SHIFTS`."""
    _, test = lesson_digits()
    images, labels = test.images[:SHIFTED_DIGITS], test.labels[:SHIFTED_DIGITS]
    found: dict[str, list[float]] = {}
    for right in SHIFTS:
        for name, answers in _answers(shifted(images, 0, right)).items():
            found.setdefault(name, []).append(float((answers == labels).mean()))
    return {name: tuple(values) for name, values in found.items()}


@functools.cache
def disagreements() -> tuple[Disagreement, ...]:
    """Test digits that `lenet5` and the vote read differently, in file order.

    Source of the vote: T. Cover and P. Hart, Nearest neighbor pattern classification (1967).
    """
    train, test = lesson_digits()
    probabilities = probabilities_of(_logits(trained("lenet5"), test.images))
    answers, votes = probabilities.argmax(axis=1), _neighbors().predict(test.images)
    nearest, squares = _neighbors().neighbors(test.images)
    return tuple(
        Disagreement(
            sample=sample,
            label=int(test.labels[sample]),
            network=int(answers[sample]),
            probability=float(probabilities[sample].max()),
            vote=int(votes[sample]),
            neighbors=tuple(nearest[sample].tolist()),
            labels=tuple(train.labels[nearest[sample]].tolist()),
            distances=tuple((np.sqrt(squares[sample]) / 255).tolist()),
        )
        for sample in np.flatnonzero(answers != votes).tolist()
    )


def _answers(images: NDArray[np.uint8]) -> dict[str, NDArray[np.int64]]:
    answers = {"neighbors": _neighbors().predict(images)}
    for name in READERS:
        answers[name] = np.asarray(_logits(trained(name), images).argmax(axis=1), np.int64)
    return answers


def _logits(net: Network, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return network_logits(net, images, linear_scaling())
