"""Every convolutional network against the same one in PyTorch: parameters in order, logits and gradients."""

import itertools

import numpy as np
import pytest

import cases
import inkgrad as ig
from inkgrad import kernels, nn
from inkgrad.models import NAMED, build

pytestmark = pytest.mark.oracle

MODES = (("reference", "float64"), ("reference", "float32"), ("numba_cpu", "float32"))
TOLERANCES = {"float32": 1e-4, "float64": 1e-10}  # rounding grows from layer to layer
DENSE = {"softmax-regression", "two-layer", "two-layer-sigmoid", "mlp"}

# LeCun et al. 1998, table I, as printed: a row for each map of S2, a column for each of C3.
TABLE_I = """
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X
"""


def table_i():
    return np.array([[mark == "X" for mark in line.split()] for line in TABLE_I.strip().splitlines()]).T


def scaled(t, channels):
    class Scaled(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.bias = t.nn.Parameter(t.ones(channels)), t.nn.Parameter(t.zeros(channels))

        def forward(self, x):
            mean = t.nn.functional.avg_pool2d(x, 2)
            return mean * self.weight[:, None, None] + self.bias[:, None, None]

    return Scaled()


def partial(t):
    class Partial(t.nn.Conv2d):
        def forward(self, x):
            mask = t.as_tensor(table_i(), dtype=x.dtype)[:, :, None, None]
            return t.nn.functional.conv2d(x, self.weight * mask, self.bias)

    return Partial(6, 16, 5)


def lenet1(t):
    m = t.nn
    return m.Sequential(
        *(m.Conv2d(1, 4, 5), scaled(t, 4), m.Tanh(), m.Conv2d(4, 12, 5), scaled(t, 12), m.Tanh()),
        *(m.Flatten(), m.Linear(192, 10)),
    )


def lenet5_1998(t):
    m = t.nn
    return m.Sequential(
        *(m.Conv2d(1, 6, 5, padding=2), scaled(t, 6), m.Tanh(), partial(t), scaled(t, 16), m.Tanh()),
        *(m.Conv2d(16, 120, 5), m.Tanh(), m.Flatten(), m.Linear(120, 84), m.Tanh(), m.Linear(84, 10)),
    )


def lenet5(t):
    m = t.nn
    return m.Sequential(
        *(m.Conv2d(1, 6, 5, padding=2), m.ReLU(), m.MaxPool2d(2), m.Conv2d(6, 16, 5), m.ReLU(), m.MaxPool2d(2)),
        *(m.Flatten(), m.Linear(400, 120), m.ReLU(), m.Linear(120, 84), m.ReLU(), m.Linear(84, 10)),
    )


def cnn(t):
    m = t.nn
    return m.Sequential(
        *(m.Conv2d(1, 32, 3), m.ReLU(), m.Conv2d(32, 64, 3), m.ReLU(), m.MaxPool2d(2), m.Dropout(0.25)),
        *(m.Flatten(), m.Linear(9216, 128), m.ReLU(), m.Dropout(0.5), m.Linear(128, 10)),
    )


def resnet(t, width=16, depth=1):
    m = t.nn

    def conv(i, o, size=3, stride=1):
        return m.Conv2d(i, o, size, stride, size // 2, bias=False), m.BatchNorm2d(o)

    class Block(m.Module):
        def __init__(self, i, o, stride):
            super().__init__()
            self.body = m.Sequential(*conv(i, o, 3, stride), m.ReLU(), *conv(o, o))
            self.shortcut = m.Sequential(*conv(i, o, 1, stride)) if i != o else m.Identity()

        def forward(self, x):
            return self.shortcut(x) + self.body(x)

    blocks = []
    for i, o in ((width, width), (width, 2 * width), (2 * width, 4 * width)):
        for k in range(depth):
            blocks += [Block(o if k else i, o, 2 if i != o and not k else 1), m.ReLU()]
    last = (m.AdaptiveAvgPool2d(1), m.Flatten(), m.Linear(4 * width, 10))
    return m.Sequential(*conv(1, width), m.ReLU(), *blocks, *last)


def simple_cnn(t):
    m = t.nn
    channels = [1, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176]
    layers = []
    for i, o in itertools.pairwise(channels):
        layers += [m.Conv2d(i, o, 3, bias=False), m.BatchNorm2d(o), m.ReLU()]
    return m.Sequential(*layers, m.Flatten(), m.Linear(11264, 10, bias=False), m.BatchNorm1d(10))


def vgg(t):
    m = t.nn
    layers = []
    channels = 1
    for o in (24, 48, 96):
        for i in (channels, o):
            layers += [m.Conv2d(i, o, 3, padding=1, bias=False), m.BatchNorm2d(o), m.ReLU()]
        layers.append(m.MaxPool2d(2))
        channels = o
    return m.Sequential(*layers, m.Flatten(), m.Dropout(0.3), m.Linear(864, 10))


def tiny(t):
    m = t.nn

    def stage(i, o, size, padding):
        return m.Conv2d(i, o, size, padding=padding, bias=False), m.BatchNorm2d(o), m.ReLU()

    return m.Sequential(
        *(*stage(1, 8, 5, 2), m.MaxPool2d(2), *stage(8, 16, 3, 1), *stage(16, 16, 3, 1), m.MaxPool2d(2)),
        *(*stage(16, 20, 3, 0), m.AdaptiveAvgPool2d(1), m.Flatten(), m.Linear(20, 10)),
    )


TWINS = {
    "lenet1": (lenet1, {}),
    "lenet5-1998": (lenet5_1998, {}),
    "lenet5": (lenet5, {}),
    "cnn": (cnn, {}),
    "resnet": (resnet, {}),
    "resnet-deep": (resnet, {"width": 3, "depth": 2}),
    "simple-cnn": (simple_cnn, {}),
    "vgg": (vgg, {}),
    "tiny": (tiny, {}),
}


def pair(name, dtype, torch):
    """Our network, with its biases away from 0, and PyTorch's with the same state."""
    make, options = TWINS[name]
    net = build(name.removesuffix("-deep"), rng=ig.default_rng(0), **options).astype(dtype)
    d = cases.Draw(name)
    for member_name, member in net.named_state():
        if member.data.ndim == 1:
            near = 1 if member_name.endswith(("weight", "running_var")) else 0
            member.data = (near + 0.1 * d.away(*member.data.shape)).astype(dtype)
    twin = make(torch, **options).to(getattr(torch, dtype))
    state = twin.state_dict()
    names = [key for key in state if not key.endswith("num_batches_tracked")]
    ours = [member.data for _, member in net.named_state()]
    assert [tuple(state[key].shape) for key in names] == [array.shape for array in ours]
    twin.load_state_dict(state | {key: torch.tensor(array) for key, array in zip(names, ours, strict=True)})
    return net, twin


def near(got, expected, dtype, times=1):
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype == dtype
    assert np.linalg.norm(got - expected) <= times * TOLERANCES[dtype] * np.linalg.norm(expected) + 1e-12


def test_every_convolutional_network_has_a_twin():
    assert {name.removesuffix("-deep") for name in TWINS} == set(NAMED) - DENSE


@pytest.mark.parametrize("name", TWINS)
def test_parameters_are_pytorchs_in_order(name, torch):
    net, twin = pair(name, "float32", torch)
    ours = [(n.rpartition(".")[2], p.shape) for n, p in net.named_parameters()]
    assert ours == [(n.rpartition(".")[2], tuple(p.shape)) for n, p in twin.named_parameters()]
    assert net.parameter_count() == sum(p.numel() for p in twin.parameters()) - 900 * (name == "lenet5-1998")


@pytest.mark.parametrize("backend, dtype", MODES)
@pytest.mark.parametrize("name", TWINS)
def test_predictions(name, backend, dtype, torch):
    net, twin = pair(name, dtype, torch)
    x = cases.Draw(name).rng.random((5, 1, 28, 28)).astype(dtype)
    with torch.no_grad():
        expected = twin.eval()(torch.tensor(x)).numpy()
    with kernels.use_backend(backend), ig.no_grad():
        near(net.eval()(x).data, expected, dtype)


@pytest.mark.parametrize("backend, dtype", MODES)
@pytest.mark.parametrize("name", TWINS)
def test_a_training_step(name, backend, dtype, torch):
    """Loss, the gradient of every parameter, and what batch normalization learns of the batch."""
    net, twin = pair(name, dtype, torch)
    for _, module in net.named_modules():
        if isinstance(module, nn.Dropout):
            module.p = 0
    for module in twin.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    rng = cases.Draw(name).rng
    x, labels = rng.random((6, 1, 28, 28)).astype(dtype), rng.integers(10, size=6)
    expected = torch.nn.functional.cross_entropy(twin(torch.tensor(x)), torch.tensor(labels))
    expected.backward()
    with kernels.use_backend(backend):
        loss = nn.cross_entropy(net(ig.Tensor(x)), labels)
        loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=TOLERANCES[dtype])
    for (_, parameter), other in zip(net.named_parameters(), twin.parameters(), strict=True):
        near(parameter.grad, other.grad.numpy(), dtype, 10)  # rounding decides at a few kinks of ReLU
    state = [a for key, a in twin.state_dict().items() if not key.endswith("num_batches_tracked")]
    for (_, member), other in zip(net.named_state(), state, strict=True):
        near(member.data, other.numpy(), dtype)
