"""`POST /api/v1/feedback`: corrections and reviews."""

import functools
import importlib.util
import io
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from inkgrad.errors import StorageError
from inkgrad.feedback import Entry, FullStoreError, Kept, KeyTakenError
from inkgrad.web.bodies import PictureBody, json_of
from inkgrad.web.documents import answer, body, problems
from inkgrad.web.examples import PICTURE_BASE64
from inkgrad.web.pictures import see_that_it_is_one
from inkgrad.web.problems import Problem, missing_extra
from inkgrad.web.routes import api_router
from inkgrad.web.state import ServerState, state_of

__all__ = ["FeedbackBody", "router"]

router = api_router()

_log = logging.getLogger("inkgrad.web")
_MOST_BYTES = 1 << 20  # of a picture that is kept: a digit or a number, not a page

Digits = Annotated[str, Field(pattern=r"^[0-9]{1,64}$")]
Said = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]


class FeedbackBody(PictureBody):
    """What someone says of a picture, which comes as pixels or as a file in base64."""

    correct: Digits | None = Field(description="The digits that it shows; null: there is no digit.")
    read: Said | None = None
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    source: Literal["draw", "read", "api"] = "api"
    model: Said | None = None
    key: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")] | None = Field(
        default=None,
        description="Its name, such as an UUID: another for each correction, whoever sends it. What is sent again with "
        "its key is kept once.",
    )


class Acknowledged(BaseModel):
    """It is kept."""

    id: int
    created: datetime


@router.post(
    "/feedback",
    summary="Correct or confirm what was read",
    status_code=201,
    response_model=Acknowledged,
    responses={
        200: {"model": Acknowledged, "description": "It was kept before, under the same key."},
        **answer({"id": 1, "created": "2026-01-02T03:04:05.678Z"}, 201),
        **problems(400, 408, 409, 413, 415, 422, 501, 503, 504, 507),
    },
    openapi_extra=body(
        {"application/json": (FeedbackBody, {"image": PICTURE_BASE64, "correct": "7", "read": "1", "key": "4f0c"})}
    ),
)
async def feedback(request: Request) -> JSONResponse:
    """Keep a correction, or a review that agrees. The answer comes when it is written, for good.

    Uploads are kept only here, and only by a server that was started with --feedback.
    """
    state = state_of(request)
    if any(importlib.util.find_spec(name) is None for name in ("sqlalchemy", "alembic")):
        raise missing_extra("feedback", "keeping corrections")
    if state.store is None:
        detail = "this server keeps no corrections; start it with: inkgrad serve --feedback"
        raise Problem(403, "feedback-off", detail)
    given = await json_of(request, FeedbackBody)
    entry = Entry(
        image=await _picture(given, state),
        correct=given.correct,
        source=given.source,
        said=given.read,
        confidence=given.confidence,
        model=given.model,
        key=given.key,
    )
    kept = await _kept(state, functools.partial(state.store.add, entry))
    told = {"id": kept.id, "created": f"{kept.created.isoformat(timespec='milliseconds')}Z"}
    return JSONResponse(told, status_code=201 if kept.new else 200)


async def _kept(state: ServerState, work: Callable[[], Kept]) -> Kept:
    """Keep it; what the database does is logged when it changes."""
    try:
        kept = await state.storing.run(state.storer, work)
    except KeyTakenError as error:
        raise Problem(409, "key-taken", str(error)) from error
    except FullStoreError as error:
        raise Problem(507, "feedback-full", "this server has no room for more corrections; tell who runs it") from error
    except StorageError as error:
        if not state.store_away:
            _log.error("corrections are not kept: %s", error)
        state.store_away = True
        detail = "the database does not answer, so that it is not known to be kept: send it again, best with a key"
        raise Problem(503, "database-away", detail, headers={"Retry-After": "1"}) from error
    if state.store_away:
        _log.warning("corrections are kept again")
    state.store_away = False
    return kept


async def _picture(given: FeedbackBody, state: ServerState) -> bytes:
    """The file to keep, of which it is sure that it can be decoded."""
    content = given.file()
    if content is None:
        return _png(given.pixels)
    if len(content) > _MOST_BYTES:
        raise Problem(413, "too-large", f"a picture that is kept may have {_MOST_BYTES:,} bytes; send the digits alone")
    await see_that_it_is_one(content, state)
    return content


def _png(pixels: Any) -> bytes:
    import numpy as np
    from PIL import Image

    from inkgrad.data import decode

    file = io.BytesIO()
    Image.fromarray(decode(np.asarray(pixels, np.float32))).save(file, "PNG")
    return file.getvalue()
