"""What the tests of plans share: the same training twice, once planned and once operation by operation."""

import itertools
from contextlib import contextmanager

import numpy as np

import inkgrad as ig
from inkgrad import nn, optim
from inkgrad.kernels import load_backend
from inkgrad.kernels.numba_cpu.threads import use_threads
from inkgrad.training import TrainStep

load_backend()

UNPLANNED = {"lenet1", "lenet5-1998"}  # whose scaled average pooling and partial connection have no planned form


@contextmanager
def threads(n):
    """Plans run on `n` threads inside the block."""
    use_threads(n)
    try:
        yield
    finally:
        use_threads(None)


def dense(*widths, between=nn.ReLU, seed=0):
    """Flat layers of these widths with an activation between them."""
    rng = ig.default_rng(seed)
    layers = [nn.Flatten()]
    for a, b in itertools.pairwise(widths):
        layers += [nn.Linear(a, b, rng=rng), between()]
    return nn.Sequential(*layers[:-1])


def twins(make, loss=nn.cross_entropy, optimizer=lambda net: optim.SGD(net, 0.1), **options):
    """(planned, eager): training steps of two networks that `make` builds alike.

    Values of `options` that can be called are called with the network.
    """
    steps = []
    for plan in (True, False):
        net = make()
        own = {name: value(net) if callable(value) else value for name, value in options.items()}
        steps.append(TrainStep(net, loss, optimizer(net), plan=plan, **own))
    return steps


def away(one, other, least=0.0):
    """How far `one` is from `other`, relative to the other's norm, or to `least` where that is more."""
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    assert one.shape == other.shape
    return float(np.linalg.norm(one - other) / max(np.linalg.norm(other), least, 1e-30))


def gradients(net):
    """name -> gradient or None."""
    return {name: None if p.grad is None else p.grad.copy() for name, p in net.named_parameters()}


def assert_alike(ones, others, tolerance=2e-5):
    """Arrays by name, each by itself; None where there is none.

    The error of a small array is measured by a hundredth of the norm of all, as it may be a sum of large ones that
    cancel, like the gradient of a bias before a batch normalization.
    """
    assert {name for name, g in ones.items() if g is None} == {name for name, g in others.items() if g is None}
    there = {name: array for name, array in others.items() if array is not None}
    total = np.sqrt(sum(np.linalg.norm(array.astype(np.float64)) ** 2 for array in there.values()))
    far = {name: away(ones[name], array, total / 100) for name, array in there.items()}
    assert {name: error for name, error in far.items() if not error <= tolerance} == {}


def assert_gradients_agree(planned, eager, tolerance=2e-5):
    """Every gradient, and which there are."""
    assert_alike(gradients(planned), gradients(eager), tolerance)


def assert_states_agree(planned, eager, tolerance=2e-5):
    """Every weight and buffer."""
    assert_alike(nn.state_of(planned), nn.state_of(eager), tolerance)


def eagerly(net, images):
    """What `net(images)` is by the reference kernels, operation by operation."""
    with ig.kernels.use_backend("reference"), ig.no_grad():
        return net(images).data


def batch(n, shape=(1, 28, 28), seed=0, classes=10):
    """Images like digits, half of whose pixels are 0, and labels."""
    rng = np.random.default_rng(seed)
    images = np.maximum(rng.standard_normal((n, *shape)), 0).astype(np.float32)
    return images, rng.integers(classes, size=n)
