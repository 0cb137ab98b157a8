"""Troubles of trainings: each case goes wrong in the way it says, and each remedy helps."""

import dataclasses
import itertools

import numpy as np
import pytest

from inkgrad.errors import OptionError
from inkgrad.lessons.deep import DeepNetwork, Switches
from inkgrad.lessons.starts import HIDDEN, from_starts
from inkgrad.lessons.troubles import CASES, PARTS, _Run, stage
from inkgrad.nn import BatchNorm1d, Dropout, Residual
from inkgrad.random import default_rng

LATE = 21  # after 200 updates
REMEDIES = [(name, remedy) for name, case in CASES.items() for remedy in case.remedies]


def norms(found):
    return [layer.norm for layer in found.layers]


def test_gradients_vanish_through_sigmoids():
    found = norms(stage(CASES["vanishing"].switches, 1))
    assert all(before < after for before, after in itertools.pairwise(found))
    assert found[0] < 1e-3 * found[-1]
    assert norms(stage(dataclasses.replace(CASES["vanishing"].switches, residual=True), 1))[0] > 1e3 * found[0]


def test_values_and_gradients_explode_until_numbers_end():
    before = stage(CASES["exploding"].switches, 1)
    spreads = [layer.spread for layer in before.layers]
    assert spreads[-1] > 20 * spreads[0] and before.loss > 100
    after = stage(CASES["exploding"].switches, LATE)
    assert after.diverged is not None and after.layers == () and after.loss is None
    assert stage(CASES["exploding"].switches, PARTS).updates == after.updates  # it has ended


def test_clipping_scales_all_layers_alike_to_norm_1():
    loud, quiet = CASES["exploding"].switches, CASES["vanishing"].switches
    clipped = stage(dataclasses.replace(loud, clip=True), 1).layers
    scales = [layer.clipped / layer.norm for layer in clipped]
    assert max(scales) == pytest.approx(min(scales)) and max(scales) < 1e-3
    assert 0.5 < np.linalg.norm([layer.clipped for layer in clipped]) <= 1  # biases and logits have the rest
    assert all(layer.clipped == layer.norm for layer in stage(loud, 1).layers)
    assert all(layer.clipped == layer.norm for layer in stage(dataclasses.replace(quiet, clip=True), 1).layers)


def test_weight_decay_is_seen_in_the_norms_of_the_weights():
    case = CASES["overfitting"].switches
    first, free, decayed = (
        [layer.weights for layer in stage(switches, number).layers]
        for switches, number in ((case, 1), (case, LATE), (dataclasses.replace(case, weight_decay=True), LATE))
    )
    weights = [np.linalg.norm(weight.data) for weight in DeepNetwork(case, default_rng(0)).weights()]
    assert first == pytest.approx(weights, rel=1e-6)
    for start, alone, less in zip(first, free, decayed, strict=True):
        assert alone > start > 1.2 * less


def test_units_that_begin_equal_stay_equal():
    for number in (1, LATE):
        assert {layer.distinct for layer in stage(CASES["symmetric"].switches, number).layers} == {1}


def test_dead_units_answer_all_digits_alike_and_get_no_gradient():
    before, after = (stage(CASES["dead"].switches, number) for number in (1, LATE))
    assert before.layers[0].silent < 5
    assert all((layer.silent, layer.none, layer.norm) == (32, 1.0, 0.0) for layer in after.layers)


def test_a_plateau_is_flat():
    before, after = (stage(CASES["plateau"].switches, number) for number in (1, LATE))
    assert abs(after.loss - before.loss) < 0.02 and max(norms(before)) < 1e-3


def test_what_is_learned_by_heart_does_not_help_with_others():
    found = stage(CASES["overfitting"].switches, LATE)
    assert found.accuracy == 1 and found.loss < 0.01 and found.test_loss > 0.5


@pytest.mark.slow
@pytest.mark.parametrize(("name", "remedy"), REMEDIES, ids=str)
def test_each_remedy_helps(name, remedy):
    case = CASES[name].switches
    ill, well = stage(case, LATE), stage(dataclasses.replace(case, **remedy), LATE)
    assert well.diverged is None
    if name == "overfitting":
        assert well.test_loss < ill.test_loss
    else:
        assert well.test_accuracy > ill.test_accuracy + 0.2


def test_switches_build_what_they_say():
    net = DeepNetwork(Switches(depth=3, batch_norm=True, residual=True, dropout=True), default_rng(0))
    kinds = [type(module) for _, module in net.named_modules()]
    assert (kinds.count(BatchNorm1d), kinds.count(Dropout), kinds.count(Residual)) == (3, 3, 2)
    plain = [type(module) for _, module in DeepNetwork(Switches(depth=3), default_rng(0)).named_modules()]
    assert not {BatchNorm1d, Dropout, Residual} & set(plain)


def test_looking_changes_nothing():
    """Neither running statistics, nor what dropout leaves out next, nor the weights."""
    switches = Switches(depth=2, activation="relu", start="he", batch_norm=True, dropout=True)
    watched, blind = _Run(switches), _Run(switches)
    for _ in range(3):
        found = watched.part()
    blind.first = found.loss
    blind._train()
    blind._train()
    alone = blind._look()
    assert (found.loss, found.test_loss) == pytest.approx((alone.loss, alone.test_loss), rel=1e-4)
    for one, other in zip(found.layers, alone.layers, strict=True):
        assert np.abs(np.subtract(one.activations.counts, other.activations.counts)).sum() < 20  # of 200 * 32
    assert sum(found.layers[0].activations.counts) == 200 * 32


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"depth": 9}, "depth must be a whole number from 2 to 8, but got 9"),
        ({"start": "lucky"}, "no start 'lucky'"),
        ({"digits": 10}, "digits must be a whole number from 50 to 1,000, but got 10"),
        ({"rate": 0.0}, "above 0 and at most 1,000,000, but got 0"),
    ],
)
def test_what_cannot_be_asked_is_said(change, told):
    with pytest.raises(OptionError, match=told):
        Switches(**change)


def test_more_units_are_stuck_less_often():
    stuck = [sum(start.outcome == "stuck" for start in from_starts(hidden).starts) for hidden in HIDDEN]
    assert stuck[0] > 12 and stuck == sorted(stuck, reverse=True) and stuck[-1] < 8
    for start in from_starts(2).starts:
        if start.outcome == "stuck":
            assert start.gradient < 1e-3 and start.losses[-1] > 0.05
    with pytest.raises(OptionError, match="2, 3, 4, 8 hidden units, but got 5"):
        from_starts(5)
