"""scikit-learn's own checks of estimators, all of them, without an expected failure."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from inkgrad.estimator import Deskewer, NetworkClassifier, NetworkRegressor, PCAFeatures


@pytest.mark.filterwarnings("default")  # the checks make warnings on purpose
@parametrize_with_checks([NetworkClassifier(), NetworkRegressor(), Deskewer(), PCAFeatures()])
def test_what_every_estimator_must_do(estimator, check):
    check(estimator)
