"""`/api/v1/lessons/...`: what the lessons of the page ask the engine."""

from fastapi import APIRouter
from pydantic import BaseModel

from inkgrad.web.lessons import check, descent, graph, layers, pixels, training, troubles

__all__ = ["BODIES", "router"]

router = APIRouter(prefix="/lessons")
BODIES: list[type[BaseModel]] = []
for part in (graph, layers, check, descent, training, troubles, pixels):
    router.include_router(part.router)
    BODIES += part.BODIES
