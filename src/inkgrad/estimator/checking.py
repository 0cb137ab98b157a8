"""What users give an estimator, checked in scikit-learn's way and told in its words."""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import _check_sample_weight, validate_data

from inkgrad.estimator.inputs import DTYPES, as_rows
from inkgrad.estimator.rows import Rows

__all__ = ["checked_inputs", "checked_rows", "held_out", "split_off"]


def checked_rows(estimator: Any, X: Any, y: Any, weights: Any, *, reset: bool) -> tuple[Rows, Any]:
    """The rows that count, and (h, w) where X came as images.

    Args:
        estimator: a `NetworkEstimator`.
        X: its inputs.
        y: what belongs to them.
        weights: how much each counts, or None.
        reset: whether they say what all later ones must look like.
    """
    X, image = _rows_of(estimator, X, known=not reset)
    checks: dict[str, Any] = {"accept_sparse": "csr", "multi_output": True, "y_numeric": estimator._numeric}
    X, y = validate_data(estimator, X, y, reset=reset, dtype=_dtypes(estimator), **checks)
    if weights is not None:
        weights = _check_sample_weight(weights, X, dtype=np.float64, ensure_non_negative=True)
    X = X.astype(np.float64) if issparse(X) and X.dtype == np.uint8 else X
    return Rows(X, estimator._targets_of(y, reset=reset), weights).counting(), image


def checked_inputs(estimator: Any, X: Any) -> Any:
    """X for a fitted estimator, (n, d)."""
    X, _ = _rows_of(estimator, X, known=True)
    return validate_data(estimator, X, reset=False, accept_sparse="csr", dtype=_dtypes(estimator))


def held_out(estimator: Any, X: Any, y: Any, weights: Any) -> Rows | None:
    """The validation data that were given, for an estimator that has seen its training data."""
    if X is None and y is None:
        return None
    if y is None:
        raise ValueError("X_val is provided, but y_val was not provided.")
    if X is None:
        raise ValueError("y_val is provided, but X_val was not provided.")
    return checked_rows(estimator, X, y, weights, reset=False)[0]


def split_off(rows: Rows, share: float, random: np.random.RandomState) -> tuple[Rows, Rows]:
    """Training and validation rows; where there are labels, each is as frequent in both."""
    labels = rows.y if rows.y.ndim == 1 else None
    parts = train_test_split(np.arange(len(rows)), test_size=share, random_state=random, stratify=labels)
    train, held = (rows.part(part) for part in parts)
    return train, held


def _dtypes(estimator: Any) -> Any:
    return DTYPES if estimator.scale else np.float32


def _rows_of(estimator: Any, X: Any, *, known: bool) -> tuple[Any, Any]:
    """X as rows, and (h, w) of images, which must be those of the fitted network where that is `known`."""
    name = type(estimator).__name__
    X, image = as_rows(X, name)
    shape = getattr(estimator, "_shape", ())
    if known and image is not None and len(shape) == 3 and image != shape[1:]:
        raise ValueError(f"X has images of {image} pixels, but {name} is expecting images of {shape[1:]} pixels.")
    return X, image
