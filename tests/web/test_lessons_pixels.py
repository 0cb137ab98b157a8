"""`/api/v1/lessons/convolution`, `shifted` and `readers`: the numbers of the engine, and what cannot be used."""

import numpy as np
import pytest
from test_lessons import array

from inkgrad.lessons.digits import lesson_digits
from inkgrad.lessons.pixels import convolve
from inkgrad.lessons.readers import SHIFTS, accuracy, accuracy_by_shift, disagreements, moved, trained

CONVOLUTION, SHIFTED, READERS = (f"/api/v1/lessons/{name}" for name in ("convolution", "shifted", "readers"))
EDGE = [[-1.0, 0.0, 1.0]] * 3


@pytest.fixture(scope="module")
def pixels():
    _, test = lesson_digits()
    return test.images[4]


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


def test_a_digit_that_is_moved(server, pixels):
    told = server.post(SHIFTED, {"pixels": pixels.tolist(), "down": -1, "right": 3}).json
    found = moved(pixels, -1, 3)
    np.testing.assert_array_equal(array(told["image"]), found.image)
    np.testing.assert_allclose(array(told["maps"]), found.maps, rtol=1e-4, atol=1e-5)
    for name, shares in found.probabilities.items():
        np.testing.assert_allclose(told["probabilities"][name], shares, atol=1e-4)
    assert told["vote"] == found.vote


def test_readers(server):
    told = server.get(READERS).json
    first, second = told["filters"]
    assert (first["shape"], first["columns"]) == ([6, 1, 5, 5], 6)
    np.testing.assert_array_equal(array(first["weights"]), trained().layers[0].weight.data[:, 0])
    assert array(second["weights"]).shape == (96, 5, 5)
    assert told["shifts"] == list(SHIFTS)
    for name, shares in accuracy_by_shift().items():
        assert told["by_shift"][name] == pytest.approx(shares)
        assert told["accuracy"][name] == pytest.approx(accuracy()[name])
    assert [one["sample"] for one in told["disagreements"]] == [one.sample for one in disagreements()]
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
