"""Gradient descent, with momentum where wanted."""

from inkgrad.errors import OptionError
from inkgrad.optim.clipping import Clip
from inkgrad.optim.flat import HasParameters
from inkgrad.optim.optimizer import Optimizer, check_fraction
from inkgrad.optim.schedules import Schedule

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent: full-batch, mini-batch or single-sample by the size of the batches that it is given.

    w <- w - rate g; with momentum m (Polyak 1964) v <- m v + g, w <- w - rate v; with Nesterov's look-ahead
    (Sutskever et al. 2013) w <- w - rate (g + m v). As in PyTorch, the rate is outside the velocity.

    >>> from inkgrad.nn import Linear
    >>> from inkgrad.random import default_rng
    >>> SGD(Linear(2, 1, rng=default_rng(0)), learning_rate=0.1, momentum=0.9).learning_rate
    0.1
    """

    kernel = "sgd_update"
    state_names = ("velocity",)

    def __init__(
        self,
        module: HasParameters,
        learning_rate: float | Schedule = 0.1,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        clip: Clip | None = None,
    ) -> None:
        check_fraction("SGD", momentum=momentum)
        if nesterov and momentum == 0:
            raise OptionError("SGD with nesterov=True needs a momentum above 0, for instance 0.9")
        super().__init__(module, learning_rate=learning_rate, clip=clip)
        self.momentum = momentum
        self.nesterov = nesterov

    def arguments(self, rate: float, step: int) -> tuple[float, ...]:  # noqa: ARG002
        """Rate, momentum, and whether Nesterov's."""
        return rate, self.momentum, self.nesterov
