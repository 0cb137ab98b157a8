"""`/api/v1/lessons/training`: the numbers of the trainer as they come, for as long as someone watches."""

import base64
import contextlib
import json
import re
import signal
import socket
import threading
import time

import numpy as np
import pytest
from serving import serving

from inkgrad.lessons.live import LiveTraining
from inkgrad.lessons.live_settings import LiveSettings, network_of
from inkgrad.web import trainings

TRAINING = "/api/v1/lessons/training"
WATCH, WATCHING, CHANGE = (f"{TRAINING}/{name}" for name in ("watch", "watching", "change"))
JSON = {"Content-Type": "application/json"}


@contextlib.contextmanager
def watched(server, training, **headers):
    """The events of a training; the connection is closed at the end of the block."""
    with contextlib.closing(server.connect()) as connection:
        connection.request("POST", WATCH, json.dumps({"training": training}), JSON | headers)
        response = connection.getresponse()
        assert (response.status, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        with response:
            yield events(response)


def events(lines):
    name = ""
    for line in lines:
        if line.startswith(b"event: "):
            name = line[7:].decode().strip()
        elif line.startswith(b"data: "):
            yield name, json.loads(line[6:])


def begun(server, **body):
    answer = server.post(TRAINING, body)
    assert answer.status == 200, answer
    return answer.json["training"]


def until(told, condition):
    """The first event for which a condition holds."""
    return next(data for name, data in told if condition(name, data))


def over(name, data):
    return name == "state" and data["reason"] != ""


def free(server):
    """Wait until no training is left."""
    deadline = time.monotonic() + 60
    while server.get(TRAINING).json["running"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def maps(told):
    """What was sent as a byte a number, and half of a byte's step."""
    levels = np.frombuffer(base64.b64decode(told["data"]), np.uint8).reshape(told["shape"])
    step = (told["high"] - told["low"]) / 255
    return told["low"] + step * levels, 0.51 * step + 1e-12


def test_what_is_told_is_what_the_trainer_does(server):
    training = begun(server, network="mlp", optimizer="momentum", learning_rate=0.05, batch_size=50, seed=2, pace=100.0)
    points, measures, glimpses = [], [], []
    with watched(server, training) as told:
        name, first = next(told)
        assert (name, first["training"], first["steps_an_epoch"], first["network"]) == ("begin", training, 29, "mlp")
        for name, data in told:
            if name == "course":
                points += data["points"]
                measures += data["measures"]
            elif name == "glimpse":
                glimpses.append(data)
            if len(points) >= 40 and len(glimpses) >= 2:
                server.post(CHANGE, {"training": training, "end": True})
                break
        final = until(told, over)
        assert final["reason"] == "ended" and list(told) == []  # the stream comes to its end
    python = LiveTraining(LiveSettings("mlp", "digits", "momentum", 0.05, 50, 2), most_steps=len(points))
    python.run()
    expected = python.news()
    for sent, point in zip(points, expected.points, strict=True):
        assert sent["step"] == point.step and sent["rate"] == point.rate
        assert sent["loss"] == pytest.approx(point.loss, rel=1e-4)
        assert sent["norms"] == pytest.approx(point.norms, rel=1e-3)
    known = {measure.step: measure.accuracy for measure in expected.measures}
    for measure in measures:
        assert measure["accuracy"] == pytest.approx(known[measure["step"]], abs=0.006)
    assert glimpses[0]["step"] == 0 < glimpses[1]["step"]
    weights, close = maps(glimpses[0]["layers"][0]["weights"])
    assert weights.shape == (128, 28, 28) and glimpses[0]["layers"][0]["columns"] == 16
    fresh = network_of(LiveSettings("mlp", seed=2)).layers[1].weight.data
    np.testing.assert_allclose(weights, fresh.reshape(128, 28, 28), atol=close)
    assert close < 0.01
    free(server)


def test_two_browsers_on_one_training(server):
    training = begun(server, pace=20.0)
    with watched(server, training) as one:
        until(one, lambda name, data: name == "course" and data["points"])
        with watched(server, training) as other:
            until(one, lambda name, data: name == "state" and data["watchers"] == 2)
            past = until(other, lambda name, data: name == "course")
            assert past["points"][0]["step"] == 1  # who comes later is told everything
            server.post(CHANGE, {"training": training, "learning_rate": 0.5})
            server.post(CHANGE, {"training": training, "learning_rate": 0.25, "running": False})
            for told in (one, other):
                state = until(told, lambda name, data: name == "state" and not data["running"])
                assert state["learning_rate"] == 0.25  # the last change holds, for both
            server.post(CHANGE, {"training": training, "running": True})
        state = until(one, lambda name, data: name == "state" and data["watchers"] == 1)
        assert state["running"]  # as long as one watches it goes on
        until(one, lambda name, data: name == "course" and any(p["rate"] == 0.25 for p in data["points"]))
        server.post(CHANGE, {"training": training, "end": True})
        until(one, over)
    free(server)


@pytest.mark.slow
def test_closing_the_page_ends_the_training(server):
    training = begun(server)
    with watched(server, training) as told:
        until(told, lambda name, data: name == "course" and data["points"])
    free(server)
    server.post(CHANGE, {"training": training}).problem(404, "not-found")
    server.post(WATCH, {"training": training}).problem(404, "not-found")


@pytest.mark.slow
def test_who_comes_back_soon_goes_on(server):
    training = begun(server, pace=50.0)
    with watched(server, training) as told:
        before = until(told, lambda name, data: name == "course" and data["points"])["points"][-1]["step"]
    time.sleep(0.5)
    with watched(server, training) as told:
        again = until(told, lambda name, data: name == "course" and data["points"])["points"]
        assert again[0]["step"] == 1 and again[-1]["step"] >= before
        until(told, lambda name, data: name == "course" and data["points"] and data["points"][-1]["step"] > before + 30)
        server.post(CHANGE, {"training": training, "end": True})
        until(told, over)
    free(server)


@pytest.mark.slow
def test_more_trainings_than_there_may_be_are_refused(server):
    most = server.get(TRAINING).json["most"]
    assert most == 2
    held = [begun(server) for _ in range(most)]
    answer = server.post(TRAINING, {})
    problem = answer.problem(503, "busy")
    assert problem["errors"][0]["field"] == "training" and "2 trainings run" in problem["detail"]
    assert int(answer.headers["retry-after"]) > 0
    for training in held:
        assert server.post(CHANGE, {"training": training, "end": True}).json["reason"] == "ended"
    free(server)
    begun(server)  # nobody watches it: it ends by itself
    free(server)


def test_a_place_is_free_as_soon_as_a_training_is_ended(server):
    """Not only when its last step has been made."""
    most = server.get(TRAINING).json["most"]
    for _ in range(3):
        held = [begun(server, network="lenet5", batch_size=1000, pace=100.0) for _ in range(most)]
        with watched(server, held[0]) as told:
            until(told, lambda name, data: name == "glimpse")  # it is at work
            for training in held:
                server.post(CHANGE, {"training": training, "end": True})
            assert server.get(TRAINING).json["running"] == 0
    free(server)


def test_who_begins_another_one_leaves_the_first_to_others(server):
    shared = begun(server, pace=50.0)
    with watched(server, shared) as one, watched(server, shared) as other:
        number = until(one, lambda name, data: name == "begin")["watcher"]
        until(other, lambda name, data: name == "state" and data["watchers"] == 2)
        instead = {"training": shared, "watcher": number}
        own = begun(server, instead=instead)
        list(one)  # nothing more is told to who left
        until(other, lambda name, data: name == "state" and data["watchers"] == 1)
        assert server.post(CHANGE, {"training": shared}).json["reason"] == ""
        with watched(server, own) as told:
            instead = {"training": own, "watcher": until(told, lambda name, data: name == "begin")["watcher"]}
            server.post(TRAINING, {"instead": instead, "batch_size": 0}).problem(422, "invalid-content")
            assert server.post(CHANGE, {"training": own}).json["reason"] == ""  # what is refused ends nothing
            third = begun(server, instead=instead)  # there is room for two: that of its own is free
            list(told)
        gone = server.post(CHANGE, {"training": own})
        assert gone.status == 404 or gone.json["reason"] == "ended"
        with watched(server, third) as told, watched(server, shared) as again:
            number = until(again, lambda name, data: name == "begin")["watcher"]
            instead = {"training": shared, "watcher": number}  # others watch it: it would stay, and there is no room
            server.post(TRAINING, {"instead": instead}).problem(503, "busy")
            until(again, lambda name, data: name == "course" and data["points"] and data["points"][-1]["step"] > 5)
            for training in (shared, third):
                server.post(CHANGE, {"training": training, "end": True})
            until(told, over)
    free(server)


@pytest.mark.slow
def test_one_that_waits_ends_after_a_while():
    with serving(limits={"idle_seconds": 1.0}) as server:
        training = begun(server)
        with watched(server, training) as told:
            server.post(CHANGE, {"training": training, "running": False})
            assert until(told, over)["reason"] == "idle"
        free(server)


@pytest.mark.slow
def test_more_pages_than_there_may_be_are_refused():
    with serving(limits={"watchers": 1}) as server:
        training = begun(server)
        with watched(server, training) as told:
            next(told)
            problem = server.post(WATCH, {"training": training}).problem(503, "busy")
            assert problem["errors"][0]["field"] == "watch"
            server.post(CHANGE, {"training": training, "end": True})
            until(told, over)


def test_a_rate_that_diverges_is_said(server):
    training = begun(server, learning_rate=1e5, pace=100.0)
    with watched(server, training) as told:
        state = until(told, over)
    assert state["reason"] == "diverged" and "lower the learning rate" in state["detail"]
    free(server)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_ends_with_a_training_at_work(number):
    with serving() as server:
        training = begun(server, network="lenet5", pace=100.0)
        with watched(server, training) as told:
            until(told, lambda name, data: name == "course" and data["points"])
            server.process.send_signal(number)
            assert until(told, over)["reason"] == "closed" and list(told) == []
        assert server.process.wait(60) == 0
        assert server.log.read_text() == ""


@pytest.mark.slow
def test_a_browser_that_vanishes_is_given_up(server):
    """It neither reads nor answers, and its connection stays open; a page that answers is not given up."""
    vanished, stays = begun(server, network="mlp", pace=100.0), begun(server, pace=0.5)
    body = json.dumps({"training": vanished}).encode()
    answered = 0
    with socket.create_connection(server.address, timeout=120) as connection, watched(server, stays) as told:
        head = f"POST {WATCH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        number = next(told)[1]["watcher"]
        since = time.monotonic()
        while server.get(TRAINING).json["running"] == 2:
            assert time.monotonic() - since < 60
            until(told, lambda name, data: name == "beat")
            answered += server.post(WATCHING, {"training": stays, "watcher": number}).json["watchers"]
        assert answered >= trainings.PATIENCE_SECONDS // trainings.BEAT_SECONDS
        assert server.get(TRAINING).json["running"] == 1  # nobody watches the other one any more
        server.post(CHANGE, {"training": stays, "end": True})
    free(server)


def test_others_are_answered_meanwhile(server):
    graph = {"expression": "(a*100 + o*150)*t"}
    server.post("/api/v1/lessons/graph", graph)
    held = [begun(server, network="lenet5", pace=100.0) for _ in range(2)]
    with watched(server, held[0]) as one, watched(server, held[1]) as other:
        for told in (one, other):
            until(told, lambda name, data: name == "course" and data["points"])
        for told in (one, other):
            assert server.post("/api/v1/lessons/graph", graph).status == 200
            until(told, lambda name, data: name == "course" and data["points"])  # they go on
        for training in held:
            server.post(CHANGE, {"training": training, "end": True})
    free(server)


@pytest.mark.slow
def test_it_asks_for_the_key_of_the_server(tmp_path):
    (tmp_path / "key").write_text("k" * 20)
    with serving("--key-file", str(tmp_path / "key")) as server:
        server.post(TRAINING, {}).problem(401, "unauthorized")
        server.post(WATCH, {"training": "x"}).problem(401, "unauthorized")
        key = {"Authorization": "Bearer " + "k" * 20}
        training = server.post(TRAINING, {}, **key).json["training"]
        with watched(server, training, **key) as told:
            assert next(told)[0] == "begin"
            server.post(CHANGE, {"training": training, "end": True}).problem(401, "unauthorized")
            assert server.post(CHANGE, {"training": training, "end": True}, **key).status == 200
            until(told, over)


@pytest.mark.slow
def test_many_begin_and_go_at_once(server):
    """Whatever they do, the server answers, and no training is left."""
    statuses = []

    def visit():
        for _ in range(6):
            answer = server.post(TRAINING, {"pace": 100.0})
            statuses.append(answer.status)
            if answer.status == 200:
                with watched(server, answer.json["training"]) as told:
                    next(told)

    threads = [threading.Thread(target=visit) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert set(statuses) <= {200, 503} and len(statuses) == 30
    free(server)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (TRAINING, {"network": "vgg"}, "network"),
        (TRAINING, {"learning_rate": 0}, "learning_rate"),
        (TRAINING, {"learning_rate": -1.0}, "learning_rate"),
        (TRAINING, {"learning_rate": float("inf")}, "learning_rate"),
        (TRAINING, {"batch_size": 0}, "batch_size"),
        (TRAINING, {"batch_size": 100_000}, "batch_size"),
        (TRAINING, {"batch_size": 2.5}, "batch_size"),
        (TRAINING, {"learning_rate": "0.1"}, "learning_rate"),
        (TRAINING, {"learning_rate": None}, "learning_rate"),
        (TRAINING, {"learning_rate": 1e308}, "learning_rate"),
        (TRAINING, {"pace": 1e9}, "pace"),
        (TRAINING, {"instead": {"training": "x"}}, "instead"),
        (TRAINING, {"epochs": 3}, "epochs"),
        (CHANGE, {"training": "x", "learning_rate": 0.0}, "learning_rate"),
        (CHANGE, {"training": "x", "digit": 10}, "digit"),
        (CHANGE, {"training": "x" * 65}, "training"),
        (WATCH, {}, "training"),
        (WATCHING, {"training": "x", "watcher": "1"}, "watcher"),
    ],
)
def test_what_cannot_be_used_is_said(server, path, body, field):
    problem = server.post(path, body).problem(422, "invalid-content")
    assert re.split(r"\W", problem["errors"][0]["field"])[0] == field, problem
    if field in ("learning_rate", "batch_size", "pace"):
        assert re.search("must be .*, but got .*; take one such as", problem["detail"]), problem
