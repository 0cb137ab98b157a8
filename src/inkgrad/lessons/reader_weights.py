"""The weights of the networks that lesson 7 compares, which come with the package.

`python -m inkgrad.lessons.reader_weights` learns them again, in some seconds, and writes the files. On another
processor sums are rounded otherwise, and the network that is learned is another one, as good.
"""

import sys
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal, TypeAlias

from inkgrad.data import DIGITS, Augmentation, linear_scaling
from inkgrad.kernels.threads import use_threads
from inkgrad.lessons.digits import lesson_digits
from inkgrad.models import Network, build, load, save
from inkgrad.nn import cross_entropy
from inkgrad.optim import SGD
from inkgrad.random import default_rng
from inkgrad.training import Trainer, TrainStep

__all__ = ["READERS", "LearnedReader", "Recipe", "learned", "shipped"]

LearnedReader: TypeAlias = Literal["lenet5", "lenet5-middle", "two-layer"]


@dataclass(frozen=True)
class Recipe:
    """How a reader learns the 1,437 bundled digits: momentum 0.9, learning rate 0.05, 64 images a step, seed 0.

    Attributes:
        architecture: a name that `build` knows.
        epochs: how often each digit is seen.
        shift: pixels, in both directions, by which each digit is moved at random; 0 leaves it in the middle.
    """

    architecture: str
    epochs: int
    shift: float


READERS: dict[LearnedReader, Recipe] = {
    "lenet5": Recipe("lenet5", 20, 4.0),
    "lenet5-middle": Recipe("lenet5", 20, 0.0),
    "two-layer": Recipe("two-layer", 30, 4.0),
}


def learned(name: LearnedReader) -> Network:
    """A reader that learns now, which takes some seconds."""
    recipe = READERS[name]
    train, _ = lesson_digits()
    net = build(recipe.architecture, rng=default_rng(0))
    step = TrainStep(net, cross_entropy, SGD(net, learning_rate=0.05, momentum=0.9))
    moving = Augmentation(shift=recipe.shift) if recipe.shift else None
    Trainer(step, train, batch_size=64, rng=default_rng(0), augmentation=moving).fit(epochs=recipe.epochs)
    net.eval()
    return net


def shipped(name: LearnedReader) -> Network:
    """A reader as it comes with the package.

    >>> shipped("lenet5").parameter_count()
    61706
    """
    with as_file(files("inkgrad") / "lessons" / "weights" / f"{name}.safetensors") as path:
        net = load(path).network
    assert isinstance(net, Network)
    net.eval()
    return net


def _write(folder: Path) -> None:
    for name in READERS:
        use_threads(1)
        training = {"made by": "python -m inkgrad.lessons.reader_weights", **asdict(READERS[name])}
        path = folder / f"{name}.safetensors"
        save(path, learned(name), scaling=linear_scaling(), classes=DIGITS, training=training)


if __name__ == "__main__":
    _write(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / "weights")
