"""`POST /api/v1/inside`."""

import base64
from typing import get_args

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.explain import PARTS
from inkgrad.web.inside import Inside, InsideBody, Part, _look

FOUR = ig.data.load_digits()[0].images[4]


def test_what_is_asked_for_comes(server):
    answer = server.post("/api/v1/inside", {"pixels": FOUR.tolist(), "parts": ["layers", "gradient"]})
    assert answer.status == 200, answer
    found = answer.json
    assert set(found) == {"value", "refused", "probabilities", "seen", "layers", "gradient"}
    assert (found["value"], found["refused"], found["seen"]) == (4, False, FOUR.tolist())
    maps = found["gradient"]
    levels = np.frombuffer(base64.b64decode(maps["data"]), np.uint8).reshape(28, 28)
    slope = maps["low"] + levels * ((maps["high"] - maps["low"]) / 255)
    expected = ig.explain.saliency(ig.models.pretrained("digits"), FOUR)
    np.testing.assert_allclose(slope, expected, atol=(maps["high"] - maps["low"]) / 250)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"pixels": [[255] * 28] * 28, "parts": ["outside"]}, "parts.0"),
        ({"pixels": FOUR.tolist(), "parts": ["layers", "layers"]}, "parts"),
        ({"pixels": FOUR.tolist(), "target": 10}, "target"),
        ({"pixels": FOUR.tolist(), "target": 4, "parts": ["smallest_change"]}, "target"),
        ({"pixels": [[0] * 28] * 28}, "image"),
        ({}, "pixels"),
    ],
)
def test_mistakes(server, body, field):
    problem = server.post("/api/v1/inside", body).problem(422, "invalid-content")
    assert problem["errors"][0]["field"] == field


def test_the_parts_are_those_that_there_are():
    assert get_args(Part) == tuple(PARTS)
    assert set(PARTS) < set(Inside.model_fields)


def test_what_nobody_waits_for_is_not_computed():
    asked, given = [], InsideBody(pixels=FOUR.tolist(), parts=["layers", "filters", "gradient"])

    def goes_on():
        asked.append(True)
        return len(asked) < 2

    found = _look(ig.models.pretrained, "digits", FOUR, given, goes_on)
    assert "layers" in found and not {"filters", "gradient"} & set(found)
