"""A lesson that has to go through a long training first lets the others have their turns."""

import threading


def test_others_are_answered_while_one_jumps_ahead(server):
    graph = {"expression": "a*b"}
    assert server.post("/api/v1/lessons/graph", graph).status == 200
    ahead = []
    body = {"batch": "single", "optimizer": "adam", "rate": 0.0017, "part": 50}

    def jump():
        ahead.append(server.post("/api/v1/lessons/batches", body))

    thread = threading.Thread(target=jump)
    thread.start()
    answered = 0
    while not ahead:
        assert server.post("/api/v1/lessons/graph", graph).status == 200
        answered += not ahead
    thread.join()
    assert ahead[0].status == 200, ahead
    assert answered >= 5
