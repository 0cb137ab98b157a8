"""`Finding`: one thing that is wrong with a training, with the figures that show it and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from inkgrad.errors import OptionError

__all__ = ["ILLNESSES", "SEVERITIES", "Finding", "most_serious_first"]

SEVERITIES = ("serious", "warning", "note")
"""How bad a finding is: the training cannot work; it is held back; worth knowing."""

ILLNESSES = {
    "diverged": "the loss ran away, or became NaN or infinite",
    "vanishing-gradients": "the gradient fades on its way back to the first layers, which hardly learn",
    "exploding-gradients": "the gradient grows on its way back, or the outputs are far too large",
    "dead-units": "ReLU units that are 0 for every digit; no gradient passes, so they never learn again",
    "saturated-units": "sigmoid or tanh units at the flat ends of their curve, where the derivative is almost 0",
    "learning-rate-too-high": "steps so large that they jump over the minimum",
    "learning-rate-too-low": "steps so small that the training hardly moves",
    "training-too-short": "the loss was still falling when the training ended",
    "overfitting": "the network knows the training digits by heart and reads others worse",
    "underfitting": "the network cannot even read the digits that it learns from",
    "class-imbalance": "some classes have far fewer digits than others, so they count less in the loss",
    "suspect-labels": "digits that the network reads with confidence as another class than their label says",
    "not-normalized": "inputs whose mean or deviation is far from what the initial weights are made for",
    "inverted-polarity": "dark ink on bright paper, where the network expects bright ink on black",
    "blank-images": "images with nothing on them",
}
"""Everything that is looked for, by name, with what it is in a sentence."""


@dataclass(frozen=True)
class Finding:
    """One diagnosis.

    Attributes:
        name: one of `ILLNESSES`.
        severity: "serious", "warning" or "note".
        measured: a sentence with the figures.
        advice: a sentence on what to do, with the options of `inkgrad train`.
        evidence: the figures, as JSON holds them.

    Raises:
        OptionError: another name or severity.

    >>> Finding("dead-units", "note", "4 of 128 units are 0.", "Nothing to do.").meaning
    'ReLU units that are 0 for every digit; no gradient passes, so they never learn again'
    """

    name: str
    severity: str
    measured: str
    advice: str
    evidence: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, value, known in (("name", self.name, ILLNESSES), ("severity", self.severity, SEVERITIES)):
            if value not in known:
                raise OptionError(f"a finding needs a {what} of {', '.join(known)}, but got {value!r}")

    @property
    def meaning(self) -> str:
        """What the illness is, in a sentence."""
        return ILLNESSES[self.name]

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON holds it."""
        return {
            "name": self.name,
            "severity": self.severity,
            "meaning": self.meaning,
            "measured": self.measured,
            "advice": self.advice,
            "evidence": self.evidence,
        }


def most_serious_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By severity, then in the order of `ILLNESSES`, which is from causes to effects."""
    order = list(ILLNESSES)
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), order.index(f.name))))
