"""A training that is stopped and continued gives the same weights bit for bit, with plans too.

The continued one makes its plan at another step, perhaps the last of an epoch, which has fewer images than others.
"""

import numpy as np
import pytest

import inkgrad as ig
import plans
from inkgrad import nn, optim
from inkgrad.data import load_digits
from inkgrad.models import NAMED, build
from inkgrad.training import Callback, Trainer, TrainStep, load_checkpoint, save_checkpoint


class SaveAt(Callback):
    def __init__(self, path, steps):
        self.path, self.steps = path, steps

    def on_step(self, trainer):
        assert trainer.step.fallback is None
        if trainer.step_count in self.steps:
            save_checkpoint(f"{self.path}-{trainer.step_count}", trainer)


def trainer(name, seed, callbacks, images=110, batch_size=50):
    """Epochs of two steps with 50 images and one with 10."""
    net = build(name, rng=ig.default_rng(seed))
    step = TrainStep(net, NAMED[name].loss, optim.Adam(net, 0.01))
    train = load_digits()[0][:images]
    return Trainer(step, train, batch_size=batch_size, rng=ig.default_rng(seed + 1), callbacks=callbacks)


@pytest.mark.parametrize(
    ("name", "n"), [("mlp", 1), ("mlp", 2), ("lenet5", 1), ("lenet5", 2), ("cnn", 2), ("resnet", 2)]
)
def test_it_continues_bit_for_bit_from_any_step(tmp_path, name, n):
    sizes = {"images": 21, "batch_size": 9} if name in ("cnn", "resnet") else {}
    with plans.threads(n):
        whole = trainer(name, 0, [SaveAt(tmp_path / "checkpoint", (1, 2))], **sizes)
        whole.fit(steps=4)
        for at in (1, 2):
            rest = trainer(name, 5, [SaveAt(tmp_path / "other", ())], **sizes)
            load_checkpoint(tmp_path / f"checkpoint-{at}", rest)
            rest.fit(steps=4)
            for key, array in nn.state_of(whole.step.net).items():
                np.testing.assert_array_equal(nn.state_of(rest.step.net)[key], array, err_msg=f"{key} from step {at}")
