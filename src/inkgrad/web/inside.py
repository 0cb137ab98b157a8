"""`POST /api/v1/inside`: what a network makes of a digit, and why it answers as it does."""

import functools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from inkgrad.errors import ImageError, OptionError
from inkgrad.web.bodies import PictureBody, json_of, refused
from inkgrad.web.classifying import known_model
from inkgrad.web.documents import answer, body, problems
from inkgrad.web.examples import PICTURE_BASE64, PIXELS
from inkgrad.web.networks import form_of
from inkgrad.web.pictures import digit_of
from inkgrad.web.routes import api_router
from inkgrad.web.state import state_of

if TYPE_CHECKING:
    from inkgrad.models import Classifier

__all__ = ["InsideBody", "router"]

router = api_router()

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


def _once(parts: list[Part]) -> list[Part]:
    if len(set(parts)) < len(parts):
        raise ValueError("each part can be asked for once")
    return parts


Parts = Annotated[
    list[Part],
    Field(max_length=len(get_args(Part)), json_schema_extra={"uniqueItems": True}),
    AfterValidator(_once),
]


class InsideBody(PictureBody):
    """One digit, and what is wanted of the network that looks at it."""

    target: Annotated[int, Field(ge=0, le=9)] | None = Field(
        default=None, description="The digit that the smallest change shall lead to; null: the nearest."
    )
    parts: Parts | None = Field(default=None, description="What is wanted; null: everything.")


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


@router.post(
    "/inside",
    summary="Look inside a network",
    response_model=Inside,
    responses=problems(400, 408, 413, 415, 422, 501, 503, 504)
    | answer(
        {
            "value": 7,
            "refused": False,
            "probabilities": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
            "seen": PIXELS,
            "grad_cam": {"shape": [1, 2, 2], "low": 0.0, "high": 0.8, "data": "AECA/w=="},
        }
    ),
    openapi_extra=body({"application/json": (InsideBody, {"image": PICTURE_BASE64, "parts": ["grad_cam"]})}),
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
    digit = await digit_of(given, state)

    def goes_on() -> bool:
        return not state.ending.is_set() and time.monotonic() < request.state.until

    work = functools.partial(_look, state.networks.classifier, name, digit, given, goes_on)
    try:
        found = await state.looking.run(state.looker, work)
    except OptionError as error:
        raise refused("target", str(error)) from error
    except ImageError as error:
        raise refused("image", str(error)) from error
    return JSONResponse(found)


def _look(classifier: Any, name: str, digit: Any, given: InsideBody, goes_on: Callable[[], bool]) -> dict[str, Any]:
    """One part after the other, as long as the answer is waited for: a thread cannot be ended from without."""
    from inkgrad.explain import PARTS, look_inside

    network: Classifier = classifier(name)
    image = form_of(digit)
    if image is None:
        raise ImageError("there is no ink in the picture; draw a digit")
    found = look_inside(network, image, given.target, parts=[])
    for part in PARTS if given.parts is None else given.parts:
        if not goes_on():
            break  # nobody hears what was found
        found |= look_inside(network, image, given.target, parts=[part])
    return found
