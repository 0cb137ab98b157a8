"""Work that waits its turn: what waits at the same time is done together, and no more waits than there is room for."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

__all__ = ["Batcher", "FullError", "Room"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class FullError(Exception):
    """There is no room for more work to wait."""


class Batcher(Generic[Item, Result]):
    """Gathers what comes while the work before it is done, and does it in one call.

    A network answers many images in little more time than one. A lone item never waits for others.

    Args:
        work: does some items at once; called in the executor, one call at a time.
        executor: where it is called.
        most_waiting: items that may wait, beside those that are being done.
        most_together: items of one call.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> async def squares():
    ...     with ThreadPoolExecutor(1) as pool:
    ...         square = Batcher(lambda some: [x * x for x in some], pool, most_waiting=10, most_together=4)
    ...         return await asyncio.gather(*(square(x) for x in range(6)))
    >>> asyncio.run(squares())
    [0, 1, 4, 9, 16, 25]
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        executor: Executor,
        *,
        most_waiting: int,
        most_together: int,
    ) -> None:
        self._work, self._executor = work, executor
        self._most_waiting, self._most_together = most_waiting, most_together
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._running: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many items wait."""
        return len(self._waiting)

    async def __call__(self, item: Item) -> Result:
        """The result of one item; an exception in its place is raised.

        Raises:
            FullError: too many are waiting.
        """
        if len(self._waiting) >= self._most_waiting:
            raise FullError
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                some = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most_together))]
                some = [(item, future) for item, future in some if not future.done()]  # who asked may have gone
                if not some:
                    continue
                try:
                    results = await loop.run_in_executor(self._executor, self._work, [item for item, _ in some])
                    answered = list(zip(some, results, strict=True))
                except Exception as error:
                    answered = [(one, error) for one in some]
                for (_, future), result in answered:
                    _settle(future, result)
        finally:
            self._running = None


def _settle(future: "asyncio.Future[Result]", result: Result | Exception) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


class Room:
    """Room for so many pieces of work at a time, those that wait included.

    Args:
        most: pieces of work.
    """

    def __init__(self, most: int) -> None:
        self._places = threading.Semaphore(most)

    async def run(self, executor: Executor, work: Callable[[], Result]) -> Result:
        """What `work` returns, which the executor calls.

        Who is cancelled while it waits gives its place back, and its work is not begun; work that has begun keeps its
        place until it ends.

        Raises:
            FullError: there is no room.
        """
        if not self._places.acquire(blocking=False):
            raise FullError
        future = executor.submit(work)
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)
