"""Every layer of the table through one battery."""

import numpy as np
import pytest

import cases
import inkgrad as ig
from inkgrad import kernels, nn, ops
from inkgrad.autodiff.check import check_gradients, check_parameters
from inkgrad.nn.state import load_state, read_arrays, state_of, write_arrays

LAYERS = [pytest.param(case, id=case.id) for case in cases.LAYERS]
MODES = ("train", "eval")


def repeatable(layer):
    """The layer's function, drawing the same noise at every call."""
    start = {name: g.bit_generator.state for name, g in layer.named_generators()}

    def call(x):
        for name, generator in layer.named_generators():
            generator.bit_generator.state = start[name]
        return layer(x)

    return call


def test_every_public_layer_has_a_row():
    assert set(nn.__all__) - cases.NOT_LAYERS - cases.LOSSES == {case.layer for case in cases.LAYERS}


def test_losses_are_the_operations():
    for name in cases.LOSSES:
        assert getattr(nn, name) is getattr(ops, name)


def test_row_names_are_unique():
    names = [case.id for case in cases.LAYERS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", LAYERS)
def test_gradient_of_the_input(case, mode):
    layer = case.build(np.float64)
    getattr(layer, mode)()
    check_gradients(repeatable(layer), case.x(np.float64))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases.LAYERS if case.state])
def test_gradient_of_every_parameter(case, mode):
    layer = case.build(np.float64)
    call = repeatable(getattr(layer, mode)())
    weights = np.random.default_rng(0).normal(size=call(case.x(np.float64)).shape)
    report = check_parameters(layer.named_parameters(), lambda: (call(case.x(np.float64)) * weights).sum())
    report.raise_if_failed()
    assert [row.name for row in report] == [name for name in case.state if name not in case.buffers]


@pytest.mark.parametrize("backend", ["reference", "numba_cpu"])
@pytest.mark.parametrize("case", LAYERS)
def test_dtype_in_is_dtype_out(case, backend):
    for dtype in (np.float32, np.float64):
        for mode in MODES:
            layer = getattr(case.build(dtype), mode)()
            x = ig.Tensor(case.x(dtype), requires_grad=True)
            with kernels.use_backend(backend):
                y = layer(x)
                y.sum().backward()
            assert y.dtype == x.grad.dtype == dtype
            assert x.grad.shape == x.shape
            for _, parameter in layer.named_parameters():
                assert parameter.grad.dtype == dtype
                assert parameter.grad.shape == parameter.shape
            for _, member in layer.named_state():
                assert member.data.dtype == dtype


@pytest.mark.parametrize("case", LAYERS)
def test_float32_in_either_backend_follows_float64(case):
    for mode in MODES:
        values = []
        for dtype, backend in ((np.float64, "reference"), (np.float32, "reference"), (np.float32, "numba_cpu")):
            layer = getattr(case.build(dtype), mode)()
            x = ig.Tensor(case.x().astype(dtype), requires_grad=True)
            with kernels.use_backend(backend):
                y = repeatable(layer)(x)
                y.backward(cases.Draw(case.id).away(*y.shape))
            values.append([y.data, x.grad, *(p.grad for _, p in layer.named_parameters())])
        for single in values[1:]:
            for one, exact in zip(single, values[0], strict=True):
                assert np.linalg.norm((one - exact).ravel()) <= 1e-5 * np.linalg.norm(exact.ravel()) + 1e-5


@pytest.mark.parametrize("case", LAYERS)
def test_names_shapes_and_order(case):
    layer = case.make(ig.default_rng(0))
    state = {name: member.data.shape for name, member in layer.named_state()}
    assert list(state.items()) == list(case.state.items())
    parameters = [name for name, _ in layer.named_parameters()]
    assert parameters == [name for name in case.state if name not in case.buffers]
    assert layer.parameter_count() == sum(int(np.prod(case.state[name])) for name in parameters) - case.frozen
    assert all(member.data.dtype == np.float32 for _, member in layer.named_state())


