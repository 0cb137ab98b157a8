"""The application: its routes, and how it answers what goes wrong."""

import functools
import importlib.util
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from inkgrad.version import __version__
from inkgrad.web import classifying, feedback, inside, lessons, reading
from inkgrad.web.documents import describe, problems
from inkgrad.web.guard import Guard
from inkgrad.web.networks import named
from inkgrad.web.pages import PageFiles
from inkgrad.web.problems import Problem, ProblemResponse
from inkgrad.web.settings import WebSettings
from inkgrad.web.state import ServerState, state_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["create_app"]

_log = logging.getLogger("inkgrad.web")


class LimitsTold(BaseModel):
    """What is taken at most."""

    bytes: int
    pixels: int
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


def create_app(settings: WebSettings) -> ASGIApp:
    """The server as an ASGI application.

    Raises:
        ModelFileError: the model that was named is not there.
    """
    state = ServerState(settings, named(settings.model))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> "AsyncIterator[None]":
        async with state.running():
            yield

    app = FastAPI(
        title="inkgrad",
        version=__version__,
        description="Reads handwritten digits and numbers with networks trained by their own backpropagation.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.inkgrad = state
    _add_errors(app)
    _add_routes(app)
    _add_page(app)
    describe(app, settings, [classifying.DigitBody, feedback.FeedbackBody, inside.InsideBody, *lessons.BODIES])
    return Guard(app, settings, state.full)


def _add_routes(app: FastAPI) -> None:
    @app.get("/api/v1/health", response_model=Health, responses=problems(), summary="See whether the server is there")
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
            "limits": {name: getattr(settings.limits, name) for name in ("bytes", "pixels", "pages", "seconds")},
        }

    @app.get("/api/v1/models", response_model=Models, responses=problems(), summary="List the networks")
    def models(request: Request) -> dict[str, Any]:
        """Tell which networks answer."""
        networks = state_of(request).networks
        classifiers = [_model(networks.classifier(name), name, networks.default) for name in networks.names]
        return {"models": [*classifiers, _reader()]}

    for part in (classifying, reading, inside, feedback, lessons):
        app.include_router(part.router, prefix="/api/v1")


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
    from inkgrad.reading import Reader

    return {
        "name": "reader",
        "kind": "reader",
        "default": True,
        "parameters": Reader.pretrained().recognizer.net.parameter_count(),
        "classes": [str(digit) for digit in range(10)],
        "refuses": True,
    }


def _add_page(app: FastAPI) -> None:
    page = PageFiles()
    paths = {f"/{name}": name for name in page.names} | {
        "/": "index.html",
        "/docs": "docs.html",
        "/learn": "learn.html",
    }

    async def file(request: Request) -> Response:
        return page.answer(paths[request.url.path], request)

    for path in paths:  # nothing else is there to be asked for
        app.add_api_route(path, file, methods=["GET", "HEAD"], include_in_schema=False)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return ProblemResponse(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        errors = [{"field": ".".join(map(str, e["loc"][1:])), "message": e["msg"]} for e in error.errors()]
        first = errors[0]
        detail = f"{first['field']}: {first['message']}"
        return ProblemResponse(Problem(422, "invalid-content", detail, extra={"errors": errors}))

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        names = {404: "not-found", 405: "method-not-allowed"}
        details = {
            404: f"there is nothing at {request.url.path}; the page is at /, the documentation of the API at /docs",
            405: f"{request.method} cannot be used at {request.url.path}",
        }
        status = error.status_code
        detail = details.get(status, str(error.detail))
        return ProblemResponse(Problem(status, names.get(status, "bad-request"), detail, headers=error.headers))

    @app.exception_handler(ClientDisconnect)
    async def gone(_: Request, __: ClientDisconnect) -> Response:
        return ProblemResponse(Problem(400, "bad-request", "the connection was closed"))  # which nobody hears

    @app.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> Response:
        _log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
        detail = f"unexpected {type(error).__name__}; the server's log tells more"
        return ProblemResponse(Problem(500, "internal-error", detail))
