"""The one walk over a module's attributes."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn
from inkgrad.errors import ShapeError


def parameter(*shape):
    return nn.Parameter(np.zeros(shape, np.float32))


class Inner(nn.Module):
    def __init__(self):
        self.weight = parameter(2)
        self.count = nn.Buffer(np.array(0))
        self.bias = parameter(1)

    def forward(self, x):
        return x * self.weight


class Outer(nn.Module):
    def __init__(self):
        self.zeta = parameter(3)
        self.name = "outer"
        self.layers = [Inner(), "not a member", Inner()]
        self.table = {"b": Inner(), "a": parameter(4), 3: (parameter(5), [parameter(6)])}
        self.rng = ig.default_rng(0)
        self.plain = ig.Tensor([1.0], requires_grad=True)
        self.alpha = parameter(7)
        self.nothing = None


def test_parameters_in_definition_order():
    names = [name for name, _ in Outer().named_parameters()]
    assert names == [
        "zeta",
        "layers.0.weight",
        "layers.0.bias",
        "layers.2.weight",
        "layers.2.bias",
        "table.b.weight",
        "table.b.bias",
        "table.a",
        "table.3.0",
        "table.3.1.0",
        "alpha",
    ]


def test_state_modules_and_generators():
    net = Outer()
    state = dict(net.named_state())
    assert list(state)[:4] == ["zeta", "layers.0.weight", "layers.0.count", "layers.0.bias"]
    assert isinstance(state["layers.0.count"], nn.Buffer)
    assert [name for name, _ in net.named_modules()] == ["", "layers.0", "layers.2", "table.b"]
    assert [name for name, _ in net.named_generators()] == ["rng"]
    assert net.parameter_count() == 3 + 3 * 3 + 4 + 5 + 6 + 7


def test_a_shared_member_is_found_once_under_its_first_path():
    net = nn.Module()
    net.first = net.again = Inner()
    net.tied = net.first.weight
    assert [name for name, _ in net.named_parameters()] == ["first.weight", "first.bias"]
    assert [name for name, _ in net.named_modules()] == ["", "first"]


def test_a_module_that_holds_itself_ends():
    net = Inner()
    net.myself = net
    assert len([name for name, _ in net.named_parameters()]) == 2


def test_attributes_set_later_are_found():
    net = Inner()
    net.extra = parameter(2)
    del net.weight
    assert [name for name, _ in net.named_parameters()] == ["bias", "extra"]


def test_a_parameter_is_a_tensor_that_requires_a_gradient():
    p = nn.Parameter([[1, 2]])
    assert isinstance(p, ig.Tensor)
    assert p.requires_grad
    assert p.dtype == np.float32
    assert not isinstance(p * 2, nn.Parameter)


def test_buffers_keep_float_and_int64():
    assert nn.Buffer(np.zeros(2)).data.dtype == np.float64
    assert nn.Buffer(np.zeros(2, np.float32)).data.dtype == np.float32
    assert nn.Buffer(np.arange(2)).data.dtype == np.int64
    assert nn.Buffer([1.0]).data.dtype == np.float32


def test_forward_has_to_be_written():
    class Lazy(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Lazy has no forward\(self, ...\)"):
        Lazy()(1.0)


def test_train_and_eval_recurse():
    net = Outer()
    assert all(module.training for _, module in net.named_modules())
    assert net.eval() is net
    assert [module.training for _, module in net.named_modules()] == [False] * 4
    net.layers[0].train()
    assert [module.training for _, module in net.named_modules()] == [False, True, False, False]
    assert net.train().training


def test_astype():
    net = Outer()
    net.zeta.grad = np.zeros(3, np.float32)
    assert net.astype(np.float64) is net
    assert {p.data.dtype for _, p in net.named_parameters()} == {np.dtype(np.float64)}
    assert net.layers[0].count.data.dtype == np.int64
    assert net.zeta.grad is None
    assert net.astype("float32").zeta.dtype == np.float32


@pytest.mark.parametrize("dtype", ["float16", "int64"])
def test_astype_knows_two_dtypes(dtype):
    with pytest.raises(ShapeError):
        Inner().astype(dtype)


def test_operations_are_named_after_their_module():
    net = nn.Sequential(nn.Linear(2, 3, rng=ig.default_rng(0)), nn.GELU(), nn.Sequential(nn.GELU()))
    y = net(ig.Tensor(np.ones((1, 2), np.float32)))
    assert (y.node.op, y.node.scope) == ("gelu", "layers.2.layers.0")
    before = y.node.edges[0][0]
    assert (before.op, before.scope) == ("gelu", "layers.1")
    with ig.name_scope("net"):
        assert net(np.ones((1, 2), np.float32)).node.scope == "net.layers.2.layers.0"


def test_errors_name_the_module():
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3, rng=ig.default_rng(0)), nn.Linear(5, 3, rng=ig.default_rng(0)))
    with pytest.raises(ShapeError, match=r"layers\.2"):
        net(np.ones((2, 4), np.float32))
    net.astype(np.float64)
    with pytest.raises(ShapeError, match=r"affine in layers\.1 got tensors of float32 and float64"):
        net(ig.Tensor(np.ones((2, 4), np.float32)))


def test_a_float64_array_takes_the_dtype_of_the_network():
    """As it does where the first layer has parameters."""
    linear = nn.Linear(4, 3, rng=ig.default_rng(0))
    assert linear(np.ones((2, 4))).dtype == np.float32
    assert nn.Sequential(nn.Flatten(), linear)(np.ones((2, 4))).dtype == np.float32


def test_a_module_added_after_the_first_call():
    net = nn.Sequential(nn.GELU())
    net(ig.Tensor([1.0], requires_grad=True))
    net.layers.append(nn.Tanh())
    y = net(ig.Tensor([1.0], requires_grad=True))
    assert y.node.op == "tanh"


def test_a_module_added_after_the_first_call_has_a_name_too():
    net = nn.Sequential(nn.GELU())
    net(ig.Tensor([1.0], requires_grad=True))
    net.layers.append(nn.Tanh())
    assert net(ig.Tensor([1.0], requires_grad=True)).node.scope == "layers.1"
