"""What the routes of one server share."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from starlette.requests import Request

from inkgrad.web.batching import FullError, Room
from inkgrad.web.networks import Networks
from inkgrad.web.page_reading import ReadingProcess
from inkgrad.web.problems import Problem, busy
from inkgrad.web.settings import WebSettings

if TYPE_CHECKING:
    from inkgrad.feedback import Store
    from inkgrad.models import Classifier

__all__ = ["ServerState", "in_time", "state_of"]

Result = TypeVar("Result")
CLASSIFY = "/api/v1/classify"


class ServerState:
    """The networks, and the threads beside theirs.

    Args:
        settings: of the server.
        given: the classifier that was named, and its name.

    Raises:
        OptionError: the database cannot be used as it was named.
        StorageError: it cannot be reached.
    """

    def __init__(self, settings: WebSettings, given: "tuple[str, Classifier] | None") -> None:
        self.settings = settings
        self.networks = Networks(given, settings.limits.waiting)
        self.decoding = Room(settings.limits.waiting)
        self.decoder = ThreadPoolExecutor(1, "inkgrad-decoding")
        self.loader = ThreadPoolExecutor(1, "inkgrad-loading")
        self.reading = Room(settings.limits.documents)
        self.reader = ThreadPoolExecutor(1, "inkgrad-reading")
        self.reading_process = ReadingProcess(settings.limits.seconds)
        self.looking = Room(settings.limits.documents)
        self.looker = ThreadPoolExecutor(1, "inkgrad-looking")
        self.learning = Room(settings.limits.documents)
        self.learner = ThreadPoolExecutor(1, "inkgrad-learning")
        self.storing = Room(settings.limits.waiting)
        self.storer = ThreadPoolExecutor(2, "inkgrad-storing")
        self.store = None if settings.database is None else _opened(settings.database)

    def full(self, path: str) -> bool:
        """Whether what is asked for at a path would find no room."""
        return path == CLASSIFY and self.networks.full

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Get ready beside the first requests, and end what was begun."""
        warming = asyncio.create_task(self._warm_up())
        try:
            yield
        finally:
            warming.cancel()
            self.networks.close()
            for pool in (self.decoder, self.loader, self.reader, self.looker, self.learner):
                pool.shutdown(wait=False, cancel_futures=True)
            self.reading_process.close()
            self.storer.shutdown()  # nothing that is being written is given up
            if self.store is not None:
                self.store.close()

    async def _warm_up(self) -> None:
        """One after the other, so that the first requests find a core that is free."""
        from inkgrad.kernels import load_backend

        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self.networks.thread, self.networks.answer_once)
        await loop.run_in_executor(self.loader, load_backend)
        await loop.run_in_executor(self.networks.thread, self.networks.answer_once)
        # What is there now stays: looked through again and again for garbage it would hold up every hundredth request.
        gc.collect()
        gc.freeze()
        await loop.run_in_executor(self.reader, self.reading_process.warm_up)


def _opened(database: str) -> "Store":
    from inkgrad.feedback import Store

    return Store(database)


def state_of(request: Request) -> ServerState:
    """What the routes share."""
    state: ServerState = request.app.state.inkgrad
    return state


async def in_time(work: Awaitable[Result], seconds: float) -> Result:
    """The result of some work that waits its turn.

    Raises:
        Problem: there is no room, or it took too long.
    """
    try:
        async with asyncio.timeout(seconds):
            return await work
    except FullError:
        raise busy("as much is waiting as the server takes; try again in a second") from None
    except TimeoutError:
        raise Problem(504, "timeout", f"it took longer than {seconds:g} seconds; send something smaller") from None
