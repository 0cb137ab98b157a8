"""A network and its loss: what is measured of both, and what the measurements say by themselves."""

import copy
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor, no_grad
from inkgrad.nn import cross_entropy, sigmoid_squared_error
from inkgrad.optim import L1, L2, AdamW, Muon
from inkgrad.training.distillation import cross_entropy_or_distillation
from inkgrad.training.doctor.findings import Finding
from inkgrad.training.doctor.gradients import gradient_findings
from inkgrad.training.doctor.layers import LayerMeasure, measure_layers
from inkgrad.training.doctor.units import unit_findings
from inkgrad.training.doctor.update import UpdateMeasure, measure_update
from inkgrad.training.step import TrainStep

__all__ = ["chance_of", "measure_network", "outputs_of", "restraints_of"]


def measure_network(
    step: TrainStep,
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    rate: float,
    batch: int,
    chance: float,
    targets: NDArray[Any] | None = None,
) -> tuple[list[LayerMeasure], UpdateMeasure | None, list[Finding]]:
    """Layers, the next update, and what they say; `targets` are those of the training where they are no labels."""
    targets = labels if targets is None else targets
    layers = measure_layers(step.net, step.loss, images, targets)
    update = None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if rate > 0 and all(math.isfinite(layer.output) for layer in layers):
            update = measure_update(step, images[:batch], targets[:batch], learning_rate=rate)
        loss = _loss_of(step, images, labels)
    return layers, update, gradient_findings(layers, loss=loss, chance=chance) + unit_findings(layers)


def _loss_of(step: TrainStep, images: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The loss in prediction mode, penalties apart; of a copy, whose mode may be changed."""
    net = copy.deepcopy(step.net).eval()
    with no_grad():
        return step.loss(Tensor(net(images).data), labels).item()


def outputs_of(step: TrainStep, images: NDArray[np.float32]) -> int:
    """How many classes the network gives logits for."""
    with no_grad():
        return int(copy.deepcopy(step.net).eval()(images[:1]).shape[-1])


def chance_of(loss: Callable[..., Any], classes: int) -> float:
    """The loss of giving every class the same probability, NaN for a loss that is not known."""
    function = loss.func if isinstance(loss, functools.partial) else loss
    if function in (cross_entropy, cross_entropy_or_distillation):
        return math.log(classes)
    return (1 - 1 / classes) / 2 if function is sigmoid_squared_error else math.nan


def restraints_of(step: TrainStep) -> dict[str, float]:
    """The settings that hold a network back, as they are typed."""
    held = {f"--{type(p).__name__.lower()}": p.strength for p in step.penalties if isinstance(p, L1 | L2)}
    if isinstance(step.optimizer, AdamW | Muon) and step.optimizer.weight_decay > 0:
        held["--weight-decay"] = step.optimizer.weight_decay
    if isinstance(step.loss, functools.partial) and step.loss.keywords.get("label_smoothing"):
        held["--label-smoothing"] = step.loss.keywords["label_smoothing"]
    return held
