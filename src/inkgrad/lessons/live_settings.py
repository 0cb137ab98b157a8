"""What the lesson on training trains: a network, its data and its optimizer, by a few names."""

import functools
from dataclasses import dataclass
from typing import Literal

from inkgrad.data import Dataset, load_mnist, mnist_folder
from inkgrad.data.mnist import has_mnist
from inkgrad.lessons.digits import lesson_digits
from inkgrad.models import Network, build
from inkgrad.optim import SGD, Adam, Optimizer, Schedule
from inkgrad.random import default_rng

__all__ = ["AdjustableRate", "LiveSettings", "data_of", "network_of", "offered_data", "optimizer_of"]

MOMENTUM = 0.9


@dataclass(frozen=True)
class LiveSettings:
    """What to train, and how.

    Attributes:
        network: its name.
        data: "digits", those that come with scikit-learn, or "mnist", where its files are there.
        optimizer: "sgd", "momentum" (of 0.9) or "adam".
        learning_rate: at first.
        batch_size: images a step.
        seed: of the first weights and of the order of the images.
    """

    network: Literal["two-layer", "mlp", "lenet5"] = "two-layer"
    data: Literal["digits", "mnist"] = "digits"
    optimizer: Literal["sgd", "momentum", "adam"] = "sgd"
    learning_rate: float = 0.1
    batch_size: int = 64
    seed: int = 0


class AdjustableRate(Schedule):
    """A learning rate that is changed from outside.

    Attributes:
        rate: of the steps to come.

    >>> rate = AdjustableRate(0.1)
    >>> rate.rate = 0.02
    >>> rate(7)
    0.02
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, step: int) -> float:
        """The same for every step."""
        del step
        return self.rate


def offered_data() -> tuple[str, ...]:
    """The data that are there: "digits", and "mnist" where its files are in their place; nothing is downloaded."""
    return ("digits", "mnist") if has_mnist(mnist_folder()) else ("digits",)


def data_of(settings: LiveSettings) -> tuple[Dataset, Dataset]:
    """What to learn from, and what to test on.

    Raises:
        DataError: MNIST is wanted and its files are not there, or damaged.
    """
    return lesson_digits() if settings.data == "digits" else _mnist(str(mnist_folder()))


@functools.lru_cache(maxsize=1)
def _mnist(folder: str) -> tuple[Dataset, Dataset]:
    return load_mnist(folder)  # of a folder that is named nothing is downloaded


def network_of(settings: LiveSettings) -> Network:
    """The network with its first weights."""
    return build(settings.network, rng=default_rng(settings.seed))


def optimizer_of(settings: LiveSettings, net: Network, rate: Schedule) -> Optimizer:
    """The optimizer, at a learning rate for each step."""
    if settings.optimizer == "adam":
        return Adam(net, learning_rate=rate)
    return SGD(net, learning_rate=rate, momentum=MOMENTUM if settings.optimizer == "momentum" else 0.0)
