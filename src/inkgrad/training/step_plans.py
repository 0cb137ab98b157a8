"""The plan of a training step: made when it is first needed, and again when what it was made for has changed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor
from inkgrad.errors import OptionError
from inkgrad.kernels import active_backend
from inkgrad.nn import Module
from inkgrad.nn.watch import Trial, Watch, check_plannable
from inkgrad.optim import Optimizer

if TYPE_CHECKING:
    from inkgrad.plan.training import TrainingPlan

__all__ = ["StepPlans"]

UNSTEADY = "forward changes attributes of its module"
TRIALS = 3  # of a forward that does so at every call, until it is believed to go on like that


class StepPlans:
    """Keeps the plans of one training step: one for small batches and one for large ones.

    Attributes:
        refused: why there is none, None if there is one.
    """

    def __init__(self, wanted: bool) -> None:
        self.refused: str | None = None if wanted else "plans are switched off for this step"
        self._wanted = wanted
        self._plans: list[TrainingPlan] = []
        self._made_for: tuple[Any, ...] = ()
        self._watch: Watch | None = None
        self._kind: Any = None
        self._unsteady = 0

    def __reduce__(self) -> Any:
        """A copy makes plans of its own, as a plan is full of addresses."""
        return StepPlans, (self._wanted,)

    def find(
        self,
        net: Module,
        loss: Callable[..., Tensor],
        optimizer: Optimizer,
        images: NDArray[Any],
        labels: NDArray[Any],
        weights: NDArray[Any] | None,
        *,
        alone: bool,
        others: Any = None,
    ) -> "TrainingPlan | None":
        """The plan for this batch, or None: then the eager way runs.

        With `alone` set the loss is all that is differentiated, so that the plan may end with the update. `others`
        are whom it talks to within the passes.
        """
        if not self._wanted:
            return None
        if active_backend() != "numba_cpu":
            self.refused, self._plans, self._made_for = "the reference kernels are in force", [], ()
            return None
        flat = optimizer.parameters
        flat.adopt()
        whole = alone and optimizer.clip is None and optimizer.elementwise
        if self._watch is None or self._made_for[:1] != (net,):
            self._watch, self._unsteady = Watch(net), 0
        key = (net, loss, _attributes(loss), optimizer, flat.wanted(), whole, others)
        if not self._watch.same() or key != self._made_for:
            check_optimizer(net, optimizer)
            self._plans, self._made_for = [], key
            self.refused = UNSTEADY if self._unsteady >= TRIALS else None
        if isinstance(images, np.ndarray) and isinstance(labels, np.ndarray):
            for plan in self._plans:
                if plan.fits(images, labels, weights):
                    return plan
        kind = _kind_of(images, labels, weights)
        if self.refused is None or kind != self._kind:  # a batch of another kind may have a plan all the same
            self._kind = kind
            return self._make(net, loss, optimizer, images, labels, weights, whole)
        return None

    def drop(self, reason: str) -> None:
        """Do without a plan from now on, for this reason."""
        self._plans, self.refused = [], reason

    def _make(
        self,
        net: Module,
        loss: Callable[..., Tensor],
        optimizer: Optimizer,
        images: NDArray[Any],
        labels: NDArray[Any],
        weights: NDArray[Any] | None,
        whole: bool,
    ) -> "TrainingPlan | None":
        from inkgrad.kernels.numba_cpu.threads import thread_count
        from inkgrad.plan.trace import Unplannable
        from inkgrad.plan.training import TrainingPlan

        self.refused = None
        plan = None
        thread_count()  # a mistake in it is no reason to go on without a plan
        trial = Trial(net)
        try:
            if not (isinstance(images, np.ndarray) and isinstance(labels, np.ndarray)):
                raise Unplannable("images and labels are no arrays")
            check_plannable(net)
            flat = optimizer.parameters
            update = (optimizer.kernel, (flat.weights, *optimizer.state.values())) if whole else None
            with trial:
                plan = TrainingPlan(
                    net, loss, images, labels, flat.parameters, flat.gradient, net.holders(), update, weights
                )
            if trial.changed:
                raise Unplannable(UNSTEADY)
            if not plan.fits(images, labels, weights):
                plan = None
        except Unplannable as reason:
            self.refused, plan = str(reason), None
        except Exception as error:  # if it is a mistake, the eager way will say so
            self.refused = f"a trial run failed: {error}"
        self._unsteady += trial.changed
        if self._watch is not None:
            self._watch.same()  # what was taken back is no change
        if plan is None:
            self._plans = []
        else:
            self._plans = [plan, *(other for other in self._plans if other.few != plan.few)]
        return plan


def _attributes(loss: Any) -> list[tuple[str, int]]:
    """What tells when an attribute of a loss that is an object has been given another value."""
    return [(name, id(value)) for name, value in getattr(loss, "__dict__", {}).items()]


def check_optimizer(net: Module, optimizer: Optimizer) -> None:
    """Raise OptionError unless the optimizer's parameters are the network's; they need not be all of them."""
    trained = {id(parameter): name for name, parameter in net.named_parameters()}
    strange = [
        name
        for name, parameter in zip(optimizer.parameters.names, optimizer.parameters.parameters, strict=True)
        if id(parameter) not in trained
    ]
    if strange:
        raise OptionError(
            f"the optimizer trains {strange[0]}, which is no parameter of the network; make the optimizer for this "
            f"network, and anew when a parameter has been replaced"
        )


def _kind_of(*arrays: Any) -> Any:
    """What decides, beside the number of images, whether a batch can have a plan."""
    return [
        (array.dtype, array.shape[1:], array.size == 0) if isinstance(array, np.ndarray) else type(array)
        for array in arrays
    ]
