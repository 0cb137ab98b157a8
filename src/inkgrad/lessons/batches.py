"""Full batch, single sample and mini-batch on real digits: the two-layer network, trained in small parts."""

import math
from dataclasses import dataclass

import numpy as np

from inkgrad.autodiff.modes import no_grad
from inkgrad.autodiff.tensor import Array
from inkgrad.errors import DivergenceError, OptionError
from inkgrad.kernels import use_backend
from inkgrad.lessons.courses import Courses
from inkgrad.lessons.descent import optimizer
from inkgrad.lessons.digits import scaled_digits, two_layer
from inkgrad.lessons.limits import RUNAWAY
from inkgrad.models import Network
from inkgrad.nn import cross_entropy
from inkgrad.optim import Optimizer
from inkgrad.random import default_rng

__all__ = ["BATCHES", "DIGITS", "EPOCHS", "PARTS", "RATES", "Part", "part"]

DIGITS = 500
"""Of the training part of the bundled digits."""
EPOCHS = 10
STRIDE = 100
"""Images of a part: an update for each of them takes well below a tenth of a second."""
PARTS = EPOCHS * DIGITS // STRIDE
LOOK = 50  # images between two looks at the loss

BATCHES = {"full": DIGITS, "mini": 25, "single": 1}
"""Images behind one update."""

RATES = {
    "full": {
        "sgd": (0.005, 0.5, 30.0),
        "momentum": (0.002, 0.2, 10.0),
        "nesterov": (0.002, 0.2, 10.0),
        "adagrad": (0.0003, 0.03, 1.0),
        "rmsprop": (0.0001, 0.01, 1.0),
        "adam": (0.0001, 0.01, 1.0),
    },
    "mini": {
        "sgd": (0.002, 0.2, 30.0),
        "momentum": (0.0005, 0.03, 30.0),
        "nesterov": (0.0005, 0.03, 10.0),
        "adagrad": (0.0003, 0.03, 10.0),
        "rmsprop": (0.00003, 0.003, 3.0),
        "adam": (0.00003, 0.003, 3.0),
    },
    "single": {
        "sgd": (0.0003, 0.02, 30.0),
        "momentum": (0.00003, 0.002, 10.0),
        "nesterov": (0.00003, 0.002, 10.0),
        "adagrad": (0.0001, 0.01, 10.0),
        "rmsprop": (0.00001, 0.001, 3.0),
        "adam": (0.00001, 0.001, 3.0),
    },
}
"""Batch -> optimizer -> learning rates too small, right and too large for it here."""


@dataclass(frozen=True)
class Part:
    """What 100 images more have brought; of the full batch, every fifth part is one update.

    Attributes:
        images: how many had been seen at each look at the loss, from the beginning of the training.
        updates: how many updates had been made.
        losses: of all digits of the lesson, at each look; only those that are finite.
        accuracy: on the test part of the bundled digits, after the part.
        diverged: the update after which the loss was beyond bounds; None if it is not.
    """

    images: tuple[int, ...]
    updates: tuple[int, ...]
    losses: tuple[float, ...]
    accuracy: float
    diverged: int | None


class _Training:
    """A network on its way."""

    def __init__(self, batch: str, rule: str, rate: float) -> None:
        self.net: Network = two_layer("fresh")
        self.optimizer: Optimizer = optimizer(rule, self.net, rate)
        self.rng = default_rng(1)
        self.size = BATCHES[batch]
        self.images = self.due = 0
        self.first = math.inf
        self.diverged: int | None = None

    def part(self) -> Part:
        images, labels = _digits()
        with use_backend("reference"), np.errstate(all="ignore"):
            looks = [] if self.due else [self._look()]
            self.due += STRIDE
            while self.images + self.size <= self.due and self.diverged is None:
                if self.images % DIGITS == 0:
                    self.order = self.rng.permutation(DIGITS)
                first = self.images % DIGITS
                batch = self.order[first : first + self.size]
                self._update(images[batch], labels[batch])
                if self.images % LOOK == 0:
                    looks.append(self._look())
            accuracy = self._accuracy()
        known = [look for look in looks if math.isfinite(look[2])]
        seen, updates, losses = zip(*known, strict=True) if known else ((), (), ())
        return Part(seen, updates, losses, accuracy, self.diverged)

    def _update(self, images: Array, labels: Array) -> None:
        self.optimizer.zero_grad()
        cross_entropy(self.net(images), labels).backward()
        try:
            self.optimizer.step()
        except DivergenceError:
            self.diverged = self.optimizer.step_count
        self.images += len(images)

    def _look(self) -> tuple[int, int, float]:
        images, labels = _digits()
        with no_grad():
            loss = cross_entropy(self.net(images), labels).item()
        self.first = min(self.first, loss) if self.images == 0 else self.first
        if not loss <= RUNAWAY * self.first and self.diverged is None:
            self.diverged = self.optimizer.step_count
        return self.images, self.optimizer.step_count, loss

    def _accuracy(self) -> float:
        _, (images, labels) = scaled_digits()
        with no_grad():
            found = self.net(images).data.argmax(axis=1)
        return float((found == labels).mean())


def part(batch: str, rule: str, rate: float, number: int) -> Part:
    """A part of a training from the first random weights of `two-layer`, float32; the same on every call.

    Args:
        batch: full, mini or single.
        rule: a name in `inkgrad.lessons.descent.OPTIMIZERS`.
        rate: the learning rate.
        number: of the part, 1 to 50.

    Raises:
        OptionError: one of these cannot be.

    >>> first = part("mini", "sgd", 0.2, 1)
    >>> first.updates, first.images
    ((0, 2, 4), (0, 50, 100))
    """
    if batch not in BATCHES:
        raise OptionError(f"there is no batch {batch!r}; there are {', '.join(BATCHES)}")
    return _COURSES.piece((batch, rule, rate), number)


def _digits() -> tuple[Array, Array]:
    (images, labels), _ = scaled_digits()
    return images[:DIGITS], labels[:DIGITS]


_COURSES: Courses[tuple[str, str, float], _Training, Part] = Courses(
    lambda key: _Training(*key), _Training.part, PARTS, kept=16
)
