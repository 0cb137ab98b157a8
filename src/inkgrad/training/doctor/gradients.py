"""Vanishing and exploding gradients, from the gradient at each layer."""

import math
from collections.abc import Sequence

from inkgrad.training.doctor.findings import Finding
from inkgrad.training.doctor.layers import LayerMeasure

__all__ = ["gradient_findings"]

VANISHING = 1 / 64
"""Share of the last layer's gradient that must reach every other. A sigmoid passes at most 1/4, so three in a row fall
below it, which is where training by plain gradient descent begins to fail (Glorot and Bengio 2010)."""

HARDLY_ANY = 1 / 1000
"""Below this share the first layers stay as they were drawn."""

EXPLODING = 64.0
"""The same the other way round. Networks with the usual initial weights and any depth stay below 20."""

OUTPUT = 20.0
"""Root mean square of the logits from which softmax is 0 or 1 to float32, whatever the label."""

LOST = 3.0
"""Times the loss of guessing: outputs as large as above can be right, but not at such a loss."""

NONE_PASSES = 0.99
"""Share of dead units from which a layer passes no gradient; that is told as dead units."""


def gradient_findings(layers: Sequence[LayerMeasure], *, loss: float, chance: float) -> list[Finding]:
    """What the gradients by layer say.

    Args:
        layers: of `measure_layers`.
        loss: mean loss of the same digits.
        chance: the loss of guessing, ln(classes) for cross-entropy; NaN if it is not known.

    >>> layers = [LayerMeasure(str(i), "Linear", 64, True, 1.0, 4.0 ** i) for i in range(5)]
    >>> [finding.name for finding in gradient_findings(layers, loss=2.3, chance=2.3)]
    ['vanishing-gradients']
    """
    trained = [layer for layer in layers if layer.trained]
    if not trained or any((layer.dead or 0) >= NONE_PASSES for layer in layers):
        return []
    last, evidence = trained[-1], {layer.name: layer.gradient for layer in trained}
    if not all(math.isfinite(layer.gradient) for layer in trained) or last.gradient == 0:
        return []
    found = []
    least, most = (choose(trained, key=lambda layer: layer.gradient) for choose in (min, max))
    if least.gradient < VANISHING * last.gradient:
        found.append(_vanishing(least, last, evidence))
    if most.gradient > EXPLODING * last.gradient:
        found.append(_exploding(most, last, evidence))
    elif last.output > OUTPUT and loss > LOST * chance:
        found.append(_too_large(last, loss, chance))
    return found


def _vanishing(least: LayerMeasure, last: LayerMeasure, evidence: dict[str, float]) -> Finding:
    share = least.gradient / last.gradient
    return Finding(
        "vanishing-gradients",
        "serious" if share < HARDLY_ANY else "warning",
        f"The gradient at {least.title} is {least.gradient:.2g}, that at the last layer {last.gradient:.2g}: "
        f"{share:.1g} of it arrives (healthy: above {VANISHING:.2g}).",
        "Take ReLU instead of sigmoid, fewer layers (--hidden, --depth), or a network with batch normalization or "
        "shortcuts (--model vgg, --model resnet); in Python also initial weights that fit the activation "
        "(nn.init.he_normal for ReLU, xavier_normal for tanh).",
        {"gradients": evidence, "share": share, "threshold": VANISHING},
    )


def _exploding(most: LayerMeasure, last: LayerMeasure, evidence: dict[str, float]) -> Finding:
    times = most.gradient / last.gradient
    return Finding(
        "exploding-gradients",
        "serious",
        f"The gradient at {most.title} is {most.gradient:.2g}, {times:.0f} times that at the last layer "
        f"({last.gradient:.2g}; healthy: below {EXPLODING:.0f} times).",
        "Draw smaller initial weights (in Python nn.init.he_normal or xavier_normal), clip the gradient "
        "(--clip-norm 1), begin gently (--warmup-steps 200), or lower --learning-rate.",
        {"gradients": evidence, "times": times, "threshold": EXPLODING},
    )


def _too_large(last: LayerMeasure, loss: float, chance: float) -> Finding:
    return Finding(
        "exploding-gradients",
        "serious",
        f"The outputs of {last.title} are of size {last.output:.3g}, and the loss is {loss:.3g}, where guessing has "
        f"{chance:.3g} (healthy: outputs below {OUTPUT:.0f}, or a low loss).",
        "Draw smaller initial weights (in Python nn.init.he_normal or xavier_normal), scale the input "
        "(--scaling standard), clip the gradient (--clip-norm 1), or lower --learning-rate.",
        {"output": last.output, "loss": loss, "chance": chance, "threshold": OUTPUT},
    )
