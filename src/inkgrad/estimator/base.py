"""What the estimators share: their parameters, and how they fit a network by the package's own trainer."""

import copy
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from inkgrad.autodiff import no_grad
from inkgrad.data import Augmentation, Samples
from inkgrad.data.samples import dense_parts
from inkgrad.estimator.building import build_network, shapes_to_try
from inkgrad.estimator.checking import checked_inputs, checked_rows, held_out, split_off
from inkgrad.estimator.inputs import Inputs
from inkgrad.estimator.options import batch_size_of, check_endless, check_parameters, optimizer_of, settings_of
from inkgrad.estimator.rows import MERGED, Rows
from inkgrad.estimator.stopping import stopping
from inkgrad.models import network_outputs
from inkgrad.nn import Buffer, Module
from inkgrad.nn.prediction import AT_ONCE
from inkgrad.random import default_rng
from inkgrad.training import Callback, Settings, Trainer, TrainStep
from inkgrad.training.assembly import make_penalties
from inkgrad.training.progress import Progress

__all__ = ["NetworkEstimator"]

E = TypeVar("E", bound="NetworkEstimator")

PREDICTED_TOGETHER = 1000  # rows


class NetworkEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The parameters and the training; what is learned, and what comes out, is written by subclasses."""

    _numeric = False  # whether y holds numbers, not labels

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
        augmentation: Augmentation | None = None,
        batch_size: int | Literal["auto"] = "auto",
        shuffle: bool = True,
        max_iter: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int | None = 10,
        validation_fraction: float | None = None,
        scale: bool = True,
        image_shape: tuple[int, int] | None = None,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: bool | int = False,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.network = network
        self.network_options = network_options
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.batch_normalization = batch_normalization
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.warmup_steps = warmup_steps
        self.l2 = l2
        self.clip_norm = clip_norm
        self.augmentation = augmentation
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.scale = scale
        self.image_shape = image_shape
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    # What subclasses write

    @abstractmethod
    def _targets_of(self, y: NDArray[Any], *, reset: bool) -> NDArray[Any]:
        """The checked y as int64 labels (n,) or float64 targets (n, k); with `reset` it says what there is to learn."""

    @abstractmethod
    def _learn_targets(self, rows: Rows) -> None:
        """Remember of the first rows what targets need to become a network's."""

    @abstractmethod
    def _samples(self, rows: Rows, name: str) -> Samples:
        """Rows as the network learns from them."""

    @abstractmethod
    def _loss(self) -> Any:
        """(outputs, targets, sample_weights=) -> tensor of one element."""

    @abstractmethod
    def _outputs(self) -> int:
        """How many outputs the network has."""

    # Fitting

    def fit(
        self: E,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> E:
        """Train a network, or, with `warm_start`, train it on.

        Args:
            X: (n, d) array, data frame or sparse table, or images (n, h, w) or (n, 1, h, w).
            y: what is to be learned of each.
            sample_weight: (n,), how much each counts, not negative: 3 is as three samples, 0 as none.
            X_val: validation data, measured after each epoch and never learned from.
            y_val: what belongs to `X_val`.
            sample_weight_val: how much each of these counts.

        Raises:
            ValueError: X, y or a parameter cannot be used.
            DivergenceError: the loss became NaN or infinite or ran away.
        """
        check_parameters(self)
        settings = settings_of(self)
        fresh = not (self.warm_start and hasattr(self, "network_"))
        rows, image = checked_rows(self, X, y, sample_weight, reset=fresh)
        random, held = check_random_state(self.random_state), None
        if X_val is None and y_val is None and self.validation_fraction is not None:
            rows, held = split_off(rows, self.validation_fraction, random)
        if fresh:
            self._begin(rows, image, default_rng(int(random.randint(2**31 - 1))))
        held = held_out(self, X_val, y_val, sample_weight_val) if held is None else held
        train = self._prepared(rows, fresh=fresh)
        size = self._batch_size(len(train))
        steps = int(self.max_iter) * -(-len(train) // size)
        self._optimizer = optimizer_of(self, settings, self.network_, steps)
        self._step = self._new_step(settings)
        if fresh or not hasattr(self, "callbacks_"):
            self.callbacks_ = copy.deepcopy(list(self.callbacks))
        ends = stopping(self.n_iter_no_change, self.tol, validated=held is not None)
        validation = None if held is None else self._samples(held, "the validation data")
        self._train(train, size, int(self.max_iter), validation, ends)
        return self

    def _partial_fit(self: E, X: Any, y: Any, sample_weight: Any) -> E:
        """One epoch over these samples, after all that were before."""
        check_parameters(self)
        settings = settings_of(self)
        check_endless(settings)
        fresh = not hasattr(self, "network_")
        rows, image = checked_rows(self, X, y, sample_weight, reset=fresh)
        if fresh:
            random = check_random_state(self.random_state)
            self._begin(rows, image, default_rng(int(random.randint(2**31 - 1))))
            self.callbacks_ = copy.deepcopy(list(self.callbacks))
        train = self._prepared(rows, fresh=fresh)
        if not hasattr(self, "_optimizer"):
            self._optimizer = optimizer_of(self, settings, self.network_)
        if not hasattr(self, "_step"):
            self._step = self._new_step(settings)
        self._train(train, self._batch_size(len(train)), 1, None, [])
        return self

    def _begin(self, rows: Rows, image: Any, rng: np.random.Generator) -> None:
        """A new network for rows like these."""
        weights_rng, self._order_rng = rng.spawn(2)
        pictures = isinstance(self.network, str) or self.augmentation is not None
        shapes = shapes_to_try(rows.X.shape[1], image, self.image_shape, images=pictures)
        dense = {
            "hidden": self.hidden_layer_sizes,
            "activation": self.activation,
            "dropout": self.dropout,
            "normalize": self.batch_normalization,
        }
        made = build_network(self.network, self.network_options, shapes, self._outputs(), dense, weights_rng)
        self.network_, self._shape = made
        self._pixels = image is not None or self.image_shape is not None or len(self._shape) == 3
        self.history_: list[dict[str, Any]] = []
        self.n_iter_ = 0
        for name in ("_optimizer", "_step"):
            self.__dict__.pop(name, None)

    def _prepared(self, rows: Rows, *, fresh: bool) -> Samples:
        """Samples to train on; of the first ones it is learned how inputs and targets are scaled."""
        whole = batch_size_of(self.batch_size, len(rows)) == len(rows) <= MERGED
        if whole and self.augmentation is None and _sees_each_row_alone(self.network_):
            rows = rows.merged()
        if fresh:
            if not self.scale:
                self._inputs = Inputs.unscaled(self._shape)
            elif self._pixels:
                self._inputs = Inputs.of_pixels(rows.X, self._shape)
            else:
                self._inputs = Inputs.of_columns(rows.X, rows.weights, self._shape)
            self._learn_targets(rows)
        return self._samples(rows, "the training data")

    def _batch_size(self, count: int) -> int:
        """Samples in a batch; one more each where the last batch would be one alone, which has no statistics."""
        size = batch_size_of(self.batch_size, count)
        while 1 < size < count and count % size == 1 and not _sees_each_row_alone(self.network_):
            size += 1
        return size

    def _new_step(self, settings: Settings) -> TrainStep:
        return TrainStep(self.network_, self._loss(), self._optimizer, penalties=make_penalties(settings))

    def _train(
        self, train: Samples, batch_size: int, epochs: int, validation: Samples | None, ends: list[Callback]
    ) -> None:
        """Epochs of the package's trainer, whose records are added to the history."""
        shown = [Progress(every_epochs=max(int(self.verbose), 1))] if self.verbose else []
        trainer = Trainer(
            self._step,
            train,
            validation=validation,
            callbacks=[*self.callbacks_, *ends, *shown],
            batch_size=batch_size,
            rng=self._order_rng,
            shuffle=self.shuffle,
            augmentation=self.augmentation,
        )
        before = self.history_[-1]["step"] if self.history_ else 0
        try:
            trainer.fit(epochs=epochs)
        finally:
            self._finish()
            for record in trainer.history:
                self.history_.append(record | {"epoch": self.n_iter_ + 1, "step": before + record["step"]})
                self.n_iter_ += 1

    def _finish(self) -> None:
        """Prediction mode, with a plan from the first prediction on, so that all rows are computed in one way."""
        self._optimizer.zero_grad()  # or a pickle would hold the gradients
        with no_grad():
            self.network_.eval()(np.zeros((AT_ONCE, *self._inputs.shape), np.float32))

    # Using what was fitted

    def _predicted(self, X: Any) -> NDArray[np.float32]:
        """The outputs of the network, float32 (n, k)."""
        check_is_fitted(self, "history_")
        X = checked_inputs(self, X)
        n = X.shape[0]
        if n == 1:  # alone it would be computed in another way, with another rounding
            X = X[[0, 0]]
        parts = dense_parts(self._inputs.apply(X), PREDICTED_TOGETHER)
        return network_outputs(self.network_, parts)[:n]

    def __getstate__(self) -> dict[str, Any]:
        """Without the training step, which is made anew where it is needed: it holds compiled plans."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_step"}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        return tags


def _sees_each_row_alone(net: Module) -> bool:
    """Whether a sample's loss depends on it and the weights only: no statistics of a batch, and no chance."""
    states = any(isinstance(member, Buffer) for _, member in net.named_state())
    return not states and next(net.named_generators(), None) is None
