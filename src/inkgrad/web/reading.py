"""`POST /api/v1/read`: the numbers of a picture or a document."""

import functools
import logging
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from inkgrad.errors import InputError, OptionError
from inkgrad.web.about import READER
from inkgrad.web.bodies import Strict, refused, uploaded, valid
from inkgrad.web.documents import answer, body, problems
from inkgrad.web.examples import PICTURE
from inkgrad.web.page_reading import DeadReaderError, Document, LateReaderError, ManyPagesError
from inkgrad.web.problems import Problem
from inkgrad.web.routes import api_router
from inkgrad.web.state import state_of

__all__ = ["router"]

router = api_router()

_log = logging.getLogger("inkgrad.web")


class ReadFields(Strict):
    """The fields beside the file."""

    expect: Annotated[str, Field(max_length=1000)] | None = None
    checksum: Literal["luhn", "ean8", "ean13", "damm", "mod97"] | None = None
    date: Literal["dmy", "mdy", "ymd"] | None = None
    amount: bool = False
    min_confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.5
    pictures: bool = False


Corner = tuple[float, float]


class DigitRead(BaseModel):
    """A digit of a number."""

    value: int
    confidence: float
    alternatives: list[tuple[int, float]]
    box: tuple[Corner, Corner, Corner, Corner]


class NumberRead(BaseModel):
    """A number: its digits, and as it is written; corners are pixels of the page, clockwise from the upper left."""

    text: str
    written: str
    confidence: float
    box: tuple[Corner, Corner, Corner, Corner]
    digits: list[DigitRead]
    free: str | None


class PageRead(BaseModel):
    """A page that was read."""

    page: int
    width: int
    height: int
    numbers: list[NumberRead]
    doubtful: list[NumberRead]
    picture: str | None


class PageFailed(BaseModel):
    """A page that could not be read, and why."""

    page: int
    error: str


class Pages(BaseModel):
    """All pages of a document."""

    pages: list[PageRead | PageFailed]
    read: int
    failed: int
    model: str


def _form_schema() -> dict[str, Any]:
    fields = ReadFields.model_json_schema()["properties"]
    for name in ("expect", "checksum", "date"):  # a form cannot hold null: what is not asked for is left out
        fields[name] = next(kind for kind in fields[name]["anyOf"] if kind.get("type") != "null")
    image = {"type": "string", "contentMediaType": "application/octet-stream", "format": "binary"}
    return {
        "type": "object",
        "required": ["image"],
        "additionalProperties": False,
        "properties": {"image": image} | fields,
    }


_BOX = ((21.0, 30.0), (42.0, 30.0), (42.0, 64.0), (21.0, 64.0))
_SEVEN = {"value": 7, "confidence": 0.98, "alternatives": [(1, 0.01)], "box": _BOX}
_NUMBER = {"text": "7", "written": "7", "confidence": 0.97, "box": _BOX, "digits": [_SEVEN], "free": None}
_PAGE = {"page": 1, "width": 80, "height": 110, "numbers": [_NUMBER], "doubtful": [], "picture": None}
_ANSWER = {"pages": [_PAGE], "read": 1, "failed": 0, "model": READER}


@router.post(
    "/read",
    summary="Read the numbers of a picture or a PDF",
    response_model=Pages,
    responses=problems(400, 408, 413, 415, 422, 501, 503, 504) | answer(_ANSWER),
    openapi_extra=body({"multipart/form-data": (_form_schema(), {"image": PICTURE, "expect": r"\d{1,5}"})}),
)
async def read(request: Request) -> JSONResponse:
    """Take a photo or a scan, a TIFF or a PDF of several pages, and tell its numbers, page by page.

    `expect` is a regular expression that numbers must match. Numbers below `min_confidence` come as `doubtful`. With
    `pictures`, each page comes as it was read, as base64 of a JPEG with at most 1600 pixels on its longer side.
    """
    state = state_of(request)
    limits = state.settings.limits
    content, fields = await uploaded(request)
    asked = valid(ReadFields, fields)
    expected = asked.model_dump(include={"expect", "checksum", "date", "amount"})
    document = Document(content, expected, asked.min_confidence, asked.pictures, limits.pages, limits.pixels)
    work = functools.partial(state.reading_process, document, request.state.until)
    try:
        pages = await state.reading.run(state.reader, work)
    except ManyPagesError as error:
        raise Problem(413, "too-large", str(error)) from error
    except OptionError as error:
        raise refused("expect", str(error)) from error
    except InputError as error:
        raise refused("image", str(error)) from error
    except LateReaderError:
        _log.warning("a document of %d bytes took too long", len(content))
        detail = f"reading took longer than {limits.seconds:g} seconds; send fewer pages or fewer pixels"
        raise Problem(504, "timeout", detail) from None
    except DeadReaderError:
        _log.warning("a document of %d bytes ended the process that read it", len(content))
        detail = "the file ended the process that read it; it is damaged or needs too much memory"
        raise refused("image", detail) from None
    failed = sum("error" in page for page in pages)
    return JSONResponse({"pages": pages, "read": len(pages) - failed, "failed": failed, "model": READER})
