"""Over- and underfitting: how digits of the training are read, and digits that were not in it."""

from inkgrad.training.doctor.course import Course
from inkgrad.training.doctor.findings import Finding
from inkgrad.training.doctor.rate import FALLING, READS
from inkgrad.training.doctor.reading import Reading
from inkgrad.training.metrics import wilson_interval

__all__ = ["fit_findings"]

GAP = 0.03
"""Points by which training digits are read better than the upper end of the validation accuracy's 95 % interval, so
that the choice of the validation digits does not explain it."""

REBOUND = 1.3
"""The validation loss as a multiple of its lowest value: it has turned upwards (Prechelt 1998, Early Stopping)."""

SMALLER = "a network that is smaller (--hidden, --width) or stops sooner (--early-stopping 5)"


def fit_findings(
    course: Course, training: Reading, validation: Reading | None, *, restraints: dict[str, float], blocked: bool
) -> list[Finding]:
    """What the accuracies say.

    Args:
        course: the losses.
        training: how training digits are read, in prediction mode and without augmentation.
        validation: how validation digits are read.
        restraints: settings that hold the network back, such as {"--l2": 0.1}.
        blocked: whether something else, such as dead units, explains a low accuracy.
    """
    if not course.losses:
        return []
    if validation is not None:
        over = _overfitting(course, training, validation)
        if over is not None:
            return [over]
    others = 0.0 if validation is None else validation.accuracy
    # Wrong labels are read correctly, too: then the validation digits are read better than the training's.
    if blocked or not course.finished or max(training.accuracy, others) >= READS or course.falling > FALLING:
        return []
    return [_underfitting(course, training, validation, restraints)]


def _overfitting(course: Course, training: Reading, validation: Reading) -> Finding | None:
    high = wilson_interval(validation.correct, len(validation))[1]
    gap, turned = training.accuracy - high, course.rebound
    if gap < GAP and turned < REBOUND:
        return None
    sentences = [
        f"{training.accuracy:.1%} of the training digits are read, but {validation.accuracy:.1%} of the validation "
        f"digits (95 % interval up to {high:.1%})."
    ]
    if turned >= REBOUND:
        sentences.append(f"The validation loss has risen to {turned:.1f} times its lowest value.")
    return Finding(
        "overfitting",
        "warning" if gap >= GAP else "note",
        " ".join(sentences),
        "Train on more digits, or change them at random (--augment rotation=10,shift=2,elastic=15); hold the weights "
        f"down (--l2 1e-4, --label-smoothing 0.1, --average 0.999); or take {SMALLER}.",
        {"training_accuracy": training.accuracy, "validation_accuracy": validation.accuracy,
         "validation_accuracy_high": high, "gap": gap, "rebound": turned},
    )  # fmt: skip


def _underfitting(
    course: Course, training: Reading, validation: Reading | None, restraints: dict[str, float]
) -> Finding:
    held = ", ".join(f"{option} {value:g}" for option, value in restraints.items())
    less = f"Hold the network back less (it has {held}); if that does not help, take " if held else "Take "
    read = "" if validation is None else f", and {validation.accuracy:.1%} of the validation digits"
    return Finding(
        "underfitting",
        "warning",
        f"Only {training.accuracy:.1%} of the training digits are read{read}, and the loss of {course.losses[-1]:.3g} "
        "no longer falls.",
        f"{less}a larger network (--hidden 300,100, or --model lenet5), or another --learning-rate.",
        {"training_accuracy": training.accuracy, "loss": course.losses[-1], "restraints": restraints},
    )
