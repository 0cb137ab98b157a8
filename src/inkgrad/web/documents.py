"""What the OpenAPI document says beyond what FastAPI finds by itself: bodies, problems, the key."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from inkgrad.web.problems import PROBLEM_TYPE
from inkgrad.web.settings import WebSettings

__all__ = ["ProblemDocument", "answer", "body", "describe", "problems"]


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class ProblemDocument(BaseModel):
    """Why there is no answer (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []
    extra: str | None = None


_UNSAID = "Successful Response"  # what FastAPI says of an answer that is not described

_PROBLEMS = {
    400: "The body is no JSON, or no form.",
    401: "The key is missing or wrong.",
    403: "A foreign page, another host name, or feedback that is switched off.",
    404: "There is no such path.",
    405: "There is no such method.",
    408: "The body came too slowly.",
    409: "The key names another correction.",
    413: "Too many bytes or pages.",
    415: "The content type is not one of those that are taken.",
    422: "The content cannot be used: each field with what is wrong is named.",
    500: "A defect of the server.",
    501: "An extra is not installed on the server: it is named.",
    503: "Too much is waiting, or the database is away: try again after the seconds of Retry-After.",
    504: "It took too long.",
    507: "There is no room for more corrections.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation may answer with, and those that every one may."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {"description": _PROBLEMS[status], "content": {PROBLEM_TYPE: {"schema": schema}}}
        for status in sorted({*statuses, 401, 403, 500})
    }


def answer(example: Any, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """An example of what an operation answers."""
    return {status: {"content": {"application/json": {"example": example}}}}


def body(content: dict[str, tuple[type[BaseModel] | dict[str, Any], Any]]) -> dict[str, Any]:
    """A request's body by content type: its schema, and an example."""
    told = {}
    for kind, (schema, example) in content.items():
        shown = schema if isinstance(schema, dict) else {"$ref": f"#/components/schemas/{schema.__name__}"}
        told[kind] = {"schema": shown} | ({} if example is None else {"example": example})
    return {"requestBody": {"required": True, "content": told}}


def describe(app: FastAPI, settings: WebSettings, bodies: list[type[BaseModel]]) -> None:
    """Let the document name the schemas of bodies that are read by hand, and the key."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = make()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            kinds: list[type[BaseModel]] = [*bodies, ProblemDocument]
            for kind in kinds:
                schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(schema.pop("$defs", {}))
                schemas[kind.__name__] = schema
            _name_answers(document)
            if settings.key is not None:
                document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
                document["security"] = [{"key": []}]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _name_answers(document: dict[str, Any]) -> None:
    """Let each answer be described by what its schema says of itself."""
    schemas = document["components"]["schemas"]
    operations = [one for path in document["paths"].values() for one in path.values()]
    answers = [answer for one in operations for answer in one["responses"].values()]
    for answer in answers:
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        told = schemas.get(schema.get("$ref", "").rpartition("/")[2], {}).get("description")
        if answer["description"] == _UNSAID and told:
            answer["description"] = told
