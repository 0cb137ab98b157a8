"""Clients that send too much, too slowly, or ask for too much: each is answered, none holds up the others."""

import base64
import contextlib
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from serving import Server, ask, multipart, serving

from pictures import ONE, png

JSON = {"Content-Type": "application/json"}


def photo(width: int, height: int) -> bytes:
    """A large picture of a one in a small file."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[height // 4 : -height // 4, width * 9 // 20 : width * 11 // 20] = (10, 20, 30)
    return png(pixels, level=1)


@contextlib.contextmanager
def asking(server: Server) -> Iterator[list[float]]:
    """Another client meanwhile; in the end, how long each of its requests took."""
    end, took = threading.Event(), []

    def go_on() -> None:
        while not end.is_set():
            since = time.monotonic()
            assert server.post("/api/v1/classify", {"pixels": ONE}).json["value"] == 1
            took.append(time.monotonic() - since)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield took
    finally:
        end.set()
        thread.join(120)
        took.append(0)


@pytest.mark.slow
def test_large_pictures_hold_up_nobody_and_fill_no_memory() -> None:
    content, kind = multipart(photo(4000, 3000), {})
    replies = []

    def send() -> None:
        with contextlib.closing(server.connect(timeout=600)) as connection:
            replies.append(ask(connection, "POST", "/api/v1/classify", content, {"Content-Type": kind}))

    with serving(limits={"seconds": 600}) as server:
        server.post("/api/v1/classify", {"pixels": ONE})
        before, since = server.memory("VmRSS"), time.monotonic()
        threads = [threading.Thread(target=send) for _ in range(6)]
        with asking(server) as took:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert [reply.json["value"] for reply in replies] == [1] * 6
        assert max(took) < (time.monotonic() - since) / 4
        assert server.memory("VmHWM") - before < 500


def test_a_picture_with_more_pixels_than_a_photo_is_not_decoded_for_one_digit(server: Server) -> None:
    content = photo(5000, 2600)
    for reply in (
        server.form("/api/v1/classify", content),
        server.post("/api/v1/inside", {"image": base64.b64encode(content).decode()}),
    ):
        assert "at most 12.5 megapixels" in reply.problem(422, "invalid-content")["detail"]


def test_json_with_many_mistakes_is_refused_at_once(server: Server) -> None:
    many = (
        ("{" + ",".join(f'"{number:x}":1' for number in range(150_000)) + "}").encode(),
        ('{"pixels":[[' + ",".join(['"a"'] * 400_000) + "]]}").encode(),
        json.dumps({"image": base64.b64encode(b"x" * 2_000_000).decode()}).encode(),
    )
    for path in ("classify", "inside"):
        for content in many:
            server.request("POST", f"/api/v1/{path}", content, JSON).problem(413, "too-large")


def test_a_picture_of_a_mebibyte_may_come_in_json(server: Server) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (590, 590, 3), np.uint8)
    content = png(noise)
    assert 1_000_000 < len(content) < 1 << 20
    told = {"image": base64.b64encode(content).decode()}
    assert server.post("/api/v1/classify", told).status == 200


@pytest.fixture(scope="module")
def hasty() -> Iterator[Server]:
    """A server that gives each request three seconds."""
    with serving(limits={"seconds": 3, "bytes": 1 << 20}) as started:
        yield started


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /nowhere", b" 404 "),
        ("GET /", b" 200 "),
        ("POST /api/v1/classify", b" 415 "),
    ],
)
def test_a_body_that_nobody_reads_holds_no_connection(hasty: Server, head: str, status: bytes) -> None:
    since = time.monotonic()
    with socket.create_connection(hasty.address, timeout=30) as connection:
        connection.sendall(f"{head} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n".encode())
        received = connection.recv(65536)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(b"x")
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += part
    assert status in received.split(b"\r\n")[0] and b"connection: close" in received
    assert time.monotonic() - since < 10


@pytest.mark.slow
def test_a_slow_body_is_told_so_and_holds_no_connection(hasty: Server) -> None:
    since = time.monotonic()
    with socket.create_connection(hasty.address, timeout=30) as connection:
        head = b"POST /api/v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        connection.sendall(head + b"Content-Length: 1000\r\n\r\n")
        sending = threading.Thread(target=_drip, args=(connection,))
        sending.start()
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += part
        sending.join(30)
    assert b" 408 " in received.split(b"\r\n")[0] and b"/problems/too-slow" in received
    assert 2.5 < time.monotonic() - since < 10


def _drip(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.2)


def test_who_sends_too_much_hears_so(hasty: Server) -> None:
    """A client that sends all before it listens, as browsers do."""
    content, kind = multipart(b"x" * (3 << 20), {})
    for headers in ({}, {"Origin": "https://attacker.example"}):
        reply = hasty.request("POST", "/api/v1/read", content, {"Content-Type": kind} | headers)
        assert reply.status == (403 if headers else 413)


def test_a_connection_goes_on_after_a_small_body_that_nobody_read(server: Server) -> None:
    with contextlib.closing(server.connect()) as connection:
        for _ in range(3):
            assert ask(connection, "POST", "/nowhere", b"x" * 100).headers.get("connection") is None


@pytest.mark.slow
def test_a_part_inside_is_asked_for_once_and_sigterm_waits_for_no_more() -> None:
    with serving(limits={"seconds": 3}) as server:
        server.post("/api/v1/inside", {"pixels": ONE, "parts": []})
        for parts in (["smallest_change"] * 60, None, None, None):
            content = json.dumps({"pixels": ONE, "parts": parts}).encode()
            with contextlib.closing(server.connect()) as connection:
                connection.request("POST", "/api/v1/inside", content, JSON)
        server.get("/api/v1/health")
        since = time.monotonic()
        assert server.stop(signal.SIGTERM) == 0
        assert time.monotonic() - since < 3 + 5 + 5
