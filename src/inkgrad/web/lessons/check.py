"""`/api/v1/lessons/mistakes`, `check` and `steps`: the gradient check, and what it catches."""

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

__all__ = ["BODIES", "CheckBody", "StepsBody", "router"]

router = APIRouter()


class CheckBody(Strict):
    """Which pull-back to check."""

    mistake: Annotated[str, Field(max_length=64, description="The name of one of the mistakes.")]
    corrected: bool = Field(default=False, description="Check the engine's own operations instead.")


class StepsBody(Strict):
    """Where to measure the error of difference quotients."""

    expression: Annotated[str, Field(max_length=1 << 17, description="Of one name.")]
    x: Annotated[float, Field(allow_inf_nan=False)] = 1.0


class MistakeTold(BaseModel):
    """An operation with a wrong pull-back: its text, and what should stand in place of what is wrong."""

    name: str
    source: str
    wrong: str
    right: str


class MistakesTold(BaseModel):
    """All of them."""

    mistakes: list[MistakeTold]


class RowTold(BaseModel):
    """An input whose gradient was checked."""

    name: str
    shape: list[int]
    relative_error: float


class CheckTold(BaseModel):
    """What the gradient check says; `complaint` is empty if all is well."""

    passed: bool
    complaint: str
    rows: list[RowTold]


class CurveTold(BaseModel):
    """The relative error of one kind of quotient at each step, null where the function has no value."""

    kind: Literal["central", "one-sided"]
    dtype: Literal["float32", "float64"]
    errors: list[float | None]
    best: float | None
    expected: float


class StepsTold(BaseModel):
    """The error of difference quotients by their step."""

    steps: list[float]
    gradient: float
    curves: list[CurveTold]


BODIES: list[type[BaseModel]] = [CheckBody, StepsBody]
_PROBLEMS = problems(400, 408, 413, 415, 422, 503, 504)
_MISTAKES = {
    "mistakes": [{"name": "forgotten_mask", "source": "def relu(x): ...", "wrong": "g", "right": "g * (x > 0)"}]
}
_CHECKED = {
    "passed": False,
    "complaint": "the gradient of x (4, 3) is wrong at [0, 1]: correct its pull-back",
    "rows": [],
}
_CURVE = {"kind": "central", "dtype": "float64", "errors": [0.01, 0.0001], "best": 1e-05, "expected": 6e-06}
_MEASURED = {"steps": [0.1, 0.01], "gradient": 3.0, "curves": [_CURVE]}


@router.get(
    "/mistakes",
    summary="List classic mistakes",
    response_model=MistakesTold,
    responses=problems(422, 503, 504) | answer(_MISTAKES),
)
async def mistakes(request: Request) -> JSONResponse:
    """Tell which wrong pull-backs there are to check."""
    return await answered(request, _mistakes, field="")


@router.post(
    "/check",
    summary="Check a pull-back",
    response_model=CheckTold,
    responses=_PROBLEMS | answer(_CHECKED),
    openapi_extra=body({"application/json": (CheckBody, {"mistake": "forgotten_mask"})}),
)
async def check(request: Request) -> JSONResponse:
    """Check a pull-back of the list, wrong as it is or corrected, against difference quotients."""
    asked = await json_of(request, CheckBody)
    return await answered(request, functools.partial(_checked, asked), field="mistake")


@router.post(
    "/steps",
    summary="Measure difference quotients",
    response_model=StepsTold,
    responses=_PROBLEMS | answer(_MEASURED),
    openapi_extra=body({"application/json": (StepsBody, {"expression": "x**3", "x": 1.0})}),
)
async def steps(request: Request) -> JSONResponse:
    """Tell the error of difference quotients of an expression at steps of 1e-1 to 1e-12, in float32 and float64."""
    asked = await json_of(request, StepsBody)
    return await answered(request, functools.partial(_measured, asked), field="expression", inputs="x")


def _mistakes() -> dict[str, Any]:
    from inkgrad.lessons.mistakes import MISTAKES

    kept = ("name", "source", "wrong", "right")
    return {"mistakes": [{name: getattr(one, name) for name in kept} for one in MISTAKES]}


def _checked(asked: CheckBody) -> dict[str, Any]:
    from inkgrad.lessons.mistakes import mistake

    report, complaint = mistake(asked.mistake).check(corrected=asked.corrected)
    rows = [] if report is None else report.rows
    told = [{"name": row.name, "shape": row.shape, "relative_error": row.relative_error} for row in rows]
    return {"passed": report is not None, "complaint": complaint, "rows": told}


def _measured(asked: StepsBody) -> dict[str, Any]:
    from inkgrad.lessons import Expression
    from inkgrad.lessons.steps import step_errors

    return dataclasses.asdict(step_errors(Expression(asked.expression), asked.x))
