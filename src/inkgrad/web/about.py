"""`GET /api/v1/health` and `GET /api/v1/models`: what the server is and has."""

import functools
import importlib.util
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request

from inkgrad.version import __version__
from inkgrad.web.documents import answer, problems
from inkgrad.web.routes import api_router
from inkgrad.web.state import state_of

__all__ = ["READER", "router"]

READER = "reader"
"""The name of the network that reads numbers."""

router = api_router()


class LimitsTold(BaseModel):
    """What is taken at most."""

    bytes: int
    pixels: int
    digit_pixels: int
    pages: int
    seconds: float


class Health(BaseModel):
    """That the server is there, and what it can do."""

    status: str
    version: str
    key_required: bool
    feedback: bool
    pdf: bool
    heic: bool
    limits: LimitsTold


class Model(BaseModel):
    """A network."""

    name: str
    kind: str
    default: bool
    parameters: int
    classes: list[str]
    refuses: bool


class Models(BaseModel):
    """The networks of a server."""

    models: list[Model]


@router.get(
    "/health",
    response_model=Health,
    responses=problems(422)
    | answer(
        {
            "status": "ok",
            "version": __version__,
            "key_required": False,
            "feedback": False,
            "pdf": True,
            "heic": False,
            "limits": {
                "bytes": 20971520,
                "pixels": 40000000,
                "digit_pixels": 12500000,
                "pages": 20,
                "seconds": 60.0,
            },
        }
    ),
    summary="See whether the server is there",
)
async def health(request: Request) -> dict[str, Any]:
    """Tell what the server can do. No key is asked for."""
    settings = state_of(request).settings
    return {
        "status": "ok",
        "version": __version__,
        "key_required": settings.key is not None,
        "feedback": settings.database is not None,
        "pdf": importlib.util.find_spec("pypdfium2") is not None,
        "heic": importlib.util.find_spec("pillow_heif") is not None,
        "limits": {
            name: getattr(settings.limits, name) for name in ("bytes", "pixels", "digit_pixels", "pages", "seconds")
        },
    }


@router.get(
    "/models",
    response_model=Models,
    responses=problems(422)
    | answer(
        {
            "models": [
                {
                    "name": "tiny",
                    "kind": "classifier",
                    "default": False,
                    "parameters": 6887,
                    "classes": [str(digit) for digit in range(10)],
                    "refuses": True,
                }
            ]
        }
    ),
    summary="List the networks",
)
def models(request: Request) -> dict[str, Any]:
    """Tell which networks answer."""
    networks = state_of(request).networks
    classifiers = [_model(networks.classifier(name), name, networks.default) for name in networks.names]
    return {"models": [*classifiers, _reader()]}


def _model(classifier: Any, name: str, default: str) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "classifier",
        "default": name == default,
        "parameters": classifier.network.parameter_count(),
        "classes": list(classifier.classes),
        "refuses": classifier.refuses,
    }


@functools.cache
def _reader() -> dict[str, Any]:
    """It is loaded in the process that reads, and nowhere else."""
    from importlib.resources import as_file, files

    from inkgrad.models.rows import count_parameters

    with as_file(files("inkgrad") / "reading" / "weights" / "reader.safetensors") as path:
        parameters = count_parameters(path)
    return {
        "name": READER,
        "kind": "reader",
        "default": True,
        "parameters": parameters,
        "classes": [str(digit) for digit in range(10)],
        "refuses": True,
    }
