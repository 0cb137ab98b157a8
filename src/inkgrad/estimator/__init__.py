"""Networks as estimators of scikit-learn, and features of images as its transformers."""

from inkgrad.estimator.classifier import NetworkClassifier
from inkgrad.estimator.features import Deskewer, PCAFeatures
from inkgrad.estimator.regressor import NetworkRegressor

__all__ = ["Deskewer", "NetworkClassifier", "NetworkRegressor", "PCAFeatures"]
