"""What a training needs of the processes that train one network together."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from inkgrad.errors import InkgradError, RunError

__all__ = ["Group", "by_first"]

T = TypeVar("T")


class Group(Protocol):
    """Processes that train one network together, each a rank from 0 on; rank 0 alone writes files.

    Every method but `described` is called by all of them, as often and in the same order, and returns when all have
    called it. Whoever has a way to pass messages can be a group.

    Attributes:
        rank: the number of this process.
        size: how many there are.
    """

    rank: int
    size: int

    def add(self, array: NDArray[Any]) -> None:
        """Sum a contiguous array of floats over all ranks in place: each has the same bits afterwards."""
        ...

    def first(self, value: Any) -> Any:
        """What rank 0 gave."""
        ...

    def all(self, value: Any) -> list[Any]:
        """What each rank gave, in their order."""
        ...

    def described(self) -> str:
        """This rank in words, such as "rank 1 of 4 on node7"."""
        ...


def by_first(group: Group | None, act: Callable[[], T]) -> T:
    """What `act` gives on rank 0, which alone calls it; where it fails, it fails for all.

    The result must be something that can be pickled.
    """
    if group is None:
        return act()
    result: T | None = None
    error: Exception | None = None
    if group.rank == 0:
        try:
            result = act()
        except Exception as failed:
            error = failed
    told, failure = group.first((result, error and as_message(error)))
    if group.rank == 0 and error is not None:
        raise error
    if failure is not None:
        raise failure
    value: T = told
    return value


def as_message(error: Exception) -> Exception:
    """An error that another process can be told."""
    if isinstance(error, InkgradError):
        return type(error)(str(error))
    return RunError(f"{type(error).__name__}: {error}")
