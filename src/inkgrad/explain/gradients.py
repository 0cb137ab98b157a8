"""Explanations by the gradient of a score for the ink: at the image, and along the way from blank paper."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor
from inkgrad.errors import OptionError
from inkgrad.explain.subject import Subject, gradient_of
from inkgrad.models import Classifier
from inkgrad.nn import Module

__all__ = ["integrated_gradients", "saliency"]

BATCH = 16


def saliency(model: Module | Classifier, image: NDArray[np.uint8], target: int | None = None) -> NDArray[np.float32]:
    """How much more ink in each pixel would raise the score: its gradient.

    d s(x) / dx for the score s of the target, a mean of logits, and ink x in 0..1 (Simonyan, Vedaldi and Zisserman
    2014, arXiv 1312.6034, who draw its absolute value).

    Args:
        model: a classifier; or a network that takes pixels / 255.
        image: uint8 (28, 28), white ink on black.
        target: the index of the class that is asked about; by default the one that the model answers.

    Returns:
        float32 (28, 28): positive where more ink speaks for the target, negative where it speaks against.

    Raises:
        ShapeError: an image of another shape or dtype.
        OptionError: a target that is none of the classes.

    >>> import inkgrad as ig
    >>> digits, image = ig.models.pretrained("digits"), ig.data.load_digits()[0].images[0]
    >>> saliency(digits, image).shape
    (28, 28)
    """
    subject = Subject(model, image, target)
    ink = Tensor(subject.ink[None], requires_grad=True)
    return np.asarray(gradient_of(subject.scores(ink), ink)[0])


def integrated_gradients(
    model: Module | Classifier, image: NDArray[np.uint8], target: int | None = None, *, steps: int = 64
) -> NDArray[np.float32]:
    """How much of the score each pixel's ink has brought, counted from blank paper.

    x times the integral of ds(a x) / d(a x) over a from 0 to 1 (Sundararajan, Taly and Yan 2017, arXiv 1703.01365), by
    the midpoint rule. The pixels share out the whole difference: their sum is s(x) - s(0), up to the rule's error.

    Args:
        model: a classifier; or a network that takes pixels / 255.
        image: uint8 (28, 28), white ink on black.
        target: the index of the class that is asked about; by default the one that the model answers.
        steps: how many points of the way are looked at.

    Returns:
        float32 (28, 28), 0 where there is no ink.

    Raises:
        ShapeError: an image of another shape or dtype.
        OptionError: a target that is none of the classes, or less than one step.

    >>> import inkgrad as ig
    >>> digits, image = ig.models.pretrained("digits"), ig.data.load_digits()[0].images[0]
    >>> shares = integrated_gradients(digits, image)
    >>> bool(shares.sum() > 0), float(abs(shares[image == 0]).max())
    (True, 0.0)
    """
    if steps < 1:
        raise OptionError(f"steps of integrated gradients must be at least 1, but is {steps}")
    subject = Subject(model, image, target)
    total = np.zeros_like(subject.ink)
    shares = ((np.arange(steps) + 0.5) / steps).astype(np.float32)
    for first in range(0, steps, BATCH):
        ink = Tensor(shares[first : first + BATCH, None, None] * subject.ink, requires_grad=True)
        total += gradient_of(subject.scores(ink), ink).sum(axis=0)
    return np.asarray(subject.ink * total / np.float32(steps), np.float32)
