"""`Diagnosis`: what an examination measured and found."""

from dataclasses import asdict, dataclass
from typing import Any

from inkgrad.training.doctor.findings import ILLNESSES, Finding
from inkgrad.training.doctor.labels import Suspect
from inkgrad.training.doctor.layers import LayerMeasure
from inkgrad.training.doctor.reading import Reading
from inkgrad.training.doctor.update import UpdateMeasure

__all__ = ["Diagnosis"]


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What an examination found.

    Attributes:
        findings: the most serious first; empty if nothing was found.
        layers: what was measured of each layer.
        update: the next update, at the highest learning rate so far; None for weights that are not finite.
        suspects: the training digits with the highest losses.
        training, validation: how digits are read; None where they were not.
        epoch, step: how far the training was.
        source: what was examined, in words.
        unjudged: illness -> why it could not be looked for.

    >>> import inkgrad as ig
    >>> train, validation, _ = ig.data.load("digits")
    >>> net = ig.models.build("two-layer", rng=ig.default_rng(0))
    >>> step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=2.0, momentum=0.9))
    >>> trainer = ig.training.Trainer(step, train, validation=validation)
    >>> _ = trainer.fit(epochs=3)
    >>> ig.training.examine(trainer).worst
    'serious'
    """

    findings: tuple[Finding, ...]
    layers: tuple[LayerMeasure, ...]
    update: UpdateMeasure | None
    suspects: tuple[Suspect, ...]
    training: Reading | None
    validation: Reading | None
    epoch: float
    step: int
    source: str
    unjudged: dict[str, str]

    def __str__(self) -> str:
        """What was found, for people."""
        lines = []
        for name, reading in (("training", self.training), ("validation", self.validation)):
            if reading is not None:
                lines.append(f"{reading.accuracy:.2%} of {len(reading):,} {name} digits are read correctly")
        for finding in self.findings:
            lines += ["", f"{finding.severity.upper()}  {finding.name}: {finding.meaning}"]
            lines += [f"  measured: {finding.measured}", f"  to do: {finding.advice}"]
        if not self.findings:
            lines += ["", "Nothing found."]
        lines += ["", f"looked for: {', '.join(self.judged)}"]
        reasons: dict[str, list[str]] = {}
        for name, why in self.unjudged.items():
            reasons.setdefault(why, []).append(name)
        lines += [f"not looked for, as {why}: {', '.join(names)}" for why, names in reasons.items()]
        return "\n".join(lines)

    @property
    def worst(self) -> str | None:
        """The severity of the most serious finding, None without any."""
        return self.findings[0].severity if self.findings else None

    @property
    def names(self) -> list[str]:
        """The names of the findings."""
        return [finding.name for finding in self.findings]

    @property
    def judged(self) -> list[str]:
        """The illnesses that were looked for."""
        return [name for name in ILLNESSES if name not in self.unjudged]

    def as_json(self) -> dict[str, Any]:
        """The diagnosis as JSON holds it; what is not finite is for the writer to replace."""
        readings = {"training": self.training, "validation": self.validation}
        return {
            "source": self.source,
            "epoch": self.epoch,
            "step": self.step,
            "findings": [finding.as_json() for finding in self.findings],
            "layers": [asdict(layer) for layer in self.layers],
            "update": None if self.update is None else asdict(self.update) | {"median": self.update.median},
            "accuracy": {name: None if one is None else one.accuracy for name, one in readings.items()},
            "suspects": [suspect.as_json() for suspect in self.suspects],
            "judged": self.judged,
            "unjudged": self.unjudged,
        }
