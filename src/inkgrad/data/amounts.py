"""Real numbers: the courtesy amounts of bank cheques."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Dataset, Images
from inkgrad.data.picture import normalize_digit, read_picture

__all__ = ["Amount", "digits_of", "folds", "read_amounts"]

_MARGIN = 1  # pixels around a box that cuts close


@dataclass(frozen=True)
class Amount:
    """A picture of one number.

    Attributes:
        name: of its file.
        gray: uint8 (h, w).
        digits: what it says, without signs.
        boxes: (digits, 4), left, top, width and height of each, from left to right.
    """

    name: str
    gray: Images
    digits: str
    boxes: NDArray[np.float64]


def read_amounts(path: Path) -> list[Amount]:
    """The pictures that a table names, in its order.

    Args:
        path: a CSV whose columns `file` and `boxes_xywh_digit` name each picture and, as JSON, its digits.
    """
    with path.open(newline="", encoding="utf-8") as file:
        return [_amount(path.parent, row) for row in csv.DictReader(file)]


def digits_of(amounts: list[Amount], name: str) -> Dataset:
    """Their digits one by one, in MNIST's form; those in which no ink is found are left out."""
    images, labels = [], []
    for amount in amounts:
        for digit, (x, y, width, height) in zip(amount.digits, amount.boxes.astype(int), strict=True):
            top, left = max(y - _MARGIN, 0), max(x - _MARGIN, 0)
            image = normalize_digit(amount.gray[top : y + height + _MARGIN, left : x + width + _MARGIN])
            if image is not None:
                images.append(image)
                labels.append(int(digit))
    return Dataset(np.stack(images), np.array(labels, np.int64), name)


def folds(count: int, parts: int = 5) -> NDArray[np.int64]:
    """The fold, 0 to `parts` - 1, of each of so many amounts: blocks of neighbours, as these are often of one hand.

    >>> folds(10)
    array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
    """
    return np.arange(count) * parts // max(count, 1)


def _amount(folder: Path, row: dict[str, str]) -> Amount:
    boxes = json.loads(row["boxes_xywh_digit"])
    digits = "".join(str(box[4]) for box in boxes)
    places = np.array([box[:4] for box in boxes], np.float64).reshape(-1, 4)
    return Amount(row["file"], read_picture(str(folder / row["file"])), digits, places)
