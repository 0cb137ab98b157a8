"""The parameters of an estimator as the settings of a training."""

import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import numpy as np

from inkgrad.data import Augmentation
from inkgrad.errors import OptionError
from inkgrad.nn import Module
from inkgrad.optim import Constant, Optimizer, Schedule
from inkgrad.training import Callback, Settings
from inkgrad.training.assembly import make_optimizer, make_schedule

__all__ = ["batch_size_of", "check_endless", "check_parameters", "optimizer_of", "settings_of"]

AUTOMATIC = 200
"""Samples in a batch at most where the batch size is "auto"."""

OWN = ("optimizer", "learning_rate", "momentum", "schedule", "warmup_steps", "weight_decay", "l2", "clip_norm")


def settings_of(estimator: Any) -> Settings:
    """The settings that the parameters describe; an optimizer or a schedule of one's own has none.

    Raises:
        OptionError: a value that cannot work.
    """
    values = {name: _plain(getattr(estimator, name)) for name in OWN}
    if callable(values["optimizer"]):
        unused = [name for name in ("momentum", "weight_decay", "clip_norm") if values[name] is not None]
        if unused:
            raise OptionError(f"{unused[0]} belongs to optimizers by name; give it to the optimizer that you make")
        if values["learning_rate"] is None and (values["schedule"] != "constant" or values["warmup_steps"]):
            raise OptionError("an optimizer of one's own needs a learning_rate for the schedule to begin with")
        del values["optimizer"]
    if isinstance(values["learning_rate"], Schedule):
        if values["schedule"] != "constant" or values["warmup_steps"]:
            raise OptionError("learning_rate is a schedule already; leave schedule and warmup_steps out")
        del values["learning_rate"]
    return Settings.from_json(values | {"label_smoothing": _plain(getattr(estimator, "label_smoothing", 0.0))})


def _plain(value: Any) -> Any:
    """NumPy's numbers, as searches of parameters give them, as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def batch_size_of(wanted: Any, count: int) -> int:
    """How many of so many samples are a batch.

    Raises:
        OptionError: neither "auto" nor a whole number of at least 1.
    """
    if isinstance(wanted, str) and wanted == "auto":
        return min(AUTOMATIC, count)
    if not _is_whole(wanted):
        raise OptionError(f"batch_size must be 'auto' or a whole number of at least 1, but is {wanted!r}")
    return min(int(wanted), count)


def check_parameters(estimator: Any) -> None:
    """Raise OptionError unless the parameters that are no settings of a training can work."""
    patience, tol, fraction = estimator.n_iter_no_change, estimator.tol, estimator.validation_fraction
    if not _is_whole(estimator.max_iter):
        raise OptionError(f"max_iter must be a whole number of at least 1, but is {estimator.max_iter!r}")
    if patience is not None and not _is_whole(patience):
        raise OptionError(f"n_iter_no_change must be None or a whole number of at least 1, but is {patience!r}")
    if not _is_real(tol) or not 0 <= tol < math.inf:
        raise OptionError(f"tol must be finite and not negative, but is {tol!r}")
    if fraction is not None and not (_is_real(fraction) and 0 < fraction < 1):
        raise OptionError(f"validation_fraction must be None or between 0 and 1, but is {fraction!r}")
    if estimator.augmentation is not None and not isinstance(estimator.augmentation, Augmentation):
        raise OptionError(f"augmentation must be an ig.data.Augmentation, but is {estimator.augmentation!r}")
    _check_switches(estimator)


def _check_switches(estimator: Any) -> None:
    for name in ("batch_normalization", "shuffle", "scale", "warm_start"):
        if not isinstance(value := getattr(estimator, name), bool | np.bool_):
            raise OptionError(f"{name} must be True or False, but is {value!r}")
    callbacks, verbose = estimator.callbacks, estimator.verbose
    if not (isinstance(verbose, bool | int | np.bool_ | np.integer) and verbose >= 0):
        raise OptionError(f"verbose must be True, False or a number of epochs between two lines, but is {verbose!r}")
    if not (isinstance(callbacks, Sequence) and all(isinstance(one, Callback) for one in callbacks)):
        raise OptionError(f"callbacks must be a list of ig.training.Callback, but is {callbacks!r}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= 1


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def check_endless(settings: Settings) -> None:
    """Raise OptionError where a schedule is named although nobody knows how long the training will be."""
    if settings.schedule != "constant" or settings.warmup_steps:
        raise OptionError(
            f"the schedule {settings.schedule!r} needs the number of steps, which partial_fit cannot know; call fit, "
            "or give an object such as ig.optim.Step as learning_rate"
        )


def optimizer_of(estimator: Any, settings: Settings, net: Module, steps: int = 1) -> Optimizer:
    """The optimizer for a training of so many steps, by name or as the user makes it.

    Raises:
        OptionError: what shall make the optimizer makes none.
    """
    rate = estimator.learning_rate
    if not isinstance(rate, Schedule):
        rate = make_schedule(settings, steps)
    make: str | Callable[..., Any] = estimator.optimizer
    if not callable(make):
        return make_optimizer(settings, net, rate)
    given = () if estimator.learning_rate is None and isinstance(rate, Constant) else (rate,)
    made = make(net, *given)
    if not isinstance(made, Optimizer):
        raise OptionError(f"optimizer must make an optimizer of a network and a learning rate, but made {made!r}")
    return made
