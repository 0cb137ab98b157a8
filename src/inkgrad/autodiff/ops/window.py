"""Sizes, strides and paddings of windows over images: read, checked, and refused in one sentence."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from inkgrad.errors import OptionError, ShapeError
from inkgrad.kernels.reference.window import Pair, window_count

__all__ = ["Lengths", "Pair", "check_images", "check_window", "pair_of", "pool_window"]

Lengths: TypeAlias = int | Sequence[int]  # one for rows and columns, or one each


def pair_of(owner: str, what: str, value: Any, *, least: int) -> Pair:
    """(rows, columns) of a size, a stride or a padding, each at least `least`.

    >>> pair_of("conv2d", "stride", 2, least=1), pair_of("conv2d", "padding", (0, 1), least=0)
    ((2, 2), (0, 1))
    """
    if isinstance(value, int | np.integer):
        value = (value, value)
    numbers = tuple(value) if isinstance(value, Sequence | np.ndarray) else ()
    if len(numbers) != 2 or not all(isinstance(v, int | np.integer) and v >= least for v in numbers):
        raise OptionError(
            f"{owner} needs a {what} of one or two whole numbers, at least {least}, but got {_plain(value)}"
        )
    return int(numbers[0]), int(numbers[1])


def _plain(value: Any) -> Any:
    """One number for a pair that was made of it."""
    return value[0] if isinstance(value, tuple) and len(value) == 2 and value[0] is value[1] else value


def pool_window(owner: str, size: Lengths, stride: Lengths | None, padding: Lengths) -> tuple[Pair, Pair, Pair]:
    """Size, stride and padding of a pooling window as pairs.

    Raises:
        OptionError: a size or stride below 1, a padding below 0 or above half the size.
    """
    window = pair_of(owner, "size", size, least=1)
    steps = window if stride is None else pair_of(owner, "stride", stride, least=1)
    around = pair_of(owner, "padding", padding, least=0)
    if any(2 * p > s for p, s in zip(around, window, strict=True)):
        raise OptionError(f"{owner} needs a padding of at most half its size {window}, but got {around}")
    return window, steps, around


def check_images(owner: str, shape: tuple[int, ...], channels: int | None = None) -> None:
    """Refuse what is no batch of images (n, c, h, w), c being `channels` where they are given.

    Raises:
        ShapeError: another number of axes or channels; it says how to reshape what looks like images.
    """
    if len(shape) == 4 and channels in (None, shape[1]):
        return
    c = "c" if channels is None else channels
    raise ShapeError(f"{owner} expects (n, {c}, h, w), but got {shape}{_advice(shape, channels or 1)}")


def _advice(shape: tuple[int, ...], channels: int) -> str:
    if len(shape) == 2:
        side = round((shape[1] / channels) ** 0.5)
        if side and channels * side * side == shape[1]:
            return f"; reshape it to ({shape[0]}, {channels}, {side}, {side})"
    if len(shape) == 3 and channels == 1:
        return f"; reshape it to ({shape[0]}, 1, {shape[1]}, {shape[2]})"
    if len(shape) == 4 and shape[3] == channels:
        return "; the channels come before rows and columns"
    return ""


def check_window(owner: str, shape: tuple[int, ...], size: Pair, stride: Pair, padding: Pair) -> Pair:
    """(rows, columns) of the result for images of `shape` (n, c, h, w).

    Raises:
        ShapeError: images without pixels, or the window is larger than the padded image.
    """
    height, width = shape[2], shape[3]
    around = f" with padding {padding[0]}x{padding[1]}" if any(padding) else ""
    if height < 1 or width < 1 or height + 2 * padding[0] < size[0] or width + 2 * padding[1] < size[1]:
        raise ShapeError(
            f"{owner} has a window of {size[0]}x{size[1]}, but got images of {height}x{width}{around}: "
            f"use a smaller window, more padding or larger images"
        )
    rows = window_count(height, size[0], stride[0], padding[0])
    return rows, window_count(width, size[1], stride[1], padding[1])
