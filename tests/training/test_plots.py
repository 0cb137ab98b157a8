import io
import math
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import Image

from inkgrad.errors import DataError
from inkgrad.training.metrics import evaluate_predictions
from inkgrad.training.plots import plot_confusion, plot_history, plot_per_class, plot_reliability

OF_EVALUATIONS = (plot_confusion, plot_reliability, plot_per_class)


def evaluation(k=10, n=300, names=None, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(k, size=n)
    weights = np.exp(rng.normal(size=(n, k)) + 3 * np.eye(k)[labels])
    names = names or [str(index) for index in range(k)]
    return evaluate_predictions(labels, weights / weights.sum(axis=1, keepdims=True), names)


def epoch(number, **values):
    return {"kind": "epoch", "epoch": number, "loss": 1 / number, "accuracy": 1 - 0.1 / number, **values}


def words(svg):
    return ["".join(node.itertext()).strip() for node in ElementTree.fromstring(svg).iter() if "text" in node.tag]


@pytest.mark.parametrize("plot", OF_EVALUATIONS)
@pytest.mark.parametrize("k", [1, 10, 40])
def test_svg_is_well_formed_and_the_same_every_time(plot, k):
    first = plot(evaluation(k))
    assert ElementTree.fromstring(first).tag.endswith("svg")
    assert plot(evaluation(k)) == first
    assert b"<dc:date>" not in first


@pytest.mark.parametrize("plot", [plot_confusion, plot_per_class])
def test_class_names_are_shown_as_they_are(plot):
    names = ["$5$", "<b> & 'c'", "数字", "x" * 50, "bell\a"]
    shown = words(plot(evaluation(5, names=names)))
    assert {"$5$", "<b> & 'c'", "数字", "x" * 19 + "…", "bell�"} <= set(shown)


def test_confusion_matrix_shows_its_counts():
    result = evaluate_predictions(np.array([0] * 137 + [1]), np.eye(2)[[0] * 137 + [0]], "ab")
    assert "137" in words(plot_confusion(result))


@pytest.mark.parametrize("plot", OF_EVALUATIONS)
def test_nothing_right_and_classes_missing_can_be_drawn(plot):
    result = evaluate_predictions(np.array([0, 0]), np.eye(3)[[1, 1]], "abc")
    assert plot(result)


@pytest.mark.parametrize(
    "history",
    [
        [epoch(1)],
        [epoch(1, validation_loss=0.4, validation_accuracy=0.9, learning_rate=0.1)],
        [epoch(n, learning_rate=0.1) for n in range(1, 50)],
        [epoch(1), epoch(2, validation_loss=0.4), {"kind": "step", "step": 3, "loss": 9.0}],
        [epoch(1), epoch(2, loss=math.nan, accuracy=None)],
        [epoch(1, learning_rate=0.0)],
        [{"epoch": 3}],
    ],
)
def test_history_is_a_png_whatever_keys_there_are(history):
    picture = plot_history(history)
    with Image.open(io.BytesIO(picture)) as image:
        assert image.format == "PNG"
        assert image.width > image.height > 400
    assert plot_history(history) == picture


@pytest.mark.parametrize("history", [[], [{"kind": "step", "step": 1, "loss": 1.0}]])
def test_history_without_an_epoch_is_refused(history):
    with pytest.raises(DataError, match="no finished epoch"):
        plot_history(history)


@pytest.mark.slow
def test_the_style_of_the_process_neither_matters_nor_changes():
    expected = plot_reliability(evaluation())
    with matplotlib.rc_context({"axes.grid": True, "lines.linewidth": 9, "font.size": 30, "svg.hashsalt": "x"}):
        before = dict(matplotlib.rcParams)
        assert plot_reliability(evaluation()) == expected
        assert dict(matplotlib.rcParams) == before
