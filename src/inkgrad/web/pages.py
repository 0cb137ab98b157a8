"""The files of the page: read once when the server starts, so that no request ever opens one."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["PageFiles"]

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class _File:
    content: bytes
    media_type: str
    tag: str


class PageFiles:
    """What the package holds in `web/page`, by its path below it.

    >>> "index.html" in PageFiles().names
    True
    """

    def __init__(self) -> None:
        self._files = dict(_found(files("inkgrad") / "web" / "page", ""))

    @property
    def names(self) -> list[str]:
        """The paths."""
        return sorted(self._files)

    def answer(self, name: str, request: Request) -> Response:
        """One of the files, or that the client has it already."""
        file = self._files[name]
        headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)


def _found(folder: Traversable, before: str) -> list[tuple[str, _File]]:
    found: list[tuple[str, _File]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found.extend(_found(entry, f"{before}{entry.name}/"))
        elif (ending := "." + entry.name.rpartition(".")[2]) in _TYPES:
            content = entry.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            found.append((before + entry.name, _File(content, _TYPES[ending], tag)))
    return found
