"""How many threads the matrix products use: set once around a training, never within it."""

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from inkgrad.errors import OptionError

__all__ = ["blas_threads"]


@functools.cache
def _controller() -> Any:
    """One controller of the BLAS libraries of this process: finding them takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def blas_threads() -> Iterator[None]:
    """Limit the BLAS to `INKGRAD_THREADS` threads inside the `with` block; without it leave it as it is."""
    wanted = os.environ.get("INKGRAD_THREADS")
    if not wanted:
        yield
        return
    if not wanted.isdecimal() or int(wanted) < 1:
        raise OptionError(f"INKGRAD_THREADS must be a positive number, but is {wanted!r}")
    with _controller().limit(limits=int(wanted), user_api="blas"):
        yield
