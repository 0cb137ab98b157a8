"""`Doctor` beside a training: it changes nothing, tells everything once, and sees what is left after a divergence."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn
from inkgrad.data import Augmentation
from inkgrad.errors import DivergenceError, OptionError
from inkgrad.training import Callback, Doctor, Settings, Trainer, TrainStep, assemble, save_checkpoint


class Silent(Doctor):
    def __init__(self, **options):
        super().__init__(tell=lambda finding, epoch: None, **options)


def trainer_of(stateful, small, callbacks):
    net = stateful()
    average = ig.optim.MovingAverage(net, decay=0.9)
    step = TrainStep(net, nn.cross_entropy, ig.optim.SGD(net, 0.1, momentum=0.9), average=average)
    augmentation = Augmentation(rotation=10, noise=0.1)
    return Trainer(
        step, small.train, validation=small.validation, callbacks=callbacks, batch_size=30,
        rng=ig.default_rng(3), augmentation=augmentation,
    )  # fmt: skip


def test_the_training_is_the_same_to_the_last_bit(stateful, small, weights_of, tmp_path):
    saved = []
    for name, callbacks in (("with", [Silent()]), ("without", [])):
        trainer = trainer_of(stateful, small, callbacks)
        history = trainer.fit(epochs=4)
        timeless = [{k: v for k, v in line.items() if "second" not in k} for line in history]
        generators = [str(rng.bit_generator.state) for _, rng in trainer.step.net.named_generators()]
        averages = {n: a.tobytes() for n, a in trainer.step.average.state_arrays().items()}
        saved.append((weights_of(trainer.step.net), timeless, generators, averages, trainer.loader.state()))
        save_checkpoint(tmp_path / name, trainer)
    assert saved[0] == saved[1]


@pytest.mark.parametrize("model", ["mlp", "lenet1"])
def test_a_planned_training_stays_planned(small, weights_of, model):
    nets = []
    for callbacks in ([Silent()], []):
        trainer = assemble(Settings(model=model, batch_size=50), small, callbacks)
        trainer.fit(epochs=3)
        nets.append((weights_of(trainer.step.net), trainer.step.fallback))
    assert nets[0] == nets[1]


def test_each_finding_is_told_once(small, capsys):
    trainer = assemble(Settings(model="mlp", learning_rate=3.0), small, [doctor := Doctor()])
    trainer.fit(epochs=4)
    out, err = capsys.readouterr()
    assert out == ""
    told = [(finding.name, finding.severity) for _, finding in doctor.found]
    assert ("dead-units", "serious") in told
    assert len(told) == len(set(told)) == len(err.splitlines())
    assert err.startswith("doctor, epoch 1.00: serious, ")
    assert doctor.last.epoch == 4


def test_every_second_epoch_and_the_last(small):
    class Count(Silent):
        epochs = ()

        def _note(self, diagnosis):
            self.epochs += (diagnosis.epoch,)

    trainer = assemble(Settings(model="mlp"), small, [doctor := Count(every=2)])
    trainer.fit(epochs=5)
    assert doctor.epochs == (2, 4, 5)


def test_what_is_said_of_the_end_is_not_said_before(small):
    """A loss that falls is no fault while there are epochs to come."""

    class Names(Callback):
        names = ()

        def on_epoch(self, trainer, record):
            self.names += (doctor.last.names,)

    doctor, names = Silent(), Names()
    assemble(Settings(model="mlp", learning_rate=1e-5), small, [doctor, names]).fit(epochs=3)
    assert names.names[:-1] == ([], [])
    assert "learning-rate-too-low" in names.names[-1]


def test_after_a_divergence(small):
    doctor = Silent()
    with pytest.raises(DivergenceError) as error:
        assemble(Settings(model="mlp", learning_rate=1e30), small, [doctor]).fit(epochs=2)
    assert doctor.last.findings[0].name == "diverged"
    assert doctor.last.findings[0].evidence["message"] == str(error.value)


def test_an_error_of_another_kind_is_none_of_its_business(small):
    class Fail(Callback):
        def on_step(self, trainer):
            raise KeyError

    doctor = Silent()
    with pytest.raises(KeyError):
        assemble(Settings(model="mlp"), small, [doctor, Fail()]).fit(epochs=1)
    assert doctor.last is None


@pytest.mark.parametrize("options", [{"every": 0}, {"digits": 0}])
def test_impossible_options(options):
    with pytest.raises(OptionError, match="Doctor needs at least 1 epoch and 1 digit"):
        Doctor(**options)


def test_the_digits_are_drawn_from_no_generator_of_the_training(small):
    rng = ig.default_rng(5)
    before = rng.bit_generator.state
    net = ig.models.build("two-layer", rng=ig.default_rng(0))
    trainer = Trainer(TrainStep(net, nn.cross_entropy, ig.optim.SGD(net, 0.1)), small.train, rng=rng)
    ig.training.examine(trainer)
    assert rng.bit_generator.state == before
    assert np.isfinite(net.layers[1].weight.data).all()
