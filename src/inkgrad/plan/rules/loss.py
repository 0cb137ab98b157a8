"""Losses: they end the forward pass and begin the backward pass in one go."""

from typing import Any

import numpy as np

from inkgrad.autodiff.ops.ctc import GUIDE_WEIGHT
from inkgrad.kernels.numba_cpu import ctc, losses
from inkgrad.plan.planner import Planner, rule
from inkgrad.plan.trace import Call, Unplannable
from inkgrad.plan.words import COUNT, Place

Pair = tuple[int | Place, int | Place]


def _labels(call: Call, *soft_shape: int) -> Any:
    """The labels int64 (n,), or where the loss takes them float32 targets (n, *soft_shape)."""
    labels = call.inputs[1]
    if isinstance(labels, np.ndarray):
        if labels.ndim == 1 and labels.dtype == np.int64:
            return labels
        if soft_shape and labels.shape[1:] == soft_shape and labels.dtype == np.float32:
            return labels
    raise Unplannable("a loss of something else than int64 labels or float32 targets")


def _is_soft(labels: Any) -> bool:
    return bool(labels.ndim > 1)


def _targets(call: Call) -> Any:
    """The targets float32 (n, k), as many as there are outputs."""
    targets, shape = call.inputs[1], call.inputs[0].shape
    if isinstance(targets, np.ndarray) and targets.dtype == np.float32 and targets.shape == shape:
        return targets
    raise Unplannable("a loss of something else than float32 targets of the outputs' shape")


def _weights(planner: Planner, call: Call) -> Pair:
    """Whether each image has a weight of its own, and where they lie."""
    weights = call.options.get("sample_weights")
    return (0, 0) if weights is None else (1, planner.value(weights).place)


@rule("cross_entropy")
def cross_entropy(planner: Planner, call: Call) -> None:
    """mean over the images of -sum t log softmax(z); dz = (softmax(z) - t) / n."""
    options = call.options
    if options.get("class_weights") is not None:
        raise Unplannable("a cross-entropy with weights of classes")
    if options.get("reduction", "mean") != "mean":
        raise Unplannable("a loss that is no mean")
    smoothing = planner.program.shared(np.array([options.get("label_smoothing", 0.0)], np.float32))
    labels = _labels(call, *call.inputs[0].shape[1:])
    soft = losses.softmax_cross_entropy_of_targets if _is_soft(labels) else losses.softmax_cross_entropy
    _end(planner, call, labels, soft, smoothing, pair=_weights(planner, call))


@rule("distillation_loss")
def distillation_loss(planner: Planner, call: Call) -> None:
    """mean over the images of (1 - a) CE(t, softmax(z)) + a T^2 CE(q, softmax(z / T))."""
    labels = _labels(call, 2, *call.inputs[0].shape[1:])
    if not _is_soft(labels):
        raise Unplannable("a distillation without targets")
    settings = np.array([call.options.get("temperature", 2.0), call.options.get("weight", 0.9)], np.float32)
    _end(planner, call, labels, losses.distillation, planner.program.shared(settings))


@rule("sigmoid_squared_error")
def sigmoid_squared_error(planner: Planner, call: Call) -> None:
    """mean over the images of sum (sigmoid(z) - onehot)^2 / 2."""
    _end(planner, call, _labels(call), losses.squared_error_of_sigmoid, pair=_weights(planner, call))


@rule("mean_squared_error")
def mean_squared_error(planner: Planner, call: Call) -> None:
    """mean over rows and outputs of (p - t)^2; dp = 2 (p - t) / n."""
    _end(planner, call, _targets(call), losses.squared_error, pair=_weights(planner, call))


@rule("binary_cross_entropy")
def binary_cross_entropy(planner: Planner, call: Call) -> None:
    """mean over rows and outputs of softplus(z) - t z; dz = (sigmoid(z) - t) / n."""
    _end(planner, call, _targets(call), losses.binary_cross_entropy, pair=_weights(planner, call))


@rule("ctc_loss")
def ctc_loss(planner: Planner, call: Call) -> None:
    """mean over the images of -log P, P the sum of the probabilities of all alignments."""
    if any(lengths is not None for lengths in call.inputs[2:]):
        raise Unplannable("a CTC loss with lengths")
    _ctc(planner, call, 0, 0.0)


@rule("guided_ctc_loss")
def guided_ctc_loss(planner: Planner, call: Call) -> None:
    """ctc_loss + weight times the cross-entropy at the steps whose label is told."""
    _ctc(planner, call, call.inputs[0].shape[1], call.options.get("weight", GUIDE_WEIGHT))


def _ctc(planner: Planner, call: Call, guides: int, weight: float) -> None:
    """The first columns of the targets are `guides` labels of steps."""
    if call.options.get("reduction", "mean") != "mean":
        raise Unplannable("a loss that is no mean")
    targets = call.inputs[1]
    if not (isinstance(targets, np.ndarray) and targets.ndim == 2 and targets.dtype == np.int64):
        raise Unplannable("a CTC loss of something else than int64 targets (n, l)")
    program, (_, steps, classes) = planner.program, call.inputs[0].shape
    width = targets.shape[1] - guides
    if width < 0:
        raise Unplannable("a guided CTC loss of targets with fewer columns than steps")
    sizes = program.table([steps, classes, width, call.options.get("blank", 0), guides])
    scratch = program.local(ctc.scratch_size(steps, classes, width), np.float64)
    settings = program.shared(np.array([weight], np.float32))
    _end(planner, call, targets, ctc.ctc, settings, pair=(sizes, scratch), axes=2)


def _end(
    planner: Planner, call: Call, targets: Any, instruction: Any, *more: Place, pair: Pair = (0, 0), axes: int = 1
) -> None:
    """Emit the loss: (images, size, logits, targets, *pair, scale, gradient, loss, *more)."""
    program = planner.program
    if planner.ending is not None:
        raise Unplannable("more than one loss is computed")
    labels = planner.value(targets)
    logits = planner.value(call.inputs[0])
    if len(logits.shape) != axes:
        raise Unplannable("a loss of logits that are not (n, k), or for CTC (n, t, k)")
    planner.scale = np.zeros(1, np.float32)
    totals, place = program.local_arrays(8, np.float64)
    gradient = planner.take(logits.size)
    head = (COUNT, logits.size, logits.place, labels.place, *pair)
    program.emit(instruction, *head, program.shared(planner.scale), gradient, place, *more)
    planner.ending, planner.ending_place = totals, place
    planner.later(lambda: planner.hand_over(logits, gradient))
