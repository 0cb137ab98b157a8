"""RMSProp."""

from inkgrad.optim.clipping import Clip
from inkgrad.optim.flat import HasParameters
from inkgrad.optim.optimizer import Optimizer, check_fraction, check_positive
from inkgrad.optim.schedules import Schedule

__all__ = ["RMSProp"]


class RMSProp(Optimizer):
    """s <- d s + (1 - d) g^2; w <- w - rate g / (sqrt(s) + eps) (Tieleman and Hinton 2012, lecture 6.5)."""

    kernel = "rmsprop_update"
    state_names = ("squares",)

    def __init__(
        self,
        module: HasParameters,
        learning_rate: float | Schedule = 0.001,
        *,
        decay: float = 0.99,
        eps: float = 1e-8,
        clip: Clip | None = None,
    ) -> None:
        check_fraction("RMSProp", decay=decay)
        check_positive("RMSProp", eps=eps)
        super().__init__(module, learning_rate=learning_rate, clip=clip)
        self.decay = decay
        self.eps = eps

    def arguments(self, rate: float, step: int) -> tuple[float, ...]:  # noqa: ARG002
        """Rate, decay, eps."""
        return rate, self.decay, self.eps
