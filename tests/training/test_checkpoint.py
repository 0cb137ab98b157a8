"""A training that continues from a checkpoint ends with the same weights to the last bit."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import inkgrad as ig
from inkgrad import nn, optim
from inkgrad.errors import CheckpointError, DivergenceError, ModelFileError, OptionError
from inkgrad.training import (
    Callback,
    Checkpointing,
    EarlyStopping,
    Trainer,
    TrainStep,
    load_checkpoint,
    save_checkpoint,
)

OPTIMIZERS = {
    "sgd": lambda net, rate, clip: optim.SGD(net, rate, clip=clip),
    "nesterov": lambda net, rate, clip: optim.SGD(net, rate, momentum=0.9, nesterov=True, clip=clip),
    "adagrad": lambda net, rate, clip: optim.AdaGrad(net, rate, clip=clip),
    "rmsprop": lambda net, rate, clip: optim.RMSProp(net, rate, clip=clip),
    "adam": lambda net, rate, clip: optim.Adam(net, rate, clip=clip),
    "adamw": lambda net, rate, clip: optim.AdamW(net, rate, weight_decay=0.1, clip=clip),
    "muon": lambda net, rate, clip: optim.Muon(net, rate, clip=clip),
    "adamw less": lambda net, rate, clip: optim.AdamW(net, rate, weight_decay=0.2, clip=clip),
}


@pytest.fixture
def trainer(small, stateful):
    def make(name="adam", *, seed=0, train=None, net=None, batch_size=30, clip=None, decay=0.99, **options):
        net = net or stateful(seed)
        rate = optim.WarmUp(optim.Cosine(0.02, steps=20), steps=5)
        clip = optim.ClipByGlobalNorm(1.0) if clip is None else clip
        step = TrainStep(
            net,
            nn.cross_entropy,
            OPTIMIZERS[name](net, rate, clip),
            penalties=[optim.L2(1e-3)],
            average=optim.MovingAverage(net, decay=decay),
        )
        train = small.train if train is None else train
        rng = ig.default_rng(seed + 100)
        return Trainer(step, train, validation=small.validation, batch_size=batch_size, rng=rng, **options)

    return make


def everything(trainer):
    """All that a training has, as bytes and plain values; times are left out."""
    step = trainer.step
    arrays = nn.state_of(step.net) | step.optimizer.state_arrays() | step.average.state_arrays()
    state = trainer.state()
    state["epoch_so_far"] = state["epoch_so_far"][:3]
    state["history"] = [
        {k: v for k, v in r.items() if "seconds" not in k and "second" not in k} for r in state["history"]
    ]
    state["generators"] = {name: rng.bit_generator.state for name, rng in step.net.named_generators()}
    plain = json.loads(json.dumps(state, default=lambda value: value.tolist()))
    return {name: array.tobytes() for name, array in arrays.items()}, plain


class StopAt(Callback):
    """Ends a training in the middle, after a checkpoint there."""

    def __init__(self, path, at):
        self.path, self.at = path, at

    def on_step(self, trainer):
        if trainer.step_count == self.at:
            save_checkpoint(self.path, trainer)
            raise StopIteration


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("at", [3, 7, 10])
def test_it_continues_bit_for_bit_from_the_middle_of_an_epoch(tmp_path, trainer, name, at):
    whole = trainer(name)
    whole.fit(steps=16)
    path = tmp_path / "checkpoint"
    with pytest.raises(StopIteration):
        trainer(name, callbacks=[StopAt(path, at)]).fit(steps=16)
    again = trainer(name)
    for _, parameter in again.step.net.named_parameters():
        parameter.data += 1  # whatever was there before
    load_checkpoint(path, again)
    assert again.step_count == at
    again.fit(steps=16)
    assert everything(again) == everything(whole)


def test_a_checkpoint_of_a_checkpoint(tmp_path, trainer):
    whole = trainer()
    whole.fit(steps=16)
    path = tmp_path / "checkpoint"
    it = trainer()
    for at in (2, 5, 6, 7, 8, 14):
        it.callbacks = [StopAt(path, at)]
        with pytest.raises(StopIteration):
            it.fit(steps=16)
        it = trainer()
        load_checkpoint(path, it)
    it.fit(steps=16)
    assert everything(it) == everything(whole)


@pytest.mark.parametrize("kind", [np.random.Philox, np.random.MT19937, np.random.SFC64, np.random.PCG64DXSM])
def test_generators_of_every_kind_continue(tmp_path, trainer, stateful, kind):
    def make():
        net = stateful()
        for layer in (net.layers[4], net.layers[5].body.layers[2]):
            layer.rng = np.random.Generator(kind(5))
        it = trainer(net=net)
        it.loader._rng = np.random.Generator(kind(6))
        return it

    whole = make()
    whole.fit(steps=10)
    with pytest.raises(StopIteration):
        it = make()
        it.callbacks = [StopAt(tmp_path / "checkpoint", 4)]
        it.fit(steps=10)
    again = make()
    load_checkpoint(tmp_path / "checkpoint", again)
    again.fit(steps=10)
    assert everything(again) == everything(whole)
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "checkpoint", trainer())


def test_early_stopping_goes_on_counting(tmp_path, trainer):
    class Script(Callback):
        def on_epoch(self, trainer, record):
            record["validation_loss"] = {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0}[round(record["epoch"])]

    path = tmp_path / "checkpoint"
    first = trainer(callbacks=[Script(), EarlyStopping(3), Checkpointing(path)])
    first.fit(epochs=2)
    second = trainer(callbacks=[Script(), EarlyStopping(3), Checkpointing(path)])
    load_checkpoint(path, second)
    second.fit(epochs=9)
    assert [round(record["epoch"]) for record in second.history] == [1, 2, 3, 4]
    third = trainer(callbacks=[Script(), EarlyStopping(3), Checkpointing(path)])
    load_checkpoint(path, third)
    third.fit(epochs=9)  # as if killed between its last checkpoint and its end
    assert third.step_count == second.step_count
    assert third.stopped == second.stopped


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda make, small: make("rmsprop"), 'its optimizer is .*"Adam".* here it is .*"RMSProp"'),
        (lambda make, small: make("adam", clip=optim.ClipByGlobalNorm(2.0)), "its optimizer is"),
        (lambda make, small: make("adamw less"), "its optimizer is"),
        (lambda make, small: make(train=small.test), "its data is [0-9a-f]{64}, here it is [0-9a-f]{64}"),
        (lambda make, small: make(batch_size=20), "its batch size is 30, here it is 20"),
        (lambda make, small: make(decay=0.5), r"its average is 0\.99, here it is 0\.5"),
        (lambda make, small: make(scaling=ig.data.standardization(small.train)), "its scaling is"),
        (lambda make, small: make(net=ig.models.build("mlp", rng=ig.default_rng(0))), "its model is"),
    ],
)
def test_another_training_is_refused_and_nothing_is_changed(tmp_path, trainer, small, change, words):
    other = change(trainer, small)
    kept = "adamw" if type(other.step.optimizer) is optim.AdamW else "adam"
    save_checkpoint(tmp_path / "checkpoint", trainer(kept))
    before = everything(other)
    with pytest.raises(CheckpointError, match=words) as caught:
        load_checkpoint(tmp_path / "checkpoint", other)
    assert "belongs to another training" in str(caught.value)
    assert everything(other) == before


@pytest.mark.parametrize(
    ("layer", "value"),
    [(4, nn.Dropout(0.5, rng=ig.default_rng(0))), (2, nn.BatchNorm1d(16, momentum=0.5)), (3, nn.Tanh())],
)
def test_another_layer_of_the_same_shape_is_another_model(tmp_path, trainer, stateful, layer, value):
    save_checkpoint(tmp_path / "checkpoint", trainer())
    net = stateful()
    net.layers[layer] = value
    with pytest.raises(CheckpointError, match="its layers"):
        load_checkpoint(tmp_path / "checkpoint", trainer(net=net))


def test_damaged_and_missing_checkpoints(tmp_path, trainer):
    path = tmp_path / "checkpoint"
    with pytest.raises(ModelFileError, match="there is no checkpoint file"):
        load_checkpoint(path, trainer())
    save_checkpoint(path, trainer())
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(ModelFileError, match="is damaged"):
        load_checkpoint(path, trainer())
    path.write_bytes(content[:-4] + b"\x01\x02\x03\x04")
    with pytest.raises(ModelFileError, match="does not match its checksum"):
        load_checkpoint(path, trainer())
    ig.models.save(
        path,
        ig.models.build("mlp", rng=ig.default_rng(0)),
        scaling=ig.data.linear_scaling(),
        classes=ig.data.DIGITS,
    )
    with pytest.raises(ModelFileError, match="is a model file, but a checkpoint file is needed"):
        load_checkpoint(path, trainer())


@pytest.mark.parametrize("part", ["trainer", "generators", "identity"])
def test_a_checkpoint_that_lacks_something(tmp_path, trainer, part):
    path = tmp_path / "checkpoint"
    save_checkpoint(path, trainer())
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["inkgrad"])
    del header[part]
    save_file(load_file(path), path, metadata={"inkgrad": json.dumps(header)})
    it = trainer()
    before = everything(it)
    with pytest.raises((CheckpointError, ModelFileError)):
        load_checkpoint(path, it)
    assert everything(it) == before


def test_weights_that_are_not_finite_do_not_replace_a_good_checkpoint(tmp_path, trainer):
    it = trainer()
    checkpointing = Checkpointing(tmp_path / "checkpoint")
    checkpointing.save(it)
    good = (tmp_path / "checkpoint").read_bytes()
    it.step.net.layers[2].running_var.data[3] = np.inf
    with pytest.raises(DivergenceError, match=r"layers\.2\.running_var holds NaN or infinity after step 0; lower the"):
        checkpointing.save(it)
    assert (tmp_path / "checkpoint").read_bytes() == good


def test_checkpoints_by_the_clock(tmp_path, trainer):
    class Count(Checkpointing):
        saved = ()

        def save(self, trainer):
            self.saved = (*self.saved, trainer.step_count)

    always, epochs = (Count(tmp_path / "x", every_seconds=seconds) for seconds in (0, float("inf")))
    trainer(callbacks=[always, epochs]).fit(steps=9)
    assert epochs.saved == (7, 9)
    assert always.saved == (1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 9)
    for seconds in (-1, float("nan")):
        with pytest.raises(OptionError, match="must not be negative"):
            Checkpointing(tmp_path / "x", every_seconds=seconds)
