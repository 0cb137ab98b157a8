"""A limit to waiting for other processes: one that hangs must not hang all for ever."""

import os
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

__all__ = ["Patience"]

LOOK_UP_SECONDS = 0.5


class Patience:
    """Around each wait for others; when one lasts too long, a thread says so and ends the process.

    The thread that waits is inside MPI and hears nothing, so nothing else than an end of the process helps.

    Args:
        seconds: how long a wait may last.
        who: whose wait it is.
        leave: called before the end.

    Attributes:
        note: what is said beside it.
    """

    def __init__(self, seconds: float, who: str, leave: Callable[[], None]) -> None:
        self.note = ""
        self._seconds, self._who, self._leave = seconds, who, leave
        self._since: float | None = None
        threading.Thread(target=self._watch, name="inkgrad-patience", daemon=True).start()

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._since = None

    def _watch(self) -> None:
        while True:
            time.sleep(min(LOOK_UP_SECONDS, self._seconds / 4))
            since = self._since
            if since is not None and time.monotonic() - since > self._seconds:
                break
        self._leave()
        note = f"; {self.note}" if self.note else ""
        sys.stderr.write(
            f"inkgrad: {self._who} has waited {self._seconds:g} s for the others, of which one hangs or has ended; the "
            f"training ends{note}\n"
        )
        sys.stderr.flush()
        os._exit(1)
