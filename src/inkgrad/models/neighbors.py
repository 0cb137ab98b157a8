"""Classification by the nearest known images."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import OptionError, ShapeError

__all__ = ["KNearest"]

TOGETHER = 250  # queries at a time; with 60,000 known images their distances take 60 MB
_BLOCK = 512  # known images of which only the nearest is looked at first
_FAR = np.iinfo(np.int32).max


class KNearest:
    """The class of most of the k images that lie nearest, by the Euclidean distance of their pixels.

    Of images equally near the one that came first in `fit` counts. Of classes with equally many neighbours that of the
    nearest wins. The distances are exact: of pixels less 128 the sums of products are whole numbers below 2^24, which
    float32 holds, in whatever order a matrix product adds them up.

    Args:
        k: how many neighbours vote.

    Source: T. Cover and P. Hart, "Nearest neighbor pattern classification", IEEE Transactions on Information Theory 13
    (1967).

    >>> images = np.array([[[0, 0]], [[0, 9]], [[200, 200]]], np.uint8)
    >>> KNearest(1).fit(images, np.array([5, 6, 7])).predict(np.array([[[0, 5]], [[250, 190]]], np.uint8))
    array([6, 7])
    """

    def __init__(self, k: int = 3) -> None:
        if k < 1:
            raise OptionError(f"KNearest needs k of at least 1, but got {k}")
        self.k = k
        self._known: NDArray[np.float32] | None = None

    def fit(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> "KNearest":
        """Remember images, uint8 (n, h, w) of at most 1,024 pixels, and their labels, int64 (n,)."""
        self._known = _shifted(images)
        if len(images) < self.k or labels.shape != (len(images),):
            raise ShapeError(
                f"KNearest with k = {self.k} needs at least as many images and a label for each, but got "
                f"{len(images)} images and labels of shape {labels.shape}"
            )
        self._squares = np.rint((self._known.astype(np.float64) ** 2).sum(1)).astype(np.int32)
        self._labels = labels
        return self

    def neighbors(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The indices of the k nearest of each image, nearest first, and their squared distances; both (m, k)."""
        if self._known is None:
            raise OptionError("KNearest knows no images yet; call fit first")
        asked = _shifted(images)
        if asked.shape[1] != self._known.shape[1]:
            raise ShapeError(f"KNearest was fitted on {self._known.shape[1]} pixels an image, but got {asked.shape[1]}")
        found = np.empty((len(asked), self.k), np.int64)
        distances = np.empty((len(asked), self.k), np.int64)
        for start in range(0, len(asked), TOGETHER):
            part = asked[start : start + TOGETHER]
            rows = np.arange(len(part))
            own = np.rint((part.astype(np.float64) ** 2).sum(1)).astype(np.int64)
            apart = self._apart(part)
            nearest = apart.min(axis=2)
            for j in range(self.k):
                block = nearest.argmin(axis=1)
                inside = apart[rows, block]
                place = inside.argmin(axis=1)
                found[start + rows, j], distances[start + rows, j] = _BLOCK * block + place, inside[rows, place] + own
                inside[rows, place] = apart[rows, block, place] = _FAR
                nearest[rows, block] = inside.min(axis=1)
        return found, distances

    def _apart(self, part: NDArray[np.float32]) -> NDArray[np.int32]:
        """Squared distances, but for the query's own squares, (m, blocks, known images of a block)."""
        assert self._known is not None
        n = len(self._known)
        products = part @ self._known.T
        products *= -2  # exact, as it is a power of two
        apart = np.full((len(part), -(-n // _BLOCK) * _BLOCK), _FAR, np.int32)
        apart[:, :n] = products
        apart[:, :n] += self._squares
        return apart.reshape(len(part), -1, _BLOCK)

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The class of each image, (m,)."""
        nearest, _ = self.neighbors(images)
        votes = self._labels[nearest]
        counts = (votes[:, :, None] == votes[:, None, :]).sum(axis=2)
        return np.asarray(votes[np.arange(len(votes)), counts.argmax(axis=1)], np.int64)


def _shifted(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pixels less 128, (n, h w)."""
    if images.dtype != np.uint8 or images.ndim != 3 or images[0:1].size > 1024:
        raise ShapeError(
            f"KNearest takes uint8 images (n, h, w) of at most 1,024 pixels, but got {images.dtype} {images.shape}"
        )
    flat = images.reshape(len(images), images.shape[1] * images.shape[2])
    return np.asarray(flat.astype(np.float32) - 128, np.float32)
