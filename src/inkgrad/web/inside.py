"""`POST /api/v1/inside`: what a network makes of a digit, and why it answers as it does."""

import functools
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from inkgrad.errors import ImageError, OptionError
from inkgrad.web.bodies import Pixels, Strict, json_of, refused
from inkgrad.web.classifying import known_model, pixels_of
from inkgrad.web.documents import body, problems
from inkgrad.web.state import in_time, state_of

if TYPE_CHECKING:
    from inkgrad.models import Classifier

__all__ = ["InsideBody", "router"]

router = APIRouter()

Part = Literal[
    "layers",
    "filters",
    "winner",
    "gradient",
    "integrated_gradients",
    "grad_cam",
    "occlusion",
    "smallest_change",
]


class InsideBody(Strict):
    """One digit, and what is wanted of the network that looks at it."""

    pixels: Pixels | None = None
    image: str | None = None
    target: Annotated[int, Field(ge=0, le=9)] | None = Field(
        default=None, description="The digit that the smallest change shall lead to; null: the nearest."
    )
    parts: list[Part] | None = Field(default=None, description="What is wanted; null: everything.")


class Maps(BaseModel):
    """Arrays (n, h, w) as base64 of a byte a number, 0 for `low` to 255 for `high`."""

    shape: list[int]
    low: float
    high: float
    data: str


class Layer(BaseModel):
    """What a layer gives; of a convolution's filters, a map for each pair of channels."""

    name: str
    kind: str
    maps: Maps
    columns: int | None = None


class Winner(BaseModel):
    """The last layer's weights for the answer, the features that they meet, and what each adds."""

    value: int
    bias: float
    logit: float
    weights: Maps
    features: Maps
    shares: Maps


class SmallestChange(BaseModel):
    """A change of the ink after which the network answers another digit."""

    value: int
    size: float
    image: Maps
    difference: Maps


class Inside(BaseModel):
    """What was asked for; the rest is left out."""

    value: int
    refused: bool
    probabilities: list[float]
    seen: list[list[int]]
    layers: list[Layer] | None = None
    filters: list[Layer] | None = None
    winner: Winner | None = None
    gradient: Maps | None = None
    integrated_gradients: Maps | None = None
    grad_cam: Maps | None = None
    occlusion: Maps | None = None
    smallest_change: SmallestChange | None = None


_ONE = [[255.0 if 5 <= row < 23 and 13 <= x < 16 else 0.0 for x in range(28)] for row in range(28)]


@router.post(
    "/inside",
    summary="Look inside a network",
    response_model=Inside,
    responses=problems(400, 408, 413, 415, 422, 503, 504),
    openapi_extra=body({"application/json": (InsideBody, {"pixels": _ONE, "parts": ["layers", "grad_cam"]})}),
)
async def inside(
    request: Request,
    model: Annotated[str | None, Query(description="One of the models; the default one if none is named.")] = None,
) -> JSONResponse:
    """Tell what each layer makes of a digit, its filters, which ink speaks for the answer, and what would change it.

    A part that this network does not have is null, and so is a change that was not found.
    """
    state = state_of(request)
    name = known_model(state, model)
    given = await json_of(request, InsideBody)
    picture = await pixels_of(given.pixels, given.image, state)
    work = functools.partial(_look, state.networks.classifier, name, picture, given.target, given.parts)
    try:
        found = await in_time(state.looking.run(state.looker, work), state.settings.limits.seconds)
    except OptionError as error:
        raise refused("target", str(error)) from error
    except ImageError as error:
        raise refused("image", str(error)) from error
    return JSONResponse(found)


def _look(classifier: Any, name: str, picture: Any, target: int | None, parts: Any) -> dict[str, Any]:
    from inkgrad.data import to_digit
    from inkgrad.explain import look_inside

    network: Classifier = classifier(name)
    image = to_digit(picture)
    if image is None:
        raise ImageError("there is no ink in the picture; draw a digit")
    return look_inside(network, image, target, parts=parts)
