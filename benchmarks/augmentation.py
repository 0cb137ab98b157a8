"""What augmentation costs: images a second of training `cnn` with it, beside training without.

Loader and step together, as `inkgrad train` runs them, in one process; the contenders take turns, round by round.

    python benchmarks/augmentation.py [--rounds 9] [--steps 40] [--quick]
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from typing import Any

import harness
import networks
from harness import Target

import inkgrad as ig

BATCH = 128
SHARE = Target(15.0, most=True)  # % of the images/s, with everything at once
AFFINE = {"rotation": 10.0, "shift": 2.0, "scale": 0.1, "shear": 10.0}
LOOKS = {"thickness": 0.5, "blur": 1.0, "noise": 0.1, "contrast": 0.3, "background": 0.3, "cutout": 6, "polarity": 0.1}
KINDS: dict[str, dict[str, float]] = {
    "none": {},
    "affine": AFFINE,
    "affine, elastic": AFFINE | {"elastic": 16.0},
    "all": AFFINE | {"elastic": 16.0} | LOOKS,
}


class Contender:
    """A loader and a step of its own."""

    def __init__(self, dataset: Any, values: dict[str, float]) -> None:
        net = networks.build("cnn")
        self.step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.01, momentum=0.9))
        augmentation = ig.data.Augmentation(**values) if values else None
        self.loader = ig.data.Loader(dataset, batch_size=BATCH, rng=ig.default_rng(0), augmentation=augmentation)
        self.batches = self._forever()

    def _forever(self) -> Iterator[Any]:
        while True:
            yield from self.loader

    def round(self, steps: int) -> float:
        """Images a second over so many steps."""
        start = time.perf_counter()
        for _ in range(steps):
            self.step(*next(self.batches))
        return steps * BATCH / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--quick", action="store_true", help="a look whether it works; writes nothing")
    options = parser.parse_args()
    rounds, steps = (2, 4) if options.quick else (options.rounds, options.steps)
    dataset = ig.data.load("mnist").train[: 20 * BATCH]
    contenders = {name: Contender(dataset, values) for name, values in KINDS.items()}
    for contender in contenders.values():
        contender.round(3)
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name in list(contenders)[:: 1 if number % 2 == 0 else -1]:
            found[name].append(contenders[name].round(steps))
    speeds = {name: statistics.median(values) for name, values in found.items()}
    cost = {
        name: 100 * (1 - statistics.median([a / b for a, b in zip(found[name], found["none"], strict=True)]))
        for name in found
    }
    rows = [[name, f"{speed:,.0f}", f"{cost[name]:.1f} %"] for name, speed in speeds.items()]
    harness.table(["augmentation", "images/s of cnn", "cost"], rows, right=(1, 2))
    print(f"all: {SHARE.judge(cost['all'])}")
    cases = {name: {"images_per_second": speeds[name], "cost_percent": cost[name], "rounds": rounds} for name in found}
    harness.finish("augmentation", cases, quick=options.quick)


if __name__ == "__main__":
    main()
