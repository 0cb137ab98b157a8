"""`/api/v1/lessons/troubles`, `deep` and `starts`: what goes wrong in a training, and what helps."""

import dataclasses
import functools
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from inkgrad.web.bodies import Strict, json_of
from inkgrad.web.documents import answer, body, problems
from inkgrad.web.lessons.answering import answered
from inkgrad.web.lessons.numbers import LearningRate, told

__all__ = ["BODIES", "DeepBody", "StartsBody", "router"]

router = APIRouter()


class SwitchesBody(Strict):
    """A network of hidden layers of 32 units, and how it is trained."""

    depth: Annotated[
        int,
        Field(ge=2, le=8, description="Hidden layers."),
        told("the number of hidden layers must be a whole number from 2 to 8", "take one such as 4"),
    ] = 8
    activation: Literal["sigmoid", "tanh", "relu"] = "sigmoid"
    start: Literal["zero", "equal", "small", "large", "xavier", "he"] = "xavier"
    batch_norm: bool = False
    residual: bool = False
    dropout: bool = False
    weight_decay: bool = False
    clip: bool = False
    rate: LearningRate = 0.05
    digits: Annotated[
        int,
        Field(ge=50, le=1000, description="Images to learn from."),
        told("the number of images to learn from must be a whole number from 50 to 1,000", "take one such as 500"),
    ] = 500


class DeepBody(SwitchesBody):
    """The same, and which part of its training."""

    part: Annotated[int, Field(ge=1, le=41, description="After 10 (part - 1) updates.")] = 1


class StartsBody(Strict):
    """A small network that learns the exclusive or."""

    hidden: Literal[2, 3, 4, 8] = 2
    activation: Literal["relu", "tanh", "sigmoid"] = "relu"


class CaseTold(BaseModel):
    """A trouble: the switches that lead into it, and changes of them of which each one helps."""

    name: str
    switches: SwitchesBody
    remedies: list[dict[str, Any]]


class TroublesTold(BaseModel):
    """All of them."""

    cases: list[CaseTold]
    parts: int


class HistogramTold(BaseModel):
    """How many values lie in each of equal parts of low..high."""

    low: float
    high: float
    counts: list[int]


class LayerTold(BaseModel):
    """What a hidden layer does with 200 digits; gradients are those of its weights, as powers of ten.

    `norm` is that of the gradient before clipping, `clipped` after it, `weights` that of the weights.
    """

    activations: HistogramTold
    spread: float
    gradients: HistogramTold
    norm: float
    clipped: float
    weights: float
    none: float
    silent: int
    distinct: int


class StageTold(BaseModel):
    """A moment of a training: the losses on the digits that it learns from and on others, and each hidden layer."""

    updates: int
    loss: float | None
    test_loss: float | None
    accuracy: float
    test_accuracy: float
    layers: list[LayerTold]
    diverged: int | None


class StartTold(BaseModel):
    """A training from one start."""

    losses: list[float]
    gradient: float
    outcome: Literal["solved", "stuck", "slow"]


class StartsTold(BaseModel):
    """Trainings from many starts."""

    updates: list[int]
    starts: list[StartTold]


BODIES: list[type[BaseModel]] = [DeepBody, StartsBody]
_PROBLEMS = problems(400, 408, 413, 415, 422, 503, 504)
_SWITCHES = {"depth": 8, "activation": "sigmoid", "start": "xavier", "batch_norm": False, "residual": False} | {
    "dropout": False,
    "weight_decay": False,
    "clip": False,
    "rate": 0.05,
    "digits": 500,
}
_CASE = {"name": "vanishing", "switches": _SWITCHES, "remedies": [{"batch_norm": True}]}
_LAYER = {
    "activations": {"low": 0.0, "high": 1.0, "counts": [3, 5]},
    "spread": 0.2,
    "gradients": {"low": -12.0, "high": 4.0, "counts": [7, 1]},
    "norm": 0.00004,
    "clipped": 0.00004,
    "weights": 5.6,
    "none": 0.4,
    "silent": 0,
    "distinct": 32,
}
_STAGE = {"updates": 0, "loss": 2.5, "test_loss": 2.5, "accuracy": 0.1, "test_accuracy": 0.1, "layers": [_LAYER]}
_START = {"losses": [0.6, 0.25], "gradient": 0.0, "outcome": "stuck"}


@router.get(
    "/troubles",
    summary="List what goes wrong",
    response_model=TroublesTold,
    responses=problems(422, 503, 504) | answer({"cases": [_CASE], "parts": 41}),
)
async def troubles(request: Request) -> JSONResponse:
    """Tell the troubles of trainings, how to get into each, and what helps."""
    return await answered(request, _troubles, field="")


@router.post(
    "/deep",
    summary="Train a deep network, a part at a time",
    response_model=StageTold,
    responses=_PROBLEMS | answer(_STAGE),
    openapi_extra=body({"application/json": (DeepBody, {"depth": 8, "activation": "sigmoid", "part": 1})}),
)
async def deep(request: Request) -> JSONResponse:
    """Train a deep network on bundled digits, and tell losses, activations and gradients of each hidden layer.

    A training is the same on every call, so that its parts can be asked for one after the other. One that diverges is
    no problem: `diverged` tells when.
    """
    asked = await json_of(request, DeepBody)
    return await answered(request, functools.partial(_stage, asked), field="part")


@router.post(
    "/starts",
    summary="Learn the exclusive or from many starts",
    response_model=StartsTold,
    responses=_PROBLEMS | answer({"updates": [0, 20], "starts": [_START]}),
    openapi_extra=body({"application/json": (StartsBody, {"hidden": 2, "activation": "relu"})}),
)
async def starts(request: Request) -> JSONResponse:
    """Train 24 small networks from random starts, and tell which learn, and which are stuck."""
    asked = await json_of(request, StartsBody)
    return await answered(request, functools.partial(_starts, asked), field="hidden")


def _troubles() -> dict[str, Any]:
    from inkgrad.lessons.troubles import CASES, PARTS

    cases = [
        {"name": name, "switches": dataclasses.asdict(case.switches), "remedies": case.remedies}
        for name, case in CASES.items()
    ]
    return {"cases": cases, "parts": PARTS}


def _stage(asked: DeepBody) -> dict[str, Any]:
    from inkgrad.lessons.deep import Switches
    from inkgrad.lessons.troubles import stage

    switches = asked.model_dump()
    part = switches.pop("part")
    return dataclasses.asdict(stage(Switches(**switches), part))


def _starts(asked: StartsBody) -> dict[str, Any]:
    from inkgrad.lessons.starts import from_starts

    return dataclasses.asdict(from_starts(asked.hidden, asked.activation))
