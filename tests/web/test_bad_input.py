"""What a real server answers to requests that it cannot answer, and that it goes on."""

import base64
import contextlib
import io
import json
import socket
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image
from serving import Server, multipart

from pictures import ONE

JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def _goes_on(server: Server) -> Iterator[None]:
    yield
    assert server.post("/api/v1/classify", {"pixels": ONE}).json["value"] == 1


@pytest.mark.parametrize(
    ("body", "status", "name", "field"),
    [
        (b"", 400, "bad-request", None),
        (b"{", 400, "bad-request", None),
        (b"\xff\xfe", 400, "bad-request", None),
        (b"[]", 422, "invalid-content", ""),
        (b"null", 422, "invalid-content", ""),
        (b"{}", 422, "invalid-content", "pixels"),
        (json.dumps({"pixels": ONE, "image": "aGk="}).encode(), 422, "invalid-content", "pixels"),
        (json.dumps({"pixels": ONE[:-1]}).encode(), 422, "invalid-content", "pixels"),
        (json.dumps({"pixels": [*ONE[:-1], [0] * 27]}).encode(), 422, "invalid-content", "pixels.27"),
        (json.dumps({"pixels": [*ONE[:-1], [0] * 27 + ["1"]]}).encode(), 422, "invalid-content", "pixels.27.27"),
        (json.dumps({"pixels": [*ONE[:-1], [0] * 27 + [256]]}).encode(), 422, "invalid-content", "pixels.27.27"),
        (
            json.dumps({"pixels": [*ONE[:-1], [0] * 27 + [float("nan")]]}).encode(),
            422,
            "invalid-content",
            "pixels.27.27",
        ),
        (
            json.dumps({"pixels": [*ONE[:-1], [0] * 27 + [float("inf")]]}).encode(),
            422,
            "invalid-content",
            "pixels.27.27",
        ),
        (json.dumps({"pixels": [*ONE[:-1], [0] * 27 + [[]]]}).encode(), 422, "invalid-content", "pixels.27.27"),
        (json.dumps({"pixels": ONE, "path": "/etc/passwd"}).encode(), 422, "invalid-content", "path"),
        (b'{"image": "not base64!"}', 422, "invalid-content", "image"),
        (b'{"image": "YWJj"}', 422, "invalid-content", "image"),  # "abc" is no picture
        (b'{"image": ""}', 422, "invalid-content", "image"),
        (b'{"image": "/etc/hostname"}', 422, "invalid-content", "image"),
        (b"[" * 100_000, 400, "bad-request", None),
    ],
)
def test_json_that_cannot_be_used(server: Server, body: bytes, status: int, name: str, field: str | None) -> None:
    problem = server.request("POST", "/api/v1/classify", body, JSON).problem(status, name)
    assert [error["field"] for error in problem.get("errors", [])] == ([] if field is None else [field])


def test_other_content_types(server: Server) -> None:
    for kind in ("text/plain", "image/png", "", "application/x-www-form-urlencoded"):
        server.request("POST", "/api/v1/classify", b"x", {"Content-Type": kind}).problem(415, "unsupported-media-type")
    server.request("POST", "/api/v1/read", b"{}", JSON).problem(415, "unsupported-media-type")
    server.request("POST", "/api/v1/read", b"x", {"Content-Type": "multipart/form-data"}).problem(400, "bad-request")
    broken = b"--a\r\nnothing that is a form"
    reply = server.request("POST", "/api/v1/read", broken, {"Content-Type": "multipart/form-data; boundary=a"})
    assert 400 <= reply.status < 500
    reply.problem(reply.status, "bad-request" if reply.status == 400 else "invalid-content")


def test_forms_that_cannot_be_used(server: Server) -> None:
    server.form("/api/v1/read").problem(422, "invalid-content")
    server.form("/api/v1/read", b"").problem(422, "invalid-content")
    server.form("/api/v1/read", b"GIF89a").problem(422, "invalid-content")
    content, kind = multipart(None, {"image": "/etc/passwd"})
    server.request("POST", "/api/v1/read", content, {"Content-Type": kind}).problem(422, "invalid-content")
    server.form("/api/v1/read", b"x", min_confidence="2").problem(422, "invalid-content")
    server.form("/api/v1/read", b"x", min_confidence="nan").problem(422, "invalid-content")
    server.form("/api/v1/read", b"x", checksum="none").problem(422, "invalid-content")
    server.form("/api/v1/classify", b"x", other="1").problem(422, "invalid-content")
    content, kind = multipart(b"x", {}, name="picture")
    server.request("POST", "/api/v1/read", content, {"Content-Type": kind}).problem(422, "invalid-content")
    file = io.BytesIO()
    Image.new("L", (60, 60), 255).save(file, "PNG")
    for expression in ("(", "[0-9", r"\d{1,999999}"):
        problem = server.form("/api/v1/read", file.getvalue(), expect=expression).problem(422, "invalid-content")
        assert problem["errors"][0]["field"] == "expect"


