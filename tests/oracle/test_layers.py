"""Every layer that PyTorch has too, with the same weights: value, gradients, running statistics."""

import numpy as np
import pytest

import cases
import inkgrad as ig
from inkgrad import kernels, nn

pytestmark = pytest.mark.oracle

TOLERANCES = {"float32": 1e-5, "float64": 1e-12}
MODES = (("reference", "float64"), ("reference", "float32"), ("numba_cpu", "float32"))
TWINNED = [pytest.param(case, id=case.id) for case in cases.LAYERS if case.torch is not None]


def agree(got, expected, dtype):
    expected = np.asarray(expected)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype == dtype
    difference = np.linalg.norm((got.astype(np.float64) - expected).ravel())
    size = np.linalg.norm(expected.astype(np.float64).ravel())
    assert difference <= TOLERANCES[dtype] * size + np.finfo(dtype).eps, (difference, size)


def twin_of(case, layer, torch, dtype):
    """PyTorch's module with our state, member by member in order."""
    twin = case.torch(torch).to(getattr(torch, dtype))
    state = twin.state_dict()
    names = [name for name in state if not name.endswith("num_batches_tracked")]
    members = [member.data for _, member in layer.named_state()]
    assert [tuple(state[name].shape) for name in names] == [array.shape for array in members]
    for name, array in zip(names, members, strict=True):
        state[name] = torch.tensor(array)
    twin.load_state_dict(state)
    return twin


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("backend, dtype", MODES)
@pytest.mark.parametrize("case", TWINNED)
def test_value_and_gradients(case, backend, dtype, training, torch):
    layer = case.build(dtype)
    layer.train() if training else layer.eval()
    twin = twin_of(case, layer, torch, dtype).train(training)
    for step in range(3):  # running statistics follow several batches
        x = (case.x(dtype) * (1 + step)).astype(dtype)
        theirs = torch.tensor(x, requires_grad=True)
        expected = twin(theirs)
        g = cases.Draw(f"{case.id} cotangent").away(*expected.shape).astype(dtype)
        twin.zero_grad()
        expected.backward(torch.tensor(g))
        ours = ig.Tensor(x, requires_grad=True)
        for _, parameter in layer.named_parameters():
            parameter.grad = None
        with kernels.use_backend(backend):
            value = layer(ours)
            value.backward(g)
        agree(value.data, expected.detach().numpy(), dtype)
        agree(ours.grad, theirs.grad.numpy(), dtype)
        for (_, parameter), other in zip(layer.named_parameters(), twin.parameters(), strict=True):
            agree(parameter.grad, other.grad.numpy(), dtype)
        buffers = [b for name, b in twin.named_buffers() if not name.endswith("num_batches_tracked")]
        own = [member.data for name, member in layer.named_state() if name in case.buffers]
        for array, other in zip(own, buffers, strict=True):
            agree(array, other.numpy(), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_with_the_mask_given(dtype, torch):
    x = cases.Draw("dropout").normal(6, 5).astype(dtype)
    mask = nn.Dropout(0.3, rng=ig.default_rng(4)).mask(x.shape)
    theirs = torch.tensor(x, requires_grad=True)
    expected = theirs * torch.tensor(mask.astype(dtype))
    expected.sum().backward()
    ours = ig.Tensor(x, requires_grad=True)
    value = nn.Dropout(0.3, rng=ig.default_rng(4))(ours)
    value.sum().backward()
    agree(value.data, expected.detach().numpy(), dtype)
    agree(ours.grad, theirs.grad.numpy(), dtype)


def test_every_layer_is_compared():
    assert {case.layer for case in cases.LAYERS if case.torch is not None} == {case.layer for case in cases.LAYERS}


@pytest.mark.parametrize("name", ["lecun_normal", "xavier_normal", "xavier_uniform", "he_normal", "he_uniform"])
def test_initial_widths(name, torch):
    """The same standard deviation as PyTorch's for a linear and a convolution weight."""
    twins = {
        "lecun_normal": lambda w: torch.nn.init.kaiming_normal_(w, nonlinearity="linear"),
        "xavier_normal": torch.nn.init.xavier_normal_,
        "xavier_uniform": torch.nn.init.xavier_uniform_,
        "he_normal": torch.nn.init.kaiming_normal_,
        "he_uniform": lambda w: torch.nn.init.kaiming_uniform_(w, nonlinearity="relu"),
    }
    torch.manual_seed(0)
    for shape in ((300, 200), (64, 32, 5, 5)):
        expected = twins[name](torch.empty(shape)).std().item()
        got = getattr(nn.init, name)(shape, ig.default_rng(0)).std()
        assert got == pytest.approx(expected, rel=0.02)
