"""`/api/v1/lessons/convolution`, `shifted` and `readers`: the numbers of the engine, and what cannot be used."""

import time

import numpy as np
import pytest
from test_lessons import array

from inkgrad.kernels.threads import use_threads
from inkgrad.lessons.digits import lesson_digits
from inkgrad.lessons.pixels import convolve
from inkgrad.lessons.readers import SHIFTS, accuracy, accuracy_by_shift, disagreements, moved, trained

CONVOLUTION, SHIFTED, READY, READERS = (
    f"/api/v1/lessons/{name}" for name in ("convolution", "shifted", "ready", "readers")
)
EDGE = [[-1.0, 0.0, 1.0]] * 3


@pytest.fixture(autouse=True, scope="module")
def threads():
    """As many as the server takes: by rounding alone, others learn another network in 20 epochs."""
    use_threads(1)
    yield
    use_threads(None)


@pytest.fixture(scope="module")
def pixels():
    _, test = lesson_digits()
    return test.images[4]


@pytest.fixture(scope="module")
def learned(server):
    deadline = time.monotonic() + 300
    while not server.get(READY).json["ready"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return server


def test_a_convolution_is_that_of_the_engine(server, pixels):
    kernel = np.linspace(-1, 1, 25, dtype=np.float32).reshape(5, 5)
    body = {"pixels": pixels.tolist(), "kernel": kernel.tolist(), "row": 7, "column": 11}
    told, found = server.post(CONVOLUTION, body).json, convolve(pixels, kernel)
    place = found.place(7, 11)
    for name in ("image", "maps", "rectified", "pooled"):
        np.testing.assert_allclose(array(told[name]), getattr(found, name), rtol=1e-5, atol=1e-6)
    for name in ("window", "products", "block"):
        np.testing.assert_allclose(array(told[name]), getattr(place, name), rtol=1e-5, atol=1e-6)
    assert told["total"] == pytest.approx(place.total, rel=1e-5) and (told["row"], told["column"]) == (7, 11)
    assert told["largest"] == pytest.approx(place.largest, rel=1e-5)


def test_a_place_is_answered_in_time(server, pixels):
    body = {"pixels": pixels.tolist(), "kernel": EDGE}
    taken = []
    while min(taken, default=1) >= 0.1 and len(taken) < 50:  # whatever else the machine does meanwhile
        since = time.monotonic()
        assert server.post(CONVOLUTION, body | {"column": len(taken) % 26}).status == 200
        taken.append(time.monotonic() - since)
    assert min(taken) < 0.1


def test_a_digit_that_is_moved(learned, pixels):
    told = learned.post(SHIFTED, {"pixels": pixels.tolist(), "down": -1, "right": 3}).json
    found = moved(pixels, -1, 3)
    np.testing.assert_array_equal(array(told["image"]), found.image)
    np.testing.assert_allclose(array(told["maps"]), found.maps, rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(told["probabilities"]["lenet5"], found.probabilities["lenet5"], atol=1e-2)
    assert told["vote"] == found.vote


def test_readers(learned):
    told = learned.get(READERS).json
    first, second = told["filters"]
    assert (first["shape"], first["columns"]) == ([6, 1, 5, 5], 6)
    np.testing.assert_allclose(array(first["weights"]), trained().layers[0].weight.data[:, 0], rtol=1e-2, atol=1e-3)
    assert array(second["weights"]).shape == (96, 5, 5)
    assert told["shifts"] == list(SHIFTS)
    for name, shares in accuracy_by_shift().items():
        assert told["by_shift"][name] == pytest.approx(shares, abs=0.03)
        assert told["accuracy"][name] == pytest.approx(accuracy()[name], abs=0.02)
    samples = {one["sample"] for one in told["disagreements"]}
    assert len(samples ^ {one.sample for one in disagreements()}) < 5
    _, test = lesson_digits()
    for one in told["disagreements"]:
        np.testing.assert_array_equal(array(one["image"]), test.images[one["sample"]])
        assert len(one["neighbors"]) == 3 and one["network"] != one["vote"]


@pytest.mark.parametrize(
    ("path", "change", "field"),
    [
        (CONVOLUTION, {"row": 26}, "row"),
        (CONVOLUTION, {"column": -1}, "column"),
        (CONVOLUTION, {"kernel": [[1.0] * 4] * 4}, "kernel"),
        (CONVOLUTION, {"kernel": [[1.0] * 3] * 5}, "kernel"),
        (CONVOLUTION, {"kernel": [[1.0, 2.0]]}, "kernel"),
        (CONVOLUTION, {"kernel": [[float("nan")] * 3] * 3}, "kernel"),
        (CONVOLUTION, {"kernel": [[1e9] * 3] * 3}, "kernel"),
        (CONVOLUTION, {"pixels": [[0] * 27] * 28}, "pixels"),
        (CONVOLUTION, {"pixels": [[300] * 28] * 28}, "pixels"),
        (SHIFTED, {"right": 29}, "right"),
        (SHIFTED, {"down": 0.5}, "down"),
    ],
)
def test_what_cannot_be_used_is_said(server, pixels, path, change, field):
    body = {"pixels": pixels.tolist()} | ({"kernel": EDGE} if path == CONVOLUTION else {})
    problem = server.post(path, body | change).problem(422, "invalid-content")
    assert problem["errors"][0]["field"].partition(".")[0] == field, problem
