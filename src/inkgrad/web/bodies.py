"""What requests hold: JSON or a form with a file, checked."""

import base64
import binascii
import importlib.util
from typing import Annotated, Any, TypeVar

from annotated_types import Len
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from inkgrad.data.formats import is_heif, is_pdf
from inkgrad.web.problems import Problem, missing_extra

__all__ = [
    "PictureBody",
    "Strict",
    "json_of",
    "media_type",
    "refused",
    "uploaded",
    "valid",
    "wrong_type",
]

JSON_BYTES = 2 << 20
"""Of a JSON body: room for a picture of 1 MiB as base64. Larger ones come as a form, which needs no such copies."""

_HEAD = 1024
_MOST_ERRORS = 10
_MOST_COMMAS = 2000  # 28x28 numbers have 783; what has many is not even parsed, as each mistake in it would be noted

Pixels = Annotated[
    list[Annotated[list[Annotated[float, Field(ge=0, le=255, allow_inf_nan=False)]], Len(28, 28)]], Len(28, 28)
]
"""28 rows of 28 numbers, 0 to 255."""


class Strict(BaseModel):
    """A body whose fields are these and no others, each of its own type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PictureBody(Strict):
    """A picture: its pixels, or a file as base64."""

    pixels: Pixels | None = None
    image: str | None = None

    def file(self) -> bytes | None:
        """The file; None where pixels came.

        Raises:
            Problem: both came, or neither, or what came is no base64 or needs a library that is not there.
        """
        if (self.pixels is None) == (self.image is None):
            raise refused("pixels", "send either pixels, 28 rows of 28 numbers, or image, a picture file as base64")
        return None if self.image is None else _decoded(self.image)


Body = TypeVar("Body", bound=BaseModel)


def media_type(request: Request) -> str:
    """What the body is said to be, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def wrong_type(request: Request, *expected: str) -> Problem:
    """The body is of another type than is expected."""
    given = media_type(request) or "nothing"
    return Problem(415, "unsupported-media-type", f"the content type must be {' or '.join(expected)}, but is {given}")


async def json_of(request: Request, kind: type[Body]) -> Body:
    """A JSON body.

    Raises:
        Problem: it is of another type, no JSON, or not what is expected.
    """
    if media_type(request) != "application/json":
        raise wrong_type(request, "application/json")
    content = await request.body()
    if len(content) > JSON_BYTES:
        raise Problem(413, "too-large", f"JSON may have {JSON_BYTES:,} bytes; send a picture as a form with a file")
    if content.count(b",") > _MOST_COMMAS:
        raise Problem(413, "too-large", f"JSON may have {_MOST_COMMAS:,} commas; a digit has 28 rows of 28 numbers")
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise invalid(error) from None


def valid(kind: type[Body], values: dict[str, Any]) -> Body:
    """Fields of a form, whose texts may stand for numbers.

    Raises:
        Problem: they are not what is expected.
    """
    try:
        return kind.model_validate_strings(values)
    except ValidationError as error:
        raise invalid(error) from None


def invalid(error: ValidationError) -> Problem:
    """What pydantic found, as a problem that names each field."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return Problem(400, "bad-request", f"the body is no JSON: {found[0]['msg']}")
    errors = [{"field": ".".join(map(str, one["loc"])), "message": one["msg"]} for one in found[:_MOST_ERRORS]]
    first = errors[0]
    told = f"{first['field'] or 'the body'}: {first['message']}"
    more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
    return Problem(422, "invalid-content", told + more, extra={"errors": errors})


def refused(field: str, detail: str) -> Problem:
    """One field cannot be used."""
    return Problem(422, "invalid-content", detail, extra={"errors": [{"field": field, "message": detail}]})


async def uploaded(request: Request, name: str = "image") -> tuple[bytes, dict[str, str]]:
    """The file of a form, and its other fields.

    Raises:
        Problem: the body is of another type or damaged, there is no such file, or a field comes twice.
    """
    if media_type(request) != "multipart/form-data":
        raise wrong_type(request, "multipart/form-data")
    try:
        form = await request.form(max_files=1, max_fields=20, max_part_size=1 << 16)
    except (HTTPException, KeyError, ValueError) as error:
        told = error.detail if isinstance(error, HTTPException) else "it has no boundary or is damaged"
        raise Problem(400, "bad-request", f"the form cannot be read: {told}") from error
    try:
        return await _parts(form, name)
    finally:
        await form.close()


async def _parts(form: FormData, name: str) -> tuple[bytes, dict[str, str]]:
    fields: dict[str, str] = {}
    content: bytes | None = None
    for key, value in form.multi_items():
        if key in fields or (key == name and content is not None):
            raise refused(key, f"the field {key} comes twice; send it once")
        if isinstance(value, UploadFile):
            if key != name:
                raise refused(key, f"a file came as {key}; send it as {name}")
            content = await value.read()
        elif key == name:
            raise refused(name, f"{name} must be a file, but came as a text; send it with a filename")
        else:
            fields[key] = value
    if content is None:
        raise refused(name, f"the form has no file; send one as {name}")
    return _checked(content, name), fields


def _decoded(text: str, field: str = "image") -> bytes:
    """The bytes of a file that came as base64."""
    try:
        return _checked(base64.b64decode(text, validate=True), field)
    except (binascii.Error, ValueError) as error:
        raise refused(field, f"{field} is no valid base64 ({error}); send the bytes of a file so encoded") from error


def _checked(content: bytes, field: str) -> bytes:
    """The content of a file, if it is some and there is a library for it."""
    if not content:
        raise refused(field, f"the file {field} is empty; send a picture")
    head = content[:_HEAD]
    for extra, there, library in (("pdf", is_pdf, "pypdfium2"), ("heic", is_heif, "pillow_heif")):
        if there(head) and importlib.util.find_spec(library) is None:
            raise missing_extra(extra, f"reading {'a PDF' if extra == 'pdf' else 'a HEIC photo'}")
    return content
