"""The picture of one digit in a request, made small before it waits for a network."""

import functools
from typing import Any

from starlette.requests import Request

from inkgrad.errors import ImageError
from inkgrad.web.bodies import PictureBody, json_of, media_type, refused, uploaded, wrong_type
from inkgrad.web.state import ServerState

__all__ = ["digit_in", "digit_of", "see_that_it_is_one"]


async def digit_in(request: Request, state: ServerState, kind: type[PictureBody]) -> Any:
    """The digit in the body of a request, a form or JSON, as `digit_of` gives it.

    Raises:
        Problem: there is none, or it cannot be used.
    """
    if media_type(request) == "application/json":
        return await digit_of(await json_of(request, kind), state)
    if media_type(request) != "multipart/form-data":
        raise wrong_type(request, "application/json", "multipart/form-data")
    content, others = await uploaded(request)
    if others:
        raise refused(next(iter(others)), f"there is no field {next(iter(others))!r}; send image alone")
    return await _decoding(_digit, content, state)


async def digit_of(given: PictureBody, state: ServerState) -> Any:
    """The digit that was sent: pixels as they are, float32 (28, 28), or a file's form, uint8 (28, 28), None of no ink.

    Raises:
        Problem: it cannot be used.
    """
    import numpy as np

    content = given.file()
    return np.asarray(given.pixels, np.float32) if content is None else await _decoding(_digit, content, state)


async def see_that_it_is_one(content: bytes, state: ServerState) -> None:
    """See that a file can be decoded.

    Raises:
        Problem: it cannot.
    """
    await _decoding(_seen, content, state)


async def _decoding(work: Any, content: bytes, state: ServerState) -> Any:
    """What some work makes of a file, in the one thread that decodes: no two pictures are in memory at a time."""
    try:
        return await state.decoding.run(
            state.decoder, functools.partial(work, content, state.settings.limits.digit_pixels)
        )
    except ImageError as error:
        raise refused("image", str(error)) from error


def _digit(content: bytes, most_pixels: int) -> Any:
    from inkgrad.data import decode, to_digit

    return to_digit(decode(content, most_pixels=most_pixels))


def _seen(content: bytes, most_pixels: int) -> None:
    from inkgrad.data import decode

    decode(content, most_pixels=most_pixels)
