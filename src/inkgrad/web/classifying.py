"""`POST /api/v1/classify`: the digit in a picture or in 28x28 pixels."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse

from inkgrad.web.bodies import PictureBody, refused
from inkgrad.web.documents import answer, body, problems
from inkgrad.web.examples import PICTURE, PIXELS
from inkgrad.web.pictures import digit_in
from inkgrad.web.routes import api_router
from inkgrad.web.state import ServerState, state_of

if TYPE_CHECKING:
    from inkgrad.models import Classification

__all__ = ["DigitBody", "known_model", "router"]

router = api_router()


class DigitBody(PictureBody):
    """One digit: its pixels, or a picture file as base64."""


class Answer(BaseModel):
    """Which digit it is."""

    value: int | None
    confidence: float
    probabilities: list[float]
    digit_probability: float | None
    reason: Literal["blank", "no_digit"] | None
    model: str
    seen: list[list[int]] | None


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
    responses=problems(400, 408, 413, 415, 422, 501, 503, 504)
    | answer(
        {
            "value": 7,
            "confidence": 0.999944,
            "probabilities": [2e-06, 8e-06, 7e-06, 9e-06, 5e-06, 6e-06, 1e-06, 0.999944, 5e-06, 1.3e-05],
            "digit_probability": 0.999975,
            "reason": None,
            "model": "digits",
            "seen": None,
        }
    ),
    openapi_extra=body(
        {"application/json": (DigitBody, {"pixels": PIXELS}), "multipart/form-data": (_FORM, {"image": PICTURE})}
    ),
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
    found = await state.networks.classify(name, await digit_in(request, state, DigitBody))
    return JSONResponse(_told(found, name, seen))


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