@pytest.mark.parametrize("case", LAYERS)
def test_modes(case):
    layer = case.make(ig.default_rng(0))
    assert all(module.training for _, module in layer.named_modules())
    assert layer.eval() is layer
    assert not any(module.training for _, module in layer.named_modules())
    state = state_of(layer)
    np.testing.assert_array_equal(layer(case.x()).data, layer(case.x()).data)
    for name, array in state_of(layer).items():
        np.testing.assert_array_equal(array, state[name])
    assert layer.train() is layer
    assert all(module.training for _, module in layer.named_modules())


@pytest.mark.parametrize("case", LAYERS)
def test_the_same_without_recording_and_for_plain_arrays(case):
    for mode in MODES:
        call = repeatable(getattr(case.build(), mode)())
        expected = call(ig.Tensor(case.x()))
        with ig.no_grad():
            got = call(case.x())
        assert isinstance(got, ig.Tensor)
        np.testing.assert_array_equal(np.asarray(got), expected.data)
        lists = call(case.x().tolist()) if case.x().size else expected
        np.testing.assert_array_equal(np.asarray(lists, np.float32), expected.data)


@pytest.mark.parametrize("case", LAYERS)
def test_the_input_is_not_changed(case):
    for mode in MODES:
        x = case.x()
        layer = getattr(case.build(), mode)()
        parameters = {name: p.data.copy() for name, p in layer.named_parameters()}
        y = layer(ig.Tensor(x, requires_grad=True))
        y.backward(np.ones(y.shape))
        assert x.tobytes() == case.x().tobytes()
        for name, parameter in layer.named_parameters():
            np.testing.assert_array_equal(parameter.data, parameters[name])


@pytest.mark.parametrize("case", LAYERS)
def test_state_through_a_file(case, tmp_path):
    one, other = case.build().eval(), case.make(ig.default_rng(1)).eval()
    write_arrays(tmp_path / "layer.safetensors", "model", {"note": case.id}, state_of(one))
    header, arrays = read_arrays(tmp_path / "layer.safetensors", "model")
    assert header["note"] == case.id
    load_state(other, arrays)
    np.testing.assert_array_equal(other(case.x()).data, one(case.x()).data)
    assert all(a.data is not b.data for (_, a), (_, b) in zip(one.named_state(), other.named_state(), strict=True))


# What is particular


def test_linear_refuses_what_does_not_fit():
    layer = nn.Linear(4, 3, rng=ig.default_rng(0))
    with pytest.raises(ig.errors.ShapeError, match=r"Linear expects \(n, 4\), but got \(2, 5\)$"):
        layer(np.ones((2, 5)))
    with pytest.raises(ig.errors.ShapeError, match=r"got \(2, 2, 2\); put a Flatten before it"):
        layer(np.ones((2, 2, 2)))
    net = nn.Sequential(nn.Flatten(), layer)
    with pytest.raises(ig.errors.ShapeError, match=r"Linear layers\.1 expects \(n, 4\)"):
        net(np.ones((2, 5)))
    for sizes in ((0, 3), (3, 0)):
        with pytest.raises(ig.errors.OptionError, match="at least one input and one output"):
            nn.Linear(*sizes, rng=ig.default_rng(0))


def test_linear_starts_with_its_initializer():
    layer = nn.Linear(4, 3, rng=ig.default_rng(5), init=nn.init.xavier_uniform)
    np.testing.assert_array_equal(layer.weight.data, nn.init.xavier_uniform((3, 4), ig.default_rng(5)))
    assert layer.bias.data.tolist() == [0, 0, 0]
    default = nn.Linear(4, 3, rng=ig.default_rng(5))
    np.testing.assert_array_equal(default.weight.data, nn.init.he_normal((3, 4), ig.default_rng(5)))


@pytest.mark.parametrize("name", ["ReLU", "Sigmoid", "Tanh"])
def test_the_fused_activation_equals_the_layers_one_by_one(name):
    net = nn.Sequential(nn.Linear(6, 5, rng=ig.default_rng(0)), getattr(nn, name)()).astype(np.float64)
    x = cases.Draw("fused").normal(7, 6)
    step_by_step = net[1](net[0](x))
    np.testing.assert_allclose(net(x).data, step_by_step.data, rtol=1e-15)
    assert net(ig.Tensor(x, requires_grad=True)).node.op == "affine"


