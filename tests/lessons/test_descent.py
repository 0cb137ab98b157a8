"""Descents: their steps are the published rules, what diverges says so, and no descent exceeds its bound in theory."""

import math

import numpy as np
import pytest

from inkgrad.errors import OptionError
from inkgrad.lessons.batches import BATCHES, DIGITS, PARTS, RATES, part
from inkgrad.lessons.convergence import CONDITIONS, THEOREMS, convergence
from inkgrad.lessons.courses import Courses
from inkgrad.lessons.descent import OPTIMIZERS, descend
from inkgrad.lessons.surfaces import SURFACES, surface


def by_hand(rule, rate, x, gradient, steps):
    """A parameter under one of the rules, as the papers write it."""
    v = m = s = 0.0
    for t in range(1, steps + 1):
        g = gradient(x)
        if rule in ("sgd", "momentum", "nesterov"):
            v = (0.0 if rule == "sgd" else 0.9) * v + g
            x -= rate * (g + 0.9 * v if rule == "nesterov" else v)
        elif rule == "adam":
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
            x -= rate * (m / (1 - 0.9**t)) / (math.sqrt(s / (1 - 0.999**t)) + 1e-8)
        else:
            s = s + g * g if rule == "adagrad" else 0.9 * s + 0.1 * g * g
            x -= rate * g / (math.sqrt(s) + (1e-10 if rule == "adagrad" else 1e-8))
    return x


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_steps_are_those_of_the_published_rules(rule):
    last = descend(SURFACES["ravine"], rule, 0.1, start=(3.0, -1.0), steps=25).places[-1]
    assert last.x == pytest.approx(by_hand(rule, 0.1, 3.0, lambda x: x / 100, 25), rel=1e-9)
    assert last.y == pytest.approx(by_hand(rule, 0.1, -1.0, lambda y: 2 * y, 25), rel=1e-9)


@pytest.mark.parametrize("name", SURFACES)
def test_minima_and_contours_are_where_the_surface_says(name):
    where = surface(name)
    for x, y in where.minima:
        assert where.at(x, y) == pytest.approx(where.least)
    for contour in where.contours():
        points = np.array([point for line in contour.lines for point in line])
        heights = where.at(points[:, 0], points[:, 1]) - where.least
        np.testing.assert_allclose(np.median(heights), contour.level - where.least, rtol=0.2)


@pytest.mark.parametrize("rule", OPTIMIZERS)
@pytest.mark.parametrize("name", SURFACES)
def test_rates_do_what_they_are_called(name, rule):
    where = surface(name)
    small, right, large = (descend(where, rule, rate) for rate in where.rates[rule])
    left = [(path.places[-1].loss - where.least) / (path.places[0].loss - where.least) for path in (small, right)]
    assert (small.diverged, small.arrived, small.leapt) == (None, None, None) and left[0] > 0.05
    assert right.diverged is None and right.leapt is None and left[1] < left[0] / 4
    assert (right.arrived is None) == (name == "rosenbrock" and rule in ("sgd", "adagrad", "rmsprop"))
    if rule in ("sgd", "momentum", "nesterov"):
        assert large.diverged is not None and abs(large.places[-1].loss) > 1e6 and large.leapt is None
    else:  # which bound their steps
        assert large.diverged is None and large.leapt > 10
        assert large.leapt == max(place.loss - where.least for place in large.places) / (
            large.places[0].loss - where.least
        )


def test_gradient_descent_is_the_last_through_a_ravine():
    """Of condition number 200, where theory promises momentum about the root of its steps."""
    ravine = SURFACES["ravine"]
    arrived = {rule: descend(ravine, rule, ravine.rates[rule][1]).arrived for rule in OPTIMIZERS}
    assert arrived["sgd"] == max(arrived.values())
    assert all(arrived[rule] < arrived["sgd"] / 3 for rule in ("momentum", "nesterov", "adam", "adagrad")), arrived
    assert arrived["adagrad"] < arrived["nesterov"] < arrived["momentum"] < arrived["rmsprop"]
    best = min(descend(ravine, "sgd", rate).arrived or 300 for rate in (0.8, 0.85, 0.9, 0.95, 0.98, 0.99))
    assert best > 3 * arrived["momentum"]  # so that no other rate would have won


