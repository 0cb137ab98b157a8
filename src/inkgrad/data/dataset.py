"""The form in which every data set is handed on: images, labels and the names of the classes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import DataError

__all__ = ["DIGITS", "SIDE", "Dataset", "Images", "Labels", "Splits"]

Images: TypeAlias = NDArray[np.uint8]
Labels: TypeAlias = NDArray[np.int64]

SIDE = 28
"""Rows and columns of every image of a data set."""

DIGITS = tuple("0123456789")
"""The names of the ten classes of every digit data set."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labeled images in file order.

    Attributes:
        images: uint8 (n, 28, 28), white ink (255) on black (0); n may be 0.
        labels: int64 (n,), each an index into `classes`.
        name: what the data set is called in messages and logs.
        classes: the name of each class.
        rejects: whether the last class stands for what is none of the others.

    Raises:
        DataError: a shape or dtype is another, the counts differ or a label has no class.

    >>> data = Dataset(np.zeros((3, 28, 28), np.uint8), np.array([7, 1, 7]), "three")
    >>> len(data), len(data[1:]), data[0][1]
    (3, 2, 7)
    >>> data[data.labels == 7].labels
    array([7, 7])
    """

    images: Images
    labels: Labels
    name: str
    classes: tuple[str, ...] = DIGITS
    rejects: bool = False

    def __post_init__(self) -> None:
        _check_array(self.name, "images", self.images, np.dtype(np.uint8), (SIDE, SIDE))
        _check_array(self.name, "labels", self.labels, np.dtype(np.int64), ())
        if len(self.images) != len(self.labels):
            raise DataError(
                f"data set {self.name!r} has {len(self.images)} images but {len(self.labels)} labels; "
                "give exactly one label per image"
            )
        if len(set(self.classes)) != len(self.classes):
            raise DataError(f"data set {self.name!r} names a class twice in {self.classes}; make the names unique")
        wrong = np.flatnonzero((self.labels < 0) | (self.labels >= len(self.classes)))
        if wrong.size:
            raise DataError(
                f"label {self.labels[wrong[0]]} at index {wrong[0]} of data set {self.name!r} is outside "
                f"0..{len(self.classes) - 1}; correct it or name more classes"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @overload
    def __getitem__(self, index: int | np.integer[Any]) -> tuple[Images, int]: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | NDArray[Any]) -> "Dataset": ...

    def __getitem__(
        self, index: int | np.integer[Any] | slice | Sequence[int] | NDArray[Any]
    ) -> "tuple[Images, int] | Dataset":
        """One image with its label, or the part of the data set that `index` picks, in its order.

        Args:
            index: an integer gives (image uint8 (28, 28), label); a slice (a view, nothing is copied), an
                integer array or a boolean mask of `len(self)` gives a Dataset.

        Raises:
            IndexError: an integer index is out of range; that is also what ends a `for` loop.
            DataError: an array picks what is not there or is neither integer nor a fitting mask.
        """
        if isinstance(index, (int, np.integer)):
            return self.images[index], int(self.labels[index])
        if not isinstance(index, slice):
            index = np.asarray(index)
            if index.size == 0 and index.dtype != np.bool_:
                index = index.astype(np.int64)
            if index.ndim != 1 or index.dtype.kind not in "iub":
                raise DataError(
                    f"data set {self.name!r} was indexed with an array of {index.dtype} {index.shape}; "
                    "give a one-dimensional integer array or a boolean mask"
                )
        try:
            return replace(self, images=self.images[index], labels=self.labels[index])
        except IndexError as error:
            raise DataError(f"data set {self.name!r} with {len(self)} images cannot be indexed so: {error}") from error

    @property
    def known_classes(self) -> tuple[str, ...]:
        """The classes without that of what is none of them."""
        return self.classes[:-1] if self.rejects else self.classes

    @property
    def known(self) -> "Dataset":
        """The images that are of one of them, with the names of these alone."""
        part = self[self.labels < len(self.known_classes)] if self.rejects else self
        return replace(part, classes=self.known_classes, rejects=False)

    def fingerprint(self) -> str:
        """The SHA-256, in hex, of images, labels and class names: equal for equal data, whatever the name.

        >>> data = Dataset(np.zeros((3, 28, 28), np.uint8), np.array([7, 1, 7]), "three")
        >>> data.fingerprint() == data[:3].fingerprint(), data.fingerprint() == data[::-1][1:].fingerprint()
        (True, False)
        """
        digest = hashlib.sha256(repr((len(self), self.classes)).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        return digest.hexdigest()


class Splits(NamedTuple):
    """The three parts of a data set: to learn from, to choose by, and for the final figure."""

    train: Dataset
    validation: Dataset
    test: Dataset


def _check_array(name: str, what: str, array: object, dtype: np.dtype[Any], rest: tuple[int, ...]) -> None:
    if isinstance(array, np.ndarray) and array.dtype == dtype and array.ndim and array.shape[1:] == rest:
        return
    came = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
    wanted = ", ".join(["n", *map(str, rest)]) + ("" if rest else ",")
    raise DataError(f"{what} of data set {name!r} must be {dtype} ({wanted}), but came as {came}; convert them first")
