"""Every optimizer against PyTorch's over twenty steps, from the same weights along the same gradients."""

import numpy as np
import pytest

import cases
import inkgrad as ig
from inkgrad import kernels, nn, optim

pytestmark = pytest.mark.oracle

TOLERANCES = {"float32": 1e-5, "float64": 1e-12}
MODES = (("reference", "float64"), ("reference", "float32"), ("numba_cpu", "float32"))
STEPS = 20


def agree(got, expected, dtype, rounding=None):
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype == dtype
    difference = np.linalg.norm((got.astype(np.float64) - expected).ravel())
    assert difference <= (rounding or TOLERANCES[dtype]) * np.linalg.norm(expected.astype(np.float64).ravel())


@pytest.mark.parametrize("backend, dtype", MODES)
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases.OPTIMIZERS])
def test_twenty_steps(case, backend, dtype, torch):
    d = cases.Draw(f"{case.id} oracle")
    arrays = {"a": d.normal(3, 2), "b": d.normal(5), "c": d.normal(2, 1, 3)}
    module = cases.Weights(**{name: array.astype(dtype) for name, array in arrays.items()})
    theirs = [torch.tensor(array.astype(dtype), requires_grad=True) for array in arrays.values()]
    optimizer, twin = case.make(module), case.torch(torch, theirs, case.rate)
    for _ in range(STEPS):
        for (_, ours), other in zip(module.named_parameters(), theirs, strict=True):
            g = d.away(*ours.shape).astype(dtype)
            ours.grad, other.grad = g, torch.tensor(g)
        with kernels.use_backend(backend):
            optimizer.step()
        twin.step()
        for (_, ours), other in zip(module.named_parameters(), theirs, strict=True):
            agree(ours.data, other.detach().numpy(), dtype, case.rounding if ours is module.a else None)


def test_every_optimizer_is_compared():
    rules = {name for name in optim.__all__ if name in {case.optimizer for case in cases.OPTIMIZERS}}
    assert rules == {"SGD", "AdaGrad", "RMSProp", "Adam", "AdamW", "Muon"}


@pytest.mark.parametrize("limit", [0.1, 1.0, 100.0])
def test_clipping_by_the_global_norm(limit, torch):
    g = cases.Draw("clip").normal(50)
    parameter = torch.zeros(50, dtype=torch.float64, requires_grad=True)
    parameter.grad = torch.tensor(g)
    torch.nn.utils.clip_grad_norm_([parameter], limit)
    optim.ClipByGlobalNorm(limit)(g)
    np.testing.assert_allclose(g, parameter.grad.numpy(), rtol=2e-5)  # PyTorch adds 1e-6 to the norm


@pytest.mark.parametrize("backend, dtype", MODES)
def test_training_a_network(backend, dtype, torch):
    """Forward, backward and update together: the same losses and the same weights after twenty steps."""
    rng = ig.default_rng(0)
    net = nn.Sequential(nn.Linear(6, 8, rng=rng), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4, rng=rng)).astype(dtype)
    twin = torch.nn.Sequential(
        torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 4)
    ).to(getattr(torch, dtype))
    with torch.no_grad():
        for other, (_, ours) in zip(twin.parameters(), net.named_parameters(), strict=True):
            other.copy_(torch.tensor(ours.data))
    optimizer = optim.SGD(net, 0.05, momentum=0.9)
    theirs = torch.optim.SGD(twin.parameters(), 0.05, momentum=0.9)
    d = cases.Draw("oracle training")
    for _ in range(STEPS):
        x, labels = d.normal(16, 6).astype(dtype), d.labels(16, 4)
        optimizer.zero_grad()
        with kernels.use_backend(backend):
            loss = nn.cross_entropy(net(ig.Tensor(x)), labels, label_smoothing=0.1)
            loss.backward()
            optimizer.step()
        theirs.zero_grad()
        expected = torch.nn.functional.cross_entropy(twin(torch.tensor(x)), torch.tensor(labels), label_smoothing=0.1)
        expected.backward()
        theirs.step()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-4 if dtype == "float32" else 1e-11)
    # Rounding grows from step to step; before batch normalization a bias has no effect and no gradient but noise.
    for (name, ours), other in zip(net.named_parameters(), twin.parameters(), strict=True):
        if name != "layers.0.bias":
            np.testing.assert_allclose(
                ours.data, other.detach().numpy(), rtol=0, atol=1e-4 if dtype == "float32" else 1e-11
            )
