"""`/api/v1/lessons/training`: a training to be watched, as server-sent events, and changed while it runs."""

import dataclasses
import functools
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from inkgrad.web.batching import FullError
from inkgrad.web.bodies import Strict, json_of
from inkgrad.web.documents import answer, body, problems
from inkgrad.web.lessons.answering import answered
from inkgrad.web.lessons.news import EVENTS, beginning, news, state_told
from inkgrad.web.lessons.numbers import LearningRate, told
from inkgrad.web.problems import Problem
from inkgrad.web.state import ServerState, state_of
from inkgrad.web.trainings import Watched, Watcher

__all__ = ["BODIES", "ChangeBody", "TrainingBody", "WatchBody", "WatchingBody", "router"]

router = APIRouter()

Name = Annotated[str, Field(max_length=64, description="The name of the training.")]
Pace = Annotated[
    float,
    Field(ge=0.5, le=100, allow_inf_nan=False, description="Steps a second, at most."),
    told("the steps a second must be a number from 0.5 to 100", "take one such as 20"),
]
BatchSize = Annotated[
    int, Field(ge=1, le=1000), told("the batch size must be a whole number from 1 to 1,000", "take one such as 64")
]


class WatchingBody(Strict):
    """Who watches."""

    training: Name
    watcher: Annotated[int, Field(ge=1, description="The number that the first event told.")]


class TrainingBody(Strict):
    """What to train, and how."""

    network: Literal["two-layer", "mlp", "lenet5"] = "two-layer"
    data: Literal["digits", "mnist"] = Field(
        default="digits", description="The bundled digits; or MNIST, where its files are on the server."
    )
    optimizer: Literal["sgd", "momentum", "adam"] = "sgd"
    learning_rate: LearningRate = 0.1
    batch_size: BatchSize = 64
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 0
    pace: Pace = 20.0
    instead: WatchingBody | None = Field(
        default=None, description="Which training the page leaves for it; that one ends if no other page watches it."
    )


class WatchBody(Strict):
    """Which training to watch."""

    training: Name


class ChangeBody(Strict):
    """What to change of a training; what is null stays."""

    training: Name
    running: bool | None = Field(default=None, description="Let it go on, or wait.")
    learning_rate: LearningRate | None = None
    pace: Pace | None = None
    digit: Annotated[int, Field(ge=0, le=9)] | None = Field(
        default=None, description="Whose way through the network is told."
    )
    step: bool = Field(default=False, description="Make one step, and wait then.")
    end: bool = False


class OfferTold(BaseModel):
    """What can be trained here, how many trainings there are, and how many there may be."""

    data: list[Literal["digits", "mnist"]]
    running: int
    most: int


class LayerTold(BaseModel):
    """A layer with weights."""

    name: str
    kind: str
    shape: list[int]


class TrainingTold(BaseModel):
    """A training: its name, by which it is watched, and what it trains."""

    training: str
    network: Literal["two-layer", "mlp", "lenet5"]
    data: Literal["digits", "mnist"]
    optimizer: Literal["sgd", "momentum", "adam"]
    batch_size: int
    layers: list[LayerTold]
    steps_an_epoch: int
    most_steps: int


class WatchingTold(BaseModel):
    """How many pages watch."""

    watchers: int


class StateTold(BaseModel):
    """Whether it goes on, and how; `reason` says why it has ended, and is empty before."""

    running: bool
    learning_rate: float
    pace: float
    digit: int
    reason: str
    detail: str
    watchers: int


BODIES: list[type[BaseModel]] = [TrainingBody, WatchBody, WatchingBody, ChangeBody]
_NAME = "M1s5kJH0qQfYq2zX"
_OFFER = {"data": ["digits"], "running": 0, "most": 2}
_TRAINING = {
    "training": _NAME,
    "network": "two-layer",
    "data": "digits",
    "optimizer": "sgd",
    "batch_size": 64,
    "layers": [{"name": "layers.1", "kind": "Linear", "shape": [50, 784]}],
    "steps_an_epoch": 23,
    "most_steps": 20000,
}
_STATE = {
    "running": True,
    "learning_rate": 0.02,
    "pace": 20.0,
    "digit": 3,
    "reason": "",
    "detail": "",
    "watchers": 1,
}
_PROBLEMS = problems(400, 404, 408, 413, 415, 422, 503, 504)
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: `begin`, `state`, `course`, `glimpse`, and `beat`, to be answered.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EVENTS}},
    }
}


@router.get(
    "/training",
    summary="See what can be trained",
    response_model=OfferTold,
    responses=problems(422, 503, 504) | answer(_OFFER),
)
async def offer(request: Request) -> JSONResponse:
    """Tell which data are there, and whether there is room for a training."""
    trainings = state_of(request).trainings
    return await answered(request, lambda: _offer() | {"running": trainings.running, "most": trainings.most}, field="")


