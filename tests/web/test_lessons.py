"""`/api/v1/lessons/...`: the numbers of the engine, and what cannot be used."""

import base64
import dataclasses

import numpy as np
import pytest

from inkgrad.lessons import Expression
from inkgrad.lessons.batches import part
from inkgrad.lessons.convergence import THEOREMS, convergence
from inkgrad.lessons.deep import Switches
from inkgrad.lessons.descent import OPTIMIZERS, descend
from inkgrad.lessons.digits import lesson_digits, two_layer
from inkgrad.lessons.starts import from_starts
from inkgrad.lessons.steps import step_errors
from inkgrad.lessons.surfaces import SURFACES
from inkgrad.lessons.troubles import CASES
from inkgrad.lessons.troubles import stage as stage_of
from inkgrad.lessons.unrolled import BACKWARD, descended, unroll

PURCHASE = {"expression": "(apples*100 + oranges*150)*tax", "inputs": {"apples": 2, "oranges": 3, "tax": 1.1}}
GRAPH, LAYERS, CHECK, STEPS = (f"/api/v1/lessons/{name}" for name in ("graph", "layers", "check", "steps"))
DESCEND, BATCHES, CONVERGENCE = (f"/api/v1/lessons/{name}" for name in ("descend", "batches", "convergence"))
BOWL = {"surface": "bowl", "optimizer": "sgd", "rate": 0.1}
DEEP, STARTS = (f"/api/v1/lessons/{name}" for name in ("deep", "starts"))


def array(told):
    return np.frombuffer(base64.b64decode(told["data"]), "<f4").reshape(told["shape"])


@pytest.mark.parametrize("direction", ["right", "down"])
def test_a_graph_is_that_of_the_engine(server, direction):
    found = server.post(GRAPH, PURCHASE | {"direction": direction}).json
    walk = Expression(PURCHASE["expression"]).walk(PURCHASE["inputs"])
    assert (found["result"], found["gradients"]) == (walk.result, walk.gradients)
    for told, node in zip(found["nodes"], walk.graph.nodes, strict=True):
        assert (told["value"], told["gradient"]) == (node.value, node.gradient)
    assert [step["value"] for step in found["forward"]] == [step.value for step in walk.forward]
    assert [part["value"] for step in found["backward"] for part in step["parts"]] == [
        part.value for step in walk.backward for part in step.parts
    ]
    assert found["numeric"]["tax"]["quotient"] == pytest.approx(650)
    across = "x" if direction == "right" else "y"
    places = [found["nodes"][edge[end]][across] for edge in found["edges"] for end in ("source", "target")]
    assert all(source < target for source, target in zip(places[::2], places[1::2], strict=True))


