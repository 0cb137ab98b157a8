"""Dropout."""

import numpy as np

from inkgrad.autodiff import Array, Tensor, TensorLike, as_array, ops
from inkgrad.errors import OptionError
from inkgrad.nn.module import Module

__all__ = ["Dropout"]


class Dropout(Module):
    """In training each unit is zero with probability p, the others are scaled by 1/(1-p); else nothing happens.

    Srivastava et al. 2014. The generator is part of a training's state and saved in its checkpoints.

    >>> from inkgrad.random import default_rng
    >>> layer = Dropout(0.5, rng=default_rng(0))
    >>> float(layer.eval()([1.0, 1.0]).data.sum())
    2.0
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator) -> None:
        if not 0 <= p < 1:
            raise OptionError(f"Dropout needs a probability in [0, 1), but got {p}")
        self.p = p
        self.rng = rng

    def mask(self, shape: tuple[int, ...]) -> Array:
        """A new mask: 0 with probability p, else 1/(1-p); float32 of the given shape."""
        kept = self.rng.random(shape, dtype=np.float32) >= self.p
        return kept * np.float32(1 / (1 - self.p))

    def forward(self, x: TensorLike) -> Tensor:
        """x of any shape -> the same shape."""
        if not self.training or self.p == 0:
            return x if isinstance(x, Tensor) else Tensor(x)
        shape = x.shape if isinstance(x, Tensor) else as_array(x).shape
        return ops.dropout(x, mask=self.mask(shape))
