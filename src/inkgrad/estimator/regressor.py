"""`NetworkRegressor`: a network as a regressor of scikit-learn."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from inkgrad.data import Samples
from inkgrad.errors import OptionError
from inkgrad.estimator.base import NetworkEstimator
from inkgrad.estimator.inputs import Inputs
from inkgrad.estimator.rows import Rows
from inkgrad.nn import mean_squared_error

__all__ = ["NetworkRegressor"]


class NetworkRegressor(RegressorMixin, NetworkEstimator):  # type: ignore[misc]
    """A neural network that scikit-learn can use as a regressor.

    With default arguments it is a network of dense layers on a table of any width. The loss is the mean squared error;
    y may be one number for each sample, (n,), or several, (n, k).

    Args:
        network: None for dense layers, a module, which is copied and trained on, or a function
            (rng=, inputs=, outputs=, **options) -> module, where inputs is the shape of one sample.
        network_options: options for your function.
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
        augmentation: how training images are changed at random, anew each time they are seen.
        batch_size: samples a step; "auto" is all of them, but 200 at most.
        shuffle: whether samples come in a new order each epoch.
        max_iter: epochs at most.
        tol: by how much a loss must be below the best one to count as better.
        n_iter_no_change: after how many epochs without a better loss the training ends, that of the validation data
            where there are any, of the training otherwise; None for never.
        validation_fraction: share of the samples that are split off as validation data; None for none. Those that `fit`
            is given go before.
        scale: whether columns and targets are brought to mean 0 and deviation 1, and pixels of images to 0..1, as the
            first samples say.
        image_shape: (h, w), which says that rows are images of so many pixels. By default those are images that come as
            such, and whatever is augmented.
        warm_start: whether `fit` trains the network that is there on, by an optimizer that begins anew.
        random_state: seed of initial weights, order, split, dropout and augmentation, or NumPy's `RandomState`.
        verbose: whether progress is shown on standard error; a number is of epochs between two lines.
        callbacks: of `inkgrad.training`; each `fit` uses copies, `callbacks_`.

    Attributes:
        network_: the trained network, in prediction mode; of scaled targets.
        history_: one record an epoch: epoch, step, loss, learning_rate, images_per_second, seconds, and with validation
            data validation_loss. Losses are of scaled targets: 1 is that of always predicting the mean.
        n_iter_: how many epochs there were.
        n_features_in_: columns of X, or pixels of an image.
        feature_names_in_: names of the columns of a data frame.
        callbacks_: those that were called.

    Dense layers begin as scikit-learn's, with weights and biases drawn evenly between -l and l, l^2 = 6 / (inputs +
    outputs) (Glorot and Bengio 2010).

    With validation data and `n_iter_no_change` the weights are those of the best epoch, else of the last. Weights of
    samples divide the loss: it is sum w_i l_i / sum w_i of each batch. While all samples are one batch, and no layer
    draws or looks at other samples, weights are repetition to the last bit.

    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> NetworkRegressor(random_state=0).fit(X, y).score(X, y) > 0.5
    True
    """

    _numeric = True

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "NetworkRegressor":
        """One epoch over these samples, after all that were before.

        Args:
            X: as in `fit`; the first ones say how inputs and targets are scaled.
            y: their targets.
            sample_weight: as in `fit`.

        Raises:
            ValueError: as `fit`, and where targets of another width come later.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """What each sample's targets are expected to be, float64 (n,), or (n, k) if y was so."""
        outputs = self._predicted(X).astype(np.float64) / self._scaled.factor + self._scaled.shift
        return np.asarray(outputs[:, 0] if self._flat else outputs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    # What the training asks for

    def _targets_of(self, y: NDArray[Any], *, reset: bool) -> NDArray[Any]:
        if isinstance(self.network, str):
            raise OptionError(
                f"network {self.network!r} is a classifier; a regressor takes dense layers or a network of your own"
            )
        y = np.asarray(y, np.float64)
        wide = y.reshape(len(y), -1)
        if reset:
            self._flat, self._width = y.ndim == 1, wide.shape[1]
        if wide.shape[1] != self._width:
            raise ValueError(f"y has {wide.shape[1]} outputs, but {type(self).__name__} is expecting {self._width}.")
        return wide

    def _learn_targets(self, rows: Rows) -> None:
        shape = (self._width,)
        self._scaled = Inputs.of_columns(rows.y, rows.weights, shape) if self.scale else Inputs.unscaled(shape)

    def _outputs(self) -> int:
        return int(self._width)

    def _loss(self) -> Any:
        return mean_squared_error

    def _samples(self, rows: Rows, name: str) -> Samples:
        return Samples(self._inputs.apply(rows.X), self._scaled.apply(rows.y), name, rows.shares())
