"""`POST /api/v1/classify`: the digit in a picture or in 28x28 pixels."""

import functools
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse

from inkgrad.errors import ImageError
from inkgrad.web.bodies import (
    Pixels,
    Strict,
    decoded,
    json_of,
    media_type,
    picture_of,
    refused,
    uploaded,
    wrong_type,
)
from inkgrad.web.documents import body, problems
from inkgrad.web.state import ServerState, in_time, state_of

if TYPE_CHECKING:
    from inkgrad.models import Classification

__all__ = ["DigitBody", "picture_in", "router"]

router = APIRouter()


class DigitBody(Strict):
    """One digit: its pixels, or a picture file as base64."""

    pixels: Pixels | None = None
    image: str | None = None


class Answer(BaseModel):
    """Which digit it is."""

    value: int | None
    confidence: float
    probabilities: list[float]
    digit_probability: float | None
    reason: Literal["blank", "no_digit"] | None
    model: str
    seen: list[list[int]] | None


_SEVEN = [[255.0 if (row == 6 and 8 <= x < 20) or x in ((19 - (row - 6) // 2), (18 - (row - 6) // 2)) else 0.0
           for x in range(28)] if 6 <= row < 23 else [0.0] * 28 for row in range(28)]  # fmt: skip
_FORM = {
    "type": "object",
    "required": ["image"],
    "additionalProperties": False,
    "properties": {"image": {"type": "string", "contentMediaType": "application/octet-stream", "format": "binary"}},
}


@router.post(
    "/classify",
    summary="Say which digit a picture shows",
    response_model=Answer,
    responses=problems(400, 408, 413, 415, 422, 501, 503, 504),
    openapi_extra=body({"application/json": (DigitBody, {"pixels": _SEVEN}), "multipart/form-data": (_FORM, None)}),
)
async def classify(
    request: Request,
    model: Annotated[str | None, Query(description="One of the models; the default one if none is named.")] = None,
    seen: Annotated[bool, Query(description="Whether to send what the network saw, too.")] = False,
) -> JSONResponse:
    """Take a picture of one digit in any size and color, or 28x28 pixels, and tell the digit.

    `value` is null where no digit is: `reason` then tells whether there is no ink or no digit.
    """
    state = state_of(request)
    name = known_model(state, model)
    picture = await picture_in(request, state)
    try:
        answer = await in_time(state.networks.classify(name, picture), state.settings.limits.seconds)
    except ImageError as error:
        raise refused("image", str(error)) from error
    return JSONResponse(_told(answer, name, seen))


def known_model(state: ServerState, name: str | None) -> str:
    """The name of a network.

    Raises:
        Problem: there is none of that name.
    """
    if name is None:
        return state.networks.default
    if name not in state.networks.names:
        raise refused("model", f"there is no model {name!r}; there are {', '.join(state.networks.names)}")
    return name


async def picture_in(request: Request, state: ServerState) -> Any:
    """The pixels of the picture in a request, as `to_digit` takes them.

    Raises:
        Problem: there is none, or it cannot be used.
    """
    if media_type(request) == "multipart/form-data":
        content, others = await uploaded(request)
        if others:
            raise refused(next(iter(others)), f"there is no field {next(iter(others))!r}; send image alone")
    elif media_type(request) == "application/json":
        given = await json_of(request, DigitBody)
        return await pixels_of(given.pixels, given.image, state)
    else:
        raise wrong_type(request, "application/json", "multipart/form-data")
    return await _decoded(content, state)


async def pixels_of(pixels: Any, image: str | None, state: ServerState) -> Any:
    """The one of both that was sent, as an array.

    Raises:
        Problem: both came, or neither, or it cannot be used.
    """
    import numpy as np

    if (pixels is None) == (image is None):
        raise refused("pixels", "send either pixels, 28 rows of 28 numbers, or image, a picture file as base64")
    return np.asarray(pixels, np.float32) if image is None else await _decoded(decoded(image), state)


async def _decoded(content: bytes, state: ServerState) -> Any:
    limits = state.settings.limits
    work = functools.partial(picture_of, content, limits.pixels)
    try:
        return await in_time(state.decoding.run(state.decoder, work), limits.seconds)
    except ImageError as error:
        raise refused("image", str(error)) from error


def _told(answer: "Classification", name: str, seen: bool) -> dict[str, Any]:
    reason = None
    if answer.value is None:
        reason = "blank" if answer.image is None else "no_digit"
    return {
        "value": answer.value,
        "confidence": round(answer.confidence, 6),
        "probabilities": [round(p, 6) for p in answer.probabilities.tolist()],
        "digit_probability": None if answer.digit_probability is None else round(answer.digit_probability, 6),
        "reason": reason,
        "model": name,
        "seen": answer.image.tolist() if seen and answer.image is not None else None,
    }
