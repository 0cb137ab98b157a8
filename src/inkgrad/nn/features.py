"""`feature_maps`: what every layer of a network gives for some images."""

from typing import Any

import numpy as np

from inkgrad.autodiff import Array, Tensor, TensorLike, no_grad
from inkgrad.nn.module import Module
from inkgrad.nn.twins import Twins

__all__ = ["feature_maps"]


def feature_maps(net: Module, images: TensorLike) -> dict[str, Array]:
    """What each layer gives in prediction mode, by its path, in the order in which the layers are computed.

    The network itself stays as it is, its mode too: copies of its modules run, which share its parameters. A module
    that hands on an array of another one is left out, so a `Sequential`, or dropout in prediction. A layer that is
    called several times comes several times, as "layers.1", "layers.1 (2)" and so on.

    Args:
        net: a network or a layer.
        images: what `net` takes, float32 (n, 1, 28, 28) for the named networks.

    Returns:
        path -> (n, c, h, w) after a layer for images, (n, d) after a dense one; the path of `net` itself is "".

    Raises:
        ShapeError: images that a layer does not take.

    >>> from inkgrad.nn import Conv2d, Flatten, MaxPool2d, ReLU, Sequential
    >>> from inkgrad.random import default_rng
    >>> net = Sequential(Conv2d(1, 6, 5, rng=default_rng(0)), ReLU(), MaxPool2d(2), Flatten())
    >>> for name, maps in feature_maps(net, np.zeros((1, 1, 28, 28), np.float32)).items():
    ...     print(name, maps.shape)
    layers.0 (1, 6, 24, 24)
    layers.1 (1, 6, 24, 24)
    layers.2 (1, 6, 12, 12)
    layers.3 (1, 864)
    """
    watcher = _Watcher()
    with no_grad():
        Twins(watcher.call).twin(net, "")(images)
    return watcher.found


class _Watcher:
    """Takes note of what the twins of modules give."""

    def __init__(self) -> None:
        self.found: dict[str, Array] = {}

    def call(self, twin: Module, path: str, inputs: tuple[Any, ...]) -> Any:
        """The twin's own value, noted."""
        output = twin.forward(*inputs)
        self._note(path, output, inputs)
        return output

    def _note(self, path: str, output: Any, inputs: tuple[Any, ...]) -> None:
        array = output.data if isinstance(output, Tensor) else output
        known = [part.data if isinstance(part, Tensor) else part for part in inputs] + list(self.found.values())
        if not isinstance(array, np.ndarray) or any(array is other for other in known):
            return
        name, times = path, 1
        while name in self.found:
            times += 1
            name = f"{path} ({times})".lstrip()
        self.found[name] = array
