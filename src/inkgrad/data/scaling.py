"""From bytes to the numbers that a network sees: one factor and one shift for all pixels."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Dataset, Images
from inkgrad.errors import DataError, OptionError
from inkgrad.kernels import gather_scaled

__all__ = ["Scaling", "linear_scaling", "standardization"]


@dataclass(frozen=True)
class Scaling:
    """x -> scale x + shift on pixels 0..255; part of every model file.

    >>> linear_scaling().apply(np.full((1, 28, 28), 255, np.uint8)).max()
    np.float32(1.0)
    """

    kind: str
    scale: float
    shift: float

    def apply(self, images: Images, indices: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """uint8 (n, 28, 28) -> float32 (n, 1, 28, 28); with indices (b,), of those images only."""
        if indices is None:
            indices = np.arange(len(images))
        flat = images.reshape(len(images), math.prod(images.shape[1:]))
        return gather_scaled(flat, indices, self.scale, self.shift).reshape(len(indices), 1, *images.shape[1:])

    def rescale(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """What `apply` gives, from images in 0..1; float32 of any shape."""
        if (self.scale, self.shift) == (1 / 255, 0.0):
            return np.ascontiguousarray(images)
        result: NDArray[np.float32] = images * np.float32(255 * self.scale) + np.float32(self.shift)
        return result

    def as_json(self) -> dict[str, Any]:
        """The scaling as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Scaling":
        """The scaling that `as_json` described."""
        try:
            return cls(str(fields["kind"]), float(fields["scale"]), float(fields["shift"]))
        except (KeyError, TypeError, ValueError) as error:
            raise OptionError(f"a scaling needs kind, scale and shift, but got {fields!r}") from error


def linear_scaling() -> Scaling:
    """Pixels / 255, so that they lie in 0..1."""
    return Scaling("linear", 1 / 255, 0.0)


def standardization(dataset: Dataset) -> Scaling:
    """(pixel - mean) / deviation, with the one mean and the one deviation of all pixels of a data set.

    Raises:
        DataError: there are no images, or all pixels are equal.
    """
    # From the histogram of the 256 values: exact, and no copy of the data in floating point.
    counts = np.bincount(dataset.images.reshape(-1), minlength=256).astype(np.float64)
    if counts.sum() == 0:
        raise DataError(f"{dataset.name} has no images to take mean and deviation from")
    values = np.arange(256)
    mean = float((counts * values).sum() / counts.sum())
    std = float(np.sqrt((counts * (values - mean) ** 2).sum() / counts.sum()))
    if std == 0:
        raise DataError(f"all pixels of {dataset.name} are equal, so they cannot be standardized; use linear scaling")
    return Scaling("standard", 1 / std, -mean / std)
