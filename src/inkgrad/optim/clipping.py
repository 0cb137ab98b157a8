"""Limits on the gradient, applied to the flat buffer before an update."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import OptionError

__all__ = ["Clip", "ClipByGlobalNorm", "ClipByValue"]


class Clip(Protocol):
    """Changes a flat gradient in place."""

    def __call__(self, gradient: NDArray[Any]) -> None:
        """Limit `gradient` (n,) in place."""
        ...


class ClipByValue:
    """Every component within -limit..limit.

    >>> g = np.array([0.5, -3.0])
    >>> ClipByValue(1.0)(g)
    >>> g
    array([ 0.5, -1. ])
    """

    def __init__(self, limit: float) -> None:
        if not limit > 0:
            raise OptionError(f"ClipByValue needs a positive limit, but got {limit}")
        self.limit = limit

    def __call__(self, gradient: NDArray[Any]) -> None:
        """Limit `gradient` (n,) in place."""
        np.clip(gradient, -self.limit, self.limit, out=gradient)


class ClipByGlobalNorm:
    """The whole gradient scaled down where its norm exceeds the limit (Pascanu et al. 2013, arXiv 1211.5063).

    >>> g = np.array([3.0, 4.0])
    >>> ClipByGlobalNorm(1.0)(g)
    >>> g
    array([0.6, 0.8])
    """

    def __init__(self, limit: float) -> None:
        if not limit > 0:
            raise OptionError(f"ClipByGlobalNorm needs a positive limit, but got {limit}")
        self.limit = limit

    def __call__(self, gradient: NDArray[Any]) -> None:
        """Limit `gradient` (n,) in place."""
        largest = float(np.abs(gradient).max(initial=0.0))
        if largest == 0:
            return
        # Relative to the largest component, so that squares do not overflow.
        norm = largest * float(np.linalg.norm(gradient / gradient.dtype.type(largest)))
        if norm > self.limit:
            gradient *= gradient.dtype.type(self.limit / norm)
