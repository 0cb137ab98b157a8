"""A planned training step does what the same step does operation by operation."""

import itertools

import pytest

import inkgrad as ig
import plans
from inkgrad import nn


def dense(*widths, between=nn.ReLU, seed=0):
    """Flat layers of these widths with an activation between them."""
    rng = ig.default_rng(seed)
    layers = [nn.Flatten()]
    for a, b in itertools.pairwise(widths):
        layers += [nn.Linear(a, b, rng=rng), between()]
    return nn.Sequential(*layers[:-1])


def smoothed(logits, labels):
    """A loss whose gradient never vanishes, so that relative errors of gradients stay errors of rounding."""
    return nn.cross_entropy(logits, labels, label_smoothing=0.2)


# Layers whose weights are divided among the threads


@pytest.mark.parametrize(
    ("widths", "between"),
    [
        pytest.param((784, 260, 260, 10), nn.Sigmoid, id="two in a row"),
        pytest.param((784, 20, 20, 20, 3300, 10), nn.Tanh, id="behind small ones"),
        pytest.param((784, 30, 2200, 10), nn.ReLU, id="in the middle"),
    ],
)
def test_layers_divided_among_the_threads(widths, between):
    """Many times over, as threads that do not wait for each other are right most of the time."""
    planned, eager = plans.twins(lambda: dense(*widths, between=between), loss=smoothed)
    start = nn.state_of(planned.net)
    for count in (12, 3, 1, 13):
        images, labels = plans.batch(count, seed=count)
        nn.load_state(eager.net, start)
        loss = eager(images, labels)
        for _ in range(5):
            nn.load_state(planned.net, start)
            assert planned(images, labels) == pytest.approx(loss, rel=1e-5)
            assert planned.fallback is None
            plans.assert_gradients_agree(planned.net, eager.net)
