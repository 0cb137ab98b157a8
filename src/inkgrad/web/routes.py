"""Routes that take what they name, and nothing else."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from inkgrad.web.bodies import refused

__all__ = ["api_router"]


class _Route(APIRoute):
    """Refuses query parameters that it does not have, such as a field of the form: to ignore them would mislead."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = [field.alias for field in self.dependant.query_params]

        async def answer(request: Request) -> Response:
            if request.scope["query_string"]:
                for name in request.query_params:
                    if name not in known:
                        there = f"there are {', '.join(known)}" if known else "there are none"
                        raise refused(name, f"there is no query parameter {name!r}; {there}")
            return await handle(request)

        return answer


def api_router() -> APIRouter:
    """A router for a part of the API."""
    return APIRouter(route_class=_Route)
