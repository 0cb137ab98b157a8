"""Dead ReLU units and saturated sigmoids, from the outputs of each activation."""

from collections.abc import Sequence

from inkgrad.training.doctor.findings import Finding
from inkgrad.training.doctor.layers import FLAT, LayerMeasure

__all__ = ["unit_findings"]

DEAD_NOTE, DEAD_WARNING, DEAD_SERIOUS = 1 / 3, 1 / 2, 0.9
"""Shares of a layer's ReLU units that are 0 for every digit looked at. Healthy trainings on digits have up to a
quarter, some of them from the first moment; a layer that is dead altogether stays so (Lu et al. 2019, arXiv
1903.06733)."""

FLAT_NOTE, FLAT_WARNING = 0.3, 0.6
"""Shares of a layer's sigmoid or tanh outputs in the flat part of the curve. Trained LeNets have up to 0.15; initial
weights of deviation 1 give 0.8."""


def unit_findings(layers: Sequence[LayerMeasure]) -> list[Finding]:
    """What the outputs of the activations say: at most one finding of each kind, about the worst layer.

    >>> unit_findings([LayerMeasure("layers.2", "ReLU", 50, False, 0.0, 0.0, dead=1.0)])[0].severity
    'serious'
    """
    found = []
    relus = [(layer.dead, layer) for layer in layers if layer.dead is not None]
    curves = [(layer.saturated, layer) for layer in layers if layer.saturated is not None]
    if relus and (worst := max(relus, key=lambda pair: pair[0]))[0] >= DEAD_NOTE:
        found.append(_dead(*worst, {layer.name: share for share, layer in relus}))
    if curves and (worst := max(curves, key=lambda pair: pair[0]))[0] >= FLAT_NOTE:
        found.append(_saturated(*worst, {layer.name: share for share, layer in curves}))
    return found


def _dead(share: float, layer: LayerMeasure, shares: dict[str, float]) -> Finding:
    severity = "serious" if share >= DEAD_SERIOUS else "warning" if share >= DEAD_WARNING else "note"
    return Finding(
        "dead-units",
        severity,
        f"{round(share * layer.units)} of {layer.units} units of {layer.title} are 0 for every digit looked at "
        f"(healthy: below {DEAD_NOTE:.0%}).",
        "Begin again with a lower --learning-rate, a gentle start (--warmup-steps 200) or --clip-norm 1; "
        "a network with batch normalization (--model vgg, --model tiny) keeps its units alive. In Python: biases "
        "that begin at 0, or LeakyReLU.",
        {"shares": shares, "layer": layer.name, "units": layer.units, "threshold": DEAD_NOTE},
    )


def _saturated(share: float, layer: LayerMeasure, shares: dict[str, float]) -> Finding:
    return Finding(
        "saturated-units",
        "warning" if share >= FLAT_WARNING else "note",
        f"{share:.0%} of the outputs of {layer.title} lie where the derivative is below {FLAT:.0%} of its largest "
        f"(healthy: below {FLAT_NOTE:.0%} of them).",
        "Scale the input (--scaling standard), lower --learning-rate, keep weights small (--l2 1e-4), or take a "
        "network with ReLU (--model mlp); in Python also smaller initial weights (nn.init.lecun_normal).",
        {"shares": shares, "layer": layer.name, "threshold": FLAT_NOTE},
    )
