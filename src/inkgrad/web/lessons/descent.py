"""`/api/v1/lessons/surfaces`, `descend`, `batches` and `convergence`: gradient descent."""

import dataclasses
import functools
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from inkgrad.web.bodies import Strict, json_of, refused
from inkgrad.web.documents import answer, body, problems
from inkgrad.web.lessons.answering import answered
from inkgrad.web.lessons.numbers import LearningRate, told

__all__ = ["BODIES", "BatchesBody", "ConvergenceBody", "DescendBody", "router"]

router = APIRouter()

Place = Annotated[
    float, Field(allow_inf_nan=False), told("a descent begins at a finite number", "type one inside the picture")
]
Optimizer = Literal["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"]
Rates = dict[str, tuple[float, float, float]]


class DescendBody(Strict):
    """Where to descend, and how."""

    surface: Literal["bowl", "ravine", "saddle", "rosenbrock"]
    optimizer: Optimizer
    rate: LearningRate
    x: Place | None = Field(default=None, description="Where to begin; by default the surface's own start.")
    y: Place | None = None
    steps: Annotated[int, Field(ge=1, le=500)] | None = None


class BatchesBody(Strict):
    """Which training on digits, and which part of it."""

    batch: Literal["full", "mini", "single"]
    optimizer: Optimizer
    rate: LearningRate
    part: Annotated[int, Field(ge=1, le=50)] = 1


class ConvergenceBody(Strict):
    """Which theorem, and for which condition number."""

    theorem: Literal["convex", "strongly-convex", "momentum", "stochastic"]
    condition: Literal[10, 100, 1000] = 100


class ContourTold(BaseModel):
    """Where a surface has one height."""

    level: float
    lines: list[list[tuple[float, float]]]


class SurfaceTold(BaseModel):
    """A surface: its formula, the part to look at (left, right, bottom, top), and learning rates for each optimizer."""

    name: str
    formula: str
    box: tuple[float, float, float, float]
    start: tuple[float, float]
    minima: list[tuple[float, float]]
    least: float
    steps: int
    rates: Rates
    contours: list[ContourTold]


class SurfacesTold(BaseModel):
    """All of them; `batches` has the learning rates on digits: too small, right, too large."""

    surfaces: list[SurfaceTold]
    batches: dict[str, Rates]


class PlaceTold(BaseModel):
    """Where a descent is."""

    x: float
    y: float
    loss: float
    gradient: tuple[float, float]


class DescentTold(BaseModel):
    """A path: its places; when it arrived or diverged; how many times its first height it leapt, if 10 or more."""

    rate: float
    places: list[PlaceTold]
    arrived: int | None
    diverged: int | None
    leapt: float | None


class PartTold(BaseModel):
    """What 100 images more have brought: the loss of all digits at each look, and the accuracy on others."""

    images: list[int]
    updates: list[int]
    losses: list[float]
    accuracy: float
    diverged: int | None
    parts: int


class RateTold(BaseModel):
    """A descent: f - f* at each step, and its bound in theory."""

    name: Literal["gd", "polyak", "nesterov", "decreasing", "constant"]
    measured: list[float]
    theory: list[float] | None


class ConvergenceTold(BaseModel):
    """The descents of one theorem."""

    steps: list[int]
    rates: list[RateTold]


BODIES: list[type[BaseModel]] = [DescendBody, BatchesBody, ConvergenceBody]
_PROBLEMS = problems(400, 408, 413, 415, 422, 503, 504)
_RATES = {"sgd": (0.01, 0.3, 2.2)}
_SURFACE = {"name": "bowl", "formula": "x²/2 + y²/2", "box": (-6, 6, -3, 3), "start": (-5, 2), "minima": [(0, 0)]} | {
    "least": 0,
    "steps": 80,
    "rates": _RATES,
    "contours": [{"level": 0.1, "lines": [[(0.1, 0.4), (0.2, 0.4)]]}],
}
_PLACE = {"x": -5.0, "y": 2.0, "loss": 14.5, "gradient": (-5.0, 2.0)}
_DESCENT = {"rate": 0.3, "places": [_PLACE], "arrived": 10}
_DESCEND = {"surface": "bowl", "optimizer": "sgd", "rate": 0.3}
_PART = {"images": [0, 50], "updates": [0, 2], "losses": [2.303, 2.29], "accuracy": 0.3, "parts": 50}
_BATCHES = {"batch": "mini", "optimizer": "sgd", "rate": 0.2, "part": 1}
_CONVERGENCE = {"steps": [1, 2], "rates": [{"name": "gd", "measured": [0.023, 0.02], "theory": [0.5, 0.25]}]}


