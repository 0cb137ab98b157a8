"""Trainings that pages watch: how many there are at once, who watches which, and when one is over."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from inkgrad.web.batching import FullError

if TYPE_CHECKING:
    from inkgrad.lessons.live_settings import LiveSettings

__all__ = ["BEAT_SECONDS", "Trainings", "Watched", "Watcher"]

BEAT_SECONDS = 4.0
"""After which each page that watches is asked whether it is there."""

PATIENCE_SECONDS = 15.0
"""After which one that has not answered is taken for gone: a browser that vanishes closes no connection."""

_log = logging.getLogger("inkgrad.web")


class Watcher:
    """A page that watches, for as long as it is heard of.

    Args:
        lost: called when it is not heard of any more.

    Attributes:
        number: its name.
    """

    def __init__(self, number: int, lost: Callable[["Watcher"], None]) -> None:
        self.number, self._lost = number, lost
        self.hear()

    def hear(self) -> None:
        """It is there."""
        self._late = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._lost, self)

    def again(self) -> None:
        """It is still there."""
        self._late.cancel()
        self.hear()

    def close(self) -> None:
        """It has gone by itself."""
        self._late.cancel()


class Watched:
    """A training, and the pages that watch it.

    Args:
        settings: what to train.
        pace: steps a second at most.
        idle_seconds: that it may wait without a change.

    Attributes:
        name: by which pages ask for it; nobody guesses it.
        live: the training.
        watchers: by number.
    """

    def __init__(self, settings: "LiveSettings", pace: float, idle_seconds: float) -> None:
        from inkgrad.lessons.live import LiveTraining

        self.name = secrets.token_urlsafe(12)
        self.watchers: dict[int, Watcher] = {}
        self.live = LiveTraining(settings, pace=pace, attended=self._attended, idle_seconds=idle_seconds)
        self.work: Future[None] | None = None
        self._numbers = 0

    @property
    def over(self) -> bool:
        """Whether it makes no step any more."""
        return self.work is not None and self.work.done()

    @property
    def ending(self) -> bool:
        """Whether it is over, or will be in a moment: nothing can be changed any more."""
        return self.over or bool(self.live.current.reason)

    def _attended(self) -> bool:
        return bool(self.watchers)

    def join(self, lost: Callable[[], None], most: int) -> Watcher:
        """A further page watches.

        Args:
            lost: called when the page is not heard of any more.
            most: pages.

        Raises:
            FullError: there are as many.
        """
        if len(self.watchers) >= most:
            raise FullError

        def gone(watcher: Watcher) -> None:
            self.leave(watcher)
            lost()

        self._numbers += 1
        watcher = self.watchers[self._numbers] = Watcher(self._numbers, gone)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """A page watches no more."""
        watcher.close()
        self.watchers.pop(watcher.number, None)


class Trainings:
    """All of them, each in a thread of its own.

    Args:
        most: at once.

    Attributes:
        closed: whether the server ends.
    """

    def __init__(self, most: int) -> None:
        self.most, self.closed = most, False
        self._found: dict[str, Watched] = {}
        self._pool = ThreadPoolExecutor(most, "inkgrad-training")

    @property
    def running(self) -> int:
        """How many there are that are not ending."""
        return sum(not one.ending for one in self._found.values())

    def begin(self, training: Watched, instead: tuple[Watched, Watcher] | None = None) -> None:
        """Let one begin, as soon as someone watches it.

        Args:
            training: the new one.
            instead: which page leaves which training for it; that one ends if no other page watches it.

        Raises:
            FullError: there are as many as there may be; the page watches the other one as before.
        """
        self._found = {name: one for name, one in self._found.items() if one.watchers or not one.over}
        alone = instead is not None and not instead[0].ending and list(instead[0].watchers.values()) == [instead[1]]
        if self.running - alone >= self.most or self.closed:
            raise FullError
        if instead is not None:
            instead[0].leave(instead[1])
            if alone:
                instead[0].live.end()
        self._found[training.name] = training
        training.work = self._pool.submit(training.live.run)
        training.work.add_done_callback(_tell)

    def get(self, name: str) -> Watched | None:
        """The training of a name; None if there is none, or it is over and nobody watches."""
        found = self._found.get(name)
        return None if found is None or (found.over and not found.watchers) else found

    def close(self) -> None:
        """Let all come to their end, and no other begin."""
        self.closed = True
        for training in self._found.values():
            training.live.end("closed")
        self._pool.shutdown(wait=False, cancel_futures=True)


def _tell(work: "Future[None]") -> None:
    error = None if work.cancelled() else work.exception()
    if error is not None:
        _log.error("a training failed", exc_info=error)
