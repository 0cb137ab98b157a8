"""`POST /api/v1/feedback`: corrections and reviews."""

import functools
import importlib.util
import io
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from inkgrad.errors import ImageError, StorageError
from inkgrad.feedback import Entry
from inkgrad.web.bodies import Pixels, Strict, decoded, json_of, picture_of, refused
from inkgrad.web.documents import body, problems
from inkgrad.web.problems import Problem, missing_extra
from inkgrad.web.state import ServerState, in_time, state_of

__all__ = ["FeedbackBody", "router"]

router = APIRouter()

_MOST_BYTES = 1 << 20  # of a picture that is kept: a digit or a number, not a page

Digits = Annotated[str, Field(pattern=r"^[0-9]{1,64}$")]
Said = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]


class FeedbackBody(Strict):
    """What someone says of a picture, which comes as pixels or as a file in base64."""

    pixels: Pixels | None = None
    image: str | None = None
    correct: Digits | None = Field(description="The digits that it shows; null: there is no digit.")
    read: Said | None = None
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    source: Literal["draw", "read", "api"] = "api"
    model: Said | None = None
    key: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")] | None = Field(
        default=None, description="The sender's name for it: what is sent again with the same key is kept once."
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
        **problems(400, 408, 413, 415, 422, 501, 503, 504),
    },
    openapi_extra=body(
        {"application/json": (FeedbackBody, {"image": "iVBORw0KGgo=", "correct": "7", "read": "1", "source": "api"})}
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
    work = functools.partial(state.store.add, entry)
    try:
        kept = await in_time(state.storing.run(state.storer, work), state.settings.limits.seconds)
    except StorageError as error:
        detail = "the database cannot be written; nothing is kept: send it again, best with a key"
        raise Problem(503, "database-away", detail, headers={"Retry-After": "1"}) from error
    told = {"id": kept.id, "created": f"{kept.created.isoformat(timespec='milliseconds')}Z"}
    return JSONResponse(told, status_code=201 if kept.new else 200)


async def _picture(given: FeedbackBody, state: ServerState) -> bytes:
    """The file to keep, of which it is sure that it can be decoded."""
    if (given.pixels is None) == (given.image is None):
        raise refused("pixels", "send either pixels, 28 rows of 28 numbers, or image, a picture file as base64")
    if given.image is None:
        return _png(given.pixels)
    content = decoded(given.image)
    if len(content) > _MOST_BYTES:
        raise Problem(413, "too-large", f"a picture that is kept may have {_MOST_BYTES:,} bytes; send the digits alone")
    work = functools.partial(picture_of, content, state.settings.limits.pixels)
    try:
        await in_time(state.decoding.run(state.decoder, work), state.settings.limits.seconds)
    except ImageError as error:
        raise refused("image", str(error)) from error
    return content


def _png(pixels: Any) -> bytes:
    import numpy as np
    from PIL import Image

    from inkgrad.data import decode

    file = io.BytesIO()
    Image.fromarray(decode(np.asarray(pixels, np.float32))).save(file, "PNG")
    return file.getvalue()
