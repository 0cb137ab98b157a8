"""An exponential moving average of the weights, often better than the last ones."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import CheckpointError, OptionError
from inkgrad.optim.flat import HasParameters

__all__ = ["MovingAverage"]


class MovingAverage:
    """a <- d a + (1 - d) w after each step (Polyak and Juditsky 1992), with d = min(decay, (1 + t)/(10 + t)).

    The smaller d of the first steps keeps the initial weights from lingering. What layers keep of the data, such as a
    batch normalization's running statistics, is averaged too, so that it belongs to the averaged weights.

    >>> from inkgrad.nn import Linear
    >>> from inkgrad.random import default_rng
    >>> net = Linear(2, 1, rng=default_rng(0))
    >>> average = MovingAverage(net, decay=0.99)
    >>> net.weight.data[...] = 100
    >>> average.update()
    >>> with average.applied():
    ...     inside = net.weight.data.copy()
    >>> bool((inside < 100).all()), bool((net.weight.data == 100).all())
    (True, True)
    """

    def __init__(self, module: HasParameters, *, decay: float = 0.999) -> None:
        if not 0 < decay < 1:
            raise OptionError(f"MovingAverage needs a decay in (0, 1), but got {decay}")
        self.decay = decay
        self.count = 0
        members = getattr(module, "named_state", module.named_parameters)()
        self._parameters = {name: member for name, member in members if member.data.dtype.kind == "f"}
        self._average: dict[str, NDArray[Any]] = {n: p.data.copy() for n, p in self._parameters.items()}

    def update(self) -> None:
        """Follow the weights as they are now."""
        decay = min(self.decay, (1 + self.count) / (10 + self.count))
        self.count += 1
        for name, average in self._average.items():
            average += (self._parameters[name].data - average) * average.dtype.type(1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averages in the network inside the `with` block, and the weights back after it."""
        kept = {name: parameter.data.copy() for name, parameter in self._parameters.items()}
        try:
            for name, parameter in self._parameters.items():
                parameter.data[...] = self._average[name]
            yield
        finally:
            for name, parameter in self._parameters.items():
                parameter.data[...] = kept[name]

    def state_arrays(self) -> dict[str, NDArray[Any]]:
        """Copies of the averages, with their count, for a checkpoint."""
        return {"count": np.array(self.count, np.int64)} | {n: a.copy() for n, a in self._average.items()}

    def load_state_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue from what `state_arrays` gave.

        Raises:
            CheckpointError: the averages belong to another network.
        """
        expected = {"count": ()} | {n: a.shape for n, a in self._average.items()}
        got = {n: a.shape for n, a in arrays.items()}
        if expected != got:
            raise CheckpointError(f"the saved average {got} does not fit this network, which needs {expected}")
        self.count = int(arrays["count"])
        for name, average in self._average.items():
            average[...] = arrays[name]
