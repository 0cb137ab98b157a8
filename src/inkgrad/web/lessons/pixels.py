"""`/api/v1/lessons/convolution`, `shifted` and `readers`: a convolution by hand, and who reads which digits."""

import functools
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from inkgrad.web.bodies import Pixels, Strict, json_of, refused
from inkgrad.web.documents import answer, body, problems
from inkgrad.web.examples import PIXELS
from inkgrad.web.lessons.answering import answered
from inkgrad.web.lessons.arrays import ArrayTold, packed
from inkgrad.web.lessons.numbers import told

__all__ = ["BODIES", "ConvolutionBody", "ShiftedBody", "router"]

router = APIRouter()

Weight = Annotated[
    float,
    Field(ge=-1000, le=1000, allow_inf_nan=False),
    told("a kernel has numbers from -1,000 to 1,000", "take one such as 1"),
]
Kernel = Annotated[list[Annotated[list[Weight], Field(min_length=3, max_length=5)]], Field(min_length=3, max_length=5)]
Shift = Annotated[
    int,
    Field(ge=-28, le=28),
    told("a digit is moved by a whole number of pixels from -28 to 28", "take one such as 2"),
]


class ConvolutionBody(Strict):
    """A digit, a kernel, and where its window stands."""

    pixels: Pixels
    kernel: Annotated[Kernel, Field(description="3 rows of 3 numbers, or 5 of 5.")]
    row: Annotated[int, Field(ge=0, description="Of the window's upper left pixel.")] = 0
    column: Annotated[int, Field(ge=0)] = 0


class ShiftedBody(Strict):
    """A digit, and by how many pixels it is moved."""

    pixels: Pixels
    down: Annotated[Shift, Field(description="Below 0: up.")] = 0
    right: Annotated[Shift, Field(description="Below 0: left.")] = 0


class ConvolutionTold(BaseModel):
    """The map of a kernel, what is left of it after ReLU and pooling, and the sum at one place in full."""

    image: ArrayTold
    maps: ArrayTold
    rectified: ArrayTold
    pooled: ArrayTold
    row: int
    column: int
    window: ArrayTold
    products: ArrayTold
    total: float
    block: ArrayTold
    largest: float


class ShiftedTold(BaseModel):
    """The moved digit, what `lenet5` makes of it in its first layer, and how it is read."""

    image: ArrayTold
    maps: ArrayTold
    pooled: ArrayTold
    logits: list[float]
    probabilities: dict[str, list[float]]
    vote: int


class FiltersTold(BaseModel):
    """The filters of a layer; `columns` of them stand in a row, one for each map that it gives."""

    name: str
    shape: list[int]
    columns: int
    weights: ArrayTold


class NeighborTold(BaseModel):
    """One of the nearest known digits."""

    label: int
    distance: float
    image: ArrayTold


class DisagreementTold(BaseModel):
    """A digit that the network and the vote read differently."""

    sample: int
    label: int
    network: int
    probability: float
    vote: int
    image: ArrayTold
    neighbors: list[NeighborTold]


class ReadersTold(BaseModel):
    """What `lenet5` has learned, how well each reader does, by how far digits are moved, and where two disagree."""

    filters: list[FiltersTold]
    accuracy: dict[str, float]
    shifts: list[int]
    by_shift: dict[str, list[float]]
    disagreements: list[DisagreementTold]


_ARRAY = {"shape": [1, 2], "data": "AACAPwAAAEA="}
_PLACE = {"window": _ARRAY, "products": _ARRAY, "block": _ARRAY}
_WHERE = {"row": 4, "column": 6, "total": 3.0, "largest": 3.0}
_CONVOLVED: dict[str, Any] = {"image": _ARRAY, "maps": _ARRAY, "rectified": _ARRAY, "pooled": _ARRAY} | _PLACE | _WHERE
_SHARES = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]
_MOVED: dict[str, Any] = {"image": _ARRAY, "maps": _ARRAY, "pooled": _ARRAY, "logits": _SHARES}
_MOVED |= {"probabilities": {"lenet5": _SHARES, "two-layer": _SHARES}, "vote": 7}
_DISAGREEMENT = {"sample": 31, "label": 8, "network": 5, "probability": 0.66, "vote": 8, "image": _ARRAY}
_READERS = {
    "filters": [{"name": "layers.0", "shape": [6, 1, 5, 5], "columns": 6, "weights": _ARRAY}],
    "accuracy": {"lenet5": 0.95, "neighbors": 0.96},
    "shifts": [-1, 0, 1],
    "by_shift": {"lenet5": [0.95, 0.95, 0.94]},
    "disagreements": [_DISAGREEMENT | {"neighbors": [{"label": 8, "distance": 2.9, "image": _ARRAY}]}],
}
_EDGE = [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]
_PROBLEMS = problems(400, 408, 413, 415, 422, 503, 504)

