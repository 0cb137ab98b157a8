"""Probabilities that are as often right as they say, and a threshold below which nothing is read."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import ops
from inkgrad.data import Dataset
from inkgrad.errors import OptionError
from inkgrad.models import Classifier, Refusal

__all__ = ["KEPT", "calibrated"]

KEPT = 0.99
"""Share of digits that the threshold lets through."""

_TEMPERATURES = (0.05, 20.0)


def calibrated(classifier: Classifier, dataset: Dataset, *, kept: float = KEPT) -> Classifier:
    """The classifier with a temperature, and where it can refuse a threshold, fitted to digits it did not learn from.

    The temperature T is the one at which the mean of -log softmax(z / T)[label] is least (Guo, Pleiss, Sun and
    Weinberger 2017, arXiv 1706.04599). The threshold of `digit_probability` is its quantile at 1 - `kept`.

    Args:
        classifier: any; it stays as it is.
        dataset: digits that it has not learned from.
        kept: the share of them that shall be read.

    Raises:
        OptionError: there are no digits to fit to, of other classes, logits that are not finite, or `kept` is not
            between 0 and 1.

    >>> import inkgrad as ig
    >>> splits = ig.data.load("digits")
    >>> net = ig.models.build("softmax-regression", rng=ig.default_rng(0))
    >>> calibrated(Classifier(net), splits.validation).temperature != 1
    True
    """
    if not len(dataset):
        raise OptionError("a calibration needs digits that were not learned from, but there are none")
    if not 0 < kept < 1:
        raise OptionError(f"the share to keep must be between 0 and 1, but is {kept:g}")
    plain = replace(classifier, temperature=1.0)
    logits = plain.predict_logits(dataset.images)
    if len(dataset) and int(dataset.labels.max()) >= logits.shape[1]:
        raise OptionError(
            f"{dataset.name} has other classes than the classifier ({', '.join(plain.classes)}); calibrate it on "
            "digits of its own"
        )
    if not np.isfinite(logits).all():
        raise OptionError("the classifier's logits are not finite, so no temperature fits them; train it anew")
    # Several views give logarithms of probabilities already.
    kind = "softmax" if len(plain.views) > 1 else plain.probabilities
    temperature = best_temperature(logits, dataset.labels, kind)
    if plain.refusal is None:
        return replace(plain, temperature=temperature)
    threshold = float(np.quantile(plain.digit_probability(dataset.images), 1 - kept))
    return replace(plain, temperature=temperature, refusal=Refusal(threshold))


def best_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64], probabilities: str = "softmax") -> float:
    """The temperature at which logits (n, k) say least falsely what labels (n,) are.

    >>> z = np.array([[9.0, 0.0], [9.0, 0.0], [9.0, 0.0], [9.0, 0.0]])
    >>> t = best_temperature(z, np.array([0, 0, 0, 1]))
    >>> float(np.round(1 / (1 + np.exp(-9 / t)), 2))
    0.75
    """
    from scipy.optimize import minimize_scalar

    exact = logits.astype(np.float64)
    rows = np.arange(len(labels))

    def loss(logarithm: float) -> float:
        z = exact / np.exp(logarithm)
        if probabilities == "sigmoid":
            z = np.log(np.maximum(ops.sigmoid(z).data, 1e-300))
        return float(-ops.log_softmax(z).data[rows, labels].mean())

    found = minimize_scalar(loss, bounds=tuple(np.log(_TEMPERATURES)), method="bounded")
    return float(np.exp(found.x))
