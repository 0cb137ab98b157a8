"""AdaGrad."""

from inkgrad.optim.clipping import Clip
from inkgrad.optim.flat import HasParameters
from inkgrad.optim.optimizer import Optimizer, check_positive
from inkgrad.optim.schedules import Schedule

__all__ = ["AdaGrad"]


class AdaGrad(Optimizer):
    """s <- s + g^2; w <- w - rate g / (sqrt(s) + eps) (Duchi, Hazan and Singer 2011)."""

    kernel = "adagrad_update"
    state_names = ("squares",)

    def __init__(
        self,
        module: HasParameters,
        learning_rate: float | Schedule = 0.01,
        *,
        eps: float = 1e-10,
        clip: Clip | None = None,
    ) -> None:
        check_positive("AdaGrad", eps=eps)
        super().__init__(module, learning_rate=learning_rate, clip=clip)
        self.eps = eps

    def arguments(self, rate: float, step: int) -> tuple[float, ...]:  # noqa: ARG002
        """Rate, eps."""
        return rate, self.eps
