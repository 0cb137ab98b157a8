"""What the routes of one server share."""

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.requests import Request

from inkgrad.web.batching import Room
from inkgrad.web.networks import Networks
from inkgrad.web.page_reading import ReadingProcess
from inkgrad.web.settings import WebSettings
from inkgrad.web.trainings import Trainings

if TYPE_CHECKING:
    from inkgrad.feedback import Store
    from inkgrad.models import Classifier

__all__ = ["ServerState", "state_of"]

CLASSIFY = "/api/v1/classify"

_log = logging.getLogger("inkgrad.web")


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
        self.reading_process = ReadingProcess()
        self.ending = threading.Event()
        self.looking = Room(settings.limits.documents)
        self.looker = ThreadPoolExecutor(1, "inkgrad-looking")
        self.learning = Room(settings.limits.documents)
        self.learner = ThreadPoolExecutor(1, "inkgrad-learning")
        self.trainings = Trainings(settings.limits.trainings)
        self.storing = Room(settings.limits.waiting)
        self.storer = ThreadPoolExecutor(2, "inkgrad-storing")
        self.store_away = False
        self.store = None if settings.database is None else _opened(settings.database, settings.limits.kept_bytes)

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
            self.ending.set()
            warming.cancel()
            self.networks.close()
            self.trainings.close()
            # Nothing is waited for: each request has its answer, so that what is still being done nobody waits for.
            for pool in (self.decoder, self.loader, self.reader, self.looker, self.learner, self.storer):
                pool.shutdown(wait=False, cancel_futures=True)
            self.reading_process.close()
            if self.store is not None:
                self.store.close()

    async def _warm_up(self) -> None:
        try:
            await self._get_ready()
        except Exception:  # the first requests try again, and tell what is wrong
            _log.exception("the server could not get ready")

    async def _get_ready(self) -> None:
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


def _opened(database: str, most_bytes: int) -> "Store":
    from inkgrad.feedback import Store

    return Store(database, most_bytes=most_bytes)


def state_of(request: Request) -> ServerState:
    """What the routes share."""
    state: ServerState = request.app.state.inkgrad
    return state
