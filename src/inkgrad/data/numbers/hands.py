"""Digits of one hand at a time: by their writer where writers are known, else by slant and stroke width."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import DIGITS, Dataset, Images
from inkgrad.errors import DataError

__all__ = ["Hands", "slant_and_width"]

_NEAR = 12  # digits of about one hand among which chance chooses


class Hands:
    """Where the digits of composed numbers come from.

    Args:
        dataset: digits in MNIST's form; each of the ten must be there.
        writers: int (n,), who wrote each; None where nobody knows.

    Raises:
        DataError: a digit is missing, or there is not one writer for each image.

    Where writers are known, one who has written all the digits that are needed writes a number. Where none has, and in
    a set without writers, digits are taken that are most like each other in slant and stroke width.
    """

    def __init__(self, dataset: Dataset, writers: NDArray[np.integer] | None = None) -> None:
        if writers is not None and len(writers) != len(dataset):
            raise DataError(
                f"{dataset.name} has {len(dataset)} digits, but {len(writers)} writers are given; name one for each"
            )
        missing = [digit for digit in range(len(DIGITS)) if not (dataset.labels == digit).any()]
        if missing:
            raise DataError(f"{dataset.name} has no {missing[0]}, but numbers are composed of all ten digits")
        self.dataset = dataset
        self._looks = slant_and_width(dataset.images)
        self._looks /= self._looks.std(axis=0) + 1e-6
        self._of_digit = [np.flatnonzero(dataset.labels == digit) for digit in range(len(DIGITS))]
        self._of_writer = _grouped(writers) if writers is not None else []
        self._has = np.zeros((len(self._of_writer), len(DIGITS)), np.bool_)  # which writer wrote which digits
        for row, own in zip(self._has, self._of_writer, strict=True):
            row[dataset.labels[own]] = True

    def __len__(self) -> int:
        return len(self.dataset)

    def write(self, digits: Sequence[int], rng: np.random.Generator) -> list[Images]:
        """One image (28, 28) for each digit, all of one hand."""
        if self._of_writer:
            able = np.flatnonzero(self._has[:, list(digits)].all(axis=1))
            own = self._of_writer[rng.choice(able) if able.size else rng.integers(len(self._of_writer))]
        else:
            own = np.array([rng.integers(len(self))])
        look = self._looks[own].mean(axis=0)
        labels = self.dataset.labels[own]
        chosen = []
        for digit in digits:
            written = own[labels == digit] if self._of_writer else own[:0]
            choices = written if len(written) else self._alike(digit, look)
            chosen.append(self.dataset.images[choices[rng.integers(len(choices))]])
        return chosen

    def _alike(self, digit: int, look: NDArray[np.float64]) -> NDArray[np.int64]:
        """Those of a digit that look most as the hand does."""
        choices = self._of_digit[digit]
        if len(choices) <= _NEAR:
            return choices
        far = np.abs(self._looks[choices] - look).sum(axis=1)
        return choices[np.argpartition(far, _NEAR)[:_NEAR]]


def slant_and_width(images: Images) -> NDArray[np.float64]:
    """(n, 2): how many pixels a digit leans to the right for each that it rises, and how thick its strokes are.

    The slant is that of the moments, -mu11 / mu02. In a stroke of width w the distance to the paper runs evenly from 0
    to w / 2, so the width is four times its mean, but for the half pixels at both rims.
    """
    import cv2

    y, x = np.mgrid[: images.shape[1], : images.shape[2]].astype(np.float64)
    looks = np.zeros((len(images), 2))
    for index, image in enumerate(images):
        mass = image / max(float(image.sum(dtype=np.int64)), 1.0)
        middle, center = float((mass * y).sum()), float((mass * x).sum())
        across = float((mass * (y - middle) * (x - center)).sum())
        down = float((mass * (y - middle) ** 2).sum())
        ink = (image > 100).astype(np.uint8)
        depth = cv2.distanceTransform(ink, cv2.DIST_L2, 3)
        looks[index] = -across / max(down, 1e-6), 4 * float(depth.sum()) / max(int(ink.sum()), 1) - 1
    return looks


def _grouped(writers: NDArray[np.integer]) -> list[NDArray[np.int64]]:
    """The places of each writer's digits."""
    order = np.argsort(writers, kind="stable")
    starts = np.flatnonzero(np.diff(writers[order], prepend=writers[order[:1]] - 1))
    return np.split(order, starts[1:])
