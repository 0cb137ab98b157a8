"""Where the pixels of a convolution lie in memory, as tables of offsets in floats."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.plan.planner import Value
from inkgrad.plan.rules.pooling import pair
from inkgrad.plan.trace import Unplannable

__all__ = ["Frame", "Geometry"]

Table = NDArray[np.int64]


@dataclass(frozen=True)
class Geometry:
    """Sizes of a convolution of one image, in pixels; images lie as (h, w, c)."""

    channels: int
    height: int
    width: int
    outputs: int
    window: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]

    @staticmethod
    def of(x: Value, weight: Any, options: dict[str, Any]) -> "Geometry":
        """That of a recorded operation on `x`."""
        if len(x.shape) != 3:
            raise Unplannable("a convolution of something that is no image")
        outputs, channels, kh, kw = weight.shape
        stride, padding = pair(options.get("stride", 1)), pair(options.get("padding", 0))
        return Geometry(channels, x.shape[1], x.shape[2], outputs, (kh, kw), stride, padding)

    @property
    def tall(self) -> int:
        """Rows of the padded input."""
        return self.height + 2 * self.padding[0]

    @property
    def wide(self) -> int:
        """Columns of the padded input."""
        return self.width + 2 * self.padding[1]

    @property
    def out(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        (kh, kw), (sy, sx) = self.window, self.stride
        return (self.tall - kh) // sy + 1, (self.wide - kw) // sx + 1

    @property
    def terms(self) -> int:
        """Products in one number of the output."""
        return self.window[0] * self.window[1] * self.channels

    def origins(self) -> Table:
        """Where the window of each output begins in the padded input."""
        y, x = np.mgrid[: self.out[0], : self.out[1]]
        table: Table = ((y * self.stride[0] * self.wide + x * self.stride[1]) * self.channels).reshape(-1)
        return table

    def offsets(self) -> Table:
        """Where the elements of a window lie behind its beginning."""
        y, x, c = np.mgrid[: self.window[0], : self.window[1], : self.channels]
        table: Table = ((y * self.wide + x) * self.channels + c).reshape(-1)
        return table


@dataclass(frozen=True)
class Frame:
    """Where the gradient of a convolution's output lies among zeros, so that windows over it never leave it."""

    tall: int
    wide: int
    top: int
    left: int
    stride: tuple[int, int]

    @staticmethod
    def of(geometry: Geometry, with_input_gradient: bool) -> "Frame":
        """As large as the gradient of the input needs it; else just the output."""
        (kh, kw), (py, px) = geometry.window, geometry.padding
        if not with_input_gradient:
            return Frame(*geometry.out, 0, 0, (1, 1))
        if py >= kh or px >= kw:
            raise Unplannable("a convolution's padding is as large as its window")
        tall, wide = geometry.height + kh - 1, geometry.width + kw - 1
        stride = (1, 1) if (tall, wide) == geometry.out else geometry.stride
        return Frame(tall, wide, kh - 1 - py, kw - 1 - px, stride)

    def places(self, geometry: Geometry) -> Table:
        """Where the gradient of each output lies."""
        i, j = np.mgrid[: geometry.out[0], : geometry.out[1]]
        rows, columns = self.top + i * self.stride[0], self.left + j * self.stride[1]
        table: Table = ((rows * self.wide + columns) * geometry.outputs).reshape(-1)
        return table

    def origins(self, geometry: Geometry) -> Table:
        """Where the window over the gradients begins for each pixel of the input."""
        y, x = np.mgrid[: geometry.height, : geometry.width]
        table: Table = ((y * self.wide + x) * geometry.outputs).reshape(-1)
        return table

    def offsets(self, geometry: Geometry) -> Table:
        """Where the elements of such a window lie behind its beginning."""
        i, j, k = np.mgrid[: geometry.window[0], : geometry.window[1], : geometry.outputs]
        table: Table = ((i * self.wide + j) * geometry.outputs + k).reshape(-1)
        return table
