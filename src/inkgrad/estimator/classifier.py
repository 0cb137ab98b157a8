"""`NetworkClassifier`: a network as a classifier of scikit-learn."""

import functools
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from inkgrad.autodiff import ops
from inkgrad.data import Augmentation, Samples
from inkgrad.errors import OptionError
from inkgrad.estimator.base import NetworkEstimator
from inkgrad.estimator.rows import Rows
from inkgrad.models import NAMED, probabilities_of
from inkgrad.nn import binary_cross_entropy, cross_entropy
from inkgrad.training import Callback

__all__ = ["NetworkClassifier"]


class NetworkClassifier(ClassifierMixin, NetworkEstimator):  # type: ignore[misc]
    """A neural network that scikit-learn can use as a classifier.

    With default arguments it is a network of dense layers on a table of any width and any labels. Images (n, 784),
    (n, 28, 28) or (n, 1, 28, 28) go to any named network, or to one of your own.

    Args:
        network: None for dense layers, the name of one of `models.NAMED`, a module, which is copied and trained on, or
            a function (rng=, inputs=, outputs=, **options) -> module, where inputs is the shape of one sample.
        network_options: options of the named network, such as {"width": 8} of "vgg", or of your function.
        hidden_layer_sizes: widths of the hidden layers, where `network` is None, as are the next three.
        activation: one of `models.ACTIVATIONS`: "relu", "leaky-relu", "gelu", "softplus", "tanh", "sigmoid" or
            "identity".
        dropout: how much of each hidden layer is left out in training, 0 to below 1.
        batch_normalization: whether each hidden layer is normalized over the batch before its activation.
        optimizer: one of `training.OPTIMIZERS`: "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw",
            "muon"; or a function (network, learning_rate) -> optimizer, such as a class of `inkgrad.optim`.
        learning_rate: the base rate, by default the optimizer's own; or a schedule of `inkgrad.optim`.
        momentum: of "momentum" and "nesterov", 0.9 by default, and of "muon", 0.95.
        weight_decay: of "adamw" and "muon", 0.01 by default.
        schedule: "constant", "step", "exponential", "cosine" or "one-cycle", over all epochs of a `fit`.
        warmup_steps: steps in which the rate rises to the base rate first.
        l2: strength of the penalty l2/2 sum of w^2 over the weights, without biases.
        clip_norm: the greatest norm of a gradient; None for any.
        label_smoothing: share of each label that is spread evenly over all classes.
        augmentation: how training images are changed at random, anew each time they are seen.
        batch_size: samples a step; "auto" is all of them, but 200 at most.
        shuffle: whether samples come in a new order each epoch.
        max_iter: epochs at most.
        tol: by how much a loss must be below the best one to count as better.
        n_iter_no_change: after how many epochs without a better loss the training ends, that of the validation data
            where there are any, of the training otherwise; None for never.
        validation_fraction: share of the samples that are split off as validation data, with classes as frequent as in
            all; None for none. Those that `fit` is given go before.
        class_weight: {class: weight}, or "balanced" for weights so that all classes count as much together.
        scale: whether columns are brought to mean 0 and deviation 1, and pixels of images to 0..1, as the first samples
            say.
        image_shape: (h, w), which says that rows are images of so many pixels. By default those are images that come as
            such, and whatever goes to a named network or is augmented.
        warm_start: whether `fit` trains the network that is there on, by an optimizer that begins anew.
        random_state: seed of initial weights, order, split, dropout and augmentation, or NumPy's `RandomState`.
        verbose: whether progress is shown on standard error; a number is of epochs between two lines.
        callbacks: of `inkgrad.training`; each `fit` uses copies, `callbacks_`.

    Attributes:
        classes_: the labels, sorted.
        network_: the trained network, in prediction mode.
        history_: one record an epoch: epoch, step, loss, accuracy, learning_rate, images_per_second, seconds, and with
            validation data validation_loss and validation_accuracy.
        n_iter_: how many epochs there were.
        n_features_in_: columns of X, or pixels of an image.
        feature_names_in_: names of the columns of a data frame.
        callbacks_: those that were called.

    Dense layers begin as scikit-learn's, with weights and biases drawn evenly between -l and l, l^2 = 6 / (inputs +
    outputs) (Glorot and Bengio 2010).

    With validation data and `n_iter_no_change` the weights are those of the best epoch, else of the last. Weights of
    samples divide the loss: it is sum w_i l_i / sum w_i of each batch. While all samples are one batch, and no layer
    draws or looks at other samples, weights are repetition to the last bit. `y` (n, k) of zeros and ones is several
    labels a sample, learned by binary cross-entropy.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> NetworkClassifier(random_state=0).fit(X, y).score(X, y) > 0.95
    True
    """

    def __init__(
        self,
        network: Any = None,
        *,
        network_options: dict[str, Any] | None = None,
        hidden_layer_sizes: Sequence[int] | int = (100,),
        activation: str = "relu",
        dropout: float = 0.0,
        batch_normalization: bool = False,
        optimizer: Any = "adam",
        learning_rate: Any = None,
        momentum: float | None = None,
        weight_decay: float | None = None,
        schedule: str = "constant",
        warmup_steps: int = 0,
        l2: float = 0.0,
        clip_norm: float | None = None,
        label_smoothing: float = 0.0,
        augmentation: Augmentation | None = None,
        batch_size: int | Literal["auto"] = "auto",
        shuffle: bool = True,
        max_iter: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int | None = 10,
        validation_fraction: float | None = None,
        class_weight: Any = None,
        scale: bool = True,
        image_shape: tuple[int, int] | None = None,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: bool | int = False,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        super().__init__(
            network,
            network_options=network_options,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            dropout=dropout,
            batch_normalization=batch_normalization,
            optimizer=optimizer,
            learning_rate=learning_rate,
            momentum=momentum,
            weight_decay=weight_decay,
            schedule=schedule,
            warmup_steps=warmup_steps,
            l2=l2,
            clip_norm=clip_norm,
            augmentation=augmentation,
            batch_size=batch_size,
            shuffle=shuffle,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            validation_fraction=validation_fraction,
            scale=scale,
            image_shape=image_shape,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
            callbacks=callbacks,
        )
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> "NetworkClassifier":
        """One epoch over these samples, after all that were before.

        Args:
            X: as in `fit`; the first ones say how inputs are scaled.
            y: their labels.
            classes: all labels that will ever come, at the first call.
            sample_weight: as in `fit`.

        Raises:
            ValueError: as `fit`, and where `classes` is missing at the first call, or others come later.
        """
        if not hasattr(self, "network_"):
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            self._promised = np.unique(classes)
        elif classes is not None and not np.array_equal(self.classes_, np.unique(classes)):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )
        if isinstance(self.class_weight, str):
            raise OptionError(
                "class_weight 'balanced' needs all samples, which partial_fit cannot know; give the weights themselves"
            )
        try:
            return self._partial_fit(X, y, sample_weight)
        finally:
            self.__dict__.pop("_promised", None)

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable label of each sample, (n,); of several labels a sample 0 or 1 for each, int64 (n, k)."""
        outputs = self._predicted(X)
        if self._several:
            return (outputs > 0).astype(np.int64)
        found: NDArray[Any] = self.classes_[outputs.argmax(axis=1)]
        return found

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The probability of each label, float64 (n, k), in the order of `classes_`.

        Rows sum to 1, unless samples have several labels.
        """
        logits = self._predicted(X).astype(np.float64)
        if self._several:
            return ops.sigmoid(logits).data
        return probabilities_of(logits, self._named.probabilities if self._named else "softmax")

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """The logits, float64 (n, k); of two classes by how much the second's is above the first's, (n,)."""
        logits = self._predicted(X).astype(np.float64)
        if len(self.classes_) != 2 or self._several:
            return logits
        return np.asarray(logits[:, 1] - logits[:, 0])

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """The logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

    # What the training asks for

    @property
    def _named(self) -> Any:
        return NAMED.get(self.network) if isinstance(self.network, str) else None

    def _targets_of(self, y: NDArray[Any], *, reset: bool) -> NDArray[Any]:
        check_classification_targets(y)
        several = type_of_target(y, input_name="y").startswith("multilabel")
        if reset:
            self._several = several
        if several != self._several:
            raise ValueError("y has another number of labels a sample than that of the first call.")
        if several:
            return self._indicators(y, reset=reset)
        y = column_or_1d(y, warn=True)
        if reset:
            self.classes_ = self.__dict__.get("_promised", np.unique(y))
        places = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        strange = self.classes_[places] != y
        if strange.any():
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {np.unique(y)}."
            )
        return places.astype(np.int64)

    def _indicators(self, y: Any, *, reset: bool) -> NDArray[np.float64]:
        y = np.asarray(y.toarray() if issparse(y) else y).astype(np.float64)
        if reset:
            self.classes_ = np.arange(y.shape[1])
        if y.shape[1] != len(self.classes_):
            raise ValueError(f"y has {y.shape[1]} labels, but {type(self).__name__} is expecting {len(self.classes_)}.")
        return np.asarray(y)

    def _learn_targets(self, rows: Rows) -> None:
        """Labels are scaled by nothing."""

    def _outputs(self) -> int:
        return len(self.classes_)

    def _loss(self) -> Any:
        if self._several:
            return binary_cross_entropy
        loss = self._named.loss if self._named else cross_entropy
        if not self.label_smoothing:
            return loss
        if loss is not cross_entropy:
            raise OptionError(f"label_smoothing belongs to cross-entropy, which is not the loss of {self.network}")
        return functools.partial(loss, label_smoothing=float(self.label_smoothing))

    def _samples(self, rows: Rows, name: str) -> Samples:
        if self.class_weight is not None:
            both = self._weights_of_labels(rows) * (1.0 if rows.weights is None else rows.weights)
            rows = Rows(rows.X, rows.y, both).counting()
        features = self._inputs.apply(rows.X)
        if self._several:
            return Samples(features, rows.y.astype(np.float32), name, rows.shares())
        return Samples(features, rows.y, name, rows.shares(), classes=tuple(str(label) for label in self.classes_))

    def _weights_of_labels(self, rows: Rows) -> NDArray[np.float64]:
        """The weight of each row's class."""
        if self._several:
            raise OptionError("class_weight is for one label a sample, but y has several; give sample_weight")
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            mass = np.bincount(rows.y, rows.weights, minlength=len(self.classes_))
            there = np.count_nonzero(mass)
            return np.asarray((mass.sum() / (there * np.where(mass > 0, mass, 1.0)))[rows.y])
        found = compute_class_weight(self.class_weight, classes=self.classes_, y=self.classes_[rows.y])
        return np.asarray(found[rows.y], np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
