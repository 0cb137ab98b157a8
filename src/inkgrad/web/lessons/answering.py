"""How a lesson's question is answered: in its own thread, and what cannot be computed is told."""

import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from inkgrad.errors import InkgradError, RunError
from inkgrad.web.batching import Room
from inkgrad.web.bodies import refused
from inkgrad.web.state import state_of

__all__ = ["answered"]


async def answered(
    request: Request, work: Callable[[], dict[str, Any]], *, field: str, inputs: str | None = None, slow: bool = False
) -> JSONResponse:
    """What `work` returns.

    Args:
        request: the question.
        work: called in the thread of the lessons.
        field: which part of the question is to blame where it cannot be used.
        inputs: and which where its numbers lead to what is not finite; by default the same.
        slow: it may take seconds, so that it goes into the thread of those who look inside networks.

    Raises:
        Problem: it cannot be answered.
    """
    state = state_of(request)
    try:
        room, thread = (state.looking, state.looker) if slow else (state.learning, state.learner)
        found = await _in_turns(room, thread, work)
    except RunError as error:
        raise refused(inputs or field, str(error)) from error
    except InkgradError as error:
        raise refused(field, str(error)) from error
    return JSONResponse(found)


async def _in_turns(room: Room, thread: Executor, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `work` returns. A training that it has to go through first takes a turn for each piece of it.

    When the browser goes, the piece at work is the last one.
    """
    from inkgrad.lessons.courses import UnreachedError, one_piece_a_turn

    def turn() -> dict[str, Any]:
        with one_piece_a_turn():
            return work()

    while True:
        with contextlib.suppress(UnreachedError):
            return await room.run(thread, turn)
