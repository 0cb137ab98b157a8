"""Noise that regularizes."""

from typing import Any

import numpy as np

from inkgrad.autodiff.differentiable import Recorded, differentiable
from inkgrad.autodiff.tensor import Array

__all__ = ["dropout"]


@differentiable
def dropout(x: Array, *, mask: Any) -> Recorded:
    """x * mask: the mask holds 0 for dropped units and 1/(1-p) for kept ones (Srivastava et al. 2014)."""
    factor = np.broadcast_to(np.asarray(mask, dtype=x.dtype), x.shape)
    return x * factor, (lambda g: g * factor,)
