"""Errors as problem documents (RFC 9457)."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

__all__ = ["PROBLEMS", "PROBLEM_TYPE", "Problem", "ProblemResponse", "busy", "missing_extra"]

PROBLEM_TYPE = "application/problem+json"

PROBLEMS = {
    "bad-request": "What came is no JSON, no form or no HTTP.",
    "unauthorized": "The key is missing or wrong: send the header Authorization: Bearer KEY.",
    "forbidden": "A foreign page asks, or the server is called by a name that it does not have.",
    "feedback-off": "This server keeps no corrections: start it with --feedback.",
    "not-found": "There is no such path.",
    "method-not-allowed": "There is no such method at this path; the header Allow names those that there are.",
    "too-slow": "The headers or the body came too slowly: send them again.",
    "key-taken": "The key of a correction names another one already: take a new key.",
    "too-large": "There are too many bytes or pages: send less.",
    "unsupported-media-type": "The content type is not one of those that are taken.",
    "invalid-content": "The content cannot be used: errors names each field with what is wrong.",
    "headers-too-large": "The request line and the headers are too large: send fewer.",
    "internal-error": "A defect of the server: its log tells more.",
    "missing-extra": "The server needs a library for this that is not installed: extra names what is to be installed.",
    "busy": "Too much is waiting: try again after the seconds of Retry-After.",
    "database-away": "The database does not answer: try again after the seconds of Retry-After, with the same key.",
    "timeout": "It took too long: send less, or try again later.",
    "feedback-full": "The server has no room for more corrections.",
}
"""What each problem means, by the last part of its type."""


class Problem(Exception):  # noqa: N818  the word of the RFC
    """Why a request gets no answer, as it is told to the client.

    Args:
        status: of HTTP.
        name: which of `PROBLEMS` it is, the last part of `type`.
        detail: one sentence for people: what was expected, what came, what to do.
        headers: of the answer.
        extra: what else the document holds.

    >>> Problem(413, "too-large", "the body has more than 20 MiB").document()["title"]
    'Content Too Large'
    """

    def __init__(
        self,
        status: int,
        name: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        assert name in PROBLEMS, name
        self.status, self.name, self.detail = status, name, " ".join(detail.split())
        self.headers, self.extra = dict(headers or {}), dict(extra or {})

    def document(self) -> dict[str, Any]:
        """What is sent."""
        return {
            "type": f"/problems/{self.name}",
            "title": _TITLES.get(self.status) or HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        } | self.extra


_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}  # as RFC 9110 names them


class ProblemResponse(Response):
    """A problem as an answer."""

    media_type = PROBLEM_TYPE

    def __init__(self, problem: Problem) -> None:
        super().__init__(
            json.dumps(problem.document(), ensure_ascii=False).encode("utf-8", "backslashreplace"),
            status_code=problem.status,
            headers=problem.headers,
        )


def busy(detail: str) -> Problem:
    """Too much is waiting; the same request may succeed a second later."""
    return Problem(503, "busy", detail, headers={"Retry-After": "1"})


def missing_extra(extra: str, what: str) -> Problem:
    """Something needs a library that is not installed."""
    detail = f'{what} needs the extra {extra}; install it on the server with: pip install "inkgrad[{extra}]"'
    return Problem(501, "missing-extra", detail, extra={"extra": extra})
