"""Learning rates at the steps that matter."""

import math

import pytest

from inkgrad.errors import OptionError
from inkgrad.optim import Constant, Cosine, Exponential, OneCycle, Schedule, Step, WarmUp

MAKERS = {
    "Constant": Constant,
    "Step": lambda rate: Step(rate, every=10),
    "Exponential": lambda rate: Exponential(rate, steps=10),
    "Cosine": lambda rate: Cosine(rate, steps=10),
    "OneCycle": lambda rate: OneCycle(rate, steps=10),
    "WarmUp": lambda rate: WarmUp(Constant(rate), steps=10),
}


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", MAKERS)
def test_the_base_rate_is_positive(name, rate):
    with pytest.raises(OptionError, match="the learning rate must be positive"):
        MAKERS[name](rate)


@pytest.mark.parametrize("name", MAKERS)
def test_every_rate_is_a_plain_number_between_0_and_the_base(name):
    schedule = MAKERS[name](0.3)
    assert isinstance(schedule, Schedule)
    for step in [*range(25), 10**6]:
        assert type(schedule(step)) is float
        assert 0 <= schedule(step) <= 0.3 * (1 + 1e-15)


def test_constant():
    assert [Constant(0.1)(i) for i in (0, 1, 10**9)] == [0.1] * 3


def test_step():
    schedule = Step(1.0, every=3, factor=0.5)
    assert [schedule(i) for i in (0, 2, 3, 5, 6, 8, 9)] == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]
    assert Step(0.2, every=1)(2) == pytest.approx(0.002)
    assert Step(1.0, every=2, factor=0)(2) == 0
    assert Step(1.0, every=2, factor=0)(1) == 1


def test_exponential():
    schedule = Exponential(2.0, steps=10, factor=0.01)
    assert schedule(0) == 2.0
    assert schedule(5) == pytest.approx(0.2)
    assert schedule(10) == pytest.approx(0.02)
    assert schedule(20) == pytest.approx(0.0002)


def test_cosine_reaches_0_or_its_final_rate_and_stays():
    schedule = Cosine(0.4, steps=100)
    assert schedule(0) == 0.4
    assert schedule(25) == pytest.approx(0.2 * (1 + math.sqrt(0.5)))
    assert schedule(50) == pytest.approx(0.2)
    assert schedule(100) == schedule(101) == schedule(10**6) == 0
    ending = Cosine(0.4, steps=100, final=0.1)
    assert ending(0) == pytest.approx(0.4)
    assert ending(50) == pytest.approx(0.25)
    assert ending(100) == ending(500) == 0.1


def test_warm_up():
    schedule = WarmUp(Cosine(1.0, steps=10), steps=5)
    assert [schedule(i) for i in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert schedule(5) == 1.0
    assert schedule(10) == pytest.approx(0.5)
    assert schedule(15) == 0
    assert schedule(0) > 0
    nested = WarmUp(WarmUp(Constant(1.0), steps=2), steps=2)
    assert [nested(i) for i in range(5)] == pytest.approx([0.25, 0.5, 0.5, 1.0, 1.0])


def test_one_cycle():
    schedule = OneCycle(1.0, steps=100, rise=0.3, start=0.1)
    assert schedule(0) == pytest.approx(0.1)
    assert schedule(15) == pytest.approx(0.55)
    assert schedule(30) == 1.0
    assert schedule(65) == pytest.approx(0.5)
    assert schedule(100) == schedule(1000) == 0
    rates = [schedule(i) for i in range(101)]
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Step(1.0, every=0),
        lambda: Step(1.0, every=2, factor=1.1),
        lambda: Step(1.0, every=2, factor=-0.1),
        lambda: Exponential(1.0, steps=0),
        lambda: Exponential(1.0, steps=5, factor=0),
        lambda: Exponential(1.0, steps=5, factor=2),
        lambda: Cosine(1.0, steps=0),
        lambda: Cosine(1.0, steps=5, final=-0.1),
        lambda: Cosine(1.0, steps=5, final=1.1),
        lambda: WarmUp(Constant(1.0), steps=0),
        lambda: OneCycle(1.0, steps=0),
        lambda: OneCycle(1.0, steps=5, rise=0),
        lambda: OneCycle(1.0, steps=5, rise=1),
        lambda: OneCycle(1.0, steps=5, start=0),
        lambda: OneCycle(1.0, steps=5, start=1.5),
    ],
)
def test_options_are_checked(make):
    with pytest.raises(OptionError):
        make()
