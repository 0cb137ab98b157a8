"""Dropout of units and of whole channels."""

import numpy as np

from inkgrad import kernels
from inkgrad.autodiff import Array, Tensor, TensorLike, as_array, ops
from inkgrad.autodiff.ops.window import check_images
from inkgrad.errors import OptionError
from inkgrad.nn.module import Module

__all__ = ["Dropout", "Dropout2d"]


class Dropout(Module):
    """In training each unit is zero with probability p, the others are scaled by 1/(1-p); else nothing happens.

    Srivastava et al. 2014. The generator is part of a training's state and saved in its checkpoints. Each batch draws
    one number from it, the seed of `kernels.dropout_mask`, so that the mask does not depend on how work is divided.

    Args:
        p: in [0, 1).
        rng: draws the seeds.

    >>> from inkgrad.random import default_rng
    >>> layer = Dropout(0.5, rng=default_rng(0))
    >>> float(layer.eval()([1.0, 1.0]).data.sum())
    2.0
    """

    whole_channels = False

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator) -> None:
        if not 0 <= p < 1:
            raise OptionError(f"{type(self).__name__} needs a probability in [0, 1), but got {p}")
        self.p = p
        self.rng = rng

    def next_seed(self) -> int:
        """Draw the seed of the next mask, 0..2^63-1."""
        return int(self.rng.integers(2**63))

    def mask(self, shape: tuple[int, ...]) -> Array:
        """A new mask: 0 with probability p, else 1/(1-p); float32 of the given shape."""
        return kernels.dropout_mask(self.next_seed(), shape, self.p)

    def forward(self, x: TensorLike) -> Tensor:
        """x of any shape -> the same shape."""
        if not self.training or self.p == 0:
            return x if isinstance(x, Tensor) else Tensor(x)
        return ops.dropout(x, mask=self)


class Dropout2d(Dropout):
    """In training each channel of each image is zero with probability p, the others are scaled by 1/(1-p).

    For images, whose neighboring pixels say much the same (Tompson et al. 2015, arXiv 1411.4280).

    Args:
        p: in [0, 1).
        rng: draws the seeds.
    """

    whole_channels = True

    def forward(self, x: TensorLike) -> Tensor:
        """x (n, c, h, w) -> the same shape."""
        check_images(self._title, x.shape if isinstance(x, Tensor) else as_array(x).shape)
        return super().forward(x)
