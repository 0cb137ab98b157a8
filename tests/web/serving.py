"""A real server in a process of its own, and a client that says what it gets."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 60.0
LIMITED = Path(__file__).parent / "limited.py"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    def problem(self, status: int, name: str) -> dict[str, Any]:
        """The problem document that it must be."""
        assert (self.status, self.headers.get("content-type")) == (status, "application/problem+json"), self
        document = self.json
        assert document["status"] == status and document["type"] == f"/problems/{name}", document
        assert document["title"] and document["detail"], document
        return document


@dataclass
class Server:
    url: str
    process: "subprocess.Popen[str]"
    key: str | None = None
    log: Path = field(default=Path())

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    def connect(self, timeout: float = TIMEOUT) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self.address, timeout=timeout)

    def request(
        self, method: str, path: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        with contextlib.closing(self.connect()) as connection:
            return ask(connection, method, path, content, headers)

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, value: Any, **headers: str) -> Answer:
        """Send JSON."""
        content = json.dumps(value).encode()
        return self.request("POST", path, content, {"Content-Type": "application/json"} | headers)

    def form(self, path: str, image: bytes | None = None, **fields: str) -> Answer:
        """Send a form with a file."""
        content, kind = multipart(image, fields)
        return self.request("POST", path, content, {"Content-Type": kind})

    def memory(self, kind: str) -> int:
        """MiB that it has (VmRSS), or has had at most (VmHWM)."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) >> 10 for line in lines if line.startswith(kind))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; returns its exit status."""
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT)


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    connection.request(method, path, content, dict(headers or {}))
    response = connection.getresponse()
    told = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, told, response.read())


def multipart(image: bytes | None, fields: Mapping[str, str], name: str = "image") -> tuple[bytes, str]:
    """The body of a form and its content type."""
    boundary = "----inkgrad-test"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    if image is not None:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\n'
        parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + image + b"\r\n")
    return b"".join([*parts, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


@contextlib.contextmanager
def serving(*options: str, limits: Mapping[str, float] | None = None, **environment: str) -> Iterator[Server]:
    """A server on a port that is free, until the end of the block; `limits` are others than the usual ones."""
    program = ["-m", "inkgrad"] if limits is None else [str(LIMITED), json.dumps(limits)]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, *program, "serve", "--port", "0", "--json", *options],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=os.environ | {"XDG_DATA_HOME": folder} | environment,
            )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, f"the server did not start: {log.read_text()}"
            told = json.loads(line)
            yield Server(told["url"], process, told["key"], log)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()


def entries(database: str) -> list[Any]:
    """The corrections that a server has kept, in the order in which they came."""
    from inkgrad.feedback import Store

    store = Store(database)
    try:
        return list(store.entries())
    finally:
        store.close()
