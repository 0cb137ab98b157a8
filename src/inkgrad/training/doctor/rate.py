"""A learning rate too high or too low, from the course of the losses and the size of an update."""

import math

from inkgrad.training.doctor.course import Course
from inkgrad.training.doctor.findings import Finding
from inkgrad.training.doctor.reading import Reading
from inkgrad.training.doctor.update import UpdateMeasure

__all__ = ["rate_findings"]

ABOVE_START = 1.1
"""An epoch's mean loss above so many times the loss of a network that knows nothing: the steps made it worse."""

JUMP = 0.05
"""A rise of the loss by this share of the first loss. Losses of healthy trainings wander too, but by less than 0.02."""

HUGE_UPDATE = 0.1
"""Norm of an update / norm of the weights. About 0.001 is usual (Karpathy, CS231n notes); at 0.1 ten steps replace all
weights."""

SMALL_UPDATE = 0.001
"""Updates smaller than this, in a training that is not through, are worth enlarging."""

LARGE_UPDATE = 0.01
"""Updates larger than this are not too small, whatever the loss does."""

HARDLY_MOVED = 0.1
"""A training whose loss is by less than this share below that of guessing has not begun to learn."""

FALLING = 0.03
"""The fall of the loss in the last epoch from which a training was not through."""

READS = 0.9
"""Share of the training digits that every network should read: a linear classifier reads about as many of MNIST's (88 %
of the test digits, LeCun et al. 1998)."""


def rate_findings(
    course: Course, update: UpdateMeasure | None, reading: Reading | None, *, failure: str | None, blocked: bool
) -> list[Finding]:
    """What losses and updates say about the learning rate.

    Args:
        course: the losses.
        update: the next update at the highest rate so far.
        reading: how training digits are read, if they are.
        failure: the message with which the training ended, if it diverged.
        blocked: whether dead units or vanishing gradients explain a loss that does not move.

    >>> course = Course(losses=(2.3, 2.31, 2.9, 2.2), first=2.3)
    >>> [finding.name for finding in rate_findings(course, None, None, failure=None, blocked=False)]
    ['learning-rate-too-high']
    """
    if failure is not None:
        return [_diverged(failure, course, update)]
    high = _too_high(course, update)
    if high is not None:
        return [high]
    if blocked or not course.finished or len(course.losses) < 2:
        return []
    low = _too_low(course, update, reading)
    return [] if low is None else [low]


def _diverged(failure: str, course: Course, update: UpdateMeasure | None) -> Finding:
    rate = "" if update is None else f" (the rate was {update.learning_rate:g})"
    return Finding(
        "diverged",
        "serious",
        f"{failure[:1].upper()}{failure[1:]}.",
        f"Begin again with --learning-rate a tenth of this one{rate}, --clip-norm 1 or --warmup-steps 200; if the "
        "input holds NaN, clean the data.",
        {"message": failure, "losses": list(course.losses)},
    )


def _too_high(course: Course, update: UpdateMeasure | None) -> Finding | None:
    signs = []
    if course.peak > ABOVE_START:
        signs.append(
            f"the mean loss of an epoch was {course.peak:.2f} times that of a network that knows nothing "
            f"({max(course.losses):.3g} against {course.start:.3g})"
        )
    if course.jump > JUMP:
        signs.append(f"the training loss rose by {course.jump * course.start:.2g} from one epoch to the next")
    if course.swing > JUMP:
        signs.append(f"the validation loss rose by {course.swing * course.start:.2g} and fell again as far")
    ratio = math.nan if update is None else update.median
    worse = bool(signs)
    if len(course.losses) > 1 and ratio > HUGE_UPDATE:
        signs.append(f"an update changes the weights by {ratio:.0%} of their size (usual: about 0.1 %)")
    if not signs:
        return None
    rate = max(course.learning_rates, default=math.nan if update is None else update.learning_rate)
    sentence = "; ".join(signs)
    return Finding(
        "learning-rate-too-high",
        "serious" if worse and course.progress < HARDLY_MOVED else "warning",
        f"{sentence[:1].upper()}{sentence[1:]}.",
        f"Lower --learning-rate (it was {rate:g}): try a third and a tenth of it, or let `inkgrad lr-find` "
        "suggest one. A rate that falls towards the end "
        "(--schedule cosine), a gentle start (--warmup-steps 200) and --clip-norm 1 allow higher ones.",
        {"losses": list(course.losses), "validation_losses": list(course.validation), "update_ratio": ratio,
         "peak": course.peak, "jump": course.jump, "swing": course.swing, "learning_rate": rate},
    )  # fmt: skip


def _too_low(course: Course, update: UpdateMeasure | None, reading: Reading | None) -> Finding | None:
    ratio = math.nan if update is None else update.median
    accuracy = None if reading is None else reading.accuracy
    # Penalties and dropout belong to the loss of the history, but not to what the network knows.
    knows = course.progress if reading is None else reading.knowledge
    falls = course.falling > FALLING
    evidence = {"losses": list(course.losses), "progress": knows, "falling": course.falling,
                "update_ratio": ratio, "accuracy": accuracy}  # fmt: skip
    size = "" if math.isnan(ratio) else f" An update changes the weights by {ratio:.1g} of their size."
    rate = max(course.learning_rates, default=math.nan if update is None else update.learning_rate)
    if knows < HARDLY_MOVED and not ratio > LARGE_UPDATE:
        measured = (
            f"After {len(course.losses)} epochs the loss has only gone from {course.first:.3g} to "
            f"{course.losses[-1]:.3g}.{size}"
        )
    elif falls and accuracy is not None and accuracy < READS and ratio < SMALL_UPDATE:
        measured = (
            f"The loss is still {course.losses[-1]:.3g} and fell by {course.falling:.0%} in the last epoch; "
            f"{accuracy:.1%} of the training digits are read.{size}"
        )
    elif falls:
        return _too_short(course, accuracy, evidence)
    else:
        return None
    return Finding(
        "learning-rate-too-low",
        "warning",
        measured,
        f"Raise --learning-rate (it was {rate:g}): try three and ten times as much, or what "
        "`inkgrad lr-find` suggests, or --optimizer adam, which finds "
        "a size for each weight.",
        evidence | {"learning_rate": rate},
    )


def _too_short(course: Course, accuracy: float | None, evidence: dict[str, object]) -> Finding:
    read = "" if accuracy is None else f"; {accuracy:.1%} of the training digits are read"
    return Finding(
        "training-too-short",
        "warning" if accuracy is not None and accuracy < READS else "note",
        f"In the last epoch the loss fell by {course.falling:.0%}, to {course.losses[-1]:.3g}{read}.",
        "Train for more --epochs (with a constant schedule the run goes on by inkgrad train --resume --out RUN "
        "--epochs N), or reach the same sooner with a higher --learning-rate.",
        evidence,
    )
