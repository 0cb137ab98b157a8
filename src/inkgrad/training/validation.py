"""Loss and accuracy on data that nothing is learned from."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data import Dataset, Part, Samples, Scaling
from inkgrad.models import network_logits, network_outputs
from inkgrad.training.group import Group
from inkgrad.training.step import TrainStep

__all__ = ["measured", "validation_answers"]

PREDICTED_TOGETHER = 1000  # samples


def validation_answers(
    step: TrainStep, dataset: Dataset | Samples, scaling: Scaling, *, rejects: bool, group: Group | None
) -> NDArray[np.float32]:
    """What the network answers in prediction mode, (n, k); the processes of a group answer a part each.

    Args:
        step: has the network.
        dataset: what it answers.
        scaling: from bytes to floats, where there are bytes.
        rejects: whether the network's last class stands for what is none of the others.
        group: the processes that train together.
    """
    part = slice(None) if group is None else Part(group.rank, group.size).of(len(dataset))
    if isinstance(dataset, Samples):
        outputs = network_outputs(step.net, dataset.parts(PREDICTED_TOGETHER, part))
    else:
        outputs = network_logits(step.net, dataset.images[part], scaling)
        # That it is a digit is known here; which one is the question.
        outputs = outputs[:, :-1] if rejects and not dataset.rejects else outputs
    if group is None or len(dataset) < group.size:
        return outputs
    return np.concatenate(group.all(outputs))


def measured(step: TrainStep, dataset: Dataset | Samples, answers: NDArray[np.float32]) -> dict[str, float]:
    """`validation_loss` and, where there are classes, `validation_accuracy`."""
    targets = dataset.targets if isinstance(dataset, Samples) else dataset.labels
    weights = dataset.weights if isinstance(dataset, Samples) else None
    more: dict[str, Any] = {} if weights is None else {"sample_weights": weights}
    found = {"validation_loss": step.loss(answers, targets, **more).item()}
    if dataset.classes:
        found["validation_accuracy"] = float(np.average(answers.argmax(axis=1) == targets, weights=weights))
    return found
