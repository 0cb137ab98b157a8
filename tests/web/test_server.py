"""How a server starts, bears more than it can do, and ends."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from serving import Server, ask, multipart, serving

from inkgrad.web import protocol
from pictures import ONE

BODY = json.dumps({"pixels": ONE}).encode()
JSON = {"Content-Type": "application/json"}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_requests_in_flight_are_answered_before_the_end(number: int) -> None:
    with serving() as server:
        connection = socket.create_connection(server.address, timeout=60)
        head = f"POST /api/v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(BODY)}\r\n"
        connection.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + BODY[:100])
        assert server.get("/api/v1/health").status == 200  # what was sent before has been taken
        server.process.send_signal(number)
        with contextlib.suppress(OSError):
            while True:  # until it listens no more
                socket.create_connection(server.address, timeout=5).close()
        connection.sendall(BODY[100:])
        reply = b""
        while part := connection.recv(65536):
            reply += part
        connection.close()
        assert b" 200 OK" in reply and b'"value":1' in reply
        assert server.process.wait(60) == 0
        assert server.log.read_text() == ""


@pytest.mark.slow
def test_a_document_that_is_being_read_is_answered_before_the_end(numbers_picture: bytes) -> None:
    content, kind = multipart(numbers_picture, {})
    with serving() as server:
        connection = server.connect()
        connection.request("POST", "/api/v1/read", content, {"Content-Type": kind})
        assert server.get("/api/v1/health").status == 200
        server.process.send_signal(signal.SIGTERM)
        reply = connection.getresponse()
        assert reply.status == 200 and b'"pages"' in reply.read()
        connection.close()
        assert server.process.wait(60) == 0


@pytest.mark.slow
def test_what_cannot_be_started_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for options, status, words in (
            (["--port", port], 1, f"cannot listen at 127.0.0.1 port {port}"),
            (["--model", "nowhere"], 2, "nowhere"),
            (["--database", "sqlite:///x"], 2, "--feedback"),
            (["--feedback", "--database", "mysql://x"], 2, "expected sqlite or postgresql"),
            (["--name", "https://digits.example.org"], 2, "without scheme and port"),
            (["--key-file", str(tmp_path / "none")], 2, "cannot be read"),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "inkgrad", "serve", "--port", "0", *options],
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == status and words in done.stderr and done.stderr.count("\n") == 1, done


@pytest.mark.slow
def test_more_than_can_wait_is_refused_and_none_is_lost() -> None:
    with serving("--waiting", "8") as server:
        server.post("/api/v1/classify", {"pixels": ONE})
        counts: Counter[int] = Counter()
        threads = [threading.Thread(target=_insist, args=(server, 20, counts)) for _ in range(80)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert set(counts) <= {200, 503} and sum(counts.values()) == 80 * 20
        assert counts[200] > 0 and counts[503] > 0
        assert server.post("/api/v1/classify", {"pixels": ONE}).json["value"] == 1
        assert server.log.read_text() == ""


def _insist(server: Server, times: int, counts: "Counter[int]") -> None:
    with contextlib.closing(server.connect()) as connection:
        for _ in range(times):
            reply = ask(connection, "POST", "/api/v1/classify", BODY, JSON)
            if reply.status == 503:
                reply.problem(503, "busy")
                assert reply.headers["retry-after"] == "1"
            counts[reply.status] += 1


@pytest.mark.slow
def test_slow_clients_are_told_so_and_hold_up_nobody(server: Server) -> None:
    with contextlib.ExitStack() as open_connections:
        slow = [
            open_connections.enter_context(socket.create_connection(server.address, timeout=120)) for _ in range(20)
        ]
        for connection in slow:
            connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: loc")
        since = time.monotonic()
        assert server.post("/api/v1/classify", {"pixels": ONE}).json["value"] == 1
        assert time.monotonic() - since < protocol.HEAD_SECONDS
        for connection in slow:
            reply = connection.recv(65536)
            assert b" 408 " in reply.split(b"\r\n")[0] and b"/problems/too-slow" in reply


def test_who_goes_away_is_not_waited_for(server: Server) -> None:
    for content in (BODY, BODY[:50]):
        with socket.create_connection(server.address) as connection:
            head = f"POST /api/v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(BODY)}\r\n"
            connection.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + content)
    connection = server.connect()
    connection.request("POST", "/api/v1/read", b"x" * 1000, {"Content-Type": "multipart/form-data; boundary=b"})
    connection.close()
    assert server.post("/api/v1/classify", {"pixels": ONE}).json["value"] == 1


def test_requests_behind_each_other_on_one_connection_are_answered_in_order(server: Server) -> None:
    one = f"POST /api/v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(BODY)}\r\n".encode()
    one += b"Content-Type: application/json\r\n\r\n" + BODY
    last = one.replace(b"Host:", b"Connection: close\r\nHost:")
    received = b""
    with socket.create_connection(server.address, timeout=60) as connection:
        connection.sendall(one + b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" + last)
        while part := connection.recv(65536):
            received += part
    assert re.findall(rb"HTTP/1.1 (\d+)|\"value\":(\d)", received) == [
        (b"200", b""),
        (b"", b"1"),
        (b"404", b""),
        (b"200", b""),
        (b"", b"1"),
    ]
