"""The smallest change of the ink that turns a digit into another one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Array, Tensor, ops
from inkgrad.errors import OptionError
from inkgrad.explain.subject import Subject, gradient_of
from inkgrad.models import Classifier
from inkgrad.nn import Module

__all__ = ["Change", "smallest_change"]

OVERSHOOT = 0.02  # how far beyond the boundary a step goes, as in DeepFool
NEAR = 0.2  # once a change suffices: how much of each step aims at the boundary's point nearest to the image itself
LONGEST = 0.4  # of a step, as what is straight here is not far away
BACK = 0.9  # how much of a change that suffices is kept for the next attempt
ALL = 0.3  # the share of the steps that all wanted classes take, before only the nearest go on
KEPT = 3


@dataclass(frozen=True)
class Change:
    """A small change that makes a model answer another class.

    Attributes:
        value: the class that it answers now.
        image: uint8 (28, 28), the changed image.
        difference: float32 (28, 28), its ink less that of the image, in -1..1.
        size: the length of the difference, the root of its sum of squares.
    """

    value: int
    image: NDArray[np.uint8]
    difference: NDArray[np.float32]
    size: float


def smallest_change(
    model: Module | Classifier, image: NDArray[np.uint8], to: int | None = None, *, steps: int = 24
) -> Change | None:
    """The smallest change of the ink, found by gradients, for which the model answers another class.

    Each step goes to where the scores would be equal if they were linear: x + (m - f(x)) w / |w|^2 with the margin f
    between the wanted class and its strongest rival, and w its gradient (DeepFool, Moosavi-Dezfooli, Fawzi and
    Frossard 2016, arXiv 1511.04599); partly to the point of that plane that is nearest to the image, and back towards
    the image after each success (FAB, Croce and Hein 2020, arXiv 1907.02044). Ink stays in 0..1. What is returned has
    been rounded to bytes and asked of the model itself, in all its views and with its refusal of what is no digit.

    It is the smallest that was found: another one may be smaller.

    Args:
        model: a classifier; or a network that takes pixels / 255.
        image: uint8 (28, 28), white ink on black.
        to: the class to turn it into; by default the one that takes the smallest change.
        steps: how many gradients are taken.

    Returns:
        The change; None if no step led to another class.

    Raises:
        ShapeError: an image of another shape or dtype.
        OptionError: `to` is none of the classes, or the one that the model answers already; or less than one step.

    >>> import inkgrad as ig
    >>> digits, image = ig.models.pretrained("digits"), ig.data.load_digits()[0].images[0]
    >>> change = smallest_change(digits, image)
    >>> before, after = digits.classify_forms([image, change.image])
    >>> before.value, after.value == change.value != 0
    (0, True)
    """
    if steps < 1:
        raise OptionError(f"steps of smallest_change must be at least 1, but is {steps}")
    subject = Subject(model, image, to)
    answered = Subject(model, image).target
    if to == answered:
        raise OptionError(f"the model answers class {to} already; ask for another one")
    classes = len(subject.classifier.classes)
    wanted = np.array([c for c in range(classes) if c != answered] if to is None else [to])
    search = _Search(subject, wanted)
    for number in range(steps):
        if number == int(ALL * steps):
            search.narrow()
        search.step()
    return search.best


class _Search:
    """One walk for each wanted class, all together."""

    def __init__(self, subject: Subject, wanted: NDArray[np.int64]) -> None:
        self.subject = subject
        self.wanted = wanted
        self.ink = np.repeat(subject.ink[None], len(wanted), axis=0)
        self.distance = np.zeros(len(wanted))  # the length of each change, and what is still missing
        self.crossed = np.zeros(len(wanted), bool)
        self.best: Change | None = None

    def narrow(self) -> None:
        """Go on with the nearest classes alone."""
        kept = np.sort(np.argsort(self.distance, kind="stable")[:KEPT])
        self.wanted, self.ink = self.wanted[kept], self.ink[kept]
        self.distance, self.crossed = self.distance[kept], self.crossed[kept]

    def step(self) -> None:
        odds, slope = self._odds()
        enough = self._confirmed()[:, None, None]
        self.crossed |= enough[:, 0, 0]
        away = self.ink - self.subject.ink
        # Where ink can grow or fall no more, a step would be lost.
        blocked = ((self.ink <= 0) & (slope < 0)) | ((self.ink >= 1) & (slope > 0))
        free = np.where(blocked, 0, slope)
        square = np.maximum((free * free).sum(axis=(1, 2), keepdims=True), 1e-12)
        missing = np.maximum(-odds, 0) / np.sqrt(square)
        self.distance = (np.sqrt((away * away).sum(axis=(1, 2), keepdims=True)) + missing)[:, 0, 0]
        onward = -odds / square * free
        nearest = ((free * away).sum(axis=(1, 2), keepdims=True) - odds) / square * free - away
        near = np.where(self.crossed, NEAR, 0)[:, None, None]
        step = (1 + OVERSHOOT) * ((1 - near) * onward + near * nearest)
        length = np.sqrt((step * step).sum(axis=(1, 2), keepdims=True))
        forward = self.ink + step * np.minimum(1, LONGEST / np.maximum(length, 1e-12))
        moved = np.where(enough, self.subject.ink + BACK * away, forward)
        self.ink = np.clip(moved, 0, 1).astype(np.float32)

    def _odds(self) -> tuple[Array, Array]:
        """log p / (1 - p) of each wanted class, (n, 1, 1), and its gradient for the ink, (n, 28, 28)."""
        ink = Tensor(self.ink, requires_grad=True)
        several = [ops.log_softmax(output) for output in self.subject.outputs(ink)]
        scores = ops.logsumexp(ops.stack(several), axis=0)
        each, k = np.arange(len(self.wanted)), scores.shape[1]
        others = np.array([[c for c in range(k) if c != wanted] for wanted in self.wanted])
        odds = scores[each, self.wanted] - ops.logsumexp(scores[each[:, None], others], axis=1)
        return odds.data[:, None, None], gradient_of(odds, ink)

    def _confirmed(self) -> NDArray[np.bool_]:
        """Where the model itself answers the wanted class; the smallest change of all is kept."""
        images = np.rint(self.ink * 255).astype(np.uint8)
        answers = self.subject.classifier.classify_forms(list(images))
        confirmed = np.array([answer.value == wanted for answer, wanted in zip(answers, self.wanted, strict=True)])
        for index in np.flatnonzero(confirmed):
            difference = images[index].astype(np.float32) / 255 - self.subject.ink
            size = float(np.sqrt((difference * difference).sum()))
            if self.best is None or size < self.best.size:
                self.best = Change(int(self.wanted[index]), images[index], difference, size)
        return confirmed
