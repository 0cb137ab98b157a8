"""`NetworkClassifier` on tables and images."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import NotFittedError
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import inkgrad as ig
from inkgrad import nn, optim
from inkgrad.errors import OptionError
from inkgrad.estimator import Deskewer, NetworkClassifier
from inkgrad.training import Callback


def fitted(X, y, *, fit=None, **options):
    return NetworkClassifier(**{"random_state": 0, "max_iter": 5} | options).fit(X, y, **(fit or {}))


def alike(one, other, X):
    """Whether two classifiers say the same of X, to the last bit."""
    return np.array_equal(one.predict_proba(X), other.predict_proba(X))


# Tables


def test_a_table_is_learned_by_default(table):
    X, y, others, truth = table
    net = NetworkClassifier(random_state=0).fit(X, y)
    assert net.score(others, truth) > 0.8
    assert net._step.fallback is None
    assert net.predict_proba(others).sum(axis=1) == pytest.approx(1)
    assert np.array_equal(net.classes_[net.predict_proba(others).argmax(axis=1)], net.predict(others))
    assert np.array_equal(net.decision_function(others).argmax(axis=1), net.predict(others))
    np.testing.assert_allclose(np.exp(net.predict_log_proba(others)), net.predict_proba(others))


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.uint8, bool])
def test_numbers_of_any_kind_and_on_any_scale(table, kind):
    X, y, *_ = table
    given = (X > 7) if kind is bool else X.astype(kind)
    net = fitted(given, y, max_iter=30)
    assert net.score(given, y) > 0.8
    far = fitted(1e6 + 1e3 * given.astype(np.float64), y, max_iter=30)
    np.testing.assert_allclose(
        far.predict_proba(1e6 + 1e3 * given.astype(np.float64)), net.predict_proba(given), atol=1e-3
    )


def test_without_scaling_numbers_go_as_they_come(table):
    X, y, *_ = table
    seen = []

    class Net(nn.Sequential):
        plannable = False

        def forward(self, x):
            seen.append(np.asarray(x.data if isinstance(x, ig.Tensor) else x))
            return super().forward(x)

    fitted(X, y, network=Net(nn.Linear(64, 10, rng=ig.default_rng(0))), scale=False, batch_size=400, max_iter=1)
    assert any(np.array_equal(np.unique(x, axis=0), np.unique(X.astype(np.float32), axis=0)) for x in seen)


def test_a_column_that_never_changes_does_no_harm(table):
    X, y, others, truth = table
    X, others = (np.column_stack([part, np.full(len(part), 1e8 + 0.1)]) for part in (X, others))
    assert fitted(X, y, max_iter=40).score(others, truth) > 0.75


def test_a_sparse_table_is_learned_batch_by_batch(table):
    X, y, *_ = table
    rows = sparse.csr_array(X)
    net = fitted(rows, y, max_iter=30)
    assert net.score(rows, y) == net.score(X, y) > 0.8
    dense = fitted(X, y)  # which moves the mean to 0, so that zeros do not stay zeros
    assert alike(dense, dense, X)
    assert np.array_equal(dense.predict_proba(rows), dense.predict_proba(X))


def test_labels_of_any_kind(blobs):
    X, y = blobs
    for names in (np.array(["pen", "ink", "nib"]), np.array([-5, 2, 70]), np.array(["pen", "ink", "nib"], object)):
        net = fitted(X, names[y], max_iter=50)
        assert net.classes_.tolist() == sorted(names.tolist())
        assert (net.predict(X) == names[y]).mean() > 0.6
    two = fitted(X, y > 0, max_iter=50)
    assert two.decision_function(X).shape == (60,)
    assert np.array_equal(two.decision_function(X) > 0, two.predict(X))


def test_several_labels_a_sample():
    X, y = make_multilabel_classification(200, 10, n_classes=4, random_state=0)
    net = NetworkClassifier(random_state=0).fit(X, y)
    assert net._step.fallback is None
    assert (net.predict(X) == y).mean() > 0.8
    assert np.array_equal(net.predict(X), net.predict_proba(X) > 0.5)
    assert "accuracy" not in net.history_[0]
    assert np.array_equal(net.predict(X), NetworkClassifier(random_state=0).fit(X, sparse.csr_array(y)).predict(X))
    with pytest.raises(ValueError, match="y has 3 labels, but NetworkClassifier is expecting 4"):
        net.partial_fit(X, y[:, :3])
    with pytest.raises(ValueError, match="another number of labels a sample"):
        net.partial_fit(X, y[:, 0])
    with pytest.raises(OptionError, match="class_weight is for one label a sample"):
        fitted(X, y, class_weight="balanced")


# Images


def forms(images):
    return {
        "rows": images.reshape(-1, 784),
        "images": images,
        "channels": images[:, None],
        "shares": images / 255,
        "float32 of bytes": images.astype(np.float32).reshape(-1, 784),
    }


@pytest.mark.parametrize("network", ["lenet5", "two-layer-sigmoid"])
def test_images_in_every_form_go_to_a_named_network(digits, network):
    images, labels = digits
    said = {}
    for name, X in forms(images).items():
        net = fitted(X, labels, network=network, max_iter=2)
        assert net.network_.architecture == network
        assert net.n_features_in_ == 784
        said[name] = net.predict_proba(X)
        for other in forms(images).values():
            if other.max() == X.max():
                assert np.array_equal(net.predict_proba(other), said[name])
    for proba in said.values():
        np.testing.assert_allclose(proba, said["rows"], rtol=2e-4)
    assert said["rows"].sum(axis=1) == pytest.approx(1)


def test_a_named_network_with_options_augmentation_and_a_schedule(digits):
    images, labels = digits
    net = fitted(
        images,
        labels,
        network="tiny",
        optimizer="adamw",
        learning_rate=0.01,
        schedule="one-cycle",
        warmup_steps=2,
        augmentation=ig.data.Augmentation(rotation=5, shift=1),
        label_smoothing=0.1,
        batch_size=32,
        max_iter=6,
    )
    assert net.score(images, labels) > 0.8
    assert net.history_[-1]["learning_rate"] < 0.001 < net.history_[2]["learning_rate"]
    wide = fitted(images, labels, network="mlp", network_options={"hidden": [7, 5]}, max_iter=1)
    assert [p.shape for _, p in wide.network_.named_parameters()][:3:2] == [(7, 784), (5, 7)]


def test_a_network_of_ones_own_takes_the_form_that_it_can(table):
    X, y, *_ = table
    rng = ig.default_rng(0)
    own = nn.Sequential(nn.Conv2d(1, 4, 3, rng=rng), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10, rng=rng))
    before = nn.state_of(own)
    for given in (X, X.reshape(-1, 8, 8), X.reshape(-1, 1, 8, 8)):
        net = fitted(given, y, network=own, max_iter=40, learning_rate=0.01)
        assert net.network_.layers[0].weight.shape == (4, 1, 3, 3)
        assert net.score(given, y) > 0.8
    dense = nn.Sequential(nn.Linear(64, 10, rng=rng))
    assert fitted(X.reshape(-1, 8, 8), y, network=dense, max_iter=100).score(X, y) > 0.8
    for name, array in nn.state_of(own).items():
        assert np.array_equal(array, before[name]), "a parameter was changed"


def make(*, rng, inputs, outputs, width=8):
    return nn.Sequential(nn.Linear(*inputs, width, rng=rng), nn.Tanh(), nn.Linear(width, outputs, rng=rng))


def test_a_function_makes_the_network(table):
    X, y, *_ = table
    net = fitted(X, y, network=make, network_options={"width": 13}, max_iter=100)
    assert net.network_.layers[0].weight.shape == (13, 64)
    assert net.score(X, y) > 0.9


def test_image_shape_says_that_rows_are_images(table):
    X, y, *_ = table
    rng = ig.default_rng(0)
    tall = nn.Sequential(nn.Conv2d(1, 2, (16, 1), rng=rng), nn.Flatten(), nn.Linear(8, 10, rng=rng))
    assert fitted(X, y, network=tall, image_shape=(16, 4)).network_.layers[0].weight.shape == (2, 1, 16, 1)
    pixels = fitted(X, y, image_shape=(8, 8))  # one scale for all pixels, where columns would have each their own
    assert not alike(pixels, fitted(X, y), X)
    assert alike(pixels, fitted(X.reshape(-1, 8, 8), y), X)


# Weights


def plain(X, y, weights=None, **options):
    return NetworkClassifier(random_state=0, max_iter=30, **options).fit(X, y, sample_weight=weights)


def test_in_one_batch_weights_are_repetition_to_the_last_bit(blobs):
    X, y = blobs
    weights = np.random.default_rng(1).integers(0, 3, 60)
    rows = np.random.default_rng(2).permutation(np.repeat(np.arange(60), weights))
    assert alike(plain(X, y, weights), plain(X[rows], y[rows]), X)
    assert alike(plain(X, y, np.full(60, 7.5)), plain(X, y), X)
    assert not alike(plain(X, y, weights), plain(X, y), X)


def test_weights_in_several_batches_come_near_to_repetition(blobs):
    X, y = blobs
    weights = np.random.default_rng(1).integers(0, 3, 60)
    rows = np.repeat(np.arange(60), weights)
    options = {"batch_size": 10, "shuffle": True}
    one, other = (NetworkClassifier(random_state=0, max_iter=200, n_iter_no_change=None, **options) for _ in range(2))
    apart = one.fit(X, y, weights).predict_proba(X) - other.fit(X[rows], y[rows]).predict_proba(X)
    unweighted = NetworkClassifier(random_state=0, max_iter=200, n_iter_no_change=None, **options).fit(X, y)
    assert np.abs(apart[weights > 0]).mean() < np.abs(one.predict_proba(X) - unweighted.predict_proba(X)).mean()


def test_weights_of_classes_are_weights_of_their_samples(blobs):
    X, y = blobs
    given = {0: 3.0, 1: 0.5, 2: 1.0}
    raw = {"scale": False}  # as columns are scaled by the weights of samples alone
    assert alike(plain(X, y, class_weight=given, **raw), plain(X, y, np.array([3.0, 0.5, 1.0])[y], **raw), X)
    balanced = 60 / (3 * np.bincount(y))
    assert alike(plain(X, y, class_weight="balanced"), plain(X, y, class_weight=dict(enumerate(balanced))), X)
    weights = np.random.default_rng(1).integers(0, 3, 60)
    rows = np.repeat(np.arange(60), weights)
    assert alike(plain(X, y, weights, class_weight="balanced"), plain(X[rows], y[rows], class_weight="balanced"), X)
    none_of_0 = plain(X, y, class_weight={0: 0.0})
    assert not (none_of_0.predict(X) == 0).any()


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        (np.ones(59), r"sample_weight.shape == \(59,\), expected \(60,\)"),
        (np.ones((60, 2)), "Sample weights must be 1D array or scalar"),
        (-np.ones(60), "Negative values in data passed to `sample_weight`"),
        (np.zeros(60), "Sample weights must contain at least one non-zero number"),
        (np.full(60, np.nan), "Input sample_weight contains NaN"),
    ],
)
def test_weights_that_cannot_be(blobs, weights, told):
    with pytest.raises(ValueError, match=told):
        plain(*blobs, weights)


# Validation, stopping, going on


def test_the_history_has_both_losses(table):
    X, y, others, truth = table
    net = fitted(X, y, fit={"X_val": others, "y_val": truth}, max_iter=3, n_iter_no_change=None)
    assert [record["epoch"] for record in net.history_] == [1, 2, 3]
    assert net.n_iter_ == 3
    last = net.history_[-1]
    assert last["step"] == 6
    log_loss = -np.mean(np.log(net.predict_proba(others)[np.arange(200), truth]))
    assert last["validation_loss"] == pytest.approx(log_loss, rel=1e-4)
    assert last["validation_accuracy"] == pytest.approx(net.score(others, truth))
    assert last["loss"] < net.history_[0]["loss"]


def test_validation_data_have_weights_too(table):
    X, y, others, truth = table
    weights = np.arange(200)
    given = {"X_val": others, "y_val": truth, "sample_weight_val": weights}
    net = fitted(X, y, fit=given, max_iter=2, n_iter_no_change=None)
    loss = np.average(-np.log(net.predict_proba(others)[np.arange(200), truth]), weights=weights)
    assert net.history_[-1]["validation_loss"] == pytest.approx(loss, rel=1e-4)
    assert net.history_[-1]["validation_accuracy"] == pytest.approx(net.score(others, truth, weights))


def test_a_part_is_split_off_with_every_class_in_it(blobs):
    X, y = blobs
    seen = []

    class Look(Callback):
        def on_start(self, trainer):
            seen.append((trainer.train, trainer.validation))

        def __deepcopy__(self, memo):
            return self

    fitted(X, y, validation_fraction=0.2, callbacks=[Look()])
    train, held = seen[0]
    assert (len(train), len(held)) == (48, 12)
    shares = [np.bincount(part.targets) / len(part) for part in (train, held)]
    np.testing.assert_allclose(*shares, atol=0.06)
    fitted(X, y, callbacks=[Look()])
    assert seen[1][1] is None
    assert len(seen[1][0]) == 60


def test_training_ends_when_validation_gets_no_better_and_keeps_the_best(table):
    X, y, others, truth = table
    net = NetworkClassifier(random_state=0, max_iter=500, n_iter_no_change=4, tol=0.0, learning_rate=0.02)
    net.fit(X, y, X_val=others, y_val=truth)
    losses = [record["validation_loss"] for record in net.history_]
    best = int(np.argmin(losses))
    assert net.n_iter_ == best + 1 + 4 < 500
    log_loss = -np.mean(np.log(net.predict_proba(others)[np.arange(200), truth]))
    assert log_loss == pytest.approx(losses[best], rel=1e-4)
    assert log_loss < losses[-1]


def test_without_validation_the_training_loss_ends_it(blobs):
    X, y = blobs
    net = NetworkClassifier(random_state=0, max_iter=300, n_iter_no_change=3, tol=0.05).fit(X, y)
    losses = [record["loss"] for record in net.history_]
    assert net.n_iter_ < 300
    assert min(losses[-3:]) > min(losses[:-3]) - 0.05
    assert NetworkClassifier(random_state=0, max_iter=60, n_iter_no_change=None, tol=0.05).fit(X, y).n_iter_ == 60


def test_warm_start_trains_on(table):
    X, y, *_ = table
    net = fitted(X, y, warm_start=True, max_iter=2)
    first = net.predict_proba(X)
    net.set_params(learning_rate=1e-5).fit(X, y)
    assert [(r["epoch"], r["step"]) for r in net.history_] == [(1, 2), (2, 4), (3, 6), (4, 8)]
    assert net.history_[2]["learning_rate"] == 1e-5
    np.testing.assert_allclose(net.predict_proba(X), first, atol=0.01)
    cold = fitted(X, y, max_iter=2)
    assert np.array_equal(cold.fit(X, y).predict_proba(X), first)
    assert cold.n_iter_ == 2
    with pytest.raises(ValueError, match="has classes not in"):
        net.fit(X, y + 5)
    with pytest.raises(ValueError, match="X has 63 features, but NetworkClassifier is expecting 64 features"):
        net.fit(X[:, :63], y)


def test_parts_are_learned_one_after_the_other(table):
    X, y, others, truth = table
    net = NetworkClassifier(random_state=0, learning_rate=0.01)
    for _ in range(6):
        for part in np.array_split(np.arange(400), 4):
            net.partial_fit(X[part], y[part], classes=np.arange(12))
    assert net.n_iter_ == len(net.history_) == 24
    assert net.predict_proba(others).shape == (200, 12)
    assert net.score(others, truth) > 0.75
    with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
        net.partial_fit(X, y, classes=np.arange(10))
    with pytest.raises(ValueError, match="has classes not in"):
        net.partial_fit(X, y + 10)
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        NetworkClassifier().partial_fit(X, y)
    with pytest.raises(OptionError, match="needs the number of steps, which partial_fit cannot know"):
        NetworkClassifier(schedule="cosine").partial_fit(X, y, classes=np.arange(10))
    with pytest.raises(OptionError, match="'balanced' needs all samples"):
        NetworkClassifier(class_weight="balanced").partial_fit(X, y, classes=np.arange(10))


def test_a_refused_first_part_promises_nothing(blobs):
    X, y = blobs
    net = NetworkClassifier(random_state=0, max_iter=2)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        net.partial_fit(X, y[:-1], classes=[0, 1, 2, 3])
    assert net.fit(X, y).classes_.tolist() == [0, 1, 2]


def test_one_sample_more_than_batches_hold_has_statistics_all_the_same(table):
    X, y, *_ = table
    net = fitted(X[: 401 - 200], y[:201], batch_normalization=True, batch_size=100, max_iter=3)
    assert net.history_[-1]["step"] == 6  # batches of 101 and 100
    with pytest.raises(ValueError, match="at least 2"):
        fitted(X[:1], y[:1], batch_normalization=True)


# Copies


@pytest.mark.parametrize("make_twin", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_predicts_and_goes_on_alike(table, make_twin):
    X, y, *_ = table
    net = fitted(X, y, dropout=0.2, batch_normalization=True)
    twin = make_twin(net)
    assert alike(twin, net, X)
    before = net.predict_proba(X)
    twin.partial_fit(X, y)
    assert np.array_equal(net.predict_proba(X), before)
    assert alike(twin, net.partial_fit(X, y), X)


def test_a_pickle_holds_no_buffers_of_the_training(table):
    net = fitted(*table[:2], hidden_layer_sizes=(500,))
    weights = sum(p.data.nbytes for _, p in net.network_.named_parameters())
    assert len(pickle.dumps(net)) < 3.2 * weights  # weights and Adam's two averages


def test_a_clone_is_not_fitted_and_fits_alike(table):
    X, y, *_ = table
    own = nn.Sequential(nn.Linear(64, 10, rng=ig.default_rng(0)))
    net = fitted(X, y, network=own)
    twin = clone(net)
    with pytest.raises(NotFittedError):
        twin.predict(X)
    assert alike(twin.fit(X, y), net, X)


def test_a_seed_decides_every_bit_and_so_does_a_random_state(table):
    X, y, *_ = table
    assert alike(fitted(X, y, dropout=0.1), fitted(X, y, dropout=0.1), X)
    assert not alike(fitted(X, y), fitted(X, y, random_state=1), X)
    states = [np.random.RandomState(3) for _ in range(2)]
    assert alike(*(fitted(X, y, random_state=state) for state in states), X)


def test_a_row_is_predicted_alike_alone_and_among_others(table):
    X, y, others, _ = table
    net = fitted(X, y)
    whole = net.predict_proba(others)
    for part in (slice(0, 1), slice(7, 8), slice(3, 20), slice(0, 199)):
        assert np.array_equal(net.predict_proba(others[part]), whole[part])


# Parameters


class Losses(Callback):
    def __init__(self):
        self.losses = []

    def on_step(self, trainer):
        self.losses.append(trainer.last_loss)


def test_callbacks_are_copies(table):
    X, y, *_ = table
    given = Losses()
    net = fitted(X, y, callbacks=[given, ig.training.EarlyStopping(2, measure="loss")], max_iter=3)
    assert given.losses == []
    assert len(net.callbacks_[0].losses) == 6
    assert len(net.fit(X, y).callbacks_[0].losses) == 6


def test_logs_and_checkpoints_of_a_table(table, tmp_path):
    log, kept = (
        ig.training.TensorBoard(tmp_path / "log"),
        ig.training.Checkpointing(tmp_path / "checkpoint.safetensors"),
    )
    net = fitted(*table[:2], callbacks=[log, kept], validation_fraction=0.1)
    events = EventAccumulator(str(tmp_path / "log")).Reload()
    assert [event.value for event in events.Scalars("accuracy/validation")] == pytest.approx(
        [record["validation_accuracy"] for record in net.history_]
    )
    assert (tmp_path / "checkpoint.safetensors").exists()


def test_an_optimizer_and_a_schedule_of_ones_own(table):
    X, y, *_ = table
    rate = optim.Step(0.01, every=4, factor=0.1)
    net = fitted(X, y, optimizer=optim.RMSProp, learning_rate=rate)
    assert isinstance(net._optimizer, optim.RMSProp)
    assert [record["learning_rate"] for record in net.history_] == [rate(2 * epoch) for epoch in range(1, 6)]
    assert fitted(X, y, optimizer=lambda net: optim.SGD(net, 0.5)).history_[0]["learning_rate"] == 0.5


@pytest.mark.parametrize("name", ig.training.OPTIMIZERS)
def test_every_optimizer_by_its_name(table, name):
    net = fitted(*table[:2], optimizer=name, max_iter=3)
    assert net.history_[-1]["loss"] < net.history_[0]["loss"]
    assert net.history_[0]["learning_rate"] == ig.training.OPTIMIZERS[name]


def test_numpys_numbers_are_numbers(table):
    X, y, *_ = table
    options = {
        "hidden_layer_sizes": np.array([9]),
        "batch_size": np.int64(50),
        "max_iter": np.int32(2),
        "learning_rate": np.float32(0.01),
        "l2": np.float64(1e-4),
        "n_iter_no_change": np.int64(3),
    }
    assert fitted(X, y, **options).history_[-1]["step"] == 16


def test_a_penalty_makes_weights_small(table):
    X, y, *_ = table
    norms = [
        np.linalg.norm(fitted(X, y, l2=strength, max_iter=30).network_.layers[0].weight.data) for strength in (0.0, 0.1)
    ]
    assert norms[1] < 0.8 * norms[0]


@pytest.mark.parametrize("verbose", [True, 2])
def test_progress_goes_to_standard_error(table, capsys, verbose):
    fitted(*table[:2], verbose=verbose, max_iter=4, validation_fraction=0.1)
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert len(lines) == 4 // verbose
    assert "accuracy" in lines[0]
    assert "validation" in lines[0]
    assert shown.out == ""


BAD = {
    "max_iter": (0, "max_iter must be a whole number of at least 1, but is 0"),
    "batch_size": ("all", "batch_size must be 'auto' or a whole number of at least 1, but is 'all'"),
    "n_iter_no_change": (0, "n_iter_no_change must be None or a whole number"),
    "tol": (-1, "tol must be finite and not negative, but is -1"),
    "validation_fraction": (1.0, "validation_fraction must be None or between 0 and 1, but is 1.0"),
    "optimizer": ("lbfgs", "optimizer 'lbfgs' is not known; there are sgd"),
    "learning_rate": (0, "the learning rate must be positive"),
    "schedule": ("slow", "schedule 'slow' is not known"),
    "momentum": (0.5, "adam has no momentum"),
    "l2": (-1.0, "l2 must not be negative"),
    "label_smoothing": (1.0, "label-smoothing must be from 0 to below 1"),
    "activation": ("step", "activation 'step' is not known; there are relu"),
    "hidden_layer_sizes": ((5, 0), r"hidden_layer_sizes must be widths of at least 1, but is \(5, 0\)"),
    "dropout": (1.0, "dropout must be from 0 to below 1, but is 1.0"),
    "network": ("lenet6", "no network is named 'lenet6'"),
    "augmentation": (3, "augmentation must be an ig.data.Augmentation"),
    "image_shape": ((4, 4), r"image_shape must be \(height, width\) of 64 pixels"),
    "class_weight": ("heavy", "class_weight"),
    "network_options": ({"width": 8}, "network_options are for a network's name or a function that makes one; dense"),
    "scale": (None, "scale must be True or False, but is None"),
    "shuffle": (2, "shuffle must be True or False, but is 2"),
    "batch_normalization": ("no", "batch_normalization must be True or False, but is 'no'"),
    "warm_start": (0, "warm_start must be True or False, but is 0"),
    "verbose": ("loud", "verbose must be True, False or a number of epochs between two lines, but is 'loud'"),
    "callbacks": ([print], "callbacks must be a list of ig.training.Callback, but is"),
}


@pytest.mark.parametrize("value", [(16, -4), (-8, -8), (8.5, 8), (8, 8, 1), 64, "88"])
def test_an_image_shape_is_two_whole_numbers(table, value):
    for estimator in (NetworkClassifier(image_shape=value), Deskewer(image_shape=value)):
        with pytest.raises(ValueError, match=r"image_shape must be \(height, width\) of 64 pixels, as many as X has"):
            estimator.fit(*table[:2])
    assert Deskewer(image_shape=np.array([4, 16])).fit(table[0]).image_shape_ == (4, 16)


def test_no_dropout_is_0_and_not_none(table):
    with pytest.raises(ValueError, match="dropout must be from 0 to below 1, but is None"):
        NetworkClassifier(dropout=None).fit(*table[:2])


@pytest.mark.parametrize("name", BAD)
def test_parameters_that_cannot_work_are_told_by_fit(table, name):
    value, told = BAD[name]
    net = NetworkClassifier(**{name: value})  # says nothing yet, as scikit-learn wants it
    with pytest.raises(ValueError, match=told):
        net.fit(*table[:2])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"network": 7}, "network must be None, the name of a network, a module, or a function"),
        ({"network": lambda **_: "net"}, "network must be None, the name of a network, a module, or a function"),
        ({"network": nn.Linear(64, 7, rng=ig.default_rng(0))}, r"makes \(7,\), but 10 outputs are needed"),
        ({"network": nn.Linear(60, 10, rng=ig.default_rng(0))}, r"of \(n, 64\) it says: .* expects \(n, 60\)"),
        ({"network": "lenet5"}, r"the network lenet5 does not fit X and y: of \(n, 1, 8, 8\)"),
        ({"network": "two-layer-sigmoid", "label_smoothing": 0.1, "image_shape": (8, 8)}, "does not fit"),
        ({"optimizer": optim.SGD, "momentum": 0.5}, "momentum belongs to optimizers by name"),
        ({"optimizer": optim.SGD, "schedule": "cosine"}, "needs a learning_rate for the schedule"),
        ({"optimizer": lambda net: net}, "optimizer must make an optimizer"),
        ({"learning_rate": optim.Constant(0.1), "schedule": "cosine"}, "learning_rate is a schedule already"),
    ],
)
def test_parameters_that_do_not_go_together(table, options, told):
    with pytest.raises(ValueError, match=told):
        fitted(*table[:2], **options)


def test_inputs_that_do_not_fit_are_told_in_scikit_learns_words(digits):
    images, labels = digits
    net = fitted(images, labels, network="lenet5", max_iter=1)
    for X, told in (
        (images[:, :20], r"X has images of \(20, 28\) pixels, but NetworkClassifier is expecting images of \(28, 28\)"),
        (
            np.zeros((5, 3, 28, 28)),
            "Found array with dim 4 and 3 channels, while NetworkClassifier expects images of one",
        ),
        (np.zeros((5, 1, 1, 28, 28)), "Found array with dim 5"),
        (np.zeros((5, 100)), "X has 100 features, but NetworkClassifier is expecting 784 features"),
        (np.zeros(784), "Expected 2D array, got 1D array instead"),
        (np.full((5, 784), np.nan), "Input X contains NaN"),
    ):
        with pytest.raises(ValueError, match=told):
            net.predict(X)
    for X, y, told in (
        (images, labels[:-1], "inconsistent numbers of samples"),
        (images[:0], labels[:0], r"Found array with 0 sample\(s\)"),
        (images, np.linspace(0, 1, 300), "Unknown label type: continuous"),
        (images, None, "requires y to be passed, but the target y is None"),
        (images[:, 0], labels, "X has 28 features, which is no square"),
    ):
        with pytest.raises(ValueError, match=told):
            NetworkClassifier("lenet5").fit(X, y)
    for given, told in (({"X_val": images}, "y_val was not"), ({"y_val": labels}, "X_val was not")):
        with pytest.raises(ValueError, match=told):
            NetworkClassifier().fit(images, labels, **given)
    with pytest.raises(ValueError, match="The least populated class"):
        NetworkClassifier(validation_fraction=0.1).fit(images[:11], np.arange(11) % 10)
    assert NetworkClassifier(random_state=0, max_iter=1).fit(images.tolist()[:20], labels[:20]).n_features_in_ == 784


def test_it_learns_the_last_ones_again_on_other_images(digits):
    """A second fit begins anew, whatever the shape of the first images was."""
    images, labels = digits
    net = fitted(images, labels, max_iter=1)
    small = images[:, 4:24, 4:24]
    assert net.fit(small, labels, X_val=small, y_val=labels).n_features_in_ == 400