def test_sequential_is_a_sequence():
    layers = [nn.Flatten(), nn.ReLU()]
    net = nn.Sequential(*layers)
    assert len(net) == 2
    assert [net[0], net[-1]] == layers


def test_flatten_keeps_the_order_of_channels_rows_columns():
    x = np.arange(48.0).reshape(2, 2, 3, 4)
    np.testing.assert_array_equal(nn.Flatten()(x).data, x.reshape(2, 24))


def test_dropout_drops_and_scales():
    layer = nn.Dropout(0.25, rng=ig.default_rng(0))
    x = np.ones((200, 100), np.float32)
    y = layer(x).data
    kept = y != 0
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)}
    assert abs(kept.mean() - 0.75) < 0.01  # 4.6 standard deviations of 20,000 draws are 0.014
    assert abs(y.mean() - 1) < 0.015
    assert (layer(x).data != y).any()
    np.testing.assert_array_equal(layer.eval()(x).data, x)
    np.testing.assert_array_equal(nn.Dropout(0.25, rng=ig.default_rng(0))(x).data, y)


def test_dropouts_gradient_passes_where_the_value_did():
    layer = nn.Dropout(0.5, rng=ig.default_rng(0))
    x = ig.Tensor(np.ones((4, 5)), requires_grad=True)
    y = layer(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5, float("nan")])
def test_dropout_refuses(p):
    with pytest.raises(ig.errors.OptionError, match=r"probability in \[0, 1\)"):
        nn.Dropout(p, rng=ig.default_rng(0))


def test_batch_norm_follows_the_batches():
    layer = nn.BatchNorm1d(2, momentum=0.25).astype(np.float64)
    mean, var = np.zeros(2), np.ones(2)
    for seed in range(3):
        x = cases.Draw(f"batch {seed}").normal(5, 2) * 3 + 1
        layer(x)
        mean = 0.75 * mean + 0.25 * x.mean(axis=0)
        var = 0.75 * var + 0.25 * x.var(axis=0, ddof=1)  # the unbiased one, as in PyTorch
    np.testing.assert_allclose(layer.running_mean.data, mean)
    np.testing.assert_allclose(layer.running_var.data, var)
    y = layer.eval()(x)
    np.testing.assert_allclose(y.data, (x - mean) / np.sqrt(var + 1e-5))
    np.testing.assert_allclose(layer.running_mean.data, mean)


def test_batch_norm_normalizes_by_the_populations_variance():
    x = cases.Draw("population").normal(5, 2) * 3 + 1
    y = nn.BatchNorm1d(2, eps=1e-12).astype(np.float64)(x).data
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=0), 1)


def test_batch_norm_refuses():
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ig.errors.ShapeError, match=r"at least 2 samples .* but got 1; use larger batches or eval"):
        layer(np.ones((1, 3)))
    for shape in ((4, 2), (3,), (2, 3, 4)):
        with pytest.raises(ig.errors.ShapeError, match=r"expects \(n, 3\)"):
            layer(np.ones(shape))
    assert layer.eval()(np.ones((1, 3), np.float32)).shape == (1, 3)
    for options in ({"features": 0}, {"features": 3, "eps": 0}, {"features": 3, "momentum": 1.1}):
        with pytest.raises(ig.errors.OptionError, match="BatchNorm1d needs"):
            nn.BatchNorm1d(**options)


def test_layer_norm_refuses():
    for shape in ((), 0, (3, 0)):
        with pytest.raises(ig.errors.OptionError, match="LayerNorm needs"):
            nn.LayerNorm(shape)
    with pytest.raises(ig.errors.ShapeError, match="layer_norm needs x"):
        nn.LayerNorm(3)(np.ones((2, 4)))


def test_residual_needs_one_shape():
    with pytest.raises(ig.errors.ShapeError):
        nn.Residual(nn.Linear(4, 3, rng=ig.default_rng(0)))(np.ones((2, 4)))


def test_residual_does_not_broadcast():
    with pytest.raises(ig.errors.ShapeError):
        nn.Residual(nn.Linear(4, 1, rng=ig.default_rng(0)))(np.ones((2, 4)))


def test_a_sequence_of_no_layers_changes_nothing():
    x = ig.Tensor([1.0, 2.0])
    assert nn.Sequential()(x) is x
