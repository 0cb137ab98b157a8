"""The fast way of `net(x)` in prediction mode: a plan, once compiled kernels are at hand."""

import os
import threading
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from inkgrad.autodiff import Tensor
from inkgrad.autodiff.tensor import result_tensor
from inkgrad.kernels import active_backend, load_backend
from inkgrad.plan.trace import Unplannable

if TYPE_CHECKING:
    from inkgrad.nn.module import Module
    from inkgrad.plan.prediction import PredictionPlan

__all__ = ["fallback_of", "predict"]

COMPILED = "numba_cpu"
PATIENCE = 0.3  # seconds of eager prediction in this process, after which compiled kernels are loaded beside it
LOADER = "inkgrad-loading"  # the thread that loads compiled kernels in the background
AT_ONCE = 16  # images from which on a plan is made at the first call

_local = threading.local()
_predictors: "WeakKeyDictionary[Module, _Predictor]" = WeakKeyDictionary()
_waiting = {"seconds": 0.0, "loading": 0.0}


def _before_fork() -> None:
    """A child in which a module is half imported could never import it; wait until the loading has ended."""
    for thread in threading.enumerate():
        if thread.name == LOADER and thread is not threading.current_thread():
            thread.join()


def _forked() -> None:
    """A child begins anew: in the parent another thread may have been in the middle of a prediction."""
    _predictors.clear()
    _waiting.update(seconds=0.0, loading=0.0)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class _Predictor:
    """The plan of one network, and what it was made for; keeps no reference to the network, which may go any time."""

    def __init__(self, module: "Module") -> None:
        from inkgrad.nn.watch import Watch

        self.lock = threading.Lock()
        self.watch = Watch(module)
        self.plan: PredictionPlan | None = None
        self.refused: str | None = None
        self.calls = 0
        self.kind: tuple[int, ...] = ()  # the shape of an image that a plan was last wanted for
        self.arrays: list[Any] = []  # what the network's arrays were like then

    def find(self, module: "Module", x: Any) -> "PredictionPlan | None":
        with self.lock:
            if not self.watch.same() or (self.refused is not None and self.arrays != _kinds(module)):
                self.plan, self.refused, self.calls = None, None, 0
            if self.plan is not None and self.plan.fits(x):
                return self.plan
            self.calls += 1
            kind = x.shape[1:]
            if (self.refused is None or kind != self.kind) and (self.calls > 1 or len(x) >= AT_ONCE):
                self.kind, self.arrays = kind, _kinds(module)
                self._make(module, x)
            return self.plan if self.plan is not None and self.plan.fits(x) else None

    def _make(self, module: "Module", x: Any) -> None:
        from inkgrad.nn.watch import Trial, check_plannable
        from inkgrad.plan.prediction import PredictionPlan

        self.plan, self.refused = None, None
        reference, trial = ref(module), Trial(module)

        def forward(images: Any) -> Any:
            net = reference()
            return None if net is None else net.forward(images)

        try:
            check_plannable(module)
            with trial:
                plan = PredictionPlan(forward, x, module.holders())
            if trial.changed:
                raise Unplannable("forward changes attributes of its module")
            self.plan = plan
        except Unplannable as reason:
            self.refused = str(reason)
        except Exception as error:  # if it is a mistake, the eager way will say so
            self.refused = f"a trial run failed: {error}"
        self.watch.same()  # what was taken back is no change


def _kinds(module: "Module") -> list[Any]:
    """What of a network's arrays decides whether there can be a plan."""
    return [(m.data.dtype, m.data.shape, m.data.flags.c_contiguous) for _, m in module.named_state()]


def predict(module: "Module", x: Any) -> Tensor | None:
    """What `module(x)` is, by a plan where there is one; else None, and the caller runs the eager way."""
    if getattr(_local, "inside", False) or not module.plannable:  # the modules inside may have plans all the same
        return None
    array = x.data if isinstance(x, Tensor) else x
    if not (isinstance(array, np.ndarray) and array.dtype == np.float32 and array.ndim in (2, 4) and len(array)):
        return None
    if active_backend() != COMPILED:
        return _eagerly(module, x)
    predictor = _predictors.get(module)
    if predictor is None:
        if next(module.named_parameters(), None) is None:
            return None
        predictor = _predictors[module] = _Predictor(module)
    _local.inside = True
    try:
        plan = predictor.find(module, array)
        if plan is not None:
            try:
                return result_tensor(plan.run(array), None)
            except Unplannable:  # an array was replaced by one of another kind
                predictor.plan = None
        result: Tensor = module.forward(x)
        return result
    finally:
        _local.inside = False


def fallback_of(module: "Module") -> str | None:
    """Why `module(x)` was computed the eager way at its last call in prediction mode; None if it was planned."""
    predictor = _predictors.get(module)
    if not module.plannable:
        return f"{type(module).__name__} is marked as not plannable"
    if predictor is None:
        return "no prediction yet, or compiled kernels are not loaded"
    return None if predictor.plan is not None else predictor.refused or "planned from the second call on"


def _eagerly(module: "Module", x: Any) -> Tensor:
    """The eager way; when much time has gone into it, compiled kernels are loaded beside it, and nobody waits."""
    _local.inside = True
    start = time.perf_counter()
    try:
        result: Tensor = module.forward(x)
        return result
    finally:
        _local.inside = False
        _waiting["seconds"] += time.perf_counter() - start
        if _waiting["seconds"] > PATIENCE and not _waiting["loading"]:
            _waiting["loading"] = 1.0
            _start_loading()


def _start_loading() -> None:
    """Load compiled kernels in a thread; a fork meanwhile waits for its end.

    Before a fork what was registered last runs first, so the modules that take locks then have to be there before: the
    thread needs their locks, too.
    """
    import concurrent.futures.thread
    import logging

    del concurrent, logging
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork)
    threading.Thread(target=_load, name=LOADER, daemon=True).start()


def _load() -> None:
    from inkgrad.kernels import active_backend as backend_here  # in this thread: what the process defaults to

    if backend_here() != COMPILED:
        from inkgrad.plan import prediction  # noqa: F401  the import is the work

        load_backend(COMPILED)
