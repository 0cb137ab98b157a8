"""What a real server answers to requests that it can answer."""

import base64
import io
import json
import re

import pytest
from PIL import Image
from serving import Server, ask, serving

import inkgrad as ig
from inkgrad.data import load_digits
from inkgrad.reading import Reader
from inkgrad.reading.record import page_record
from inkgrad.web.pages import PageFiles
from pictures import ONE, png


def test_a_digit_comes_back_as_python_answers_it_in_each_form_of_sending(server: Server) -> None:
    image = load_digits()[1].images[11]
    answer = ig.models.pretrained().classify(image)
    sent = [
        server.post("/api/v1/classify?seen=true", {"pixels": image.tolist()}),
        server.post("/api/v1/classify?seen=true", {"pixels": (image / 255).tolist()}),
        server.post("/api/v1/classify?seen=true", {"image": base64.b64encode(png(image)).decode()}),
        server.form("/api/v1/classify?seen=true", png(image)),
    ]
    for reply in sent:
        assert reply.status == 200 and reply.headers["content-type"] == "application/json"
        told = reply.json
        assert told["value"] == answer.value and told["model"] == "digits" and told["reason"] is None
        assert told["confidence"] == pytest.approx(answer.confidence, abs=2e-6)
        assert told["probabilities"] == pytest.approx(answer.probabilities, abs=2e-6)
        assert answer.image is not None and told["seen"] == answer.image.tolist()


def test_what_is_no_digit_is_told_with_its_reason(server: Server) -> None:
    blank = server.post("/api/v1/classify", {"pixels": [[0] * 28] * 28}).json
    assert (blank["value"], blank["reason"], blank["confidence"]) == (None, "blank", 0)
    fence = [[255 if 4 <= row < 24 and 4 <= x < 24 and x % 5 < 2 else 0 for x in range(28)] for row in range(28)]
    other = server.post("/api/v1/classify", {"pixels": fence}).json
    assert (other["value"], other["reason"]) == (None, "no_digit")
    assert other["digit_probability"] < 0.5


def test_a_model_is_chosen_by_its_name(server: Server) -> None:
    models = {model["name"]: model for model in server.get("/api/v1/models").json["models"]}
    assert {name: model["kind"] for name, model in models.items()} == {
        "digits": "classifier",
        "tiny": "classifier",
        "reader": "reader",
    }
    assert models["digits"]["default"] and models["tiny"]["parameters"] == 6887
    assert server.post("/api/v1/classify?model=tiny", {"pixels": ONE}).json["model"] == "tiny"
    problem = server.post("/api/v1/classify?model=../etc/passwd", {"pixels": ONE}).problem(422, "invalid-content")
    assert "digits, tiny" in problem["detail"]


@pytest.mark.slow
def test_the_numbers_of_a_page_come_as_the_reader_gives_them(server: Server, numbers_picture: bytes) -> None:
    expected = page_record("", 1, Reader.pretrained().read(numbers_picture, expect=r"\d{3}"))
    reply = server.form("/api/v1/read", numbers_picture, expect=r"\d{3}", pictures="true")
    assert reply.status == 200, reply
    (page,) = reply.json["pages"]
    assert page["numbers"] or page["doubtful"]
    assert [n["text"] for n in page["numbers"]] == [n["text"] for n in expected["numbers"]]
    shown = Image.open(io.BytesIO(base64.b64decode(page["picture"])))
    assert shown.format == "JPEG" and shown.width / shown.height == pytest.approx(page["width"] / page["height"], 0.01)
    assert (reply.json["read"], reply.json["failed"], reply.json["model"]) == (1, 0, "reader")


def test_all_pages_of_a_document_are_read(server: Server, numbers_picture: bytes) -> None:
    first = Image.open(io.BytesIO(numbers_picture)).convert("L")
    file = io.BytesIO()
    first.save(file, "PDF", save_all=True, append_images=[Image.new("L", (200, 300), 255)])
    pages = server.form("/api/v1/read", file.getvalue(), min_confidence="1").json["pages"]
    assert [page["page"] for page in pages] == [1, 2]
    assert pages[0]["doubtful"] and not pages[0]["numbers"] and not pages[1]["doubtful"]


def test_the_page_and_its_documents_come_with_a_strict_policy(server: Server) -> None:
    page = server.get("/")
    assert page.status == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ") and "unsafe" not in policy
    assert server.get("/", **{"If-None-Match": page.headers["etag"]}).status == 304
    for name in PageFiles().names:
        text = server.get(f"/{name}").content.replace(b"http://www.w3.org/", b"")  # the names of XML's languages
        assert b"http://" not in text and b"https://" not in text, name
        assert not re.search(rb"(src|href|url\(|import|fetch\()[^\n]{0,20}[\"'(=]//", text), name
    for path in ("/index.html", "/docs", "/docs.js", "/docs.css"):
        assert server.get(path).status == 200, path
    health = server.get("/api/v1/health").json
    assert (health["status"], health["feedback"], health["key_required"]) == ("ok", False, False)
    document = server.get("/openapi.json").json
    assert set(document["paths"]) >= {f"/api/v1/{name}" for name in ("classify", "read", "models", "feedback")}
    assert json.dumps(document).count("#/components/schemas/HTTPValidationError") == 0


@pytest.mark.slow
def test_a_key_is_asked_for_everywhere_but_at_the_page_and_the_health() -> None:
    key = "k" * 40
    with serving("--host", "0.0.0.0", INKGRAD_API_KEY=key) as server:
        assert server.key == key and "0.0.0.0" not in server.url
        assert server.get("/").status == 200 and server.get("/api/v1/health").json["key_required"]
        for wrong in ({}, {"Authorization": "Bearer " + "x" * 40}, {"Authorization": f"Basic {key}"}):
            problem = server.get("/api/v1/models", **wrong)
            assert problem.headers["www-authenticate"] == "Bearer"
            problem.problem(401, "unauthorized")
        assert server.get("/api/v1/models", Authorization=f"Bearer {key}").status == 200
        assert server.get("/openapi.json").json["components"]["securitySchemes"]


@pytest.mark.slow
def test_a_server_behind_a_proxy_has_another_name_and_asks_for_a_key() -> None:
    with serving("--name", "Digits.Example.org") as server:
        proxied = {"Host": "digits.example.org", "Origin": "https://digits.example.org"}
        assert server.key and server.get("/", **proxied).status == 200
        server.post("/api/v1/classify", {"pixels": ONE}, **proxied).problem(401, "unauthorized")
        proxied["Authorization"] = f"Bearer {server.key}"
        assert server.post("/api/v1/classify", {"pixels": ONE}, **proxied).json["value"] == 1
        server.get("/", Host="other.example.org").problem(403, "forbidden")


def test_a_connection_serves_many_requests(server: Server) -> None:
    connection = server.connect()
    content = json.dumps({"pixels": ONE}).encode()
    for _ in range(20):
        assert (
            ask(connection, "POST", "/api/v1/classify", content, {"Content-Type": "application/json"}).json["value"]
            == 1
        )
        assert ask(connection, "GET", "/nowhere").status == 404
    connection.close()
