import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from inkgrad.errors import DataError, OptionError, ShapeError
from inkgrad.training.metrics import (
    ConfusedPair,
    evaluate_predictions,
    expected_calibration_error,
    reliability,
    wilson_interval,
)

NAMES = tuple("0123456789")


def predictions(n=500, k=10, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(k, size=n)
    scores = rng.normal(size=(n, k)) + 2 * np.eye(k)[labels]
    weights = np.exp(scores)
    return labels, (weights / weights.sum(axis=1, keepdims=True)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_agrees_with_scikit_learn(dtype):
    labels, probabilities = predictions(dtype=dtype)
    result = evaluate_predictions(labels, probabilities, NAMES)
    predicted = probabilities.argmax(axis=1)
    precision, recall, _, support = precision_recall_fscore_support(labels, predicted, labels=range(10))
    np.testing.assert_array_equal(result.confusion, confusion_matrix(labels, predicted, labels=range(10)))
    assert result.confusion.dtype == np.int64
    np.testing.assert_allclose(result.precision, precision)
    np.testing.assert_allclose(result.recall, recall)
    np.testing.assert_array_equal(result.support, support)
    assert result.accuracy == np.mean(predicted == labels)
    if dtype is np.float64:
        assert result.log_loss == pytest.approx(log_loss(labels, probabilities, labels=range(10)))


def test_log_loss_of_an_impossible_truth_is_scikit_learns():
    labels, probabilities = np.array([0, 1]), np.array([[0.0, 1.0], [0.5, 0.5]])
    expected = log_loss(labels, probabilities)
    assert evaluate_predictions(labels, probabilities, "ab").log_loss == pytest.approx(expected)


def test_classes_that_never_occur_or_are_never_predicted_have_no_nan():
    probabilities = np.array([[0.8, 0.2, 0.0], [0.7, 0.2, 0.1]])
    result = evaluate_predictions(np.array([0, 1]), probabilities, "abc")
    np.testing.assert_array_equal(result.precision, [0.5, 0, 0])
    np.testing.assert_array_equal(result.recall, [1, 0, 0])
    np.testing.assert_array_equal(result.support, [1, 1, 0])


def test_equal_probabilities_predict_the_first_class():
    assert evaluate_predictions(np.array([0]), np.array([[0.5, 0.5]]), "ab").accuracy == 1


def test_most_confused_pairs_are_ordered_by_count_then_class():
    labels = np.array([2, 2, 1, 0, 0])
    probabilities = np.eye(3)[[0, 0, 2, 1, 2]]
    pairs = evaluate_predictions(labels, probabilities, "abc").most_confused
    assert pairs == [ConfusedPair(2, 0, 2), ConfusedPair(0, 1, 1), ConfusedPair(0, 2, 1), ConfusedPair(1, 2, 1)]


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_is_scipys(pair):
    correct, n = pair
    low, high = wilson_interval(correct, n)
    expected = binomtest(correct, n).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= low <= correct / n <= high <= 1


@pytest.mark.parametrize("correct, n, level", [(0, 0, 0.95), (3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0)])
def test_impossible_intervals_are_refused(correct, n, level):
    with pytest.raises(OptionError):
        wilson_interval(correct, n, level=level)


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_calibration_error_is_the_loop_of_the_paper(bins):
    labels, probabilities = predictions(dtype=np.float64)
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    expected = 0.0
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        if inside.any():
            expected += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    assert expected_calibration_error(labels, probabilities, bins=bins) == pytest.approx(expected)


def test_certain_and_correct_is_perfectly_calibrated():
    labels = np.arange(10)
    result = evaluate_predictions(labels, np.eye(10, dtype=np.float32), NAMES)
    assert (result.accuracy, result.calibration_error, result.log_loss) == (1, 0, 0)
    assert result.interval[1] == 1
    assert result.reliability.count[-1] == 10
    assert result.most_confused == []


def test_a_confidence_on_an_edge_belongs_to_the_bin_below():
    table = reliability(np.array([0]), np.array([[0.5, 0.5]]), bins=2)
    np.testing.assert_array_equal(table.count, [1, 0])


def test_json_is_plain_and_complete():
    labels, probabilities = predictions()
    result = evaluate_predictions(labels, probabilities, NAMES)
    data = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert data["accuracy"] == result.accuracy
    assert data["interval"] == list(result.interval)
    assert data["n"] == 500 == sum(map(sum, data["confusion"]))
    assert data["most_confused"][0].keys() == {"true", "predicted", "count"}


@pytest.mark.parametrize(
    "labels, probabilities, error, words",
    [
        (np.zeros(0, np.int64), np.zeros((0, 2)), DataError, "nothing to evaluate"),
        (np.zeros(1, np.int64), np.zeros((1, 0)), DataError, "nothing to evaluate"),
        (np.array([2]), np.array([[0.5, 0.5]]), DataError, "label 2 at index 0"),
        (np.array([-1]), np.array([[0.5, 0.5]]), DataError, "label -1 at index 0"),
        (np.array([0]), np.array([[3.0, -2.0]]), DataError, "softmax"),
        (np.array([0]), np.array([[0.5, 0.6]]), DataError, "softmax"),
        (np.array([0, 0]), np.array([[0.5, 0.5], [np.nan, 0.5]]), DataError, "row 1"),
        (np.array([0]), np.array([[1, 0]]), ShapeError, "floats"),
        (np.array([0], np.int32), np.array([[1.0, 0]]), ShapeError, "int64"),
        (np.array([0, 1]), np.array([[1.0, 0]]), ShapeError, "one row a label"),
        (np.array([0]), np.array([[1.0, 0, 0]]), ShapeError, "3 columns"),
    ],
)
def test_wrong_input_is_refused_in_one_sentence(labels, probabilities, error, words):
    with pytest.raises(error, match=words):
        evaluate_predictions(labels, probabilities, "ab")


def test_no_bins_are_refused():
    with pytest.raises(OptionError, match="at least 1"):
        reliability(np.array([0]), np.array([[1.0, 0]]), bins=0)