@router.get(
    "/surfaces",
    summary="List the surfaces to descend on",
    response_model=SurfacesTold,
    responses=problems(422, 503, 504) | answer({"surfaces": [_SURFACE], "batches": {"mini": _RATES}}),
)
async def surfaces(request: Request) -> JSONResponse:
    """Tell each surface with its contours, and learning rates that are too small, right and too large."""
    return await answered(request, _surfaces, field="")


@router.post(
    "/descend",
    summary="Descend on a surface",
    response_model=DescentTold,
    responses=_PROBLEMS | answer(_DESCENT),
    openapi_extra=body({"application/json": (DescendBody, _DESCEND)}),
)
async def descend(request: Request) -> JSONResponse:
    """Walk down a surface with one of the package's optimizers, in float64, and tell every step.

    A descent that diverges is no problem: it ends at the step that `diverged` tells.
    """
    asked = await json_of(request, DescendBody)
    return await answered(request, functools.partial(_descended, asked), field="rate")


@router.post(
    "/batches",
    summary="Train on digits, a part at a time",
    response_model=PartTold,
    responses=_PROBLEMS | answer(_PART),
    openapi_extra=body({"application/json": (BatchesBody, _BATCHES)}),
)
async def batches(request: Request) -> JSONResponse:
    """Train the two-layer network on 500 bundled digits, with all, some or one behind each update.

    A training is the same on every call, so that its parts can be asked for one after the other.
    """
    asked = await json_of(request, BatchesBody)
    return await answered(request, functools.partial(_trained, asked), field="part")


@router.post(
    "/convergence",
    summary="Hold descents against theory",
    response_model=ConvergenceTold,
    responses=_PROBLEMS | answer(_CONVERGENCE),
    openapi_extra=body({"application/json": (ConvergenceBody, {"theorem": "convex"})}),
)
async def convergence(request: Request) -> JSONResponse:
    """Tell how fast descents on a quadratic valley converge, beside the bound that is proven."""
    asked = await json_of(request, ConvergenceBody)
    return await answered(request, functools.partial(_converged, asked), field="theorem")


@functools.cache
def _surfaces() -> dict[str, Any]:
    from inkgrad.lessons.batches import RATES
    from inkgrad.lessons.surfaces import SURFACES

    kept = ("name", "formula", "box", "start", "minima", "least", "steps", "rates")
    told = [
        {name: getattr(one, name) for name in kept} | {"contours": [dataclasses.asdict(c) for c in one.contours()]}
        for one in SURFACES.values()
    ]
    return {"surfaces": told, "batches": RATES}


def _descended(asked: DescendBody) -> dict[str, Any]:
    from inkgrad.lessons.descent import OutsideError
    from inkgrad.lessons.descent import descend as walk
    from inkgrad.lessons.surfaces import surface

    where = surface(asked.surface)
    x, y = where.start
    start = (x if asked.x is None else asked.x, y if asked.y is None else asked.y)
    try:
        return dataclasses.asdict(walk(where, asked.optimizer, asked.rate, start=start, steps=asked.steps))
    except OutsideError as error:
        raise refused(error.axis, str(error)) from error


def _trained(asked: BatchesBody) -> dict[str, Any]:
    from inkgrad.lessons.batches import PARTS, part

    return dataclasses.asdict(part(asked.batch, asked.optimizer, asked.rate, asked.part)) | {"parts": PARTS}


def _converged(asked: ConvergenceBody) -> dict[str, Any]:
    from inkgrad.lessons.convergence import convergence as compare

    return dataclasses.asdict(compare(asked.theorem, asked.condition))