def test_other_paths_and_methods(server: Server) -> None:
    for path in (
        "/nowhere",
        "/api/v1/nowhere",
        "/api/v2/classify",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//",
        "/api/v1/health/",
    ):
        server.get(path).problem(404, "not-found")
    reply = server.request("DELETE", "/api/v1/classify")
    reply.problem(405, "method-not-allowed")
    assert reply.headers["allow"] == "POST"
    server.get("/api/v1/classify").problem(405, "method-not-allowed")


def test_query_parameters_that_there_are_not(server: Server) -> None:
    problem = server.form("/api/v1/read?expect=1", b"x").problem(422, "invalid-content")
    assert problem["errors"][0]["field"] == "expect" and "query parameter" in problem["detail"]
    problem = server.post("/api/v1/classify?sen=1", {"pixels": ONE}).problem(422, "invalid-content")
    assert "there are model, seen" in problem["detail"]
    for path in ("health?x", "models?x=1"):
        name = "x"
        reply = server.get(f"/api/v1/{path}")
        assert reply.status == 422 and reply.json["errors"][0]["field"] == name


def test_foreign_pages_and_names_are_refused(server: Server) -> None:
    server.get("/api/v1/models", Host="attacker.example").problem(403, "forbidden")
    server.post("/api/v1/classify", {"pixels": ONE}, Origin="https://attacker.example").problem(403, "forbidden")
    server.post("/api/v1/classify", {"pixels": ONE}, Origin="null").problem(403, "forbidden")
    assert server.post("/api/v1/classify", {"pixels": ONE}, Origin=server.url.rstrip("/")).status == 200


def test_feedback_that_is_switched_off(server: Server) -> None:
    problem = server.post("/api/v1/feedback", {"pixels": ONE, "correct": "1"}).problem(403, "feedback-off")
    assert "--feedback" in problem["detail"]


@pytest.mark.slow
def test_a_body_too_large_is_refused_before_it_is_read(server: Server) -> None:
    head = b"POST /api/v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n"
    assert b" 413 " in exchange(server, head).split(b"\r\n")[0]
    chunked = b"POST /api/v1/classify HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    chunked += b"Content-Type: application/json\r\n\r\n"
    megabyte = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    assert b" 413 " in exchange(server, chunked + megabyte * 21).split(b"\r\n")[0]


def test_heads_that_are_too_large_or_no_http(server: Server) -> None:
    many = b"".join(b"X-%d: %s\r\n" % (i, b"y" * 1000) for i in range(200))
    assert b" 431 " in exchange(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + many)
    assert b" 431 " in exchange(server, b"GET / HTTP/1.1\r\nX: " + b"y" * 200_000)
    assert b" 431 " in exchange(server, b"GET /" + b"y" * 200_000)
    reply = exchange(server, b"\x16\x03\x01 no http at all\r\n\r\n")
    assert b" 400 " in reply and b"application/problem+json" in reply


def test_pictures_with_too_many_pixels_are_not_decoded(server: Server) -> None:
    rows = b"".join(zlib.compress(b"\0" * (1 + 60_000 // 8)) for _ in range(1))
    header = (60_000).to_bytes(4, "big") * 2 + b"\x01\x00\x00\x00\x00"
    bomb = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")
    for path in ("/api/v1/classify", "/api/v1/read"):
        assert "pixels" in server.form(path, bomb).problem(422, "invalid-content")["detail"]
    told = base64.b64encode(bomb).decode()
    assert "pixels" in server.post("/api/v1/classify", {"image": told}).problem(422, "invalid-content")["detail"]


def test_a_pdf_of_ten_thousand_pages(server: Server) -> None:
    problem = server.form("/api/v1/read", pdf(10_000)).problem(413, "too-large")
    assert "10,000 pages" in problem["detail"]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def pdf(pages: int) -> bytes:
    """A document of empty pages."""
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(pages))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids)]
    objects += [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>"] * pages
    out, places = b"%PDF-1.4\n", []
    parts = [out]
    length = len(out)
    for number, content in enumerate(objects, 1):
        places.append(length)
        parts.append(b"%d 0 obj%sendobj\n" % (number, content))
        length += len(parts[-1])
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table))
    parts.append(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, length))
    return b"".join(parts)


def exchange(server: Server, content: bytes) -> bytes:
    """Send bytes as they are; what comes back until the server closes the connection."""
    with socket.create_connection(server.address, timeout=30) as connection:
        received = b""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it need not take what it refuses
            connection.sendall(content)
        while part := connection.recv(65536):
            received += part
        return received
