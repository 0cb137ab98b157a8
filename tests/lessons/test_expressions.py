"""Expressions: the grammar and nothing else, and every number the engine's."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inkgrad as ig
from inkgrad.errors import DivergenceError, InputError
from inkgrad.lessons import Expression, draw
from inkgrad.lessons.grammar import FUNCTIONS, parse

PYTHON = {"exp": math.exp, "log": math.log, "relu": lambda x: max(x, 0.0), "sigmoid": lambda x: 1 / (1 + math.exp(-x))}
VALUES = {"x": 1.25, "y": 0.75, "z": 2.5}


def expressions():
    atoms = st.sampled_from(["x", "y", "z", "2", "0.5", "1e1", ".25", "3."])

    def larger(parts):
        pairs = st.tuples(parts, st.sampled_from("+-*/"), parts).map(" ".join)
        return st.one_of(
            pairs,
            pairs.map(lambda text: f"({text})"),
            parts.map(lambda text: f"-{text}"),
            st.tuples(st.sampled_from(FUNCTIONS), parts).map(lambda both: f"{both[0]}({both[1]})"),
            st.tuples(atoms, st.sampled_from(["2", "x", "-1", "-y", "2**y"])).map("**".join),
        )

    return st.recursive(atoms, larger, max_leaves=12)


@given(expressions())
@settings(deadline=None)
def test_values_are_those_that_python_gives_the_same_text(text):
    try:
        expected = eval(text, {"__builtins__": {}}, PYTHON | VALUES)
    except (ArithmeticError, ValueError):
        expected = math.inf
    if isinstance(expected, complex):
        expected = math.inf
    try:
        found = Expression(f"{text} + 0*x").walk(VALUES).result
    except DivergenceError:  # a value on the way, or its gradient, that Python's own may swallow: 1 / exp(710)
        assert not math.isfinite(expected) or {"exp", "**", "log", "/"} & set(re.findall(r"exp|\*\*|log|/", text))
    else:
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "(apples*100 + oranges*150)*tax",
        "sigmoid(w1*x1 + w2*x2 + b)",
        "x*x*x + x",
        "-x**2 / (y - 3) + x**y",
        "log(1 + exp(-x)) - relu(3*x - y)**0.5",
        "exp(x)**-1 * 2**x",
    ],
)
def test_gradients_are_numerical_ones_and_steps_lead_to_them(text):
    expression = Expression(text)
    values = dict(zip(expression.names, (1.5, 0.75, 2.0, 1.25, 0.5), strict=False))
    walk = expression.walk(values)
    report = ig.check_gradients(expression, *[values[name] for name in expression.names], elementwise=True)
    assert report.passed
    for name, found in expression.numeric(values).items():
        assert walk.gradients[name] == pytest.approx(found.numeric, rel=1e-6, abs=1e-8)
    # What the steps send sums up to the gradient of each node.
    arrived = {walk.graph.nodes[-1].id: 1.0}
    for step in walk.backward:
        assert step.gradient == arrived[step.node]
        for part in step.parts:
            arrived[part.target] = part.total
    for node in walk.graph.nodes:
        if node.kind == "leaf":
            assert arrived[node.id] == pytest.approx(walk.gradients[node.name], rel=1e-15)
    assert [step.value for step in walk.forward][-1] == walk.result


def test_the_textbook_purchase():
    walk = Expression("(apples*100 + oranges*150)*tax").walk({"apples": 2, "oranges": 3, "tax": 1.1})
    purchase = ig.lessons.apples_and_oranges()
    purchase.price.backward()
    assert walk.result == pytest.approx(float(purchase.price.data), rel=1e-6)
    assert walk.gradients["tax"] == float(purchase.inputs["tax"].grad) == 650
    assert [(step.rule, step.filled) for step in walk.forward][-1] == ("x · y", "650 · 1.1")
    assert [part.filled for part in walk.backward[0].parts] == ["1 · 1.1", "1 · 650"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("2*3", "no name"),
        ("x", "computes nothing"),
        ("x +", "ends too early"),
        ("(x*2", "parenthesis is still open"),
        ("x*2)", "')' at place 4"),
        ("2 x", "'x' at place 3"),
        ("x.real*2", "'.' at place 2"),
        ("__import__('os')", "at place 12"),
        ("x if x else y", "'if'"),
        ("lambda: 0", "':'"),
        ("[x]", "'['"),
        ("x; y", "';'"),
        ("sin(x)", "no function"),
        ("exp*2", "is a function"),
        ("x**1e999", "larger than float64"),
        ("x // 2", "'/' at place 4"),
        ("x % 2", "'%'"),
        ("x@x", "'@'"),
        ("x^2", "as in x**2"),
        ("x² + x", "'x²' at place 1 is no name; a power is written with **"),
        ("y" * 25 + "*2", "characters"),
        ("+".join("x" * 5_001), "about 10,001"),
        ("x" * 70_000, "65,536"),
        ("(" * 20_000 + "x" + ")" * 20_000, "nested"),
        ("-" * 90 + "x", "nested"),
        ("2**" * 49 + "x**" * 2 + "2", "about"),
    ],
)
def test_what_is_not_in_the_grammar_is_said(text, told):
    with pytest.raises(InputError) as raised:
        Expression(text)
    assert told in str(raised.value) and len(str(raised.value)) < 200


def test_signs_as_they_are_printed_and_typed_in_chinese_are_the_plain_ones():
    walk = Expression("（３×x＋1）÷2 − x·x").walk({"x": 5})
    assert (walk.result, walk.gradients) == (-17.0, {"x": -8.5})


@pytest.mark.parametrize(
    ("text", "x", "told"),
    [
        ("1/x", 0, "1/x divides by zero"),
        ("2*x/(x - 1)", 1, "2*x/(x - 1) divides by zero"),
        ("log(x - 1)", 0, "logarithm of −1"),
        ("x**-1", 0, "divides by zero"),
        ("x**0.5", -2, "no real number"),
        ("exp(x)", 1000, "larger than float64"),
        ("x*1e308", 1000, "larger than float64"),
        ("x**0.5", 0, "gradient of x is inf"),
    ],
)
def test_what_has_no_finite_value_is_said(text, x, told):
    with pytest.raises(DivergenceError) as raised:
        Expression(text).walk({"x": x})
    assert told in str(raised.value)


def test_at_a_kink_both_gradients_are_told():
    element = Expression("relu(x)").numeric({"x": 0})["x"]
    assert (element.analytic, element.numeric) == (0, 0.5)
    assert Expression("log(x)").numeric({"x": 1e-9})["x"] is None


def test_a_name_is_one_node_and_the_picture_stays_when_values_change():
    expression = Expression("苹果*苹果 + 苹果")
    assert [term.kind for term in parse(expression.text)].count("name") == 1
    first, second = (draw(expression.walk({"苹果": value}).graph, "right") for value in (1, 7))
    assert first == second
    assert np.ptp([box.x for box in first.boxes]) > 0
