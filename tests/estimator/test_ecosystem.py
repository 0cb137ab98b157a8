"""What of scikit-learn takes an estimator, on the bundled digits."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, get_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_predict, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import inkgrad as ig
from inkgrad.estimator import Deskewer, NetworkClassifier, NetworkRegressor, PCAFeatures


def net(**options):
    given = {"random_state": 0, "max_iter": 20, "hidden_layer_sizes": (30,), "learning_rate": 0.01}
    return NetworkClassifier(**given | options)


def test_a_pipeline_from_leaning_images_to_labels(digits):
    images, labels = digits
    line = make_pipeline(Deskewer(), PCAFeatures(30), StandardScaler(), net(max_iter=60))
    line.fit(images[:200], labels[:200])
    assert line.score(images[200:], labels[200:]) > 0.75
    assert line[:-1].transform(images).shape == (300, 30)
    line.set_params(networkclassifier__hidden_layer_sizes=(5,), pcafeatures__n_components=0.5)
    assert line.fit(images, labels)[-1].network_.layers[0].weight.shape[0] == 5


def test_a_convolutional_network_in_a_pipeline(digits):
    images, labels = digits
    line = make_pipeline(Deskewer(), net(network="lenet5", max_iter=12, learning_rate=0.003))
    assert cross_val_score(line, images, labels, cv=3).mean() > 0.75


def test_cross_validation(table):
    X, y, *_ = table
    scores = cross_val_score(net(), X, y, cv=3)
    assert scores.min() > 0.5
    found = cross_validate(net(), X, y, cv=3, scoring=["accuracy", "neg_log_loss", "roc_auc_ovr"], error_score="raise")
    np.testing.assert_array_equal(found["test_accuracy"], scores)
    assert found["test_roc_auc_ovr"].min() > 0.9
    assert cross_val_predict(net(), X, y, cv=3, method="predict_proba").shape == (400, 10)


def test_searches_of_parameters(table):
    X, y, *_ = table
    grid = {"hidden_layer_sizes": [(2,), (30,)], "learning_rate": np.logspace(-4, -2, 2), "batch_size": np.array([50])}
    search = GridSearchCV(net(), grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_params_ == {"hidden_layer_sizes": (30,), "learning_rate": 0.01, "batch_size": 50}
    assert search.score(X, y) > 0.9
    own = {"network": [None, ig.nn.Sequential(ig.nn.Linear(64, 10, rng=ig.default_rng(0)))], "dropout": [0.0, 0.1]}
    RandomizedSearchCV(net(), own, n_iter=3, cv=2, random_state=0, error_score="raise").fit(X, y)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration(table, method):
    X, y, others, truth = table
    sure = net(max_iter=100, learning_rate=0.01)
    calibrated = CalibratedClassifierCV(sure, method=method, cv=3).fit(X, y)
    assert calibrated.predict_proba(others).sum(axis=1) == pytest.approx(1)
    assert calibrated.score(others, truth) > 0.75
    binary = CalibratedClassifierCV(sure, method=method, cv=3).fit(X, y > 4)
    assert brier_score_loss(truth > 4, binary.predict_proba(others)[:, 1]) < 0.2


def test_ensembles_and_importances(table):
    X, y, others, truth = table
    bag = BaggingClassifier(net(), n_estimators=3, random_state=0).fit(X, y)
    vote = VotingClassifier([("a", net()), ("b", LogisticRegression(max_iter=1000))], voting="soft")
    assert bag.score(others, truth) > 0.7
    assert vote.fit(X / 16, y).score(others / 16, truth) > 0.7
    found = permutation_importance(net().fit(X, y), X, y, n_repeats=2, random_state=0, max_samples=50)
    assert found.importances_mean[0] == 0  # the first pixel is always 0
    assert found.importances_mean.max() > 0


def test_regressors_too(curve):
    X, y = curve
    line = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), NetworkRegressor(random_state=0)), func=np.log, inverse_func=np.exp
    )
    assert cross_val_score(line, X, y + 10, cv=3).mean() > 0.7
    assert get_scorer("neg_mean_absolute_error")(line.fit(X, y + 10), X, y + 10) > -2


def test_weights_are_routed(table):
    import sklearn

    X, y, *_ = table
    weights = np.random.default_rng(0).integers(0, 3, 400)
    with sklearn.config_context(enable_metadata_routing=True):
        asks = net().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        one = cross_val_score(make_pipeline(scaler, asks), X, y, cv=2, params={"sample_weight": weights})
        other = cross_val_score(make_pipeline(scaler, net()), X, y, cv=2)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_workers_of_joblib(table, backend):
    import joblib

    X, y, *_ = table
    grid = {"hidden_layer_sizes": [(10,), (30,)], "batch_size": [40, 400]}
    alone = GridSearchCV(net(dropout=0.1), grid, cv=2, error_score="raise").fit(X, y)
    with joblib.parallel_backend(backend):
        together = GridSearchCV(net(dropout=0.1), grid, cv=2, n_jobs=2, error_score="raise").fit(X, y)
    np.testing.assert_allclose(together.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"], atol=0.02)
    assert np.array_equal(together.predict_proba(X), alone.predict_proba(X))


@pytest.mark.slow
def test_a_fitted_network_reaches_workers_as_read_only_memory(table):
    """joblib maps large arrays into its workers; they predict with them, and train them on."""
    import joblib

    X, y, *_ = table
    big = net(hidden_layer_sizes=(3000,), batch_normalization=True, max_iter=2).fit(X, y)

    def use(fitted):
        said = fitted.predict_proba(X)
        return said, fitted.partial_fit(X, y).n_iter_

    answers = joblib.Parallel(n_jobs=2, max_nbytes=1000)(joblib.delayed(use)(big) for _ in range(2))
    for said, epochs in answers:
        np.testing.assert_allclose(said, big.predict_proba(X), atol=1e-5)
        assert epochs == 3
