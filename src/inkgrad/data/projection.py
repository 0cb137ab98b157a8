"""Principal components: images as the few numbers in which they differ most."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import OptionError

__all__ = ["Projection", "principal_components"]

FITTED_TO = 20_000  # images at most, evenly chosen: more hardly change the components
TOGETHER = 5_000  # images at a time, as memory goes


@dataclass(frozen=True, eq=False)
class Projection:
    """The principal components of a set of images.

    Sums are made in float64, so that the number of threads that make them does not decide how a pixel is rounded.

    Attributes:
        mean: float32 (h, w), the mean image.
        components: float32 (k, h, w), of length 1 and at right angles, those along which images differ most first.
        explained: float32 (k,), the share of the pixels' variance along each.

    >>> import inkgrad as ig
    >>> train, _ = ig.data.load_digits()
    >>> projection = principal_components(train.images, 20)
    >>> projection.transform(train.images[:3]).shape, projection.apply(train.images[:3]).dtype
    ((3, 20), dtype('uint8'))
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    explained: NDArray[np.float32]

    def same(self, other: "Projection | None") -> bool:
        """Whether another one keeps the same of each image."""
        return (
            other is not None
            and np.array_equal(self.mean, other.mean)
            and np.array_equal(self.components, other.components)
        )

    def transform(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """(n, h, w) -> float32 (n, k): each image's coordinates along the components."""
        flat = images.reshape(len(images), self.mean.size) - self.mean.ravel().astype(np.float64)
        return np.asarray(flat @ self.components.reshape(len(self.components), -1).T, np.float32)

    def restore(self, coordinates: NDArray[np.float32]) -> NDArray[np.uint8]:
        """(n, k) -> uint8 (n, h, w): the images that have these coordinates and nothing else."""
        rows = self.components.reshape(len(self.components), -1)
        flat = coordinates.astype(np.float64) @ rows + self.mean.ravel()
        pixels = np.rint(np.clip(flat, 0, 255)).reshape(len(flat), *self.mean.shape)
        return np.asarray(pixels, np.uint8)

    def apply(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(n, h, w) -> (n, h, w): what the components keep of each image."""
        parts = [images[i : i + TOGETHER] for i in range(0, max(len(images), 1), TOGETHER)]
        return np.concatenate([self.restore(self.transform(part)) for part in parts])


def principal_components(images: NDArray[np.uint8], k: int) -> Projection:
    """The first k principal components of images (n, h, w) by scikit-learn (Pearson 1901).

    They are fitted to 20,000 of the images at most, on one thread, so that they are the same however many there are.

    Raises:
        OptionError: k is not between 1 and the least of n and h w.
    """
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    most = min(len(images), int(np.prod(images.shape[1:])))
    if not 1 <= k <= most:
        raise OptionError(f"pca must be from 1 to {most} components for {len(images)} images, but is {k}")
    every = -(-len(images) // max(FITTED_TO, k))
    chosen = images[::every].reshape(-1, int(np.prod(images.shape[1:]))).astype(np.float32)
    with threadpool_limits(1):
        fitted = PCA(k, random_state=0).fit(chosen)
    shape = images.shape[1:]
    return Projection(
        np.asarray(fitted.mean_, np.float32).reshape(shape),
        np.ascontiguousarray(fitted.components_, np.float32).reshape(-1, *shape),
        np.asarray(fitted.explained_variance_ratio_, np.float32),
    )
