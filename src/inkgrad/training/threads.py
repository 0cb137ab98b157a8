"""How many threads the matrix products use: set once around a training, never within it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from inkgrad.kernels.threads import chosen_threads

__all__ = ["blas_threads"]

WORTH_SHARING = 30_000_000


class _Limit:
    """One limit for the whole process, as the BLAS has one: the first training sets it, the last one restores it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._limiter: Any = None

    def enter(self, threads: int) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                from threadpoolctl import ThreadpoolController

                self._limiter = ThreadpoolController().limit(limits=threads, user_api="blas")

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._limiter.restore_original_limits()


_limit = _Limit()


@contextmanager
def blas_threads(largest_product: int) -> Iterator[None]:
    """Choose the BLAS's threads for the matrix products inside the `with` block, and restore them after it.

    `use_threads` or `INKGRAD_THREADS` decides where one is set. Otherwise small products run on one thread: handing
    parts of them to others costs more than it saves, and far more where other programs want the cores too.

    Args:
        largest_product: multiplications in the largest matrix product of a step, n * in * out.
    """
    wanted = chosen_threads()
    if wanted is None and largest_product >= WORTH_SHARING:
        yield
        return
    _limit.enter(wanted or 1)
    try:
        yield
    finally:
        _limit.leave()
