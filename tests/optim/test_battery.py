"""Every optimizer of the table through one battery."""

import copy
import pickle

import numpy as np
import pytest

import cases
import inkgrad as ig
from inkgrad import kernels, nn, optim
from inkgrad.errors import CheckpointError, DivergenceError, OptionError
from inkgrad.optim.muon import orthogonalize

OPTIMIZERS = [pytest.param(case, id=case.id) for case in cases.OPTIMIZERS]
BACKENDS = ("reference", "numba_cpu")
DTYPES = ("float32", "float64")
STEPS = 20


@pytest.fixture(params=BACKENDS)
def backend(request):
    with kernels.use_backend(request.param):
        yield request.param


def weights(dtype="float32"):
    d = cases.Draw("weights")
    return cases.Weights(**{name: d.normal(*shape).astype(dtype) for name, shape in SHAPES.items()})


SHAPES = {"a": (3, 2), "b": (5,), "c": (), "d": (1, 1, 2)}


def slope(w, t):
    """A gradient that changes with the weight and the step, as plain arithmetic for numbers and arrays alike."""
    return 0.3 * w * w * w + (w - 1) * (1 + 0.1 * (t % 3))


def fill(module, t):
    for _, p in module.named_parameters():
        p.grad = np.asarray(slope(p.data, t), p.dtype)


def run(case, module, optimizer, steps, start=0):
    for t in range(start, start + steps):
        fill(module, t)
        optimizer.step()


def flat(module):
    return np.concatenate([p.data.ravel() for _, p in module.named_parameters()])


def expected_of(case, module, steps, rate=None, gradient=slope):
    """What the published equations make of the module's weights, in Python's own numbers or whole float64 matrices."""
    matrices = [name for name, p in module.named_parameters() if p.ndim > 1][:-1] if case.matrix_rule else []
    parts = []
    for name, p in module.named_parameters():
        start = p.data.astype(np.float64)
        pieces = [start.reshape(len(start), -1)] if name in matrices else [float(w) for w in start.ravel()]
        rule = case.matrix_rule if name in matrices else case.rule
        for w in pieces:
            state = {}
            for t in range(steps):
                w = rule(w, gradient(w, t), case.rate if rate is None else rate(t), t + 1, state)
            parts.append(np.ravel(w))
    return np.concatenate(parts)


