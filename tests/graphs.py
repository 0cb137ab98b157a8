"""Graphs that several tests look at."""

import numpy as np

from inkgrad.autodiff import Tensor, name_scope, ops


def network(name="weight"):
    """Two layers with cross-entropy; returns the loss and what must stay alive."""
    rng = np.random.default_rng(0)
    weights = [
        Tensor(rng.standard_normal(shape).astype(np.float32), requires_grad=True, name=f"{name}{i}")
        for i, shape in enumerate([(8, 5), (3, 8)])
    ]
    x = rng.standard_normal((4, 5)).astype(np.float32)
    with name_scope("layers.0"):
        hidden = ops.relu(ops.affine(x, weights[0]))
    with name_scope("layers.1"):
        logits = ops.affine(hidden, weights[1])
    return ops.cross_entropy(logits, np.array([0, 1, 2, 0])) + (weights[0] * weights[0]).sum(), weights
