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

    def transform(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """(n, h, w) -> float32 (n, k): each image's coordinates along the components."""
        flat = images.reshape(len(images), self.mean.size).astype(np.float32) - self.mean.ravel()
        return np.asarray(flat @ self.components.reshape(len(self.components), -1).T, np.float32)

    def restore(self, coordinates: NDArray[np.float32]) -> NDArray[np.uint8]:
        """(n, k) -> uint8 (n, h, w): the images that have these coordinates and nothing else."""
        flat = coordinates @ self.components.reshape(len(self.components), -1) + self.mean.ravel()
        pixels = np.rint(np.clip(flat, 0, 255)).reshape(len(flat), *self.mean.shape)
        return np.asarray(pixels, np.uint8)

    def apply(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(n, h, w) -> (n, h, w): what the components keep of each image."""
        parts = [images[i : i + TOGETHER] for i in range(0, max(len(images), 1), TOGETHER)]
        return np.concatenate([self.restore(self.transform(part)) for part in parts])


def principal_components(images: NDArray[np.uint8], k: int) -> Projection:
    """The first k principal components of images (n, h, w); Pearson 1901, by scikit-learn's randomized solver.

    Raises:
        OptionError: k is not between 1 and the least of n and h w.
    """
    from sklearn.decomposition import PCA

    most = min(len(images), int(np.prod(images.shape[1:])))
    if not 1 <= k <= most:
        raise OptionError(f"pca must be from 1 to {most} components for {len(images)} images, but is {k}")
    every = -(-len(images) // max(FITTED_TO, k))
    chosen = images[::every].reshape(-1, int(np.prod(images.shape[1:]))).astype(np.float32)
    fitted = PCA(k, random_state=0, svd_solver="auto").fit(chosen)
    shape = images.shape[1:]
    return Projection(
        np.asarray(fitted.mean_, np.float32).reshape(shape),
        np.ascontiguousarray(fitted.components_, np.float32).reshape(-1, *shape),
        np.asarray(fitted.explained_variance_ratio_, np.float32),
    )