BODIES: list[type[BaseModel]] = [ConvolutionBody, ShiftedBody]


@router.post(
    "/convolution",
    summary="Slide a kernel over a digit",
    response_model=ConvolutionTold,
    responses=_PROBLEMS | answer(_CONVOLVED),
    openapi_extra=body(
        {"application/json": (ConvolutionBody, {"pixels": PIXELS, "kernel": _EDGE, "row": 4, "column": 6})}
    ),
)
async def convolution(request: Request) -> JSONResponse:
    """Tell the map that a kernel gives of a digit, and at one place the window, the products and the sum."""
    asked = await json_of(request, ConvolutionBody)
    lengths = [len(row) for row in asked.kernel]
    if lengths not in ([3] * 3, [5] * 5):
        detail = f"a kernel has 3 rows of 3 numbers or 5 rows of 5, but got rows of {', '.join(map(str, lengths))}"
        raise refused("kernel", f"{detail}; send 3 times 3 or 5 times 5 numbers")
    return await answered(request, functools.partial(_convolved, asked), field="row")


@router.get(
    "/readers",
    summary="Compare who reads digits",
    response_model=ReadersTold,
    responses=problems(422, 503, 504) | answer(_READERS),
)
async def readers(request: Request) -> JSONResponse:
    """Tell the filters of a `lenet5`, how shifted digits are read, and where network and neighbours disagree."""
    return await answered(request, _readers, field="", slow=True)


@router.post(
    "/shifted",
    summary="Move a digit, and have it read",
    response_model=ShiftedTold,
    responses=_PROBLEMS | answer(_MOVED),
    openapi_extra=body({"application/json": (ShiftedBody, {"pixels": PIXELS, "right": 2})}),
)
async def shifted(request: Request) -> JSONResponse:
    """Tell how a `lenet5`, a `two-layer` and a vote of the nearest digits read a digit that is moved."""
    asked = await json_of(request, ShiftedBody)
    return await answered(request, functools.partial(_moved, asked), field="pixels", slow=True)


def _image(asked: ConvolutionBody | ShiftedBody) -> Any:
    import numpy as np

    return np.rint(np.asarray(asked.pixels)).astype(np.uint8)


def _convolved(asked: ConvolutionBody) -> dict[str, Any]:
    import numpy as np

    from inkgrad.lessons.pixels import convolve

    found = convolve(_image(asked), np.asarray(asked.kernel, np.float32))
    place = found.place(asked.row, asked.column)
    told = {name: packed(getattr(found, name)) for name in ("image", "maps", "rectified", "pooled")}
    parts = {name: packed(getattr(place, name)) for name in ("window", "products", "block")}
    where = {"row": place.row, "column": place.column, "total": place.total, "largest": place.largest}
    return told | parts | where


def _moved(asked: ShiftedBody) -> dict[str, Any]:
    from inkgrad.lessons.readers import moved

    found = moved(_image(asked), asked.down, asked.right)
    told = {name: packed(getattr(found, name)) for name in ("image", "maps", "pooled")}
    probabilities = {name: shares.tolist() for name, shares in found.probabilities.items()}
    return told | {"logits": found.logits.tolist(), "probabilities": probabilities, "vote": found.vote}


@functools.cache
def _readers() -> dict[str, Any]:
    from inkgrad.lessons.digits import lesson_digits
    from inkgrad.lessons.glimpse import glimpse
    from inkgrad.lessons.readers import SHIFTS, accuracy, accuracy_by_shift, disagreements, trained

    train, test = lesson_digits()
    seen = glimpse(trained(), test.images[0], int(test.labels[0]))
    filters = [
        {"name": layer.name, "shape": layer.shape, "columns": layer.columns, "weights": packed(layer.weights)}
        for layer in seen.layers
        if layer.kind == "Conv2d"
    ]
    told = []
    for one in disagreements():
        known = zip(one.neighbors, one.labels, one.distances, strict=True)
        near = [{"label": n, "distance": d, "image": packed(train.images[i])} for i, n, d in known]
        plain = {name: getattr(one, name) for name in ("sample", "label", "network", "probability", "vote")}
        told.append(plain | {"image": packed(test.images[one.sample]), "neighbors": near})
    compared = {"accuracy": accuracy(), "shifts": SHIFTS, "by_shift": accuracy_by_shift()}
    return {"filters": filters} | compared | {"disagreements": told}
