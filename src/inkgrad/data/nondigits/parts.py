"""What becomes of digits that are cut, turned or crowded."""

import numpy as np

from inkgrad.data.dataset import SIDE, Dataset, Images
from inkgrad.data.form import crop_to_ink, to_form
from inkgrad.errors import DataError

__all__ = ["crowd", "pair", "piece", "turned"]

_KEPT = (0.2, 0.49)
_TRIES = 100  # before the digits that will do are looked for one by one
_MIRRORED = (3, 4, 6, 7, 9)
_LYING = (2, 3, 4, 5, 6, 7, 8, 9)


def piece(digits: Dataset, labels: tuple[int, ...], rng: np.random.Generator) -> Images:
    """Less than half of the ink of a digit with one of the labels, cut off along a line.

    Every other one stays where it was, the others are brought to MNIST's form; but all of 0 stay: large, they are ones.
    """
    image, label = _drawn(digits, labels, rng)
    y, x = np.mgrid[:SIDE, :SIDE]
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x + np.sin(angle) * y
    order = np.argsort(along, axis=None)
    ink = np.cumsum(image.reshape(-1)[order], dtype=np.float64)
    last = int(np.searchsorted(ink, rng.uniform(*_KEPT) * ink[-1]))
    cut = np.where(along <= along.reshape(-1)[order[max(last - 1, 0)]], image, 0).astype(np.uint8)
    return to_form(cut) if label and cut.any() and rng.random() < 0.5 else cut


def turned(digits: Dataset, rng: np.random.Generator) -> Images:
    """A digit lying on its side, or one of those that are none in a mirror."""
    if rng.random() < 0.5:
        return np.ascontiguousarray(_drawn(digits, _MIRRORED, rng)[0][:, ::-1])
    lying = np.rot90(_drawn(digits, _LYING, rng)[0], int(rng.choice([1, 3])))
    return np.ascontiguousarray(lying)


def crowd(digits: Dataset, rng: np.random.Generator) -> Images:
    """Three or four digits in a row, two above each other, or two of which one covers the other in part."""
    kind = rng.integers(3)
    if kind == 0:
        row = [crop_to_ink(_drawn(digits, None, rng)[0]) for _ in range(rng.integers(3, 5))]
        return to_form(_in_a_row(row, int(rng.integers(-2, 5))))
    upper, lower = (crop_to_ink(_drawn(digits, None, rng)[0]) for _ in range(2))
    if kind == 1:
        return to_form(np.ascontiguousarray(_in_a_row([upper.T, lower.T], int(rng.integers(-2, 5))).T))
    canvas = np.zeros((2 * SIDE, 2 * SIDE), np.uint8)
    angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(4, 9)
    for image, side in ((upper, -0.5), (lower, 0.5)):
        top = round(SIDE - image.shape[0] / 2 + side * away * np.sin(angle))
        left = round(SIDE - image.shape[1] / 2 + side * away * np.cos(angle))
        place = canvas[top : top + image.shape[0], left : left + image.shape[1]]
        np.maximum(place, image, out=place)
    return to_form(canvas)


def pair(digits: Dataset, rng: np.random.Generator) -> Images:
    """Two digits side by side: in MNIST's form, or pressed together to half their width."""
    import cv2

    if rng.random() < 0.5:
        return to_form(
            _in_a_row([crop_to_ink(_drawn(digits, None, rng)[0]) for _ in range(2)], int(rng.integers(-1, 4)))
        )
    both = np.concatenate([_drawn(digits, None, rng)[0] for _ in range(2)], axis=1)
    return np.asarray(cv2.resize(both, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _drawn(digits: Dataset, labels: tuple[int, ...] | None, rng: np.random.Generator) -> tuple[Images, int]:
    """A digit at random and its label, with one of the labels where there are any."""
    for _ in range(_TRIES if len(digits) else 0):
        image, label = digits[int(rng.integers(len(digits)))]
        if (labels is None or label in labels) and image.any():
            return image, label
    chosen = np.ones(len(digits), np.bool_) if labels is None else np.isin(digits.labels, labels)
    places = np.flatnonzero(chosen & digits.images.any(axis=(1, 2)))
    if not places.size:
        wanted = "any digit" if labels is None else f"a {' or '.join(map(str, labels))}"
        raise DataError(f"{digits.name} has no image of {wanted}, of which things that are no digits are made")
    image, label = digits[int(places[rng.integers(places.size)])]
    return image, label


def _in_a_row(images: list[Images], gap: int) -> Images:
    """From left to right, with a gap in pixels or, below 0, an overlap; upright in the middle."""
    height = max(image.shape[0] for image in images)
    row = np.zeros((height, sum(image.shape[1] + max(gap, 0) for image in images)), np.uint8)
    left = 0
    for image in images:
        top = (height - image.shape[0]) // 2
        place = row[top : top + image.shape[0], left : left + image.shape[1]]
        np.maximum(place, image, out=place)
        left += max(image.shape[1] + gap, 1)
    return row
