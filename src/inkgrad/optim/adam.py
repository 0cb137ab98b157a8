"""Adam, and AdamW with decoupled weight decay."""

from inkgrad.errors import OptionError
from inkgrad.optim.clipping import Clip
from inkgrad.optim.flat import HasParameters
from inkgrad.optim.optimizer import Optimizer, check_fraction, check_positive
from inkgrad.optim.schedules import Schedule

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """m <- b1 m + (1-b1) g; s <- b2 s + (1-b2) g^2; w <- w - rate m/(1-b1^t) / (sqrt(s/(1-b2^t)) + eps).

    Kingma and Ba 2015, arXiv 1412.6980. t counts the optimizer's steps, also for parameters that got their first
    gradient later.
    """

    kernel = "adam_update"
    state_names = ("mean", "squares")
    _decay = 0.0

    def __init__(
        self,
        module: HasParameters,
        learning_rate: float | Schedule = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        clip: Clip | None = None,
    ) -> None:
        check_fraction(type(self).__name__, beta1=beta1, beta2=beta2)
        check_positive(type(self).__name__, eps=eps)
        super().__init__(module, learning_rate=learning_rate, clip=clip)
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps

    def arguments(self, rate: float, step: int) -> tuple[float, ...]:
        """Rate, both betas, eps, decay, and the number of the step."""
        return rate, self.beta1, self.beta2, self.eps, self._decay, step


class AdamW(Adam):
    """Adam after w <- w - rate decay w (Loshchilov and Hutter 2019, arXiv 1711.05101); all parameters decay."""

    def __init__(
        self,
        module: HasParameters,
        learning_rate: float | Schedule = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        clip: Clip | None = None,
    ) -> None:
        if not weight_decay >= 0:
            raise OptionError(f"AdamW needs a weight_decay of at least 0, but got {weight_decay}")
        super().__init__(module, learning_rate, beta1=beta1, beta2=beta2, eps=eps, clip=clip)
        self.weight_decay = weight_decay
        self._decay = weight_decay
