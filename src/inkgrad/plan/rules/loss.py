"""Losses: they end the forward pass and begin the backward pass in one go."""

from typing import Any

import numpy as np

from inkgrad.kernels.numba_cpu import ctc, losses
from inkgrad.plan.planner import Planner, rule
from inkgrad.plan.trace import Call, Unplannable
from inkgrad.plan.words import COUNT, Place


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


@rule("cross_entropy")
def cross_entropy(planner: Planner, call: Call) -> None:
    """mean over the images of -sum t log softmax(z); dz = (softmax(z) - t) / n."""
    options = call.options
    if options.get("class_weights") is not None or options.get("sample_weights") is not None:
        raise Unplannable("a cross-entropy with weights")
    if options.get("reduction", "mean") != "mean":
        raise Unplannable("a loss that is no mean")
    smoothing = planner.program.shared(np.array([options.get("label_smoothing", 0.0)], np.float32))
    labels = _labels(call, *call.inputs[0].shape[1:])
    soft = losses.softmax_cross_entropy_of_targets if _is_soft(labels) else losses.softmax_cross_entropy
    _end(planner, call, labels, soft, smoothing)


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
    _end(planner, call, _labels(call), losses.squared_error_of_sigmoid)


@rule("ctc_loss")
def ctc_loss(planner: Planner, call: Call) -> None:
    """mean over the images of -log P, P the sum of the probabilities of all alignments."""
    if any(lengths is not None for lengths in call.inputs[2:]):
        raise Unplannable("a CTC loss with lengths")
    if call.options.get("reduction", "mean") != "mean":
        raise Unplannable("a loss that is no mean")
    targets = call.inputs[1]
    if not (isinstance(targets, np.ndarray) and targets.ndim == 2 and targets.dtype == np.int64):
        raise Unplannable("a CTC loss of something else than int64 targets (n, l)")
    program, (_, steps, classes) = planner.program, call.inputs[0].shape
    width = targets.shape[1]
    sizes = program.table([steps, classes, width, call.options.get("blank", 0)])
    scratch = program.local(ctc.scratch_size(steps, classes, width), np.float64)
    _end(planner, call, targets, ctc.ctc, sizes, scratch, axes=2)


def _end(planner: Planner, call: Call, targets: Any, instruction: Any, *more: Place, axes: int = 1) -> None:
    program = planner.program
    if planner.ending is not None:
        raise Unplannable("more than one loss is computed")
    labels = planner.value(targets)
    logits = planner.value(call.inputs[0])
    if len(logits.shape) != axes:
        raise Unplannable("a loss of logits that are not (n, k), or for CTC (n, t, k)")
    scale = np.zeros(1, np.float32)
    totals, place = program.local_arrays(8, np.float64)
    gradient = planner.take(logits.size)
    program.emit(
        instruction, COUNT, logits.size, logits.place, labels.place, *more, program.shared(scale), gradient, place
    )
    planner.ending, planner.ending_place = totals, place

    def divide(images: int) -> None:
        scale[0] = 1 / images

    planner.before.append(divide)
    planner.later(lambda: planner.hand_over(logits, gradient))
