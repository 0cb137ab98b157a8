"""A convolution by hand: a small kernel slides over a digit, and of each place there are window, products and sum."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import ops
from inkgrad.autodiff.tensor import Tensor
from inkgrad.data import SIDE
from inkgrad.errors import OptionError, ShapeError
from inkgrad.kernels import use_backend

__all__ = ["POOL", "Convolved", "Place", "convolve", "shifted"]

POOL = 2
"""Rows and columns of a block of which pooling keeps the largest number."""


@dataclass(frozen=True, eq=False)
class Place:
    """One place of the window.

    Attributes:
        row, column: of the window's upper left pixel, and of the number in the map.
        window: (k, k), the pixels under the kernel.
        products: (k, k), each pixel times the number of the kernel above it.
        total: their sum, as the engine's convolution has it.
        block: (2, 2), the numbers after ReLU of the block of pooling that this number belongs to; fewer at an edge.
        largest: what pooling keeps of them.
    """

    row: int
    column: int
    window: NDArray[np.float32]
    products: NDArray[np.float32]
    total: float
    block: NDArray[np.float32]
    largest: float


@dataclass(frozen=True, eq=False)
class Convolved:
    """A digit after convolution, ReLU and pooling.

    Attributes:
        image: (28, 28), pixels / 255.
        kernel: (k, k).
        maps: (29 - k, 29 - k), the sum at each place.
        rectified: the same where it is above 0, else 0.
        pooled: the largest of each 2x2 of these.
    """

    image: NDArray[np.float32]
    kernel: NDArray[np.float32]
    maps: NDArray[np.float32]
    rectified: NDArray[np.float32]
    pooled: NDArray[np.float32]

    def place(self, row: int, column: int) -> Place:
        """The window at a place.

        Raises:
            OptionError: the window would leave the image.
        """
        size, last = len(self.kernel), len(self.maps) - 1
        if not (0 <= row <= last and 0 <= column <= last):
            raise OptionError(f"the window stands at rows and columns 0 to {last}, but not at {row}, {column}")
        window = self.image[row : row + size, column : column + size]
        above, beside = row // POOL, column // POOL
        block = self.rectified[POOL * above : POOL * above + POOL, POOL * beside : POOL * beside + POOL]
        largest = float(self.pooled[above, beside])
        return Place(row, column, window, window * self.kernel, float(self.maps[row, column]), block, largest)


def convolve(image: NDArray[np.uint8], kernel: NDArray[np.float32]) -> Convolved:
    """Slide a kernel over a digit by the engine's `conv2d`, then `relu` and `max_pool2d`.

    y[r, s] = sum over i, j of w[i, j] x[r + i, s + j]: the kernel is not flipped, as in every network library.
    Source: LeCun et al., Backpropagation applied to handwritten zip code recognition (1989).

    Args:
        image: uint8 (28, 28).
        kernel: float32 (k, k), k = 3 or 5.

    Raises:
        ShapeError: an image or kernel of another shape.

    >>> image = np.zeros((28, 28), np.uint8)
    >>> image[:, 14:] = 255
    >>> found = convolve(image, np.array([[-1, 0, 1]] * 3, np.float32))  # an upright edge
    >>> found.maps.shape, found.pooled.shape, found.maps[0, 11:16].tolist()
    ((26, 26), (13, 13), [0.0, 3.0, 3.0, 0.0, 0.0])
    >>> found.place(0, 12).products.tolist()
    [[-0.0, 0.0, 1.0], [-0.0, 0.0, 1.0], [-0.0, 0.0, 1.0]]
    """
    if image.shape != (SIDE, SIDE) or kernel.shape not in ((3, 3), (5, 5)):
        raise ShapeError(
            f"the lesson slides a kernel of 3x3 or 5x5 over an image of 28x28, but got {kernel.shape} and {image.shape}"
        )
    x = image.astype(np.float32) / np.float32(255)
    with use_backend("reference"):
        maps = ops.conv2d(Tensor(x[None, None]), Tensor(kernel[None, None].astype(np.float32)))
        rectified = ops.relu(maps)
        pooled = ops.max_pool2d(rectified, size=POOL)
    return Convolved(x, kernel, maps.data[0, 0], rectified.data[0, 0], pooled.data[0, 0])


def shifted(images: NDArray[np.uint8], down: int, right: int) -> NDArray[np.uint8]:
    """Images (..., 28, 28) moved by whole pixels; what leaves is lost, and paper comes in.

    >>> shifted(np.array([[1, 2], [3, 4]], np.uint8), 1, 0).tolist()
    [[0, 0], [1, 2]]
    """
    moved = np.zeros_like(images)
    tall, wide = images.shape[-2:]
    to = (..., slice(max(down, 0), tall + min(down, 0)), slice(max(right, 0), wide + min(right, 0)))
    of = (..., slice(max(-down, 0), tall - max(down, 0)), slice(max(-right, 0), wide - max(right, 0)))
    moved[to] = images[of]
    return moved
