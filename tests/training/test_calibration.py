"""Temperatures that make confidences true, and thresholds that let through what they should."""

from dataclasses import replace

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.data import load
from inkgrad.errors import OptionError
from inkgrad.models import Classifier, Refusal, build
from inkgrad.training import Run, Settings, calibrated
from inkgrad.training.calibration import best_temperature
from inkgrad.training.run import evaluated


def test_the_temperature_undoes_a_factor():
    """Labels drawn from softmax(z): at z times a factor, the factor is the best temperature."""
    rng = np.random.default_rng(0)
    z = rng.normal(0, 2, (40_000, 10))
    gumbel = rng.gumbel(size=z.shape)
    labels = (z + gumbel).argmax(1)
    for factor in (0.3, 1.0, 4.0):
        found = best_temperature((z * factor).astype(np.float32), labels)
        assert found == pytest.approx(factor, rel=0.03)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    settings = Settings(data="digits+nondigits", model="lenet5", epochs=3, optimizer="adam", calibrate=True)
    splits = load(settings.data)
    last = Run(folder, settings, splits).train()
    return folder, splits, last


def test_a_run_calibrates_what_it_saves(run):
    folder, splits, last = run
    classifier = ig.models.load(folder)
    assert classifier.refuses
    assert classifier.classes == tuple("0123456789")
    assert last["validation_accuracy"] > 0.8
    evaluation = evaluated(classifier, splits.validation)
    assert (last["validation_accuracy"], last["validation_loss"]) == (evaluation.accuracy, evaluation.log_loss)
    images, labels = splits.validation.images, splits.validation.labels
    kept = classifier.digit_probability(images) >= classifier.refusal.threshold
    assert kept.mean() == pytest.approx(0.99, abs=0.006)
    assert (classifier.digit_probability(splits.train.images[1200:]) < classifier.refusal.threshold).mean() > 0.7

    def loss(temperature):
        proba = replace(classifier, temperature=temperature).predict_proba(images)
        return -np.log(proba[np.arange(len(labels)), labels]).mean()

    best = loss(classifier.temperature)
    assert best <= min(loss(classifier.temperature * 1.05), loss(classifier.temperature / 1.05))
    again = calibrated(classifier, splits.validation)
    assert again.temperature == pytest.approx(classifier.temperature, rel=1e-6)
    assert again.refusal == classifier.refusal


def test_without_an_output_for_it_there_is_no_threshold():
    splits = load("digits")
    plain = Classifier(build("softmax-regression", rng=ig.default_rng(0)))
    assert calibrated(plain, splits.validation).refusal is None
    with pytest.raises(OptionError, match="needs digits that were not learned from"):
        calibrated(plain, splits.validation[:0])
    with pytest.raises(OptionError, match="must be between 0 and 1, but is 1"):
        calibrated(replace(plain, refusal=Refusal()), splits.validation, kept=1.0)
    with pytest.raises(OptionError, match="calibrate needs validation data, but train-on all leaves none"):
        Settings(calibrate=True, train_on="all")
    with pytest.raises(OptionError, match="has other classes than the classifier"):
        calibrated(
            replace(plain, classes=tuple("abc"), network=build("mlp", rng=ig.default_rng(0), classes=3)), splits.train
        )
    plain.network.layers[-1].weight.data[0, 0] = np.nan
    with pytest.raises(OptionError, match="logits are not finite"):
        calibrated(plain, splits.validation)