def test_a_saddle_holds_whoever_begins_on_its_ridge():
    stuck = descend(SURFACES["saddle"], "momentum", 0.1, start=(-2.0, 0.0))
    assert stuck.places[-1].y == 0 and stuck.arrived is None
    assert descend(SURFACES["saddle"], "momentum", 0.1, start=(-2.0, 0.001), steps=200).arrived is not None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rule": "newton"}, "no optimizer 'newton'"),
        ({"rate": -1.0}, "above 0 and at most 1,000,000, but got -1; take one"),
        ({"rate": 1e308}, r"but got 1e\+308; take one"),
        ({"start": (9.0, 0.0)}, "bowl begins with x from -6 to 6, but got 9; begin inside"),
        ({"start": (0.0, -4.0)}, "bowl begins with y from -3 to 3, but got -4; begin inside"),
        ({"start": (math.nan, 0.0)}, "but got nan"),
        ({"steps": 501}, "1 to 500 steps"),
    ],
)
def test_what_cannot_be_asked_is_said(change, told):
    asked = {"rule": "sgd", "rate": 0.1} | change
    with pytest.raises(OptionError, match=told):
        descend(SURFACES["bowl"], asked.pop("rule"), asked.pop("rate"), **asked)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("theorem", THEOREMS)
def test_no_descent_exceeds_what_is_proven(theorem, condition):
    found = convergence(theorem, condition)
    for rate in found.rates:
        if rate.theory is not None:
            assert all(f <= bound for f, bound in zip(rate.measured, rate.theory, strict=True)), rate.name


def test_measured_rates_have_the_slope_of_theory():
    def slope(x, y):
        return np.polyfit(x, np.log(y), 1)[0]

    convex = convergence("convex")
    assert -1.5 < slope(np.log(convex.steps), convex.rates[0].measured) < -0.8
    stochastic = convergence("stochastic")
    assert -0.7 < slope(np.log(stochastic.steps), stochastic.rates[0].measured) < -0.3
    assert min(stochastic.rates[1].measured[10:]) > 3 * stochastic.rates[0].measured[-1]  # it stays above
    factors = {  # per step, of the best constant
        "gd": lambda kappa: 2 * math.log((kappa - 1) / (kappa + 1)),
        "polyak": lambda kappa: 2 * math.log((math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1)),
    }
    found = convergence("momentum", 100)
    late = len(found.steps) // 2
    for rate in found.rates[:2]:
        assert slope(found.steps[late:], rate.measured[late:]) == pytest.approx(factors[rate.name](100), rel=0.2)


@pytest.mark.parametrize("batch", BATCHES)
def test_batches_see_each_digit_once_an_epoch(batch):
    parts = [part(batch, "sgd", RATES[batch]["sgd"][1], number) for number in range(1, PARTS // 10 * 2 + 1)]
    images = [seen for one in parts for seen in one.images]
    updates = [made for one in parts for made in one.updates]
    assert images[-1] == 2 * DIGITS and updates[-1] == 2 * DIGITS // BATCHES[batch]
    losses = [loss for one in parts for loss in one.losses]
    assert losses[0] == pytest.approx(math.log(10), abs=0.01) and losses[-1] < losses[0]


def test_a_training_that_diverges_ends_and_says_when():
    first = part("mini", "sgd", 1e4, 1)
    assert first.diverged is not None and first.updates[-1] >= first.diverged
    later = part("mini", "sgd", 1e4, PARTS)
    assert later.diverged == first.diverged and later.losses == ()


def test_a_course_that_fails_begins_anew():
    failing = [True]

    def advance(state):
        state.append(len(state))
        if failing.pop() if failing else False:
            raise OptionError("once")
        return len(state)

    courses = Courses(lambda key: [key], advance, 5, kept=1)
    with pytest.raises(OptionError, match="once"):
        courses.piece("a", 1)
    assert courses.piece("a", 1) == 2
    assert courses.piece("b", 2) == 3 and courses.piece("a", 2) == 3
    with pytest.raises(OptionError, match="the parts 1 to 5, but 6"):
        courses.piece("a", 6)
