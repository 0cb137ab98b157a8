"""How many threads work: chosen in Python, by INKGRAD_THREADS, or one for each core."""

import os

from inkgrad.errors import OptionError

__all__ = ["chosen_threads", "thread_count", "use_threads"]

MOST = 256
_chosen: list[int | None] = [None]


def use_threads(n: int | None) -> None:
    """Let training and prediction run on `n` threads from now on; None asks INKGRAD_THREADS again, or counts cores.

    Results depend on the number of threads by the rounding of float32 sums only, and are the same bit for bit for
    the same number.

    Raises:
        OptionError: n is below 1 or above 256.

    >>> use_threads(1)
    >>> thread_count()
    1
    >>> use_threads(None)
    """
    if n is not None and (not isinstance(n, int) or not 1 <= n <= MOST):
        raise OptionError(f"use_threads needs a number from 1 to {MOST}, or None, but got {n!r}")
    _chosen[0] = n


def chosen_threads() -> int | None:
    """What `use_threads` or INKGRAD_THREADS says, None if neither does.

    Raises:
        OptionError: INKGRAD_THREADS is no number from 1 to 256.
    """
    if _chosen[0] is not None:
        return _chosen[0]
    wanted = os.environ.get("INKGRAD_THREADS")
    if not wanted:
        return None
    if not wanted.isdecimal() or not 1 <= int(wanted) <= MOST:
        raise OptionError(f"INKGRAD_THREADS must be a number from 1 to {MOST}, but is {wanted!r}")
    return int(wanted)


def thread_count() -> int:
    """How many threads plans run on: what was chosen, else one for each core that this process may use.

    No more than NUMBA_NUM_THREADS, by which joblib tells its workers how many each may have.
    """
    chosen = chosen_threads()
    if chosen is not None:
        return chosen
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        cores = os.cpu_count() or 1
    most = os.environ.get("NUMBA_NUM_THREADS", "")
    return min(cores, int(most)) if most.isdecimal() and int(most) else cores