@router.post(
    "/training",
    summary="Begin a training",
    response_model=TrainingTold,
    responses=problems(400, 408, 413, 415, 422, 503, 504) | answer(_TRAINING),
    openapi_extra=body({"application/json": (TrainingBody, {"network": "two-layer", "learning_rate": 0.1})}),
)
async def begin(request: Request) -> JSONResponse:
    """Begin a training, which makes its first step when someone watches it.

    While nobody watches it makes no step, and after five seconds it ends. One that waits, and that nobody changes, ends
    after ten minutes.
    """
    asked = await json_of(request, TrainingBody)
    state = state_of(request)
    if state.trainings.running >= state.trainings.most and asked.instead is None:
        raise _full(state)
    made: list[Watched] = []
    idle_seconds = state.settings.limits.idle_seconds
    # MNIST may have to be read first: not in the thread that answers each step of the lessons.
    said = await answered(request, functools.partial(_made, asked, idle_seconds, made), field="data", slow=True)
    try:
        state.trainings.begin(made[0], _left(state, asked.instead))
    except FullError:
        raise _full(state) from None
    return said


@router.post(
    "/training/watch",
    summary="Watch a training",
    response_class=StreamingResponse,
    responses=_PROBLEMS | _STREAM,
    openapi_extra=body({"application/json": (WatchBody, {"training": _NAME})}),
)
async def watch(request: Request) -> Response:
    """Tell all that has happened in a training, and then what happens, until it ends or the connection is closed.

    Several may watch the same training: each is told everything, each may change it, and the last change holds.
    """
    asked = await json_of(request, WatchBody)
    state = state_of(request)
    training = _found(state, asked.training)
    abort = request.scope.get("extensions", {}).get("inkgrad.abort", lambda: None)
    try:
        watcher = training.join(abort, state.settings.limits.watchers)
    except FullError:
        detail = f"{len(training.watchers)} pages watch this training, more are not taken; close one of them"
        raise _busy(detail, "watch") from None
    return StreamingResponse(
        news(training, watcher, state.trainings),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.post(
    "/training/watching",
    summary="Say that one still watches",
    response_model=WatchingTold,
    responses=_PROBLEMS | answer({"watchers": 1}),
    openapi_extra=body({"application/json": (WatchingBody, {"training": _NAME, "watcher": 1})}),
)
async def watching(request: Request) -> JSONResponse:
    """Answer the event `beat`; a page that has not answered for fifteen seconds is taken for gone."""
    asked = await json_of(request, WatchingBody)
    training = _found(state_of(request), asked.training)
    if asked.watcher in training.watchers:
        training.watchers[asked.watcher].again()
    return JSONResponse({"watchers": len(training.watchers)})


@router.post(
    "/training/change",
    summary="Change a training",
    response_model=StateTold,
    responses=_PROBLEMS | answer(_STATE),
    openapi_extra=body({"application/json": (ChangeBody, {"training": _NAME, "learning_rate": 0.02})}),
)
async def change(request: Request) -> JSONResponse:
    """Change the learning rate, the pace or the digit from the next step on; let it wait, go on or end."""
    asked = await json_of(request, ChangeBody)
    training = _found(state_of(request), asked.training)
    wanted = asked.model_dump(exclude={"training", "end"})
    training.live.change(**wanted)
    if asked.end:
        training.live.end()
    return JSONResponse(state_told(training))


def _offer() -> dict[str, Any]:
    from inkgrad.lessons.live_settings import offered_data

    return {"data": offered_data()}


def _left(state: ServerState, left: WatchingBody | None) -> tuple[Watched, Watcher] | None:
    """The training that a page leaves, if it still watches it."""
    training = None if left is None else state.trainings.get(left.training)
    watcher = None if left is None or training is None else training.watchers.get(left.watcher)
    return None if training is None or watcher is None else (training, watcher)


def _made(asked: TrainingBody, idle_seconds: float, made: list[Watched]) -> dict[str, Any]:
    from inkgrad.lessons.live_settings import LiveSettings

    fields = (field.name for field in dataclasses.fields(LiveSettings))
    training = Watched(LiveSettings(**{name: getattr(asked, name) for name in fields}), asked.pace, idle_seconds)
    made.append(training)
    return beginning(training)


def _found(state: ServerState, name: str) -> Watched:
    training = state.trainings.get(name)
    if training is None:
        detail = "there is no such training, or it has ended; begin another one"
        raise Problem(404, "not-found", detail, extra={"errors": [{"field": "training", "message": detail}]})
    return training


def _full(state: ServerState) -> Problem:
    most = state.trainings.most
    return _busy(f"{most} trainings run at once, more are not taken; try again when one has ended", "training")


def _busy(detail: str, field: str) -> Problem:
    extra = {"errors": [{"field": field, "message": detail}]}
    return Problem(503, "busy", detail, headers={"Retry-After": "10"}, extra=extra)
