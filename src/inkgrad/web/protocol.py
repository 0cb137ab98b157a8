"""HTTP as uvicorn speaks it, with a limit on how long and how large the head of a request may be."""

import asyncio
import json
from asyncio.events import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from inkgrad.web.guard import SECURITY_HEADERS
from inkgrad.web.problems import PROBLEM_TYPE, Problem

__all__ = ["HEAD_BYTES", "HEAD_SECONDS", "LimitedProtocol"]

HEAD_BYTES = 32 << 10
HEAD_SECONDS = 20.0
_LINGER_SECONDS = 1.0  # that a connection is still received from, after its answer


class LimitedProtocol(HttpToolsProtocol):
    """Refuses a head (request line and headers) that is too large or comes too slowly, and what is no HTTP.

    Without these limits one client could fill the memory with a header without an end, or hold connections for ever.
    """

    _head = 0
    _in_head = True
    _refused = False
    _timer: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before the end of the headers."""
        if self._refused:
            return
        if self._in_head:
            self._head += len(data)
            if self._timer is None:
                self._start_timer()
        super().data_received(data)
        if self._in_head and self._head > HEAD_BYTES and not self.transport.is_closing():
            detail = f"the request line and the headers may have {HEAD_BYTES:,} bytes; send fewer"
            self._refuse(Problem(431, "headers-too-large", detail))

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._in_head = False
        self._stop_timer()
        # How an answer that lasts is given up where nobody receives it: to close in order would wait for the receiver.
        self.scope.setdefault("extensions", {})["inkgrad.abort"] = self.transport.abort  # type: ignore[assignment]
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next head may come."""
        self._in_head, self._head = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(Problem(400, "bad-request", f"{msg.rstrip('.')}; speak HTTP/1.1"))

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self._head:
            self._refuse(Problem(408, "too-slow", f"the headers did not come within {HEAD_SECONDS:g} seconds"))
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        """Answer with a problem document and close the connection."""
        if self.cycle is not None and not self.cycle.response_complete:  # an answer before it is still being sent
            self.transport.close()
            return
        content = json.dumps(problem.document()).encode()
        headers: dict[str, Any] = {
            "content-type": PROBLEM_TYPE,
            "content-length": len(content),
            "connection": "close",
        } | SECURITY_HEADERS
        lines = [STATUS_LINE[problem.status], *(f"{name}: {value}\r\n".encode() for name, value in headers.items())]
        self.transport.write(b"".join([*lines, b"\r\n", content]))
        # Closed at once while more is coming, the connection would be reset, and with it the answer lost.
        self._refused = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)
