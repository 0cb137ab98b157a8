"""Noise that regularizes."""

from typing import Any, Protocol, runtime_checkable

import numpy as np

from inkgrad import kernels
from inkgrad.autodiff.differentiable import Recorded, differentiable
from inkgrad.autodiff.tensor import Array
from inkgrad.errors import ShapeError

__all__ = ["MaskSource", "dropout"]


@runtime_checkable
class MaskSource(Protocol):
    """What makes a new mask at every call, as the layer `Dropout` does.

    Attributes:
        p: the probability of dropping, in [0, 1).
        whole_channels: whether each channel (n, c, ...) is dropped or kept as one.
    """

    p: float
    whole_channels: bool

    def next_seed(self) -> int:
        """The seed of the next mask, 0..2^63-1."""


@differentiable
def dropout(x: Array, *, mask: Any) -> Recorded:
    """x * mask: the mask holds 0 for dropped units and 1/(1-p) for kept ones (Srivastava et al. 2014).

    Args:
        x: of any shape; (n, c, ...) where whole channels are dropped (Tompson et al. 2015, arXiv 1411.4280).
        mask: an array that broadcasts to the shape of x, or a `MaskSource`: then one seed is drawn from it, and
            `kernels.dropout_mask` makes the mask of it.
    """
    if isinstance(mask, MaskSource):
        mask = _drawn(x.shape, mask)
    factor = np.broadcast_to(np.asarray(mask, dtype=x.dtype), x.shape)
    return x * factor, (lambda g: g * factor,)


def _drawn(shape: tuple[int, ...], source: MaskSource) -> Array:
    if not source.whole_channels:
        return kernels.dropout_mask(source.next_seed(), shape, source.p)
    if len(shape) < 2:
        raise ShapeError(f"dropout of whole channels needs x (n, c, ...), but it has shape {shape}")
    mask = kernels.dropout_mask(source.next_seed(), shape[:2], source.p)
    return mask.reshape(*shape[:2], *(1 for _ in shape[2:]))
