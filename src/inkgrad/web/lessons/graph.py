"""`POST /api/v1/lessons/graph`: an expression as a computational graph, forward and backward."""

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

__all__ = ["BODIES", "GraphBody", "router"]

router = APIRouter()

Finite = Annotated[float, Field(allow_inf_nan=False)]


class GraphBody(Strict):
    """An expression, and what its names stand for."""

    expression: Annotated[str, Field(max_length=1 << 17)]
    inputs: Annotated[dict[str, Finite], Field(max_length=100)] = Field(
        default_factory=dict, description="A number for each name; 2 where none is given, others are ignored."
    )
    direction: Literal["right", "down"] = "right"


class NodeTold(BaseModel):
    """A node: what it is, what it holds, and where it stands."""

    id: int
    kind: Literal["leaf", "constant", "op"]
    op: str
    title: str
    text: str | None
    value: float
    gradient: float | None
    x: float
    y: float
    width: float
    height: float


class EdgeTold(BaseModel):
    """An input of a node, and the control points of the Bézier curves that show it."""

    source: int
    target: int
    curve: list[tuple[float, float]]


class ForwardTold(BaseModel):
    """A node computes its value: by formula, and with numbers."""

    node: int
    rule: str
    filled: str
    value: float


class PartTold(BaseModel):
    """What a node sends back to one of its inputs, and the sum of what has come there."""

    target: int
    rule: str
    filled: str
    value: float
    total: float


class BackwardTold(BaseModel):
    """A node sends its gradient on."""

    node: int
    gradient: float
    parts: list[PartTold]


class NumericTold(BaseModel):
    """A gradient beside its difference quotient."""

    quotient: float
    relative_error: float


class GraphTold(BaseModel):
    """The graph, each step through it, and the gradients beside their difference quotients."""

    names: list[str]
    inputs: dict[str, float]
    result: float
    width: float
    height: float
    nodes: list[NodeTold]
    edges: list[EdgeTold]
    forward: list[ForwardTold]
    backward: list[BackwardTold]
    gradients: dict[str, float]
    numeric: dict[str, NumericTold | None]


_EXAMPLE = {"expression": "(apples*100 + oranges*150)*tax", "inputs": {"apples": 2, "oranges": 3, "tax": 1.1}}
_ANSWER = {
    "names": ["x"],
    "inputs": {"x": 3.0},
    "result": 6.0,
    "width": 216.0,
    "height": 62.0,
    "nodes": [
        {
            "id": 2,
            "kind": "op",
            "op": "multiply",
            "title": "2*x",
            "text": "2*x",
            "value": 6.0,
            "gradient": 1.0,
            "x": 170.0,
            "y": 31.0,
            "width": 92.0,
            "height": 62.0,
        }
    ],
    "edges": [{"source": 0, "target": 2, "curve": [[92.0, 31.0], [104.0, 31.0], [112.0, 31.0], [124.0, 31.0]]}],
    "forward": [{"node": 2, "rule": "x · y", "filled": "2 · 3", "value": 6.0}],
    "backward": [
        {
            "node": 2,
            "gradient": 1.0,
            "parts": [{"target": 0, "rule": "g · x", "filled": "1 · 2", "value": 2.0, "total": 2.0}],
        }
    ],
    "gradients": {"x": 2.0},
    "numeric": {"x": {"quotient": 2.0, "relative_error": 1e-11}},
}
"""Of 2*x; one node and one edge of it."""

BODIES: list[type[BaseModel]] = [GraphBody]


@router.post(
    "/graph",
    summary="Walk through the graph of an expression",
    response_model=GraphTold,
    responses=problems(400, 408, 413, 415, 422, 503, 504) | answer(_ANSWER),
    openapi_extra=body({"application/json": (GraphBody, _EXAMPLE)}),
)
async def graph(request: Request) -> JSONResponse:
    """Take an expression of names, numbers, + - * / ** and exp, log, relu, sigmoid, and tell its graph.

    Values and gradients are those of the engine, in float64. The expression is parsed and never run as a program.
    """
    asked = await json_of(request, GraphBody)
    return await answered(request, functools.partial(_told, asked), field="expression", inputs="inputs")


def _told(asked: GraphBody) -> dict[str, Any]:
    from inkgrad.lessons import Expression, draw

    expression = Expression(asked.expression)
    inputs = expression.inputs(asked.inputs)
    walk = expression.walk(inputs)
    drawing = draw(walk.graph, asked.direction)
    edges = zip(walk.graph.edges, drawing.curves, strict=True)
    return {
        "names": expression.names,
        "inputs": inputs,
        "result": walk.result,
        "width": drawing.width,
        "height": drawing.height,
        "nodes": [_node(node, box._asdict()) for node, box in zip(walk.graph.nodes, drawing.boxes, strict=True)],
        "edges": [{"source": edge.source, "target": edge.target, "curve": curve} for edge, curve in edges],
        "forward": [dataclasses.asdict(step) for step in walk.forward],
        "backward": [dataclasses.asdict(step) for step in walk.backward],
        "gradients": walk.gradients,
        "numeric": {
            name: found and {"quotient": found.numeric, "relative_error": found.relative_error}
            for name, found in expression.numeric(inputs).items()
        },
    }


def _node(node: Any, box: dict[str, Any]) -> dict[str, Any]:
    told = {"id": node.id, "kind": node.kind, "op": node.op, "text": node.name, "value": float(node.value)}
    return told | {"gradient": None if node.gradient is None else float(node.gradient)} | box
