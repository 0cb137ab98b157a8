"""What a server acknowledges is kept, whatever ends it; what it is not asked to keep is not."""

import base64
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from serving import Server, serving

from databases import PostgresServer, SqliteFile, postgres
from inkgrad.data import to_digit
from inkgrad.feedback import Store
from pictures import ONE


@pytest.mark.slow
def test_corrections_are_kept_once_and_the_rest_is_not(database: SqliteFile | PostgresServer) -> None:
    with serving("--feedback", "--database", database.url) as server:
        assert server.get("/api/v1/health").json["feedback"]
        told = {"pixels": ONE, "correct": "1", "read": "7", "confidence": 0.5, "source": "draw", "model": "digits"}
        first = server.post("/api/v1/feedback", told | {"key": "a"})
        assert (first.status, first.json["id"]) == (201, 1) and first.json["created"].endswith("Z")
        again = server.post("/api/v1/feedback", told | {"key": "a"})
        assert (again.status, again.json) == (200, first.json)
        other = server.post("/api/v1/feedback", told | {"key": "a", "correct": "2"})
        assert "'a'" in other.problem(409, "key-taken")["detail"]
        assert server.post("/api/v1/feedback", {"pixels": ONE, "correct": None}).json["id"] > 1
        server.post("/api/v1/classify", {"pixels": ONE})
        for wrong in (
            {"pixels": ONE},  # what is right must be said
            {"correct": "1"},
            {"pixels": ONE, "correct": "one"},
            {"pixels": ONE, "correct": 1},
            {"pixels": ONE, "correct": ""},
            {"pixels": ONE, "correct": "1", "unknown": 1},
            {"pixels": ONE, "correct": "1", "read": "\0"},
            {"pixels": ONE, "correct": "1", "confidence": 2},
            {"image": base64.b64encode(b"no picture").decode(), "correct": "1"},
        ):
            server.post("/api/v1/feedback", wrong).problem(422, "invalid-content")
        large = base64.b64encode(b"x" * 1_100_000).decode()
        server.post("/api/v1/feedback", {"image": large, "correct": "1"}).problem(413, "too-large")
        assert server.stop() == 0
    store = Store(database.url)
    entries = list(store.entries())
    store.close()
    assert [(e.correct, e.said, e.confidence, e.source, e.model) for e in entries] == [
        ("1", "7", 0.5, "draw", "digits"),
        (None, None, None, "api", None),
    ]
    form = to_digit(entries[0].image)
    assert form is not None and form.shape == (28, 28)


@pytest.mark.slow
def test_a_database_that_goes_away_is_a_problem_until_it_is_back(database: SqliteFile | PostgresServer) -> None:
    with serving("--feedback", "--database", database.url) as server:
        assert server.post("/api/v1/feedback", {"pixels": ONE, "correct": "1"}).status == 201
        database.take_away()
        for _ in range(2):
            reply = server.post("/api/v1/feedback", {"pixels": ONE, "correct": "2"})
            assert "not known to be kept" in reply.problem(503, "database-away")["detail"]
            assert reply.headers["retry-after"]
        assert server.log.read_text().count("corrections are not kept: the database") == 1
        assert server.post("/api/v1/classify", {"pixels": ONE}).json["value"] == 1
        database.bring_back()
        assert server.post("/api/v1/feedback", {"pixels": ONE, "correct": "3"}).status == 201
        assert server.log.read_text().count("corrections are kept again") == 1
    store = Store(database.url)
    assert [entry.correct for entry in store.entries()] == ["1", "3"]
    store.close()


@pytest.mark.slow
def test_a_database_that_is_full(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/feedback.sqlite"
    with serving("--feedback", "--database", url, limits={"kept_bytes": 1}) as server:
        server.post("/api/v1/feedback", {"pixels": ONE, "correct": "1"}).problem(507, "feedback-full")
        assert server.log.read_text() == ""


@pytest.mark.slow
def test_a_database_that_does_not_answer_holds_up_nobody_and_no_end() -> None:
    with postgres() as database:
        with serving("--feedback", "--database", database.url, limits={"seconds": 3}) as server:
            assert server.post("/api/v1/feedback", {"pixels": ONE, "correct": "1"}).status == 201
            database.freeze()
            detail = server.post("/api/v1/feedback", {"pixels": ONE, "correct": "2"}).problem(504, "timeout")["detail"]
            assert "try again later" in detail
            assert server.post("/api/v1/classify", {"pixels": ONE}).json["value"] == 1
            since = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - since < 3 + 5 + 5
        database.freeze(signal.SIGCONT)


@pytest.mark.slow
def test_kill_9_loses_nothing_that_was_acknowledged(database: SqliteFile | PostgresServer) -> None:
    acknowledged: set[str] = set()
    for turn in range(3):
        with serving("--feedback", "--database", database.url) as server:
            enough = threading.Event()
            writers = [
                threading.Thread(target=_write, args=(server, f"{turn} {number}", acknowledged, enough))
                for number in range(4)
            ]
            for writer in writers:
                writer.start()
            assert enough.wait(60)
            assert server.stop(signal.SIGKILL) == -signal.SIGKILL
            for writer in writers:
                writer.join(60)
                assert not writer.is_alive()
    store = Store(database.url)
    kept = [entry.key for entry in store.entries()]
    store.close()
    assert len(acknowledged) >= 3 * 20
    assert acknowledged <= set(kept) and len(kept) == len(set(kept))


def _write(server: Server, name: str, acknowledged: set[str], enough: threading.Event) -> None:
    """Send one after the other until the server is gone."""
    count = 0
    while True:
        key = f"{name} {count}"
        try:
            reply = server.post("/api/v1/feedback", {"pixels": ONE, "correct": "1", "key": key})
        except (OSError, EOFError):
            return
        except Exception as error:  # an answer that broke off
            assert type(error).__module__ == "http.client", error
            return
        if reply.status == 503:  # a disk that is busy: nothing is acknowledged
            continue
        assert reply.status == 201
        acknowledged.add(key)
        count += 1
        if count == 20:
            enough.set()


@pytest.mark.slow
def test_without_the_extras_the_server_serves_and_names_them(tmp_path: Path) -> None:
    missing = ("sqlalchemy", "alembic", "pypdfium2", "pillow_heif")
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules.update(dict.fromkeys({missing}))\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with serving(PYTHONPATH=path) as server:
        health = server.get("/api/v1/health").json
        assert not (health["pdf"] or health["heic"] or health["feedback"])
        assert server.get("/").status == 200
        assert server.post("/api/v1/classify", {"pixels": ONE}).json["value"] == 1
        correction = server.post("/api/v1/feedback", {"pixels": ONE, "correct": "1"})
        assert correction.problem(501, "missing-extra")["extra"] == "feedback"
        document = server.form("/api/v1/read", b"%PDF-1.4")
        assert 'pip install "inkgrad[pdf]"' in document.problem(501, "missing-extra")["detail"]
        photo = server.form("/api/v1/classify", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
        assert photo.problem(501, "missing-extra")["extra"] == "heic"
        assert server.log.read_text() == ""
    asked = subprocess.run(
        [sys.executable, "-m", "inkgrad", "serve", "--port", "0", "--feedback"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert asked.returncode == 2 and 'pip install "inkgrad[feedback]"' in asked.stderr
