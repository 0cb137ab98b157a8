"""Figures of the course of a training, from its history."""

import math

import pytest

from inkgrad.training.doctor.course import Course


def history(losses, validation=(), *, epochs=None):
    lines = [
        {"epoch": e, "loss": x, "learning_rate": 0.1} for e, x in zip(epochs or range(1, 99), losses, strict=False)
    ]
    for line, loss in zip(lines, validation, strict=False):
        line["validation_loss"] = loss
    return lines


def course(*arguments, first=2.0, chance=2.5, finished=True, **options):
    return Course.of(history(*arguments, **options), first=first, chance=chance, finished=finished)


def test_figures():
    found = course([4.0, 1.0, 1.5, 0.9], [2.0, 0.5, 1.5, 1.2])
    assert found.start == 2.5
    assert found.peak == 4 / 2.5
    assert found.progress == 1 - 0.9 / 2
    assert found.jump == 0.5 / 2.5
    assert found.swing == pytest.approx(0.3 / 2.5)  # rose by 1, but fell by 0.3 only
    assert found.rebound == 1.2 / 0.5
    assert found.falling == pytest.approx(1 - 1.2 / 1.5)


def test_steps_after_the_last_whole_epoch_do_not_count():
    assert course([2.0, 1.0, 9.0], epochs=[1.0, 2.0, 2.25]).losses == (2.0, 1.0)


def test_a_null_of_the_file_is_no_number():
    assert math.isnan(course([None, 1.0]).losses[0])


@pytest.mark.parametrize("first", [None, 0.0, -1.0])
def test_nothing_known_is_nothing_said(first):
    for found in (course([], first=first, chance=math.nan), Course()):
        assert all(math.isnan(x) for x in (found.start, found.peak, found.progress))
        assert not any(x > 0 for x in (found.jump, found.swing, found.falling))
        assert found.rebound == 1
