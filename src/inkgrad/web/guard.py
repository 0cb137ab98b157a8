"""What every request passes before it is looked at, and what every answer carries."""

import asyncio
import contextlib
import hmac
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inkgrad.web.problems import Problem, ProblemResponse, busy
from inkgrad.web.settings import Limits, WebSettings

__all__ = ["OPEN_PATH", "SECURITY_HEADERS", "Guard"]

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

_RAW_HEADERS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_DRAINED = 4  # times the bytes of a body that is taken: so much of one that is not wanted is still received
_PAUSE_SECONDS = 1.0  # without a byte, after which it is not received further
_CLOSE = (b"connection", b"close")
_API = "/api/"
OPEN_PATH = "/api/v1/health"  # without a key, for those who only watch whether the server is there


class Guard:
    """Refuses foreign pages, wrong keys, bodies that are too large, and what takes too long.

    Args:
        app: answers what is let through.
        settings: of the server.
        full: whether there is no room for what is asked for at a path. It is refused at once then: when there is too
            much to do, to say so must cost little.
        end: lets answers that would last come to their end; to be called when the server shall end.
    """

    def __init__(
        self, app: ASGIApp, settings: WebSettings, full: Callable[[str], bool], end: Callable[[], None]
    ) -> None:
        self._app, self._settings, self._full, self.end = app, settings, full, end
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limits = self._settings.limits
        body = _Body(self, receive, limits)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                if not patience.expired():
                    patience.reschedule(None)
                await body.drain()
                closing = [_CLOSE] if body.unread else []  # what is left of it is not waited for
                message["headers"] = [*message.get("headers", ()), *_RAW_HEADERS, *closing]
            await send(message)

        try:
            async with asyncio.timeout(limits.seconds) as patience:
                scope.setdefault("state", {})["until"] = body.until
                try:
                    headers = dict(scope["headers"])
                    self._check(scope, headers)
                    body.begin(headers)
                    if self._full(scope["path"]):
                        raise busy("as much is waiting as the server takes; try again in a second")
                    await self._app(scope, body.receive, answer)
                except Problem as problem:
                    await ProblemResponse(problem)(scope, receive, answer)
        except TimeoutError:
            if not patience.expired():
                raise
            await ProblemResponse(body.late())(scope, receive, answer)
        finally:
            self._held -= body.size

    def hold(self, size: int) -> None:
        """Take note of bytes that are held from now on.

        Raises:
            Problem: all bodies together are too large.
        """
        self._held += size
        if self._held > self._settings.limits.held_bytes:
            raise busy("the server holds as many bytes of other requests as it can; try again in a moment")

    def _check(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if self._settings.hosts is not None and _name(host) not in self._settings.hosts:
            raise Problem(
                403, "forbidden", f"this server is not called {host or 'nothing'}; open it by the address it printed"
            )
        origin = headers.get(b"origin")
        if origin is not None and scope["path"].startswith(_API):
            given = origin.decode("latin-1").lower()
            if urlsplit(given).netloc != host:
                raise Problem(403, "forbidden", f"a page of {given} may not use this server")
        if self._settings.key is not None and scope["path"].startswith(_API) and scope["path"] != OPEN_PATH:
            _check_key(headers.get(b"authorization", b""), self._settings.key)


def _name(host: str) -> str:
    """A host without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _check_key(given: bytes, key: str) -> None:
    scheme, _, token = given.partition(b" ")
    if scheme.lower() != b"bearer" or not hmac.compare_digest(token.strip(), key.encode()):
        raise Problem(
            401,
            "unauthorized",
            "this server asks for its key; send the header Authorization: Bearer KEY",
            headers={"WWW-Authenticate": "Bearer"},
        )


class _Body:
    """The body of one request, as it comes.

    Attributes:
        until: when the request has taken too long, as the monotonic clock tells it.
        size: bytes that came.
        unread: whether more is to come.
    """

    def __init__(self, guard: Guard, receive: Receive, limits: Limits) -> None:
        self._guard, self._receive, self._limits = guard, receive, limits
        self._told, self._invited = 0, True
        self.until = time.monotonic() + limits.seconds
        self.size, self.unread = 0, False

    def begin(self, headers: dict[bytes, bytes]) -> None:
        """Look at what the headers say of it."""
        told = headers.get(b"content-length")
        self.unread = told not in (None, b"0") or b"transfer-encoding" in headers
        self._invited = b"expect" not in headers  # else nothing comes before it is asked for
        if told is None:
            return
        if told.isdigit():
            self._told = int(told)
        if not told.isdigit() or self._told > self._limits.bytes:
            raise self._too_large()

    async def receive(self) -> Message:
        """The next part, if it is not too much."""
        self._invited = True
        message = await self._receive()
        if message["type"] == "http.request":
            content = message.get("body", b"")
            self.size += len(content)
            self._guard.hold(len(content))
            self.unread = message.get("more_body", False)
            if self.size > self._limits.bytes:
                raise self._too_large()
        return message

    async def drain(self) -> None:
        """Take what still comes, and forget it: who is still sending would else lose the answer with the connection."""
        rest = _DRAINED * self._limits.bytes
        if not self._invited or self._told > rest:
            return
        with contextlib.suppress(TimeoutError):
            while self.unread and rest > 0 and time.monotonic() < self.until:
                async with asyncio.timeout(_PAUSE_SECONDS):
                    message = await self._receive()
                rest -= len(message.get("body", b""))
                self.unread = message.get("more_body", False)

    def late(self) -> Problem:
        """The time is over."""
        seconds = f"{self._limits.seconds:g} seconds"
        if self.unread:
            return Problem(408, "too-slow", f"the body did not come within {seconds}; send it again")
        return Problem(504, "timeout", f"it took longer than {seconds}; send less, or try again later")

    def _too_large(self) -> Problem:
        return Problem(413, "too-large", f"a request may have {self._limits.bytes:,} bytes; send a smaller file")
