"""Features of images as transformers of scikit-learn."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from inkgrad.data import Projection, deskew_ink, principal_components
from inkgrad.errors import OptionError
from inkgrad.estimator.inputs import DTYPES, as_rows, checked_image_shape

__all__ = ["Deskewer", "PCAFeatures"]


class Deskewer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Shears images of digits so that their ink does not lean, and moves its center to the middle, as `data.deskew`.

    Images come as (n, h, w), (n, 1, h, w) or rows of pixels (n, h w), on any scale, with more where there is ink; the
    least value of an image is its paper. They go as float32 in the form in which they came. Nothing is learned.

    Args:
        image_shape: (h, w) of rows of pixels. By default as near to a square as the number of columns allows, so that
            784 columns are 28 x 28.

    Attributes:
        image_shape_: (h, w) of the images.
        n_features_in_: pixels of an image.

    >>> from inkgrad.data import load_digits
    >>> images = load_digits()[0].images[:5]
    >>> Deskewer().fit_transform(images.reshape(5, 784)).shape, Deskewer().fit_transform(images).shape
    ((5, 784), (5, 28, 28))
    """

    def __init__(self, image_shape: tuple[int, int] | None = None) -> None:
        self.image_shape = image_shape

    def fit(self, X: Any, y: Any = None) -> "Deskewer":
        """Look at the shape of the images, of which X is some."""
        del y
        X, came = as_rows(X, type(self).__name__)
        X = validate_data(self, X, dtype=DTYPES)
        self.image_shape_ = _image_shape(X.shape[1], came, self.image_shape)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Upright images, float32 in the form of X."""
        check_is_fitted(self)
        shape = X.shape if isinstance(X, np.ndarray) else None
        X, _ = as_rows(X, type(self).__name__)
        X = validate_data(self, X, reset=False, dtype=DTYPES)
        images = X.astype(np.float32).reshape(len(X), *self.image_shape_)
        paper = images.min(axis=(1, 2), keepdims=True)
        upright: NDArray[np.float32] = deskew_ink(images - paper) + paper
        return upright.reshape(shape or X.shape)

    def __sklearn_tags__(self) -> Any:
        return _with_images(super().__sklearn_tags__())


class PCAFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Images, or rows of any table, as their coordinates along the directions in which they differ most.

    By `data.principal_components`, which fits 20,000 rows at most, so that memory and time have a bound.

    Args:
        n_components: how many, or which share of the variance they keep together, above 0 and below 1; None for all.

    Attributes:
        components_: float32 (k, d), of length 1 and at right angles, the one with most variance first.
        mean_: float32 (d,).
        explained_variance_ratio_: float32 (k,), the share of the variance along each.
        n_components_: k.
        n_features_in_: columns of X, or pixels of an image.

    >>> from inkgrad.data import load_digits
    >>> images = load_digits()[0].images
    >>> PCAFeatures(20).fit_transform(images).shape
    (1437, 20)
    """

    def __init__(self, n_components: float | None = 0.95) -> None:
        self.n_components = n_components

    def fit(self, X: Any, y: Any = None) -> "PCAFeatures":
        """Find the components of X, (n, d), (n, h, w) or (n, 1, h, w).

        Raises:
            OptionError: more components than rows or columns, or no share of the variance.
        """
        del y
        X, _ = as_rows(X, type(self).__name__)
        X = validate_data(self, X, dtype=DTYPES, ensure_min_samples=2)
        wanted: Any = self.n_components
        number = isinstance(wanted, int | float | np.integer | np.floating) and not isinstance(wanted, bool)
        if wanted is not None and not (number and wanted > 0):
            raise OptionError(f"n_components must be how many, or a share of the variance, but is {wanted!r}")
        share = float(wanted) if wanted is not None and wanted < 1 else None
        most = min(X.shape) if wanted is None or share is not None else int(wanted)
        with np.errstate(invalid="ignore", divide="ignore"):  # rows that do not differ have no variance to share
            found = principal_components(X[:, None, :], most)
        ratios = np.nan_to_num(found.explained)
        k = most if share is None else _enough(ratios, share)
        self._projection = Projection(found.mean, found.components[:k], ratios[:k])
        self.n_components_, self.explained_variance_ratio_ = k, ratios[:k]
        self.components_, self.mean_ = found.components[:k, 0], found.mean[0]
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Coordinates, float32 (n, k)."""
        check_is_fitted(self)
        X, _ = as_rows(X, type(self).__name__)
        X = validate_data(self, X, reset=False, dtype=DTYPES)
        projection: Projection = self._projection
        return projection.transform(X[:, None, :])

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self) -> Any:
        return _with_images(super().__sklearn_tags__())


def _with_images(tags: Any) -> Any:
    tags.input_tags.three_d_array = True
    tags.transformer_tags.preserves_dtype = ["float32"]
    return tags


def _enough(ratios: NDArray[np.float32], share: float) -> int:
    """How many of the first components keep this share of the variance together."""
    kept = np.cumsum(ratios, dtype=np.float64)
    return min(int(np.searchsorted(kept, share)) + 1, len(ratios))


def _image_shape(pixels: int, came: Any, wanted: Any) -> tuple[int, int]:
    if wanted is not None:
        return checked_image_shape(wanted, pixels)
    if came is not None:
        return int(came[0]), int(came[1])
    height = next(rows for rows in range(math.isqrt(pixels), 0, -1) if pixels % rows == 0)
    return height, pixels // height
