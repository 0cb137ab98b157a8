"""Explanation by hiding: how much the score falls when a part of the ink is covered."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import OptionError
from inkgrad.explain.subject import Subject
from inkgrad.models import Classifier
from inkgrad.nn import Module

__all__ = ["occlusion"]


def occlusion(
    model: Module | Classifier,
    image: NDArray[np.uint8],
    target: int | None = None,
    *,
    size: int = 5,
    stride: int = 2,
) -> NDArray[np.float32]:
    """How much the score falls where a square of the image is covered with blank paper.

    s(x) - s(x with the square covered), after Zeiler and Fergus 2014, arXiv 1311.2901, of squares that move across
    the image; each pixel shows the mean over the squares that cover it. It asks for no gradient.

    Args:
        model: a classifier; or a network that takes pixels / 255.
        image: uint8 (28, 28), white ink on black.
        target: the index of the class that is asked about; by default the one that the model answers.
        size: pixels on each side of the square.
        stride: pixels from one square to the next, at most `size`.

    Returns:
        float32 (28, 28): positive where what was hidden speaks for the target.

    Raises:
        ShapeError: an image of another shape or dtype.
        OptionError: a target that is none of the classes, or a size or stride that leaves pixels out.

    >>> import inkgrad as ig
    >>> digits, image = ig.models.pretrained("digits"), ig.data.load_digits()[0].images[0]
    >>> occlusion(digits, image, size=7, stride=7).shape
    (28, 28)
    """
    if not 1 <= stride <= size <= 28:
        raise OptionError(f"occlusion needs 1 <= stride <= size <= 28, but size is {size} and stride {stride}")
    subject = Subject(model, image, target)
    starts = sorted({*range(0, 28 - size, stride), 28 - size})
    squares = [(slice(y, y + size), slice(x, x + size)) for y in starts for x in starts]
    inked = [square for square in squares if subject.image[square].any()]  # the others change nothing
    covered = np.repeat(subject.image[None], len(inked) + 1, axis=0)
    for one, square in zip(covered, inked, strict=False):
        one[square] = 0
    scores = subject.scores_of(covered)  # the last one is the image itself
    total, times = np.zeros((28, 28), np.float32), np.zeros((28, 28), np.float32)
    for square in squares:
        times[square] += 1
    for square, score in zip(inked, scores[:-1], strict=True):
        total[square] += scores[-1] - score
    return total / times
