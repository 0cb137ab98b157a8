"""Windows that slide over any number of axes, with ONNX's ways of padding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkgrad.autodiff import Array
from inkgrad.errors import ShapeError
from inkgrad.export.operators.registry import Attributes

__all__ = ["Window"]

_MOST = 1 << 20  # of any number of a window


@dataclass(frozen=True)
class Window:
    """A window for images of given lengths.

    Attributes:
        size, strides, dilations: of each axis.
        pads: what surrounds the image, (before, after) each; after it as much as the last window needs.
        said: the padding as it was given, which counts in means.
        lengths: of the image.
        counts: how many windows there are along each axis.
    """

    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    said: tuple[tuple[int, int], ...]
    lengths: tuple[int, ...]
    counts: tuple[int, ...]

    @property
    def spans(self) -> tuple[int, ...]:
        """From the first to the last element of a window, along each axis."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.size, self.dilations, strict=True))

    @property
    def symmetric(self) -> bool:
        """Whether there is as much padding before as after, along each axis."""
        return all(before == after for before, after in self.pads)

    @classmethod
    def of(cls, a: Attributes, lengths: Sequence[int], size: Sequence[int]) -> "Window":
        """The window that a node describes.

        Raises:
            ShapeError: numbers that make no window, or one that does not fit.
        """
        axes = len(lengths)
        strides, dilations = (a.integers(name, [1] * axes) for name in ("strides", "dilations"))
        pads = a.integers("pads", [0] * (2 * axes))
        numbers = (*size, *strides, *dilations)
        if not len(size) == len(strides) == len(dilations) == axes or len(pads) != 2 * axes:
            raise ShapeError(f"its window is not over the {axes} axes of {tuple(lengths)}")
        if not 1 <= min(numbers) <= max(numbers) < _MOST or not 0 <= min(pads) <= max(pads) < _MOST:
            raise ShapeError(
                f"its window of {list(size)}, strides {strides}, dilations {dilations}, pads {pads} is none"
            )
        pairs = [(pads[i], pads[i + axes]) for i in range(axes)]
        way, up = a.text("auto_pad", "NOTSET"), bool(a.integer("ceil_mode", 0))
        if way not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
            raise ShapeError(f"its auto_pad {way!r} is not known")
        made = [
            _axis(n, (k - 1) * d + 1, s, (0, 0) if way == "VALID" else pair, way if way.startswith("SAME") else "", up)
            for n, k, s, d, pair in zip(lengths, size, strides, dilations, pairs, strict=True)
        ]
        if any(count < 1 for count, _, _ in made):
            raise ShapeError(f"its window of {list(size)} is larger than the padded images of {tuple(lengths)}")
        counts, after, said = zip(*made, strict=True)
        return cls(tuple(size), tuple(strides), tuple(dilations), after, said, tuple(lengths), counts)

    def places(self, axis: int) -> Array:
        """The place in the image of each element of each window, (count, size); negative or beyond it in padding."""
        starts = np.arange(self.counts[axis]) * self.strides[axis] - self.pads[axis][0]
        return np.asarray(starts[:, None] + np.arange(self.size[axis]) * self.dilations[axis])

    def cover(self, *, padding: bool) -> Array:
        """How many elements of each window lie in the image, or in its padding as well: the shape of `counts`."""
        total = np.ones((1,) * len(self.counts))
        for axis, n in enumerate(self.lengths):
            before, after = self.said[axis] if padding else (0, 0)
            places = self.places(axis)
            inside = ((places >= -before) & (places < n + after)).sum(axis=1)
            shape = [1] * len(self.counts)
            shape[axis] = -1
            total = total * np.maximum(inside, 1).reshape(shape)
        return np.asarray(total)


def _axis(
    n: int, span: int, stride: int, pair: tuple[int, int], same: str, up: bool
) -> tuple[int, tuple[int, int], tuple[int, int]]:
    """How many windows there are along an axis, the padding that they need, and the padding that was asked for."""
    before, after = pair
    if same:
        count = -(-n // stride)
        needed = max((count - 1) * stride + span - n, 0)
        less = needed // 2
        before, after = (less, needed - less) if same == "SAME_UPPER" else (needed - less, less)
        return count, (before, after), (before, after)
    room = n + before + after - span
    count = (-(-room // stride) if up else room // stride) + 1 if room >= 0 or up else 0
    if up and (count - 1) * stride >= n + before:  # the last window would begin behind the image
        count -= 1
    needed = (count - 1) * stride + span - n - before
    return count, (before, max(after, needed) if up else after), (before, after)
