"""Moving the pixels of images: rotation, shift, scale, shear and elastic distortion, in one interpolation."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.appearance import NEGLIGIBLE
from inkgrad.kernels import warp

__all__ = ["distorted", "elastic_field"]

Images = NDArray[np.float32]

_INK = 0.2  # what is darker does not belong to the box of the ink
_MOST_STRETCHED = 3.0


def distorted(
    images: Images,
    rng: np.random.Generator,
    *,
    rotation: float,
    shift: float,
    scale: float,
    zoom: float,
    stretch: float,
    shear: float,
    elastic: float,
    elastic_sigma: float,
) -> Images:
    """Images (n, h, w), each distorted by values of its own, up to the given ones; see `Augmentation`."""
    n, h, w = images.shape
    affine = rotation or shift or scale or zoom or stretch or shear
    if not (affine or elastic) or n == 0:
        return images
    y, x = (np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2) for size in (h, w))
    matrix, offset = _affine_maps(images, rng, rotation, shift, scale, zoom, stretch, shear)
    moved = elastic_field(n, h, w, elastic, elastic_sigma, rng) if elastic else None
    origins = []
    for k, size in enumerate((h, w)):
        along = matrix[:, k, 0, None] * y + (offset[:, k, None] + np.float32((size - 1) / 2))
        across = matrix[:, k, 1, None] * x
        origin = along[:, :, None] + across[:, None, :]
        if moved is not None:
            origin += moved[k]
        origins.append(origin)
    return warp(np.ascontiguousarray(images), *origins)


def _affine_maps(
    images: Images,
    rng: np.random.Generator,
    rotation: float,
    shift: float,
    scale: float,
    zoom: float,
    stretch: float,
    shear: float,
) -> tuple[Images, Images]:
    """For each image the map from a point of the result to its origin, about the middle: (n, 2, 2) and (n, 2)."""
    n = len(images)

    def drawn(most: float) -> NDArray[np.float64]:
        return rng.uniform(-most, most, n) if most else np.zeros(n)

    angle, slant = np.radians(drawn(rotation)), np.tan(np.radians(drawn(shear)))
    height, width = 1 + drawn(scale), 1 + drawn(scale)
    way = np.stack([drawn(shift), drawn(shift)], axis=1)
    both = np.exp(drawn(np.log1p(zoom)))
    if stretch:
        height, width = (
            factor * more for factor, more in zip((height, width), squaring(images, stretch, rng), strict=True)
        )
    cos, sin, one, nothing = np.cos(angle), np.sin(angle), np.ones(n), np.zeros(n)

    def matrix(*entries: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(entries, axis=1).reshape(n, 2, 2)

    forward = (
        matrix(cos, sin, -sin, cos)
        @ matrix(both * height, nothing, nothing, both * width)
        @ matrix(one, nothing, slant, one)
    )
    backward = np.linalg.inv(forward)
    offset = -np.einsum("nij,nj->ni", backward, way)
    return backward.astype(np.float32), offset.astype(np.float32)


def squaring(images: Images, probability: float, rng: np.random.Generator) -> "list[NDArray[np.float64]]":
    """Factors of height and width, (n,) each, that bring the box of the ink in part or wholly to a square.

    They are 1 for those that chance leaves alone. The longer side stays, the other grows at most threefold.
    """
    ink: NDArray[np.bool_] = images > _INK
    sides = []
    for seen in (np.any(ink, axis=2), np.any(ink, axis=1)):
        size = seen.shape[1]
        first, last = seen.argmax(axis=1), size - 1 - seen[:, ::-1].argmax(axis=1)
        sides.append(np.where(seen.any(axis=1), last - first + 1, size).astype(np.float64))
    longest = np.maximum(*sides)
    part = np.minimum(2 * rng.random(len(images)), 1) * (rng.random(len(images)) < probability)
    return [np.minimum(longest / side, _MOST_STRETCHED) ** part for side in sides]


def elastic_field(n: int, h: int, w: int, alpha: float, sigma: float, rng: np.random.Generator) -> Images:
    """Displacements (2, n, h, w): noise from -1..1, smoothed by a Gaussian of `sigma` pixels, times alpha.

    Source: P. Simard, D. Steinkraus and J. Platt, "Best practices for convolutional neural networks applied to visual
    document analysis", ICDAR 2003.
    """
    noise = rng.random((2, n, h, w), np.float32)
    noise *= 2
    noise -= 1
    return np.asarray((np.float32(alpha) * gaussian(h, sigma)) @ noise @ gaussian(w, sigma).T, np.float32)


def gaussian(size: int, sigma: float) -> Images:
    """(size, size): the matrix that smooths a line of numbers; beyond its ends there are zeros."""
    distance = np.arange(size)[:, None] - np.arange(size)
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    weights[weights < NEGLIGIBLE] = 0
    total = np.exp(-0.5 * (np.arange(-4 * size, 4 * size + 1) / sigma) ** 2).sum()
    return np.asarray(weights / total, np.float32)