def test_every_public_name_is_tested():
    rows = {case.optimizer for case in cases.OPTIMIZERS}
    assert set(optim.__all__) == rows.union(*cases.NOT_OPTIMIZERS.values())
    assert rows == {
        name
        for name in optim.__all__
        if isinstance(getattr(optim, name), type)
        and issubclass(getattr(optim, name), optim.Optimizer)
        and name != "Optimizer"
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", OPTIMIZERS)
def test_published_equations(case, dtype, backend):
    """Twenty steps of the equations."""
    module = weights(dtype)
    expected = expected_of(case, module, STEPS)
    optimizer = case.make(module)
    run(case, module, optimizer, STEPS)
    np.testing.assert_allclose(flat(module), expected, rtol=1e-12 if dtype == "float64" else 2e-5)
    assert optimizer.step_count == STEPS
    assert {p.dtype for _, p in module.named_parameters()} == {np.dtype(dtype)}


@pytest.mark.parametrize("case", OPTIMIZERS)
def test_a_schedule_gives_the_rate_of_every_step(case):
    schedule = optim.Cosine(case.rate, steps=10)
    module = weights("float64")
    expected = expected_of(case, module, 12, schedule)
    optimizer = case.make(module, schedule)
    for t in range(12):
        assert optimizer.learning_rate == schedule(t)
        run(case, module, optimizer, 1, t)
    np.testing.assert_allclose(flat(module), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", OPTIMIZERS)
def test_parabola(case, dtype, backend):
    """sum (w - 1)^2 goes down to a thousandth and stays there."""
    module = cases.Weights(w=np.array([3.0, -2.0, 0.0, 1.5], dtype))
    optimizer = case.make(module, case.rate if case.options.get("weight_decay") != 0.3 else 0.01)
    losses = []
    for _ in range(1500):
        loss = ((module.w - 1.0) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    # Decoupled decay moves the minimum by about rate x decay against rate x 2 (w - 1) of Adam's normalized steps.
    limit = 0.3 if case.options.get("weight_decay") == 0.3 else 1e-3
    assert max(losses[-50:]) < limit * losses[0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", OPTIMIZERS)
def test_rosenbrock(case, dtype, backend):
    """(1 - x)^2 + 100 (y - x^2)^2 from (-1.2, 1), where it is 24.2: down the steep side and along the valley."""
    module = cases.Weights(x=np.array(-1.2, dtype), y=np.array(1.0, dtype))
    optimizer = case.make(module, case.rosenbrock)
    losses = []
    for _ in range(600):
        loss = (1.0 - module.x) ** 2 + 100.0 * (module.y - module.x**2) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(24.2, rel=1e-5)
    assert losses[-1] < 4.5
    assert np.isfinite(losses).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", OPTIMIZERS)
def test_a_saved_state_continues_bit_for_bit(case, dtype, backend):
    through, first = weights(dtype), weights(dtype)
    schedule = optim.OneCycle(case.rate, steps=STEPS)
    run(case, through, case.make(through, schedule), STEPS)
    optimizer = case.make(first, schedule)
    run(case, first, optimizer, 7)
    saved, arrays = {n: p.data.copy() for n, p in first.named_parameters()}, optimizer.state_arrays()
    run(case, first, optimizer, 3)  # what was saved does not follow
    second = cases.Weights(**saved)
    continued = case.make(second, schedule)
    continued.load_state_arrays(arrays)
    assert continued.step_count == 7
    run(case, second, continued, STEPS - 7, 7)
    assert flat(second).tobytes() == flat(through).tobytes()


@pytest.mark.parametrize("case", OPTIMIZERS)
def test_parameters_without_gradient_are_left_alone(case, backend):
    """Neither momentum nor decay moves them, and their state waits."""
    module, alone = weights(), weights()
    optimizer, reference = case.make(module), case.make(alone)
    run(case, module, optimizer, 3)
    run(case, alone, reference, 3)
    before, state = module.b.data.copy(), optimizer.state_arrays()
    fill(module, 3)
    module.b.grad = None
    optimizer.step()
    np.testing.assert_array_equal(module.b.data, before)
    fill(alone, 3)
    reference.step()
    for name in ("a", "c", "d"):
        np.testing.assert_array_equal(getattr(module, name).data, getattr(alone, name).data)
    for name, array in optimizer.state_arrays().items():
        if array.size == flat(module).size:
            np.testing.assert_array_equal(array[6:11], state[name][6:11])
            moved = array[:6] != state[name][:6]
            assert moved.all() or not array.any()  # without momentum the velocity stays 0


@pytest.mark.parametrize("case", OPTIMIZERS)
def test_no_gradient_at_all(case):
    module = weights()
    before = flat(module)
    case.make(module).step()
    np.testing.assert_array_equal(flat(module), before)


@pytest.mark.parametrize("rate", [0, 0.0, -0.1, float("nan"), float("inf")])
@pytest.mark.parametrize("case", OPTIMIZERS)
def test_the_base_rate_is_positive(case, rate):
    with pytest.raises(OptionError, match="learning rate must be positive"):
        case.make(weights(), rate)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("case", OPTIMIZERS)
def test_a_gradient_that_is_no_number_is_refused_and_named(case, bad, backend):
    module = weights()
    optimizer = case.make(module)
    run(case, module, optimizer, 2)
    before, state = flat(module).copy(), optimizer.state_arrays()
    fill(module, 2)
    module.b.grad[3] = bad
    with pytest.raises(DivergenceError, match=r"the gradient of b became NaN or infinite in step 3; .*now 0\.\d+"):
        optimizer.step()
    np.testing.assert_array_equal(flat(module), before)
    for name, array in optimizer.state_arrays().items():
        np.testing.assert_array_equal(array, state[name])


def test_large_finite_gradients_pass():
    """Their squares overflow float32; they themselves are finite."""
    module = weights()
    optimizer = optim.SGD(module, 1e-30)
    fill(module, 0)
    module.a.grad[:] = 1e25
    optimizer.step()
    assert optimizer.step_count == 1


@pytest.mark.parametrize("case", OPTIMIZERS)
def test_clipping_comes_before_the_update(case):
    module = weights("float64")
    expected = expected_of(case, module, 1, gradient=lambda w, t: np.clip(slope(w, t), -0.5, 0.5))
    run(case, module, case.make(module, clip=optim.ClipByValue(0.5)), 1)
    np.testing.assert_allclose(flat(module), expected, rtol=1e-12)


# The flat buffer


def test_parameters_become_views_and_keep_their_values():
    module = weights()
    before = {name: p.data.copy() for name, p in module.named_parameters()}
    optimizer = optim.SGD(module, 0.1)
    for name, p in module.named_parameters():
        assert np.shares_memory(p.data, optimizer.parameters.weights)
        np.testing.assert_array_equal(p.data, before[name])
        assert p.data.shape == before[name].shape


def test_backward_fills_the_buffer_and_zero_grad_forgets():
    module = weights()
    optimizer = optim.SGD(module, 0.1)
    for _ in range(2):
        (module.a * 2.0).sum().backward()
    assert np.shares_memory(module.a.grad, optimizer.parameters.gradient)
    assert (module.a.grad == 4).all()
    optimizer.zero_grad()
    assert module.a.grad is None
    (module.a * 2.0).sum().backward()
    assert (module.a.grad == 2).all()
    assert module.b.grad is None


def test_other_data_is_followed():
    module = weights()
    optimizer = optim.SGD(module, 0.5)
    module.b.data = np.arange(5, dtype=np.float32)
    module.b.grad = np.ones(5, np.float32)
    optimizer.step()
    assert module.b.data.tolist() == [-0.5, 0.5, 1.5, 2.5, 3.5]


def test_another_shape_or_dtype_is_refused():
    for data in (np.zeros(4, np.float32), np.zeros(5)):
        module = weights()
        optimizer = optim.SGD(module, 0.5)
        module.b.data = data
        with pytest.raises(OptionError, match=r"b was float32 \(5,\) when the optimizer was made"):
            optimizer.step()


def test_no_parameters_and_two_dtypes():
    with pytest.raises(OptionError, match="ReLU has no parameters, so there is nothing to optimize"):
        optim.SGD(nn.ReLU(), 0.1)
    with pytest.raises(OptionError, match="one dtype, but Weights has float32 and float64"):
        optim.SGD(cases.Weights(a=np.zeros(1), b=np.zeros(1, np.float32)), 0.1)


def test_a_state_of_something_else_is_refused():
    adam, sgd = optim.Adam(weights(), 0.1), optim.SGD(weights(), 0.1, momentum=0.9)
    smaller = optim.Adam(cases.Weights(a=np.zeros(3, np.float32)), 0.1)
    for arrays in (sgd.state_arrays(), smaller.state_arrays(), {}):
        with pytest.raises(CheckpointError, match="does not fit Adam, which needs"):
            adam.load_state_arrays(arrays)
    assert adam.step_count == 0


def test_a_state_of_another_dtype_is_refused():
    with pytest.raises(CheckpointError):
        optim.Adam(weights("float32"), 0.1).load_state_arrays(optim.Adam(weights("float64"), 0.1).state_arrays())


@pytest.mark.parametrize(
    "make",
    [
        lambda m: optim.SGD(m, 0.1, momentum=1.0),
        lambda m: optim.SGD(m, 0.1, momentum=-0.1),
        lambda m: optim.SGD(m, 0.1, nesterov=True),
        lambda m: optim.AdaGrad(m, 0.1, eps=0),
        lambda m: optim.RMSProp(m, 0.1, decay=1.0),
        lambda m: optim.RMSProp(m, 0.1, eps=-1),
        lambda m: optim.Adam(m, 0.1, beta1=1.0),
        lambda m: optim.Adam(m, 0.1, beta2=-0.1),
        lambda m: optim.Adam(m, 0.1, eps=float("nan")),
        lambda m: optim.AdamW(m, 0.1, weight_decay=-0.1),
        lambda m: optim.AdamW(m, 0.1, weight_decay=float("nan")),
        lambda m: optim.Muon(m, 0.1, momentum=1.0),
        lambda m: optim.Muon(m, 0.1, weight_decay=-0.1),
        lambda m: optim.Muon(m, 0.1, eps=0),
        lambda m: optim.Muon(m, 0.1, matrices=["b"]),
    ],
)
def test_options_are_checked(make):
    module = weights()
    data = module.a.data
    with pytest.raises(OptionError):
        make(module)
    assert module.a.data is data


def test_training_a_network():
    """A layer's weights move, in place, and the loss goes down."""
    rng = ig.default_rng(0)
    net = nn.Sequential(nn.Linear(4, 8, rng=rng), nn.ReLU(), nn.Linear(8, 3, rng=rng))
    optimizer = optim.Adam(net, 0.05)
    x, labels = cases.Draw("net").normal(30, 4).astype(np.float32), cases.Draw("net").labels(30, 3)
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = nn.cross_entropy(net(x), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_muon_divides_the_parameters():
    """Matrices but the last go by Muon, with convolutions among them; others can be named."""
    rng = ig.default_rng(0)
    net = ig.models.build("lenet5", rng=rng)
    assert optim.Muon(net).matrices == tuple(f"layers.{i}.weight" for i in (0, 3, 7, 9))
    optimizer = optim.Muon(net, matrices=["layers.7.weight"])
    assert optimizer.state["squares"].size == net.parameter_count() - 400 * 120
    with pytest.raises(OptionError, match=r"Muon takes layers.0.weight, .* as matrices, but got 'layers.0.bias'"):
        optim.Muon(net, matrices=["layers.0.bias"])


@pytest.mark.parametrize("shape", [(5, 5), (3, 20), (20, 3), (1, 4)])
def test_orthogonalize(shape):
    """All singular values near 1, the singular vectors kept; of nothing comes nothing."""
    matrix = cases.Draw("orthogonalize").normal(*shape)
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    turned = left.T @ orthogonalize(matrix) @ right.T
    assert np.abs(np.diag(turned) - 1).max() < 0.4
    np.testing.assert_allclose(turned, np.diag(np.diag(turned)), atol=1e-9)
    assert not orthogonalize(np.zeros(shape)).any()


@pytest.mark.parametrize("size", [10.0**-k for k in range(7, 46, 2)] + [1e10, 1e18])
def test_orthogonalize_of_tiny_and_huge_numbers(size):
    """Of what is all but nothing comes nothing much, and never NaN."""
    matrix = (cases.Draw("tiny").normal(30, 50) * size).astype(np.float32)
    turned = orthogonalize(matrix)
    assert np.isfinite(turned).all()
    values = np.linalg.svd(turned, compute_uv=False)
    assert values.max() < 1.4
    if size <= 1e-12:
        assert values.max() < 0.01
    if size >= 1:
        assert values.min() > 0.5


def test_muon_lets_a_layer_without_slopes_rest():
    """As where all units of a layer have died: its momentum fades, its weights stay as they are."""
    rng = ig.default_rng(0)
    net = nn.Sequential(nn.Linear(6, 8, rng=rng), nn.Linear(8, 3, rng=rng))
    optimizer = optim.Muon(net, 0.01, weight_decay=0.0)
    before = []
    for t in range(2000):
        for _, p in net.named_parameters():
            p.grad = np.ones_like(p.data) if t == 0 else np.zeros_like(p.data)
        optimizer.step()
        before.append(net.layers[0].weight.data.copy())
    assert np.isfinite(before[-1]).all()
    np.testing.assert_array_equal(before[-1], before[900])


@pytest.mark.parametrize("case", OPTIMIZERS)
@pytest.mark.parametrize("make", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both)), "read-only"])
def test_a_copy_goes_on_alike(case, make):
    """Also where its arrays are read-only, as those that joblib maps into its workers."""
    module = weights()
    optimizer = case.make(module)
    run(case, module, optimizer, 3)
    twin, own = (copy.deepcopy if make == "read-only" else make)((module, optimizer))
    if make == "read-only":
        frozen = pickle.dumps((module, optimizer), protocol=5, buffer_callback=(buffers := []).append)
        twin, own = pickle.loads(frozen, buffers=[bytes(buffer) for buffer in buffers])
    run(case, twin, own, 3, start=3)
    run(case, module, optimizer, 3, start=3)
    np.testing.assert_array_equal(flat(twin), flat(module))
    assert own.parameters.weights is not optimizer.parameters.weights
    assert not np.shares_memory(*(next(iter(o.state.values())) for o in (own, optimizer)))
