"""What an examination could not look for, and why: a finding that is missing says nothing then."""

from inkgrad.training.doctor.course import Course
from inkgrad.training.doctor.findings import Finding
from inkgrad.training.doctor.layers import LayerMeasure
from inkgrad.training.doctor.reading import Reading

__all__ = ["explained", "unjudged"]


def explained(found: list[Finding], blocked: bool, blamed: bool) -> dict[str, str]:
    """What was not looked for, as something worse explains its signs."""
    names = {finding.name for finding in found}
    idle = ("learning-rate-too-low", "training-too-short") if blocked else ()
    return {
        n: "other findings explain the loss" for n in (*idle, *(("underfitting",) if blamed else ())) if n not in names
    }


def unjudged(
    layers: list[LayerMeasure], course: Course, training: Reading | None, validation: Reading | None
) -> dict[str, str]:
    """What could not be looked for, and why."""
    why = {}
    if not any(layer.dead is not None for layer in layers):
        why["dead-units"] = "the network has no layer of ReLU"
    if not any(layer.saturated is not None for layer in layers):
        why["saturated-units"] = "the network has no layer of sigmoid or tanh"
    if sum(layer.trained for layer in layers) < 2:
        why["vanishing-gradients"] = "the network has one layer"
    if len(course.losses) < 2:
        for name in ("learning-rate-too-low", "training-too-short", "underfitting"):
            why[name] = "fewer than two epochs have been made"
    elif not course.finished:
        for name in ("learning-rate-too-low", "training-too-short", "underfitting"):
            why[name] = "the training is not at its end"
    if not course.losses:
        why["learning-rate-too-high"] = "no epoch has been made"
    if training is None:
        why["suspect-labels"] = why["underfitting"] = "no training digits were read"
    if validation is None or not course.losses:
        why["overfitting"] = "there are no validation digits" if validation is None else "no epoch has been made"
    return why
