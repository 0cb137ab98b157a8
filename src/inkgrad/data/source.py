"""What `--data` names: a data set by name or path, split into train, validation and test."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from inkgrad.data.dataset import Dataset, Splits
from inkgrad.data.digits import load_digits
from inkgrad.data.folder import class_folders, load_folder
from inkgrad.data.hands import HANDS, load_hand
from inkgrad.data.mixture import load_mixture, mixture_parts
from inkgrad.data.mnist import load_mnist
from inkgrad.data.table import load_csv
from inkgrad.errors import DataError, OptionError

__all__ = ["NAMES", "load"]

NAMES = ("mnist", "digits", *HANDS)
"""The data sets that `load` knows by name."""

_MNIST_TRAIN = 50_000
_DIGITS_TRAIN = 1_200
_EVERY = 10
_KNOWN = (
    "'mnist', 'digits', a folder with MNIST's four IDX files, a .pkl, .pkl.gz or .npz of MNIST, a folder of class "
    f"folders, a .csv of digits, other hands ({', '.join(HANDS)}) or a mixture such as mnist+usps"
)


def load(source: str | os.PathLike[str], *, train_on: Literal["train", "all"] = "train") -> Splits:
    """Load a data set by name or path and split it; the same source always gives the same split.

    - `mnist`: the first 50,000 training digits, the last 10,000 of them, the 10,000 test digits.
    - `digits`: scikit-learn's bundled digits: the first 1,200, the next 237, the last 360.
    - `usps`, `ardis`, `orand_car`: digits of other hands, see `load_hand`; every 10th of each label for the test, every
      10th of the rest for validation. `hwd1000`, `semeion`: all of them for the test, and for validation.
    - A mixture such as `mnist+3*usps+nondigits`: learned from together, with the validation and the test of the first;
      see `load_mixture`.
    - A folder with IDX files, a `.pkl`, `.pkl.gz` or `.npz`: as `load_mnist` reads it, with the last sixth
      of the training digits for validation.
    - A folder of class folders: every 10th picture of each class (the 10th, 20th, ...) is for the test, and
      every 10th of those that remain for validation. With class folders in `train/` and `test/` the test is
      given, and every 10th training picture of each class is for validation.
    - A `.csv` or `.csv.gz`: every 10th row of each label for the test, every 10th of the rest for validation.

    Args:
        source: the name or path.
        train_on: "all" joins train and validation in file order to train on; validation is then empty.

    Returns:
        Splits(train, validation, test).

    Raises:
        DataError: no data set has this name or path, or it is damaged.
        ImageError: a picture in a class folder cannot be decoded.
        OptionError: `train_on` is neither "train" nor "all".

    >>> [len(part) for part in load("digits")]
    [1200, 237, 360]
    >>> [len(part) for part in load("digits", train_on="all")]
    [1437, 0, 360]
    """
    if train_on not in ("train", "all"):
        raise OptionError(f"train_on is {train_on!r}, expected 'train' or 'all'; choose one of them")
    if len(mixture_parts(source)) > 1:
        return load_mixture(os.fspath(source), lambda first: load(first, train_on=train_on))
    if source in HANDS and HANDS[str(source)].held_out:
        if train_on == "all":
            raise DataError(f"{source!r} is kept to test by, so there is nothing to train on; take another data set")
        everything = load_hand(str(source))
        nothing = np.zeros(len(everything), np.bool_)
        return Splits(_part(everything, nothing, "train"), _part(everything, ~nothing, "validation"), everything)
    learning, chosen, test = _load(source)
    if train_on == "all":
        chosen = np.zeros(len(learning), np.bool_)
    return Splits(
        _part(learning, ~chosen, "train" if train_on == "train" else "train and validation"),
        _part(learning, chosen, "validation"),
        _part(test, slice(None), "test"),
    )


_Loaded = tuple[Dataset, "np.ndarray[tuple[int], np.dtype[np.bool_]]", Dataset]


def _load(source: str | os.PathLike[str]) -> _Loaded:
    """What there is to learn from, which of it is for validation, and the test."""
    if source == "mnist":
        train, test = load_mnist()
        return train, _after(len(train), min(_MNIST_TRAIN, len(train))), test
    if source == "digits":
        train, test = load_digits()
        return train, _after(len(train), _DIGITS_TRAIN), test
    if source in HANDS:
        return _with_test(load_hand(str(source)))
    path = Path(source)
    if path.is_dir():
        return _load_folder(path)
    name = path.name.lower()
    if name.endswith((".csv", ".csv.gz")):
        return _with_test(load_csv(path))
    if name.endswith((".pkl", ".pkl.gz", ".pickle", ".npz")):
        return _like_mnist(path)
    raise DataError(f"there is no data set {os.fspath(source)!r}, expected {_KNOWN}; give one of these")


def _load_folder(path: Path) -> _Loaded:
    if any(next(folder.glob("train-images?idx3-ubyte*"), None) for folder in (path, path / "mnist")):
        return _like_mnist(path)
    if class_folders(path / "train") and class_folders(path / "test"):
        train, test = load_folder(path / "train"), load_folder(path / "test")
        if train.classes != test.classes:
            differing = sorted(set(train.classes) ^ set(test.classes))
            raise DataError(
                f"train and test in {path} have different classes (only one has {differing[0]!r}); "
                "make the same class folders in both"
            )
        train, test = replace(train, name=path.name), replace(test, name=path.name)
        return train, _every_tenth(train), test
    if class_folders(path):
        return _with_test(load_folder(path))
    raise DataError(f"the folder {path} holds no data set, expected {_KNOWN}; give one of these")


def _like_mnist(path: Path) -> _Loaded:
    train, test = load_mnist(path)
    train, test = replace(train, name=path.name), replace(test, name=path.name)
    return train, _after(len(train), len(train) - len(train) // 6), test


def _with_test(data: Dataset) -> _Loaded:
    tested = _every_tenth(data)
    learning = data[~tested]
    return learning, _every_tenth(learning), data[tested]


def _after(count: int, first: int) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.arange(count) >= first


def _every_tenth(data: Dataset) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """The 10th, 20th, ... of each class in file order."""
    chosen = np.zeros(len(data), np.bool_)
    for label in range(len(data.classes)):
        chosen[np.flatnonzero(data.labels == label)[_EVERY - 1 :: _EVERY]] = True
    return chosen


def _part(data: Dataset, index: "slice | np.ndarray[tuple[int], np.dtype[np.bool_]]", part: str) -> Dataset:
    if isinstance(index, np.ndarray):
        # Parts in one piece, as MNIST's are, stay views: nothing is copied.
        places = np.flatnonzero(index)
        start, stop = (int(places[0]), int(places[-1]) + 1) if places.size else (0, 0)
        if stop - start == places.size:
            index = slice(start, stop)
    base = data.name.removesuffix(" train").removesuffix(" test")
    return replace(data[index], name=f"{base} {part}")
