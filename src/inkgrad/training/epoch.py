"""The figures of the epoch in progress: what was seen, with which loss, and how fast."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.training.answers import right_answers

__all__ = ["EpochFigures"]

READ_TOGETHER = 32  # steps whose answers are counted at once, which costs hardly more than for one


class EpochFigures:
    """Sums over the steps of an epoch.

    Args:
        classes: whether there are right answers to count.

    Attributes:
        seen: images so far.
        seconds: of training alone.

    >>> figures = EpochFigures(classes=True)
    >>> figures.add(0.5, images=2, mass=2.0, answers=[np.eye(2), np.array([0, 0])])
    >>> figures.means()
    {'loss': 0.5, 'accuracy': 0.5}
    """

    def __init__(self, *, classes: bool) -> None:
        self.seen, self.seconds = 0, 0.0
        self._classes = classes
        self._loss_sum = 0.0  # over the images, as much as each counts
        self._correct = 0.0
        self._mass = 0.0  # how much they count together
        self._unread: list[Sequence[Any]] = []  # logits, labels, weights whose right answers are uncounted

    def add(
        self,
        loss: float,
        *,
        images: int,
        mass: float,
        answers: Sequence[NDArray[Any]] = (),
        correct: float = 0.0,
    ) -> None:
        """Take one more step.

        Args:
            loss: of its batch.
            images: in the batch.
            mass: how much they count together.
            answers: logits, labels and, where there are any, weights, to be counted later; else
            correct: the right answers, each as much as it counts.
        """
        self.seen += images
        self._mass += mass
        self._loss_sum += loss * mass
        self._correct += correct
        if answers:
            self._unread.append(answers)
            if len(self._unread) >= READ_TOGETHER:
                self._read()

    def means(self) -> dict[str, float]:
        """`loss` and, where there are classes, `accuracy`, over the images as much as each counts."""
        self._read()
        accuracy = {"accuracy": self._correct / (self._mass or 1)} if self._classes else {}
        return {"loss": self._loss_sum / (self._mass or 1), **accuracy}

    def pace(self) -> dict[str, float]:
        """`images_per_second` and `seconds`."""
        return {"images_per_second": self.seen / self.seconds if self.seconds else 0.0, "seconds": self.seconds}

    def clear(self) -> None:
        """Begin the next epoch."""
        self.load_state([0.0, 0.0, 0, 0.0, 0.0])

    def state(self) -> list[float]:
        """The sums, for a checkpoint."""
        self._read()
        return [self._loss_sum, self._correct, self.seen, self.seconds, self._mass]

    def load_state(self, state: Sequence[Any]) -> None:
        """Continue from what `state` gave."""
        self._unread.clear()
        self._loss_sum, self._correct, self.seen, self.seconds, *mass = state
        self._mass = mass[0] if mass else self.seen  # of checkpoints from before there were weights

    def _read(self) -> None:
        """Count the right answers of the last steps."""
        if self._unread and self._classes:
            self._correct += right_answers(*(np.concatenate(parts) for parts in zip(*self._unread, strict=True)))
        self._unread.clear()
