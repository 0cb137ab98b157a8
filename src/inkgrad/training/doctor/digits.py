"""What is wrong with the data: classes of unequal size, input that is not normalized, polarity, blank images."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images, Labels
from inkgrad.training.doctor.findings import Finding

__all__ = ["class_findings", "image_findings", "input_findings"]

UNEVEN_NOTE, UNEVEN_WARNING = 2.0, 5.0
"""Digits of the largest class for each of the smallest; MNIST has 1.2. Buda et al. (2018) find the harm on MNIST to
grow from there on."""

FAR = 2.0
"""Distance of the inputs' mean from 0. Networks learn fastest with a mean of 0 and a deviation of 1 (LeCun et al. 1998,
Efficient BackProp, section 4.3)."""

WIDE, NARROW = 4.0, 0.05
"""Deviation of the inputs; pixels / 255 of MNIST have 0.31."""

CONTRAST = 26
"""Levels of gray, a tenth of all, between the darkest and the brightest pixel of an image with something on it."""

BLANK_WARNING = 0.01
"""Share of blank images from which they are more than a slip."""

BRIGHT = 128
"""Mean of the outermost pixels from which paper counts as bright."""

MIXED = 0.05
"""Share of images of the other polarity from which it is told."""


def class_findings(labels: Labels, classes: Sequence[str]) -> list[Finding]:
    """Classes with far fewer digits than others.

    >>> class_findings(np.array([0] * 90 + [1] * 10), "ab")[0].measured
    'Class b has 10 of 100 digits, class a has 90: 9.0 times as many (healthy: below 2 times).'
    """
    counts = np.bincount(labels, minlength=len(classes))
    missing = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    least, most = int(counts.argmin()), int(counts.argmax())
    times = math.inf if missing else counts[most] / counts[least]
    if times < UNEVEN_NOTE or not len(labels):
        return []
    if missing:
        measured = f"There are no digits at all of {', '.join(missing)} among {len(labels):,}."
    else:
        measured = (
            f"Class {classes[least]} has {counts[least]:,} of {len(labels):,} digits, class {classes[most]} has "
            f"{counts[most]:,}: {times:.1f} times as many (healthy: below {UNEVEN_NOTE:.0f} times)."
        )
    return [
        Finding(
            "class-imbalance",
            "warning" if times >= UNEVEN_WARNING else "note",
            measured,
            "Collect more digits of the small classes, or put copies of them into the data set and change them at "
            "random (--augment rotation=10,shift=2); judge by each class's recall, which inkgrad evaluate prints, and "
            "not by the accuracy alone.",
            {"counts": dict(zip(classes, counts.tolist(), strict=True)), "times": times if not missing else None},
        )
    ]


def input_findings(inputs: NDArray[np.float32]) -> list[Finding]:
    """Inputs of another size than networks are made for; float32 of any shape, as the network gets them.

    >>> input_findings(np.full((2, 1, 28, 28), 200, np.float32))[0].name
    'not-normalized'
    """
    values = inputs.astype(np.float64, copy=False)
    if not values.size or not np.isfinite(values).all():
        return []
    mean, deviation = float(values.mean()), float(values.std())
    if abs(mean) <= FAR and NARROW <= deviation <= WIDE:
        return []
    return [
        Finding(
            "not-normalized",
            "warning",
            f"The inputs have a mean of {mean:.3g} and a deviation of {deviation:.3g} (healthy: a mean between "
            f"-{FAR:g} and {FAR:g}, a deviation between {NARROW:g} and {WIDE:g}).",
            "Bring them to mean 0 and deviation 1: --scaling standard; in Python "
            "Trainer(..., scaling=ig.data.standardization(train)). Pixels from 0 to 255 need at least "
            "ig.data.linear_scaling(), which divides by 255.",
            {"mean": mean, "deviation": deviation},
        )
    ]


def image_findings(images: Images) -> list[Finding]:
    """Images of the wrong polarity, and images with nothing on them; uint8 (n, h, w).

    >>> [finding.name for finding in image_findings(np.zeros((3, 28, 28), np.uint8))]
    ['blank-images']
    """
    if not len(images):
        return []
    flat = images.reshape(len(images), -1)
    blank = flat.max(axis=1).astype(int) - flat.min(axis=1) < CONTRAST
    border = np.concatenate([images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]], axis=1)
    bright = (border.mean(axis=1) >= BRIGHT) & ~blank
    return _polarity(bright, int((~blank).sum())) + _blank(np.flatnonzero(blank), len(images))


def _polarity(bright: NDArray[np.bool_], count: int) -> list[Finding]:
    share = bright.sum() / max(count, 1)
    if share < MIXED:
        return []
    mixed = "" if share > 1 - MIXED else " The data mixes both polarities."
    return [
        Finding(
            "inverted-polarity",
            "warning",
            f"{share:.0%} of the images have bright paper at their border; digits are expected as bright ink on "
            f"black.{mixed}",
            "Turn these images around (255 - image). inkgrad classify turns pictures to bright ink on black by "
            "itself, so a network that learned the other way would misread them; --augment polarity=0.5 makes it read "
            "both.",
            {"share": float(share)},
        )
    ]


def _blank(blank: NDArray[np.int64], count: int) -> list[Finding]:
    if not blank.size:
        return []
    return [
        Finding(
            "blank-images",
            "warning" if blank.size / count >= BLANK_WARNING else "note",
            f"{blank.size:,} of {count:,} images are all of one gray, the first at {', '.join(map(str, blank[:5]))}.",
            "Take them out of the data set, with their labels: nothing can be learned from them.",
            {"count": int(blank.size), "indices": blank[:100].tolist()},
        )
    ]
