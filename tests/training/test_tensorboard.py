"""The TensorBoard log of real trainings, read back by TensorBoard's own reader."""

import io
import json
import shutil
import sys

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import inkgrad as ig
from inkgrad import nn, optim
from inkgrad.data import Augmentation
from inkgrad.errors import OptionError, StorageError
from inkgrad.training import Callback, Run, Settings, TensorBoard, Trainer, TrainStep, save_checkpoint
from inkgrad.training.tensorboard_graph import graph_def

CONVOLUTIONAL = Settings(
    model="lenet5",
    epochs=3,
    batch_size=32,
    optimizer="adamw",
    learning_rate=0.003,
    schedule="one-cycle",
    average=0.9,
    augmentation=Augmentation(rotation=10, noise=0.2),
)


def read(folder):
    return EventAccumulator(str(folder), {"scalars": 0, "histograms": 0, "images": 0}).Reload()


def run(folder, splits, callbacks=()):
    log = TensorBoard(folder / "tensorboard", every_steps=4)
    made = Run(folder, CONVOLUTIONAL, splits, callbacks=[log, *callbacks])
    made.train()
    return made


@pytest.fixture(scope="module")
def logged(tmp_path_factory, small):
    """A finished run with its log: 3 epochs of 7 steps."""
    made = run(tmp_path_factory.mktemp("logged") / "run", small)
    return made, read(made.folder / "tensorboard")


def values(log, tag):
    return {event.step: event.value for event in log.Scalars(tag)}


