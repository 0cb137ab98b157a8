"""How many threads the matrix products use: set once around a training, never within it."""

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from inkgrad.errors import OptionError

__all__ = ["blas_threads"]

WORTH_SHARING = 30_000_000


@functools.cache
def _controller() -> Any:
    """One controller of the BLAS libraries of this process: finding them takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def blas_threads(largest_product: int) -> Iterator[None]:
    """Choose the BLAS's threads for the matrix products inside the `with` block, and restore them after it.

    `INKGRAD_THREADS` decides where it is set. Otherwise small products run on one thread: handing parts of them
    to others costs more than it saves, and far more where other programs want the cores too.

    Args:
        largest_product: multiplications in the largest matrix product of a step, n * in * out.
    """
    wanted = os.environ.get("INKGRAD_THREADS")
    if wanted and (not wanted.isdecimal() or int(wanted) < 1):
        raise OptionError(f"INKGRAD_THREADS must be a positive number, but is {wanted!r}")
    if not wanted and largest_product >= WORTH_SHARING:
        yield
        return
    with _controller().limit(limits=int(wanted or 1), user_api="blas"):
        yield
