"""`/api/v1/lessons/digits` and `layers`: the two-layer network unrolled on one real digit."""

import functools
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from inkgrad.web.bodies import Strict, json_of, refused
from inkgrad.web.documents import answer, body, problems
from inkgrad.web.lessons.answering import answered
from inkgrad.web.lessons.arrays import ArrayTold, packed

__all__ = ["BODIES", "LayersBody", "router"]

router = APIRouter()


class LayersBody(Strict):
    """Which digit, and which weights."""

    sample: Annotated[int, Field(ge=0, description="A digit of the test part of the bundled digits.")] = 0
    weights: Literal["fresh", "trained"] = "trained"
    updates: Annotated[int, Field(ge=0, le=50, description="Steps of gradient descent on this digit before.")] = 0


class SampleTold(BaseModel):
    """A digit to choose."""

    sample: int
    label: int
    image: ArrayTold


class DigitsTold(BaseModel):
    """One digit of each kind, and how many there are in all."""

    samples: list[SampleTold]
    count: int


class StageTold(BaseModel):
    """One array, its gradient, and the formulas of both."""

    name: str
    forward: str
    backward: str
    value: ArrayTold
    gradient: ArrayTold


class LayersTold(BaseModel):
    """Every array of the network, in the order of computing; `backward` names them in that of their gradients."""

    label: int
    prediction: int
    probability: float
    stages: list[StageTold]
    backward: list[str]


_ARRAY = {"shape": [1, 2], "data": "AACAPwAAAEA="}
_STAGE = {"name": "x", "forward": "", "backward": "∂L/∂x = ∂L/∂a1 · W1", "value": _ARRAY, "gradient": _ARRAY}
_LAYERS = {"label": 3, "prediction": 3, "probability": 0.98, "stages": [_STAGE], "backward": ["loss", "x"]}
_DIGITS = {"samples": [{"sample": 8, "label": 0, "image": _ARRAY}], "count": 360}

BODIES: list[type[BaseModel]] = [LayersBody]


@router.get(
    "/digits",
    summary="Show digits to choose from",
    response_model=DigitsTold,
    responses=problems(422, 503, 504) | answer(_DIGITS),
)
async def digits(request: Request) -> JSONResponse:
    """Tell the first digit of each kind in the test part of the bundled digits."""
    return await answered(request, _digits, field="")


@router.post(
    "/layers",
    summary="Walk through the two-layer network",
    response_model=LayersTold,
    responses=problems(400, 408, 413, 415, 422, 503, 504) | answer(_LAYERS),
    openapi_extra=body({"application/json": (LayersBody, {"sample": 3, "weights": "trained"})}),
)
async def layers(request: Request) -> JSONResponse:
    """Tell every array of the two-layer network on one digit, and the gradient of the loss by each."""
    asked = await json_of(request, LayersBody)
    return await answered(request, functools.partial(_told, asked), field="sample")


def _digits() -> dict[str, Any]:
    from inkgrad.lessons.digits import lesson_digits

    _, test = lesson_digits()
    first = {label: index for index, label in reversed(list(enumerate(test.labels.tolist())))}
    samples = [
        {"sample": index, "label": label, "image": packed(test.images[index])} for label, index in sorted(first.items())
    ]
    return {"samples": samples, "count": len(test)}


def _told(asked: LayersBody) -> dict[str, Any]:
    from inkgrad.lessons.digits import lesson_digits, two_layer
    from inkgrad.lessons.unrolled import BACKWARD, descended, unroll

    _, test = lesson_digits()
    if asked.sample >= len(test):
        raise refused("sample", f"there are {len(test)} digits, counted from 0, but sample is {asked.sample}")
    image, label = test.images[asked.sample], int(test.labels[asked.sample])
    found = unroll(descended(two_layer(asked.weights), image, label, asked.updates), image, label)
    stages = [
        {"name": stage.name, "forward": stage.forward, "backward": stage.backward}
        | {"value": packed(stage.value), "gradient": packed(stage.gradient)}
        for stage in found.stages
    ]
    return {
        "label": label,
        "prediction": found.prediction,
        "probability": found.probability,
        "stages": stages,
        "backward": BACKWARD,
    }