@pytest.mark.slow
def test_layers_are_those_of_the_engine(server):
    _, test = lesson_digits()
    found = server.post(LAYERS, {"sample": 5, "weights": "fresh", "updates": 3}).json
    image, label = test.images[5], int(test.labels[5])
    expected = unroll(descended(two_layer("fresh"), image, label, 3), image, label)
    assert (found["label"], found["prediction"], found["backward"]) == (label, expected.prediction, list(BACKWARD))
    for told, stage in zip(found["stages"], expected.stages, strict=True):
        assert (told["name"], told["forward"], told["backward"]) == (stage.name, stage.forward, stage.backward)
        np.testing.assert_allclose(array(told["value"]), stage.value, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(array(told["gradient"]), stage.gradient, rtol=1e-5, atol=1e-7)


def test_digits_to_choose(server):
    found = server.get("/api/v1/lessons/digits").json
    _, test = lesson_digits()
    assert [one["label"] for one in found["samples"]] == list(range(10)) and found["count"] == len(test)
    for one in found["samples"]:
        np.testing.assert_array_equal(array(one["image"]), test.images[one["sample"]])
        assert test.labels[one["sample"]] == one["label"]


def test_mistakes_and_their_check(server):
    for one in server.get("/api/v1/lessons/mistakes").json["mistakes"]:
        assert one["wrong"] in one["source"]
        broken = server.post(CHECK, {"mistake": one["name"]}).json
        assert not broken["passed"] and "correct its pull-back" in broken["complaint"]
        mended = server.post(CHECK, {"mistake": one["name"], "corrected": True}).json
        assert mended["passed"] and all(row["relative_error"] < 1e-6 for row in mended["rows"])


def test_steps_are_those_of_python(server):
    found = server.post(STEPS, {"expression": "exp(x)*x", "x": 0.5}).json
    expected = step_errors(Expression("exp(x)*x"), 0.5)
    assert found["gradient"] == expected.gradient and found["steps"] == list(expected.steps)
    assert [curve["errors"] for curve in found["curves"]] == [list(curve.errors) for curve in expected.curves]


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_a_descent_is_that_of_the_engine(server, rule):
    asked = {"surface": "rosenbrock", "optimizer": rule, "rate": 0.001, "x": 0.5, "y": 0.0, "steps": 20}
    found = server.post(DESCEND, asked).json
    expected = descend(SURFACES["rosenbrock"], rule, 0.001, start=(0.5, 0.0), steps=20)
    told = [(place["x"], place["y"], place["loss"], tuple(place["gradient"])) for place in found["places"]]
    assert told == [(place.x, place.y, place.loss, place.gradient) for place in expected.places]
    ends = (expected.arrived, expected.diverged, expected.leapt)
    assert (found["arrived"], found["diverged"], found["leapt"]) == ends


@pytest.mark.parametrize("rate", [2.2, 1e6])
def test_a_descent_that_diverges_says_so_and_the_server_goes_on(server, rate):
    found = server.post(DESCEND, {"surface": "ravine", "optimizer": "sgd", "rate": rate}).json
    assert found["diverged"] == len(found["places"]) - 1 and found["arrived"] is found["leapt"] is None
    spoiled = server.post(BATCHES, {"batch": "full", "optimizer": "sgd", "rate": rate, "part": 50})
    assert spoiled.status == 200 and server.post(GRAPH, PURCHASE).status == 200


def test_parts_of_a_training_are_those_of_the_engine_in_any_order(server):
    for number in (3, 1, 2):
        found = server.post(BATCHES, {"batch": "mini", "optimizer": "adam", "rate": 0.003, "part": number}).json
        expected = part("mini", "adam", 0.003, number)
        assert (found["images"], found["updates"]) == (list(expected.images), list(expected.updates))
        np.testing.assert_allclose(found["losses"], expected.losses, rtol=1e-5)


@pytest.mark.parametrize("theorem", THEOREMS)
def test_convergence_is_that_of_the_engine(server, theorem):
    found = server.post(CONVERGENCE, {"theorem": theorem, "condition": 10}).json
    expected = convergence(theorem, 10)
    assert found["steps"] == list(expected.steps)
    assert [rate["measured"] for rate in found["rates"]] == [list(rate.measured) for rate in expected.rates]


def test_a_deep_network_is_that_of_the_engine(server):
    switches = {
        "depth": 3,
        "activation": "relu",
        "start": "he",
        "dropout": True,
        "residual": True,
        "digits": 60,
        "clip": True,
    }
    for number in (2, 1):
        found = server.post(DEEP, switches | {"part": number}).json
        expected = stage_of(Switches(**switches), number)
        assert found["updates"] == expected.updates == 10 * (number - 1)
        np.testing.assert_allclose(found["test_loss"], expected.test_loss, rtol=1e-5)
        for told, layer in zip(found["layers"], expected.layers, strict=True):
            numbers = ("norm", "clipped", "weights")
            expected_numbers = [getattr(layer, name) for name in numbers]
            np.testing.assert_allclose([told[name] for name in numbers], expected_numbers, rtol=1e-4)
            assert told["activations"]["counts"] == list(layer.activations.counts)


def test_each_trouble_can_be_asked_for(server):
    found = server.get("/api/v1/lessons/troubles").json
    assert {case["name"]: case["switches"] for case in found["cases"]} == {
        name: dataclasses.asdict(case.switches) for name, case in CASES.items()
    }
    for case in found["cases"]:
        for remedy in ({}, *case["remedies"]):
            assert server.post(DEEP, case["switches"] | remedy).json["updates"] == 0


def test_starts_are_those_of_the_engine(server):
    found = server.post(STARTS, {"hidden": 3, "activation": "tanh"}).json
    expected = from_starts(3, "tanh")
    assert [start["outcome"] for start in found["starts"]] == [start.outcome for start in expected.starts]
    assert [start["losses"] for start in found["starts"]] == [list(start.losses) for start in expected.starts]


@pytest.mark.parametrize(
    ("path", "body", "field", "told"),
    [
        (GRAPH, {"expression": "__import__('os').system('true')"}, "expression", "not in the grammar"),
        (GRAPH, {"expression": "+".join(["x"] * 5001)}, "expression", "10,001"),
        (GRAPH, {"expression": "(" * 60_000 + "x"}, "expression", "nested"),
        (GRAPH, {"expression": "x" * 200_000}, "expression", "at most"),
        (GRAPH, {"expression": "1/x", "inputs": {"x": 0}}, "inputs", "divides by zero"),
        (GRAPH, {"expression": "exp(x)", "inputs": {"x": 1000}}, "inputs", "larger than float64"),
        (GRAPH, {"expression": "x**0.5", "inputs": {"x": 0}}, "inputs", "gradient of x is inf"),
        (GRAPH, {"expression": "x*2", "inputs": {"x": "1"}}, "inputs.x", "number"),
        (GRAPH, {"expression": "x*2", "inputs": {"x": float("nan")}}, "inputs.x", "finite"),
        (GRAPH, {"expression": "x*2", "inputs": {str(i): 1 for i in range(101)}}, "inputs", "at most 100"),
        (GRAPH, {"expression": "x*2", "direction": "up"}, "direction", "right"),
        (GRAPH, {}, "expression", "required"),
        (LAYERS, {"sample": 360}, "sample", "360 digits"),
        (LAYERS, {"sample": -1}, "sample", "greater"),
        (LAYERS, {"updates": 51}, "updates", "less"),
        (LAYERS, {"weights": "heavy"}, "weights", "fresh"),
        (CHECK, {"mistake": "none"}, "mistake", "there is no mistake"),
        (STEPS, {"expression": "x*y"}, "expression", "one name"),
        (STEPS, {"expression": "log(x)", "x": -1}, "x", "logarithm"),
        (STEPS, {"expression": "x**2", "x": 0}, "expression", "gradient is 0"),
        *[
            (path, asked | {"rate": rate}, "rate", f"a number above 0 and at most 1,000,000, but got {got}; take one")
            for path, asked in (
                (DESCEND, {"surface": "bowl", "optimizer": "sgd"}),
                (BATCHES, {"batch": "mini", "optimizer": "sgd"}),
                (DEEP, {}),
            )
            for rate, got in (
                (0, "0"),
                (-0.5, "-0.5"),
                (1e308, "1e+308"),
                (float("inf"), "inf"),
                ("fast", "the text 'fast'"),
            )
        ],
        (DESCEND, BOWL | {"x": 70.0}, "x", "begins with x from -6 to 6, but got 70; begin inside"),
        (DESCEND, BOWL | {"y": -3.5}, "y", "begins with y from -3 to 3, but got -3.5; begin inside"),
        (DESCEND, BOWL | {"y": "low"}, "y", "a finite number, but got the text 'low'; type one"),
        (DESCEND, BOWL | {"steps": 501}, "steps", "less"),
        (DESCEND, {"surface": "hill", "optimizer": "sgd", "rate": 0.1}, "surface", "bowl"),
        (BATCHES, {"batch": "mini", "optimizer": "sgd", "rate": 0.1, "part": 51}, "part", "less"),
        (CONVERGENCE, {"theorem": "convex", "condition": 11}, "condition", "1000"),
        (DEEP, {"depth": 9}, "depth", "a whole number from 2 to 8, but got 9; take one"),
        (DEEP, {"depth": "deep"}, "depth", "from 2 to 8, but got the text 'deep'; take one"),
        (DEEP, {"depth": 2.5}, "depth", "from 2 to 8, but got 2.5; take one"),
        (DEEP, {"start": "lucky"}, "start", "xavier"),
        (DEEP, {"digits": 49}, "digits", "a whole number from 50 to 1,000, but got 49; take one"),
        (DEEP, {"digits": "x" * 99}, "digits", "but got the text 'xxxx"),
        (DEEP, {"part": 42}, "part", "less"),
        (STARTS, {"hidden": 5}, "hidden", "2, 3, 4 or 8"),
    ],
)
def test_what_cannot_be_used_is_said_and_the_server_goes_on(server, path, body, field, told):
    problem = server.post(path, body).problem(422, "invalid-content")
    assert problem["errors"][0]["field"] == field and told in problem["detail"], problem
    assert server.post(GRAPH, PURCHASE).status == 200
