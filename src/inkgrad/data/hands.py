"""Digits of other hands and pens than MNIST's, from files that the user has put beside it."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.amounts import Amount, digits_of, read_amounts
from inkgrad.data.dataset import Dataset
from inkgrad.data.mnist import mnist_folder
from inkgrad.errors import DataError

__all__ = ["HANDS", "Hand", "load_amounts", "load_hand", "load_writers"]

T = TypeVar("T")


@dataclass(frozen=True)
class Hand:
    """A set of digits of which there is one file or folder.

    Attributes:
        file: where it lies, beside the folder of MNIST.
        origin: where it comes from.
        terms: under which terms, as far as stated.
        digits: what it shows.
        held_out: whether nothing is to be learned from it.
    """

    file: str
    origin: str
    terms: str
    digits: str
    held_out: bool = False


HANDS = {
    "usps": Hand(
        "usps/usps_train.npz",
        "the training set of the USPS digits, as distributed with Hastie, Tibshirani and Friedman, The Elements of "
        "Statistical Learning",
        "no licence stated",
        "7,291 digits from US envelopes",
    ),
    "ardis": Hand(
        "ardis/ardis_train.npz",
        "the training set of ARDIS IV, Kusetogullari, Yavariabdi, Cheddad, Grahn and Hall, Neural Computing and "
        "Applications 32 (2019)",
        "for research, to be cited",
        "6,600 digits from Swedish church registers, 1895 to 1970",
    ),
    "orand_car": Hand(
        "orand_car/labels.csv",
        "a part of ORAND-CAR-A, ORAND S.A., ICFHR 2014 competition on handwritten digit string recognition",
        "this part under the MIT licence",
        "the digits of 700 courtesy amounts from Chilean bank cheques",
    ),
    "hwd1000": Hand(
        "hwd1000/hwd1000.npz", "the digits of the HWD project", "MIT licence", "1,000 digits drawn on a canvas", True
    ),
    "semeion": Hand(
        "semeion/semeion.npz",
        "the Semeion handwritten digit data set, Semeion Research Center and Tattile, UCI Machine Learning Repository",
        "UCI Machine Learning Repository, to be cited",
        "1,593 digits of 80 Italian writers",
        True,
    ),
}
"""The sets by name."""


def load_hand(name: str) -> Dataset:
    """Load the digits of a set, in file order and in MNIST's form.

    The files lie where INKGRAD_DATA says, or in the user's cache folder, beside the folder `mnist`; nothing is
    downloaded. An `.npz` holds `images28`, uint8 (n, 28, 28), and `labels`. `orand_car` is a folder of pictures and a
    `labels.csv` whose columns `file` and `boxes_xywh_digit` name each picture and the boxes of its digits as JSON.

    Args:
        name: one of `HANDS`.

    Raises:
        DataError: a file is missing or damaged.

    >>> load_hand("nobody's")
    Traceback (most recent call last):
    ...
    inkgrad.errors.DataError: there are no digits of the set "nobody's"; there are usps, ardis, orand_car, hwd1000, ...
    """
    if name not in HANDS:
        raise DataError(f"there are no digits of the set {name!r}; there are {', '.join(HANDS)}")
    if HANDS[name].file.endswith(".csv"):
        return digits_of(load_amounts(name), name)
    return _whole(_file(name), lambda path: _from_npz(path, name))


def load_amounts(name: str = "orand_car") -> list[Amount]:
    """Load the whole amounts whose digits `load_hand` gives, in file order.

    Raises:
        DataError: a file is missing or damaged.
    """
    return _whole(_file(name), read_amounts)


def load_writers() -> NDArray[np.int64]:
    """Who wrote each of MNIST's 60,000 training digits, int64 (60000,): numbers that QMNIST gives.

    Source: Yadav and Bottou 2019, "Cold case: the lost MNIST digits". One number a line, in `train-writers.txt.gz`
    beside MNIST's files.

    Raises:
        DataError: the file is missing or damaged.
    """
    path = mnist_folder() / "train-writers.txt.gz"
    if not path.is_file():
        raise DataError(
            f"the writers of MNIST's digits are wanted in the file {path}, which is not there: a number a line for "
            "each training digit, as QMNIST has them"
        )
    writers = _whole(path, lambda file: np.array(gzip.decompress(file.read_bytes()).split(), np.int64))
    if len(writers) != 60_000:
        raise DataError(f"{path} has {len(writers):,} numbers, expected one for each of 60,000 digits; get it again")
    return writers


def _file(name: str) -> Path:
    hand = HANDS[name]
    path = mnist_folder().parent / hand.file
    if not path.is_file():
        raise DataError(
            f"the data set {name} needs the file {path}, which is not there: {hand.digits}, from {hand.origin}; put "
            f"it there, or set INKGRAD_DATA to the folder that holds {hand.file}"
        )
    return path


def _whole(path: Path, read: Callable[[Path], T]) -> T:
    try:
        return read(path)
    except DataError:
        raise
    except Exception as error:  # a damaged archive or picture fails in any way
        raise DataError(f"{path} is not what it should be: {type(error).__name__} {error}; get it again") from error


def _from_npz(path: Path, name: str) -> Dataset:
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        images, labels = file["images28"], np.asarray(file["labels"])
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels are {labels.dtype}, expected whole numbers")
    return Dataset(images, labels.astype(np.int64), name)
