"""Run by mpiexec, or alone: prints the loss of each step, the last validation loss and accuracy, in both precisions.

losses.py MODEL STEPS
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

import inkgrad as ig
from inkgrad.distributed import end_together, join
from inkgrad.nn import BatchNorm2d, Conv2d, Flatten, Linear, ReLU, Sequential

HERE = Path(__file__).parent


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("INKGRAD_", "PMI_"))}
    return kept | {"INKGRAD_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "100"} | more


class Losses(ig.training.Callback):
    def __init__(self):
        self.values = []

    def on_step(self, trainer):
        self.values.append(trainer.last_loss)


def network(name):
    rng = ig.default_rng(0)
    if name != "normalized":
        return ig.models.build(name, rng=rng)
    layers = Conv2d(1, 4, 5, stride=3, rng=rng), BatchNorm2d(4), ReLU(), Flatten(), Linear(256, 10, rng=rng)
    return Sequential(*layers)


def losses(model, dtype, steps, group=None):
    train, test = ig.data.load_digits()
    net = network(model).astype(dtype)
    step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.01, momentum=0.9))
    kept = Losses()
    trainer = ig.training.Trainer(
        step, train, validation=test, callbacks=[kept], batch_size=64, rng=ig.default_rng(1), group=group
    )
    history = trainer.fit(steps=steps)
    return [*kept.values, history[-1]["validation_loss"], history[-1]["accuracy"]]


def both(model, steps, group=None):
    return [losses(model, dtype, steps, group) for dtype in (np.float32, np.float64)]


if __name__ == "__main__":
    with end_together(join()) as world:
        found = both(sys.argv[1], int(sys.argv[2]), world)
        if world.rank == 0:
            sys.stdout.write(json.dumps(found))
