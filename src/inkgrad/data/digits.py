"""The 1,797 digits that scikit-learn ships, in MNIST's form: real handwriting without a download."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import SIDE, Dataset, Images
from inkgrad.data.form import to_form

__all__ = ["load_digits"]

_TRAIN = 1437
_ENLARGED = 32  # pixels a side between the 8x8 of the files and the 28x28 of MNIST


def load_digits() -> tuple[Dataset, Dataset]:
    """Load scikit-learn's bundled digits, brought from 8x8 to MNIST's form.

    Returns:
        (train, test): the first 1,437 and the last 360, in file order.

    Source: E. Alpaydin and C. Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning
    Repository (1998), the test part.

    >>> train, test = load_digits()
    >>> len(train), len(test), train.labels[:5]
    (1437, 360, array([0, 1, 2, 3, 4]))
    """
    from sklearn import datasets

    bundled: Any = datasets.load_digits()
    images = np.empty((len(bundled.images), SIDE, SIDE), np.uint8)
    for index, small in enumerate(np.asarray(bundled.images, np.float32)):
        images[index] = to_form(_enlarge(small))
    labels = np.asarray(bundled.target, np.int64)
    return (
        Dataset(images[:_TRAIN], labels[:_TRAIN], "digits train"),
        Dataset(images[_TRAIN:], labels[_TRAIN:], "digits test"),
    )


def _enlarge(small: NDArray[np.float32]) -> Images:
    """8x8 of 0..16 -> 8-bit, smoothly, with a margin so that ink at the edge keeps its soft rim."""
    import cv2

    padded = np.pad(small * (255 / 16), 1)
    side = _ENLARGED * padded.shape[0] // small.shape[0]
    large = cv2.resize(padded, (side, side), interpolation=cv2.INTER_CUBIC)
    large[large < 40] = 0  # the 8x8 cells are counts of ink; the palest carry none of the stroke
    return np.clip(np.rint(large), 0, 255).astype(np.uint8)
