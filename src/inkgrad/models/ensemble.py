"""Several networks that answer together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from inkgrad.autodiff import Tensor, TensorLike, ops
from inkgrad.errors import OptionError
from inkgrad.models.classifier import Classifier, Refusal
from inkgrad.models.named import NAMED, build
from inkgrad.models.network import Network
from inkgrad.nn import Module
from inkgrad.random import default_rng

__all__ = ["ENSEMBLE", "Ensemble", "empty_ensemble", "join"]

ENSEMBLE = "ensemble"


class Ensemble(Module):
    """Logits whose softmax is the mean of the members' probabilities: log (1/m) sum_i softmax(z_i).

    Args:
        members: named networks with the same number of classes, whose logits become probabilities by softmax.

    Attributes:
        architecture: "ensemble".
        options: what is needed to build it again, as JSON holds it.

    Raises:
        OptionError: no members, or such as cannot be averaged.

    >>> from inkgrad.random import default_rng
    >>> nets = [build("two-layer", rng=default_rng(seed)) for seed in range(3)]
    >>> Ensemble(nets)(np.zeros((5, 1, 28, 28), np.float32)).shape
    (5, 10)
    """

    plannable = False  # as a whole; in prediction each member has a plan of its own

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        if not members:
            raise OptionError("an ensemble needs at least one member")
        for member in members:
            if getattr(member, "architecture", None) not in NAMED:
                raise OptionError(f"the members of an ensemble are networks of models.build, but one is {member!r}")
            if NAMED[member.architecture].probabilities != "softmax":
                raise OptionError(f"{member.architecture} gives no probabilities by softmax, so it cannot be averaged")
        classes = {member.options["classes"] for member in members}
        if len(classes) > 1:
            raise OptionError(f"the members of an ensemble have different numbers of classes: {sorted(classes)}")
        self.members = list(members)
        self.architecture = ENSEMBLE
        self.options: dict[str, Any] = {
            "members": [{"architecture": m.architecture, "options": m.options} for m in members],
            "classes": classes.pop(),
        }

    def forward(self, x: TensorLike) -> Tensor:
        """(n, 1, 28, 28) -> (n, classes)."""
        several = [ops.log_softmax(member(x)) for member in self.members]
        return ops.logsumexp(ops.stack(several), axis=0) - float(np.log(len(several)))


def empty_ensemble(options: Mapping[str, Any]) -> Ensemble:
    """An ensemble as its `options` describe it, with fresh weights."""
    return Ensemble([build(m["architecture"], rng=default_rng(0), **m["options"]) for m in options["members"]])


def join(classifiers: Sequence[Classifier]) -> Classifier:
    """One classifier that answers with the mean of the probabilities of all networks; one of an ensemble counts singly.

    It is not calibrated: its temperature is 1, and its threshold the mean of theirs.

    Raises:
        OptionError: there is none, or they prepare images in different ways or know different classes.
    """
    networks: list[Network] = []
    for one in classifiers:
        networks += one.network.members if isinstance(one.network, Ensemble) else [one.network]  # type: ignore[list-item]
    whole = Ensemble(networks)
    first = classifiers[0]
    for number, other in enumerate(classifiers):
        for name in ("classes", "scaling", "normalizations", "views", "refuses"):
            if getattr(first, name) != getattr(other, name):
                raise OptionError(
                    f"the members of an ensemble must agree in {name}, but member 0 has {getattr(first, name)} and "
                    f"member {number} {getattr(other, name)}"
                )
        if first.projection is not other.projection and not (
            first.projection and first.projection.same(other.projection)
        ):
            raise OptionError(f"member 0 and member {number} keep different principal components of an image")
    thresholds = [one.refusal.threshold for one in classifiers if one.refusal is not None]
    return Classifier(
        whole,
        first.scaling,
        first.classes,
        normalizations=first.normalizations,
        projection=first.projection,
        views=first.views,
        refusal=Refusal(sum(thresholds) / len(thresholds)) if thresholds else None,
    )
