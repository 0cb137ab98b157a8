"""How a training by several processes ends: together, and with one message."""

import atexit
import contextlib
from collections.abc import Iterator

from inkgrad.distributed.world import World
from inkgrad.errors import InkgradError, InputError

__all__ = ["end_together"]

GRACE = 3.0  # seconds in which the others may fail in the same way


@contextlib.contextmanager
def end_together(world: World) -> Iterator[World]:
    """Around all that the processes of a world do together, so that none is left waiting for one that has failed.

    Where all fail alike, the error is raised on the first of them and the others end silently, with its exit status.
    Where one fails alone, its error is raised with its name, and all are ended when its process ends; an error that is
    none of the project's bears the name as a note.

    Raises:
        SystemExit: on a rank that has nothing to say, while others have failed.
    """
    try:
        yield world
    except BaseException as error:
        statuses = world.statuses(_status(error), seconds=GRACE)
        world.leave(alone=statuses is not None)
        if statuses is None:
            atexit.register(world.abort, _status(error))  # when all that there is to say has been said
        elif any(statuses[: world.rank]):
            raise SystemExit(_first(statuses)) from None
        if statuses is None or not all(statuses):
            if isinstance(error, InkgradError):
                raise type(error)(f"{world.described()}: {error}") from error
            error.add_note(world.described())
        raise
    statuses = world.statuses(0, seconds=None)
    world.leave()
    if statuses is not None and any(statuses):
        raise SystemExit(_first(statuses))


def _first(statuses: list[int]) -> int:
    return next(status for status in statuses if status)


def _status(error: BaseException) -> int:
    """As the command line has it."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, KeyboardInterrupt):
        return 130
    return 2 if isinstance(error, InputError) else 1