def test_figures_of_epochs_are_those_of_the_history(logged):
    made, log = logged
    lines = [json.loads(line) for line in (made.folder / "history.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [7, 14, 21]
    for tag, key in {
        "loss/train": "loss",
        "loss/validation": "validation_loss",
        "accuracy/train": "accuracy",
        "accuracy/validation": "validation_accuracy",
        "training/images_per_second": "images_per_second",
    }.items():
        assert values(log, tag) == {line["step"]: pytest.approx(line[key], rel=1e-6) for line in lines}, tag
    rates = values(log, "training/learning_rate")
    assert sorted(rates) == [4, 7, 8, 12, 14, 16, 20, 21]
    assert all(rates[line["step"]] == pytest.approx(line["learning_rate"], abs=1e-9) for line in lines)


def test_figures_of_steps(tmp_path, small):
    class Note(Callback):
        def __init__(self):
            self.losses, self.norms = [], []

        def on_step(self, trainer):
            gradients = [p.grad.ravel() for _, p in trainer.step.net.named_parameters()]
            self.losses.append(trainer.last_loss)
            self.norms.append(np.linalg.norm(np.concatenate(gradients)))

    note = Note()
    run(tmp_path, small, callbacks=[note])
    log = read(tmp_path / "tensorboard")
    ends = range(4, 22, 4)
    assert values(log, "loss/steps") == {k: pytest.approx(np.mean(note.losses[k - 4 : k]), rel=1e-5) for k in ends}
    assert values(log, "training/gradient_norm") == {k: pytest.approx(note.norms[k - 1], rel=1e-5) for k in ends}


def test_histograms_are_of_each_parameter_and_of_the_last_steps_gradient(logged):
    made, log = logged
    net = made.trainer.step.net
    assert len(log.Tags()["histograms"]) == 2 * len(list(net.named_parameters()))
    assert made.trainer.step.fallback is None
    for name, parameter in net.named_parameters():
        for kind, array in (("parameters", parameter.data), ("gradients", parameter.grad)):
            events = log.Histograms(f"{kind}/{name}")
            assert [event.step for event in events] == [7, 14, 21]
            last = events[-1].histogram_value
            assert last.num == sum(last.bucket) == array.size
            assert (last.min, last.max) == (array.min(), array.max())
            assert last.sum == pytest.approx(array.sum(dtype=float), rel=1e-6, abs=1e-9)
            assert array.any()


def test_a_gradient_after_a_planned_step_is_that_of_backward(small):
    """What histograms and norms are made of."""
    images, labels = ig.data.linear_scaling().apply(small.train.images[:32]), small.train.labels[:32]
    gradients = []
    for plan in (True, False):
        net = ig.models.build("lenet5", rng=ig.default_rng(0))
        step = TrainStep(net, nn.cross_entropy, optim.AdamW(net, 0.001), plan=plan)
        step(images, labels)
        assert (step.fallback is None) == plan
        gradients.append({name: parameter.grad.copy() for name, parameter in net.named_parameters()})
    for name, gradient in gradients[0].items():
        np.testing.assert_allclose(gradient, gradients[1][name], rtol=1e-3, atol=1e-6, err_msg=name)


def test_images_are_png(logged):
    _, log = logged
    assert set(log.Tags()["images"]) == {"images/training", "images/misread", "images/filters"}
    for tag in log.Tags()["images"]:
        events = log.Images(tag)
        assert [event.step for event in events] == [7, 14, 21]
        for event in events:
            with Image.open(io.BytesIO(event.encoded_image_string)) as picture:
                assert picture.format == "PNG"
                assert picture.size == (event.width, event.height)
                assert np.asarray(picture).std() > 10
        assert len({event.encoded_image_string for event in events}) == 3  # drawn anew each time


def test_the_most_wrong_come_first(monkeypatch, small, tmp_path):
    shown = []
    monkeypatch.setattr(
        "inkgrad.training.tensorboard.contact_sheet",
        lambda images, labels=None: shown.append((images, labels)) or Image.new("RGB", (9, 9)),
    )
    made = run(tmp_path, small)
    images, captions = shown[-1]
    probabilities = ig.models.load(tmp_path).predict_proba(small.validation.images)
    read_as, true = probabilities.argmax(1), small.validation.labels
    assert len(images) == len(captions) == min(32, (read_as != true).sum()) > 0
    surest = np.log(probabilities.max(1)) - np.log(probabilities[np.arange(len(true)), true])
    worst = int(surest.argmax())
    np.testing.assert_array_equal(images[0], small.validation.images[worst])
    assert captions[0] == f"{true[worst]} as {read_as[worst]}"
    assert made.trainer.validation_logits.shape == (60, 10)


def test_the_graph_has_scopes_operations_edges_and_shapes(logged):
    _, log = logged
    nodes = {node.name: node for node in log.Graph().node}
    assert len(nodes) == len(log.Graph().node)
    names = ["images", "layers.0.Conv2d/weight", "layers.0.Conv2d/bias", "layers.0.Conv2d/conv2d", "layers.1.ReLU/relu"]
    assert list(nodes)[:5] == names
    assert list(nodes["layers.0.Conv2d/conv2d"].input) == names[:3]
    assert list(nodes["cross_entropy"].input) == ["layers.11.Linear/affine"]
    ops = [nodes[name].op for name in names]
    assert ops == ["Placeholder", "Parameter", "Parameter", "conv2d", "relu"]
    assert all(source in nodes for node in nodes.values() for source in node.input)

    def shape(name):
        return [dim.size for dim in nodes[name].attr["_output_shapes"].list.shape[0].dim]

    assert shape("images") == [-1, 1, 28, 28]
    assert shape("layers.0.Conv2d/weight") == [6, 1, 5, 5]
    assert shape("layers.0.Conv2d/conv2d") == [-1, 6, 28, 28]
    assert shape("layers.11.Linear/affine") == [-1, 10]
    assert shape("cross_entropy") == []


def test_a_graph_with_boxes_in_boxes_repetition_and_a_scope_of_ones_own():
    class Net(nn.Module):
        def __init__(self, rng):
            self.first = nn.Residual(nn.Sequential(nn.Linear(784, 784, rng=rng)))
            self.last = nn.Linear(784, 10, rng=rng)

        def forward(self, x):
            x = ig.ops.reshape(x, shape=(x.shape[0], 784))
            with ig.name_scope("own part"):
                x = ig.ops.relu(ig.ops.relu(self.first(x)))
            return self.last(x)

    net = Net(ig.default_rng(0))
    penalized = TrainStep(net, nn.cross_entropy, optim.SGD(net, 0.1), penalties=[optim.L2(0.1)])
    made = {node.name: list(node.input) for node in graph_def(penalized).node}
    assert made["own_part/relu_2"] == ["own_part/relu"]
    assert made["last.Linear/affine"][0] == "own_part/relu_2"
    assert "own_part/first.Residual/body.Sequential/layers.0.Linear/affine" in made
    assert len(made["add"]) == 2  # loss and penalty


def test_the_training_is_the_same_to_the_last_bit(tmp_path, small, weights_of, stateful):
    """With generators and running statistics in the network, and augmentation."""
    states = []
    for log in (True, False):
        net = stateful()
        step = TrainStep(net, nn.cross_entropy, optim.Adam(net, 0.01))
        callbacks = [TensorBoard(tmp_path, every_steps=1)] if log else []
        trainer = Trainer(
            step,
            small.train,
            validation=small.validation,
            callbacks=callbacks,
            batch_size=32,
            rng=ig.default_rng(1),
            augmentation=Augmentation(rotation=9),
        )
        history = trainer.fit(epochs=3)
        generators = [rng.bit_generator.state for _, rng in net.named_generators()]
        told = [{k: v for k, v in line.items() if "second" not in k} for line in history]
        states.append((weights_of(net), generators, trainer.loader.state(), told))
    assert states[0] == states[1]


class Dies(RuntimeError):
    """As a power cut."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("every", "hook", "at"),
    [
        (4, "on_epoch", 7),
        (4, "on_step", 8),  # when losses are written
        (4, "on_step", 9),  # between
        (7, "on_step", 7),  # before the end of the epoch, which the log already has
    ],
)
def test_a_resumed_training_goes_on_without_double_or_missing_steps(tmp_path, small, every, hook, at):
    class KeepCheckpointAndDie(Callback):
        def keep(self, trainer, name):
            if (trainer.step_count, name) == (at, hook):
                save_checkpoint(tmp_path / "kept", trainer)

        def on_step(self, trainer):
            self.keep(trainer, "on_step")

        def on_epoch(self, trainer, record):
            self.keep(trainer, "on_epoch")
            if trainer.step_count == 14:  # the log has steps that the checkpoint has not
                raise Dies

    def log(name):
        return TensorBoard(tmp_path / name / "tensorboard", every_steps=every)

    Run(tmp_path / "whole", CONVOLUTIONAL, small, callbacks=[log("whole")]).train()
    dying = Run(tmp_path / "parts", CONVOLUTIONAL, small, callbacks=[log("parts"), KeepCheckpointAndDie()])
    with pytest.raises(Dies):
        dying.train()
    shutil.copy(tmp_path / "kept", dying.checkpoint)
    before = read(tmp_path / "parts" / "tensorboard")
    assert max(values(before, "loss/train")) == 14 > at
    Run(tmp_path / "parts", CONVOLUTIONAL, small, resume=True, callbacks=[log("parts"), Callback()]).train()
    whole, parts = (read(tmp_path / name / "tensorboard") for name in ("whole", "parts"))
    tags = {kind: set(whole.Tags()[kind]) for kind in ("scalars", "histograms", "images")}
    assert {kind: set(parts.Tags()[kind]) for kind in tags} == tags
    for tag in tags["scalars"]:
        events = [[(e.step, e.value) for e in log.Scalars(tag)] for log in (whole, parts)]
        if tag == "training/images_per_second":
            events = [[step for step, _ in some] for some in events]
        assert events[0] == events[1], tag
    for tag in tags["histograms"]:
        events = [[(e.step, e.histogram_value) for e in log.Histograms(tag)] for log in (whole, parts)]
        if tag.startswith("gradients/") and (hook, at) == ("on_step", 7):
            del events[0][0]  # a checkpoint has no gradient for the end of the epoch that comes after it
        assert events[0] == events[1], tag
    for tag in tags["images"]:
        events = [[(e.step, e.encoded_image_string) for e in log.Images(tag)] for log in (whole, parts)]
        assert events[0] == events[1], tag
    assert parts.Graph() == whole.Graph()


def test_a_training_without_validation_data_and_without_pictures(tmp_path, made):
    class Other(nn.Module):
        def __init__(self):
            self.scale = nn.Parameter(np.zeros(10, np.float32))

        def forward(self, x):
            return ig.ops.mean(x, axis=(1, 2, 3), keepdims=False).reshape(-1, 1) * self.scale

    net = Other()
    step = TrainStep(net, nn.cross_entropy, optim.SGD(net, 0.1))
    Trainer(step, made(20), batch_size=9, callbacks=[TensorBoard(tmp_path)]).fit(epochs=1)
    log = read(tmp_path)
    assert set(log.Tags()["scalars"]) == {
        *("loss/train", "accuracy/train", "training/images_per_second", "training/learning_rate")
    }
    assert log.Tags()["images"] == ["images/training"]


def test_without_the_library_an_error_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(OptionError, match=r'pip install "inkgrad\[tensorboard\]", or train without --tensorboard'):
        TensorBoard(tmp_path / "log")
    assert not (tmp_path / "log").exists()
    with pytest.raises(OptionError, match="every_steps of at least 1, but got 0"):
        monkeypatch.undo()
        TensorBoard(tmp_path / "log", every_steps=0)


def test_a_log_that_cannot_be_written(tmp_path, small):
    (tmp_path / "log").write_text("a file")
    with pytest.raises(StorageError, match=r"cannot write the TensorBoard log .*log: File exists"):
        log = TensorBoard(tmp_path / "log")
        net = ig.models.build("mlp", rng=ig.default_rng(0))
        Trainer(TrainStep(net, nn.cross_entropy, optim.SGD(net, 0.1)), small.train, callbacks=[log]).fit(epochs=1)
