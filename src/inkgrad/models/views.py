"""Test-time augmentation: an image seen in several ways, whose probabilities are averaged."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import OptionError
from inkgrad.kernels import warp

__all__ = ["VIEWS", "View", "origins", "seen", "view_matrix"]


@dataclass(frozen=True)
class View:
    """One way to see an image: turned, then larger or smaller, then moved.

    Attributes:
        rotation: degrees, counterclockwise.
        scale: factor; above 1 the digit is larger.
        down, right: pixels.
    """

    rotation: float = 0.0
    scale: float = 1.0
    down: float = 0.0
    right: float = 0.0


VIEWS = (
    View(),
    *(View(rotation=angle) for angle in (6.0, -6.0)),
    *(View(scale=factor) for factor in (1.06, 0.94)),
    *(View(down=way) for way in (0.7, -0.7)),
    *(View(right=way) for way in (0.7, -0.7)),
)
"""The views of test-time augmentation, in the order in which they are taken."""


def views_from(numbers: object) -> tuple[View, ...]:
    """The views that a model file holds as lists of four numbers.

    Raises:
        ValueError: they are none.
    """
    if not isinstance(numbers, list) or not numbers:
        raise ValueError(f"views are lists of numbers, at least one, but these are {numbers!r}")
    if not all(isinstance(one, list) and len(one) == len(astuple(View())) for one in numbers):
        raise ValueError(f"a view has four numbers, but these are {numbers!r}")
    views = tuple(View(*(float(number) for number in one)) for one in numbers)
    for view in views:
        if not all(map(math.isfinite, astuple(view))) or view.scale <= 0:
            raise ValueError(f"a view cannot be {view}")
    return views


def views_as_json(views: tuple[View, ...]) -> list[list[float]]:
    """As `views_from` takes them."""
    return [list(astuple(view)) for view in views]


def given_views(ways: Sequence[Sequence[float]]) -> tuple[View, ...]:
    """Views by their four numbers each.

    Raises:
        OptionError: they are none.
    """
    try:
        return views_from([list(way) for way in ways])
    except (TypeError, ValueError) as error:
        raise OptionError(f"views must be a number, or lists of rotation, scale, down and right: {error}") from error


def first_views(count: int) -> tuple[View, ...]:
    """So many of `VIEWS`.

    Raises:
        OptionError: there are not so many.
    """
    if not 1 <= count <= len(VIEWS):
        raise OptionError(f"views must be from 1 to {len(VIEWS)}, but is {count}")
    return VIEWS[:count]


def seen(images: NDArray[np.uint8], views: tuple[View, ...]) -> Iterator[NDArray[np.uint8]]:
    """Images (n, h, w) in each view, interpolated once; beyond the edge there is paper."""
    ink = None
    for view in views:
        if view == View():
            yield images
            continue
        ink = images.astype(np.float32) if ink is None else ink
        down, right = (
            np.ascontiguousarray(np.broadcast_to(axis, images.shape)) for axis in origins(view, *images.shape[1:])
        )
        yield np.rint(np.clip(warp(ink, down, right), 0, 255)).astype(np.uint8)


def view_matrix(view: View, shape: tuple[int, int]) -> NDArray[np.float32]:
    """What `seen` does as a matrix, without its rounding: flat images (n, h w) times it are the view, for gradients."""
    pixels = shape[0] * shape[1]
    units = np.eye(pixels, dtype=np.float32).reshape(pixels, *shape)
    down, right = (np.ascontiguousarray(np.broadcast_to(axis, units.shape)) for axis in origins(view, *shape))
    return np.asarray(warp(units, down, right), np.float32).reshape(pixels, pixels)


def origins(view: View, h: int, w: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each pixel of the view comes from."""
    middle = (h - 1) / 2, (w - 1) / 2
    rows, columns = np.mgrid[:h, :w]
    y, x = rows - middle[0] - view.down, columns - middle[1] - view.right
    cos, sin = np.cos(np.radians(view.rotation)), np.sin(np.radians(view.rotation))
    back = (cos * y + sin * x) / view.scale, (cos * x - sin * y) / view.scale
    return (back[0] + middle[0]).astype(np.float32), (back[1] + middle[1]).astype(np.float32)
