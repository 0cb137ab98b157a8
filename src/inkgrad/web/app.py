"""The application: its routes, and how it answers what goes wrong."""

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from inkgrad.version import __version__
from inkgrad.web import about, classifying, feedback, inside, lessons, reading
from inkgrad.web.batching import FullError
from inkgrad.web.documents import describe
from inkgrad.web.guard import Guard
from inkgrad.web.networks import named
from inkgrad.web.pages import PageFiles
from inkgrad.web.problems import PROBLEMS, Problem, ProblemResponse, busy
from inkgrad.web.settings import WebSettings
from inkgrad.web.state import ServerState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["create_app"]

_log = logging.getLogger("inkgrad.web")


def create_app(settings: WebSettings) -> Guard:
    """The server as an ASGI application.

    Before another server than `serve` ends, call `end` of it: what pages watch would else go on.

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
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.inkgrad = state
    _add_errors(app)
    _add_routes(app)
    _add_page(app)
    describe(app, settings, [classifying.DigitBody, feedback.FeedbackBody, inside.InsideBody, *lessons.BODIES])
    return Guard(app, settings, state.full, state.trainings.close)


def _add_routes(app: FastAPI) -> None:
    for part in (about, classifying, reading, inside, feedback, lessons):
        app.include_router(part.router, prefix="/api/v1")


def _add_page(app: FastAPI) -> None:
    @app.get("/problems/{name}", include_in_schema=False)
    async def problem(name: str) -> Response:
        if name not in PROBLEMS:
            raise HTTPException(404)
        return PlainTextResponse(f"{name}\n\n{PROBLEMS[name]}\n")

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

    @app.exception_handler(FullError)
    async def full(_: Request, __: FullError) -> Response:
        return ProblemResponse(busy("as much is waiting as the server takes; try again in a second"))

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
