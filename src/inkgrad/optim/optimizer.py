"""What all optimizers share: a flat buffer, a schedule, and a state that can be saved."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad import kernels
from inkgrad.errors import CheckpointError, DivergenceError, OptionError
from inkgrad.kernels.memory import aligned
from inkgrad.optim.clipping import Clip
from inkgrad.optim.flat import FlatParameters, HasParameters
from inkgrad.optim.schedules import Constant, Schedule

__all__ = ["Optimizer"]

Flat = NDArray[Any]


class Optimizer(ABC):
    """Changes a network's parameters along their gradients.

    Subclasses name the kernel of their rule, its state arrays in the kernel's order, and its other arguments. A rule
    that does not take each weight by itself says `elementwise = False` and writes `_update`.

    Args:
        module: the network; its parameters move into one flat buffer.
        learning_rate: a positive number or a schedule.
        clip: limits the gradient before it is used.

    Attributes:
        step_count: how many updates have been made.
    """

    kernel: str
    state_names: tuple[str, ...] = ()
    elementwise = True

    def __init__(self, module: HasParameters, *, learning_rate: float | Schedule, clip: Clip | None = None) -> None:
        self.schedule = learning_rate if isinstance(learning_rate, Schedule) else Constant(learning_rate)
        self.clip = clip
        self.step_count = 0
        self.parameters = FlatParameters(module)
        weights = self.parameters.weights
        self.state: dict[str, Flat] = {name: aligned(weights.size, weights.dtype) for name in self.state_names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of a copy or a pickle, with state arrays of its own: those of a pickle may be read-only."""
        vars(self).update(state)
        given, self.state = self.state, {name: aligned(array.size, array.dtype) for name, array in self.state.items()}
        for name, array in given.items():
            self.state[name][...] = array

    @property
    def learning_rate(self) -> float:
        """The rate of the next update."""
        return self.schedule(self.step_count)

    def zero_grad(self) -> None:
        """Forget all gradients, so that the next backward pass starts anew."""
        self.parameters.clear()

    def step(self, squares: float | None = None) -> None:
        """One update from the gradients that `backward` left; parameters without one stay as they are.

        Args:
            squares: the sum of the gradient's squares where it is known, which spares looking for NaN.

        Raises:
            DivergenceError: a gradient holds NaN or infinity; nothing has been changed.
        """
        stretches = self.parameters.collect()
        known = squares is not None and math.isfinite(squares)
        spoiled = None if known else self.parameters.first_not_finite()
        if spoiled is not None:
            raise DivergenceError(
                f"the gradient of {spoiled} became NaN or infinite in step {self.step_count + 1}; "
                f"lower the learning rate (now {self.learning_rate:g}) or clip the gradient"
            )
        if self.clip is not None:
            self.clip(self.parameters.gradient)
        rate = self.learning_rate
        self.step_count += 1
        self._update(stretches, rate)

    def _update(self, stretches: Sequence[slice], rate: float) -> None:
        """Change the weights in these stretches of the flat buffer."""
        for stretch in stretches:
            arrays = (self.parameters.weights, self.parameters.gradient, *self.state.values())
            getattr(kernels, self.kernel)(*(array[stretch] for array in arrays), *self.arguments(rate, self.step_count))

    @abstractmethod
    def arguments(self, rate: float, step: int) -> tuple[float, ...]:
        """What the kernel takes behind the arrays, at the given rate in the step of that number, from 1."""

    def state_arrays(self) -> dict[str, Flat]:
        """Copies of the state arrays, with the step count, for a checkpoint."""
        counted = {"step_count": np.array(self.step_count, np.int64)}
        return counted | {name: array.copy() for name, array in self.state.items()}

    def load_state_arrays(self, arrays: Mapping[str, Flat]) -> None:
        """Continue from what `state_arrays` gave.

        Raises:
            CheckpointError: the arrays belong to another optimizer or network.
        """
        kept = {"step_count": np.array(0, np.int64)} | self.state
        expected, got = ({n: f"{a.dtype} {a.shape}" for n, a in each.items()} for each in (kept, arrays))
        if expected != got:
            raise CheckpointError(
                f"the saved optimizer state {got} does not fit {type(self).__name__}, which needs {expected}"
            )
        self.step_count = int(arrays["step_count"])
        for name, array in self.state.items():
            array[...] = arrays[name]


def check_fraction(owner: str, **values: float) -> None:
    """Raise OptionError unless every value lies in [0, 1)."""
    for name, value in values.items():
        if not 0 <= value < 1:
            raise OptionError(f"{owner} needs {name} in [0, 1), but got {value}")


def check_positive(owner: str, **values: float) -> None:
    """Raise OptionError unless every value is positive and finite."""
    for name, value in values.items():
        if not 0 < value < float("inf"):
            raise OptionError(f"{owner} needs a positive {name}, but got {value}")
