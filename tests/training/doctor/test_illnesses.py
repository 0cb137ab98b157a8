"""Each illness is provoked by a training and found; healthy trainings have none."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn
from inkgrad.data import Scaling
from inkgrad.errors import DivergenceError
from inkgrad.training import Doctor, examine
from inkgrad.training.doctor import ILLNESSES, Finding


def named(diagnosis, name):
    (finding,) = [f for f in diagnosis.findings if f.name == name]
    assert isinstance(finding, Finding)
    return finding


# What a training does by itself


@pytest.mark.parametrize("model", ["mlp", "two-layer", "lenet5", "softmax-regression"])
def test_the_default_trainings_are_healthy(run_of, model):
    diagnosis = examine(run_of(model=model))
    assert {f.severity for f in diagnosis.findings} <= {"note"}
    assert set(diagnosis.judged) >= {"learning-rate-too-low", "overfitting", "suspect-labels", "class-imbalance"}


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle", "step"])
def test_a_rate_that_has_fallen_to_nothing_is_healthy(run_of, schedule):
    diagnosis = examine(run_of(model="mlp", schedule=schedule, learning_rate=0.05))
    assert {f.severity for f in diagnosis.findings} <= {"note"}
    assert diagnosis.update.learning_rate > 0.01  # the update is one at the highest rate, not at the last


@pytest.mark.slow
@pytest.mark.parametrize("model", ig.models.NAMED)
def test_no_named_network_is_ill_from_birth(digits, model):
    settings = ig.training.Settings(model=model, epochs=1)
    trainer = ig.training.assemble(settings, ig.data.Splits(digits.train[:64], digits.train[:0], digits.test))
    trainer.fit(epochs=1)
    born = set(examine(trainer, digits=32).names)
    assert not born & {"vanishing-gradients", "exploding-gradients", "dead-units", "saturated-units", "not-normalized"}


# Gradients


def test_vanishing_gradients(trained, deep):
    finding = named(examine(trained(deep(nn.Sigmoid, 5, nn.init.lecun_normal), rate=0.1)), "vanishing-gradients")
    assert finding.severity == "serious"
    assert "layers.1 Linear" in finding.measured
    gradients = list(finding.evidence["gradients"].values())
    assert gradients == sorted(gradients)  # smaller and smaller on the way back
    healthy = examine(trained(deep(nn.Tanh, 5, nn.init.xavier_normal)))
    assert not {"vanishing-gradients", "exploding-gradients"} & set(healthy.names)


def test_a_network_that_cannot_learn_is_not_told_to_go_faster(trained, deep):
    diagnosis = examine(trained(deep(nn.Sigmoid, 5, nn.init.lecun_normal), rate=0.1))
    others = {"learning-rate-too-low", "underfitting", "training-too-short"}
    assert not others & set(diagnosis.names)
    assert {diagnosis.unjudged[name] for name in others} == {"other findings explain the loss"}


def test_exploding_gradients(trained, deep):
    finding = named(examine(trained(deep(nn.ReLU, 4, nn.init.normal(0.8)), rate=1e-9)), "exploding-gradients")
    assert finding.severity == "serious"
    assert finding.evidence["times"] > finding.evidence["threshold"]


def test_outputs_that_are_far_too_large(trained, deep):
    finding = named(examine(trained(deep(nn.ReLU, 1, nn.init.normal(1.0)), rate=1e-9)), "exploding-gradients")
    assert "where guessing has 2.3" in finding.measured


# Units


def test_dead_units_by_their_biases(trained, deep):
    net = deep(nn.ReLU, 1)
    net.layers[1].bias.data[...] = -10
    diagnosis = examine(trained(net))
    finding = named(diagnosis, "dead-units")
    assert finding.severity == "serious"
    assert finding.measured.startswith("64 of 64 units of layers.2 ReLU are 0")
    assert [layer.dead for layer in diagnosis.layers] == [None, 1.0, None]


def test_dead_units_by_a_huge_learning_rate(run_of):
    diagnosis = examine(run_of(model="mlp", learning_rate=3.0, epochs=3))
    assert {"dead-units", "learning-rate-too-high"} <= set(diagnosis.names)


@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.Tanh])
def test_saturated_units(trained, deep, activation):
    finding = named(examine(trained(deep(activation, 2, nn.init.normal(2.0)), rate=0.01)), "saturated-units")
    assert finding.severity == "warning"
    assert activation.__name__ in finding.measured


# Learning rate


def test_a_learning_rate_that_is_too_high(run_of):
    swinging = named(examine(run_of(model="mlp", learning_rate=0.3)), "learning-rate-too-high")
    assert swinging.severity == "warning"
    assert "the validation loss rose by" in swinging.measured.lower()
    stuck = named(examine(run_of(model="two-layer", optimizer="sgd", learning_rate=2.0)), "learning-rate-too-high")
    assert stuck.severity == "serious"


@pytest.mark.parametrize(("optimizer", "rate"), [("momentum", 1e-5), ("adam", 1e-5), ("sgd", 1e-4)])
def test_a_learning_rate_that_is_too_low(run_of, optimizer, rate):
    finding = named(examine(run_of(model="mlp", optimizer=optimizer, learning_rate=rate)), "learning-rate-too-low")
    assert finding.severity == "warning"
    assert f"it was {rate:g}" in finding.advice
    assert finding.evidence["update_ratio"] < 1e-3


def test_divergence(digits):
    doctor = Doctor(tell=lambda finding, epoch: None)
    settings = ig.training.Settings(model="softmax-regression", learning_rate=100.0)
    trainer = ig.training.assemble(settings, digits, [doctor])
    with pytest.raises(DivergenceError):
        trainer.fit(epochs=10)
    finding = named(doctor.last, "diverged")
    assert doctor.last.worst == "serious"
    assert finding.measured.startswith("Training diverged: the loss rose from")
    assert "the rate was 100" in finding.advice


def test_weights_that_are_no_numbers_are_examined_all_the_same(trained, deep):
    trainer = trained(deep(nn.ReLU, 1))
    trainer.step.net.layers[1].weight.data[0, 0] = np.nan
    diagnosis = examine(trainer)
    assert diagnosis.update is None
    assert diagnosis.training is None
    assert diagnosis.unjudged["suspect-labels"] == "no training digits were read"


# Fit


def test_overfitting(run_of, digits):
    few = digits._replace(train=digits.train[:100])
    finding = named(examine(run_of(few, model="mlp", epochs=60)), "overfitting")
    assert finding.severity == "warning"
    assert finding.evidence["training_accuracy"] == 1
    assert finding.evidence["gap"] > 0.03


def test_a_validation_loss_that_turns(trained, deep, digits):
    trainer = trained(deep(nn.ReLU, 1), epochs=3)
    for record, loss in zip(trainer.history, (0.2, 0.5, 0.6), strict=True):
        record["validation_loss"] = loss
    finding = named(examine(trainer), "overfitting")
    assert "risen to 3.0 times its lowest value" in finding.measured


def test_underfitting(run_of):
    held = named(examine(run_of(model="mlp", l2=0.3, epochs=20)), "underfitting")
    assert "it has --l2 0.3" in held.advice
    small = named(examine(run_of(model="mlp", hidden=(3,), epochs=60)), "underfitting")
    assert small.advice.startswith("Take a larger network")


def test_a_training_that_was_too_short(run_of):
    finding = named(examine(run_of(model="mlp", learning_rate=0.01, epochs=3)), "training-too-short")
    assert finding.severity == "warning"
    assert finding.evidence["falling"] > 0.03


# Data


def test_class_imbalance(run_of, digits):
    kept = np.flatnonzero((digits.train.labels != 3) | (np.arange(len(digits.train)) < 60))
    uneven = digits._replace(train=digits.train[kept])
    finding = named(examine(run_of(uneven, model="mlp", epochs=1)), "class-imbalance")
    counts = np.bincount(uneven.train.labels)
    assert finding.severity == "warning"
    assert finding.measured.startswith(f"Class 3 has {counts[3]} of {len(kept):,} digits")
    assert finding.evidence["counts"] == {str(digit): count for digit, count in enumerate(counts.tolist())}
    missing = digits._replace(train=digits.train[digits.train.labels != 3])
    found = named(examine(run_of(missing, model="mlp", epochs=1)), "class-imbalance")
    assert found.measured == f"There are no digits at all of 3 among {len(missing.train):,}."


def test_data_that_is_not_normalized(trained, deep, digits):
    raw = Scaling("none", 1.0, 0.0)
    finding = named(examine(trained(deep(nn.ReLU, 1), rate=1e-5, scaling=raw)), "not-normalized")
    assert finding.evidence["mean"] > 20
    faint = dataclasses.replace(digits.train, images=digits.train.images // 30)
    assert "not-normalized" in examine(trained(deep(nn.ReLU, 1), train=faint)).names
    standard = ig.data.standardization(faint)
    assert "not-normalized" not in examine(trained(deep(nn.ReLU, 1), train=faint, scaling=standard)).names


def test_floats_of_a_loop_of_ones_own(deep, digits):
    net = deep(nn.ReLU, 1)
    step = ig.training.TrainStep(net, nn.cross_entropy, ig.optim.SGD(net, 1e-5))
    images, labels = digits.train.images[:64, None].astype(np.float32), digits.train.labels[:64]
    assert "not-normalized" in examine(step, images, labels).names
    healthy = examine(step, images / 255, labels)
    assert healthy.names == []
    assert healthy.unjudged["overfitting"] == "one batch has no history and no data set"


@pytest.mark.parametrize(("part", "words"), [(1, "100% of the images"), (2, "The data mixes both polarities")])
def test_inverted_polarity(trained, deep, digits, part, words):
    images = digits.train.images.copy()
    images[::part] = 255 - images[::part]
    diagnosis = examine(trained(deep(nn.ReLU, 1), train=dataclasses.replace(digits.train, images=images)))
    assert words in named(diagnosis, "inverted-polarity").measured


@pytest.mark.parametrize(("count", "severity"), [(3, "note"), (40, "warning")])
def test_blank_images(trained, deep, digits, count, severity):
    images = digits.train.images.copy()
    images[10 : 10 + count] = 7
    finding = named(
        examine(trained(deep(nn.ReLU, 1), train=dataclasses.replace(digits.train, images=images))), "blank-images"
    )
    assert finding.severity == severity
    assert finding.measured.startswith(f"{count} of 1,200 images are all of one gray, the first at 10, 11, 12")


# Labels


@pytest.mark.parametrize("model", ["mlp", "two-layer", pytest.param("lenet5", marks=pytest.mark.slow)])
def test_flipped_labels_come_first(run_of, mislabeled, model):
    splits, wrong = mislabeled
    diagnosis = examine(run_of(splits, model=model))
    first = [suspect.index for suspect in diagnosis.suspects[: 2 * len(wrong)]]
    assert len(set(first) & set(wrong.tolist())) >= 0.8 * len(wrong)
    finding = named(diagnosis, "suspect-labels")
    assert set(finding.evidence["indices"]) & set(wrong.tolist())
    for suspect in diagnosis.suspects:
        assert suspect.label == str(splits.train.labels[suspect.index])
    losses = [suspect.loss for suspect in diagnosis.suspects]
    assert losses == sorted(losses, reverse=True)


def test_many_flipped_labels_are_a_warning_and_no_underfitting(run_of, digits):
    rng, labels = np.random.default_rng(0), digits.train.labels.copy()
    wrong = rng.choice(len(labels), len(labels) // 7, replace=False)
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, len(wrong))) % 10
    splits = digits._replace(train=dataclasses.replace(digits.train, labels=labels))
    diagnosis = examine(run_of(splits, model="mlp", epochs=30))
    assert "underfitting" not in diagnosis.names
    assert named(diagnosis, "suspect-labels").severity == "warning"
    doubted = named(diagnosis, "suspect-labels").evidence["indices"]
    assert len(set(doubted) & set(wrong.tolist())) >= 0.9 * len(doubted)


def test_every_illness_is_provoked_here():
    text = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in ILLNESSES if f'"{name}"' not in text] == []
