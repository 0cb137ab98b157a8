"""The gradient checker passes right gradients and catches planted wrong ones, by name and element."""

import numpy as np
import pytest

from inkgrad.autodiff import Tensor, differentiable, no_grad, ops
from inkgrad.autodiff.check import check_gradients, check_parameters
from inkgrad.autodiff.finite_difference import Comparison, Settings
from inkgrad.errors import DivergenceError, GradientCheckError, GraphError, InputError, OptionError, ShapeError
from inkgrad.random import default_rng


def normal(*shape, seed=1):
    return default_rng(seed).standard_normal(shape)


# Wrong operations, one mistake each


@differentiable
def wrong_sign(x):
    return np.tanh(x), (lambda g: -g * (1 - np.tanh(x) ** 2),)


@differentiable
def missing_transpose(a, b):
    return a @ b, (lambda g: g @ b, lambda g: a.T @ g)


@differentiable
def forgotten_mask(x):
    return np.maximum(x, 0), (lambda g: g.copy(),)


@differentiable
def missing_one_over_n(x):
    return x.mean(), (lambda g: np.broadcast_to(g, x.shape),)


@differentiable
def missing_broadcast_sum(x, bias):
    return x + bias, (lambda g: g, lambda g: g[0])


@differentiable
def swapped_inputs(a, b):
    return a * b, (lambda g: g * a, lambda g: g * b)


@differentiable
def forgotten_square(x):
    return x**2, (lambda g: g * x,)


def wrong_at(index, by):
    @differentiable
    def square(x):
        def pull_back(g):
            out = 2 * g * x
            out[index] *= by
            return out

        return x**2, (pull_back,)

    return square


@pytest.mark.parametrize("elementwise", [False, True])
@pytest.mark.parametrize(
    ("f", "arrays", "culprit"),
    [
        (wrong_sign, [normal(3, 4)], "x"),
        (missing_transpose, [normal(3, 3), normal(3, 3, seed=2)], "a"),
        (forgotten_mask, [normal(3, 4)], "x"),
        (missing_one_over_n, [normal(3, 4)], "x"),
        (missing_broadcast_sum, [normal(3, 4), normal(4)], "bias"),
        (swapped_inputs, [normal(5), normal(5, seed=2)], "[ab]"),
        (forgotten_square, [normal(2, 2)], "x"),
    ],
)
def test_a_wrong_pull_back_is_caught_and_named(f, arrays, culprit, elementwise):
    with pytest.raises(GradientCheckError, match=rf"^the gradient of {culprit} \(\d"):
        check_gradients(f, *arrays, elementwise=elementwise)


@pytest.mark.parametrize(
    ("index", "by"), [((0, 0), 0.0), ((123, 45), -1.0), ((299, 199), 2.0), ((123, 45), 1.01), ((0, 0), 1.01)]
)
def test_one_wrong_element_among_60000_is_seen_and_named(index, by):
    with pytest.raises(GradientCheckError) as caught:
        check_gradients(wrong_at(index, by), default_rng(1).uniform(0.5, 2, (300, 200)))
    assert "the gradient of x (300, 200) is " in str(caught.value)
    assert f" at {index}, but numerically " in str(caught.value)


def test_the_message_says_input_element_both_values_and_tolerance():
    @differentiable
    def cube(x):
        return x**3, (lambda g: g * np.where(x == 2, 2 * x**2, 3 * x**2),)

    with pytest.raises(GradientCheckError) as caught:
        check_gradients(lambda speed: cube(speed).sum(), [[1.0, 2.0], [3.0, 4.0]])
    text = str(caught.value)
    assert text.startswith("the gradient of speed (2, 2) is ")
    assert "at (0, 1), but numerically" in text
    assert "relative error 3.3e-01" in text
    assert "the tolerance is 1e-06" in text


def test_the_worst_element_is_the_worst_of_all_when_few():
    x = np.full(50, 1.0)

    @differentiable
    def bad(x):
        factor = np.full(50, 2.0)
        factor[7], factor[31] = 2.01, 5.0
        return x**2, (lambda g: g * factor * x,)

    with pytest.raises(GradientCheckError, match=r"at \(31,\)"):
        check_gradients(bad, x)


def test_a_number_has_no_element_to_name():
    with pytest.raises(GradientCheckError, match=r"^the gradient of x \(\) is [^a]*, but numerically"):
        check_gradients(forgotten_square, 3.0)


def test_several_failures_are_counted():
    with pytest.raises(GradientCheckError, match="1 more of 2 failed too"):
        check_gradients(swapped_inputs, normal(5), normal(5, seed=2))


# Right gradients


@pytest.mark.parametrize("elementwise", [False, True])
@pytest.mark.parametrize(
    ("f", "arrays"),
    [
        (ops.tanh, [normal(3, 4)]),
        (ops.matmul, [normal(3, 4), normal(4, 2)]),
        (ops.add, [normal(3, 4), normal(4)]),
        (lambda x, w, b: ops.affine(x, w, b, activation="sigmoid"), [normal(5, 4), normal(3, 4), normal(3)]),
        (lambda x: ops.cross_entropy(x, np.array([0, 2, 1])), [normal(3, 4)]),
        (lambda x: x.sum(), [normal(6)]),
        (lambda x: x**3, [0.0]),
        (lambda x: x, [normal(3)]),
        (lambda x: ops.exp(x) * 1e-9, [normal(3)]),
        (lambda x: x * x * 1e9, [normal(3)]),
        (lambda x: x * x, [normal(4) * 1e6]),
        (lambda x: ops.log(x), [np.array([1e-3, 5.0])]),
    ],
)
def test_right_gradients_pass(f, arrays, elementwise):
    assert check_gradients(f, *arrays, elementwise=elementwise).passed


def test_float32_lists_integers_and_tensors_are_accepted_and_untouched():
    single = normal(2, 3).astype(np.float32)
    tensor = Tensor(normal(3, 2).astype(np.float32), requires_grad=True, name="weight")
    tensor.grad = np.ones((3, 2), np.float32)
    copy = single.copy()
    report = check_gradients(lambda x, w, s: x @ w * s, single, tensor, 3)
    assert [row.name for row in report] == ["x", "weight", "s"]
    np.testing.assert_array_equal(single, copy)
    assert single.dtype == np.float32
    np.testing.assert_array_equal(tensor.grad, np.ones((3, 2)))
    assert tensor.dtype == np.float32


def test_gradients_of_captured_tensors_stay_as_they_were():
    w = Tensor(normal(3), requires_grad=True)
    v = Tensor(normal(3), requires_grad=True)
    storage = np.full(3, 7.0)
    v.grad_storage = v.grad = storage
    check_gradients(lambda x: x * w * v, normal(3))
    assert w.grad is None
    assert v.grad is storage and v.grad_storage is storage
    np.testing.assert_array_equal(storage, np.full(3, 7.0))


def test_an_input_that_is_not_used_has_gradient_zero():
    report = check_gradients(lambda x, unused: x * 2, normal(3), normal(2))
    assert report.rows[1].analytic == report.rows[1].numeric == 0
    report = check_gradients(lambda unused: Tensor(np.ones(3)), normal(2))
    assert report.passed


def test_a_detached_input_is_caught():
    with pytest.raises(GradientCheckError, match="the gradient of x"):
        check_gradients(lambda x, y: x.detach() * y, normal(3), normal(3, seed=2))


def test_empty_inputs_pass():
    assert check_gradients(lambda x: x.sum(), np.empty((0, 3))).passed


def test_a_large_input_costs_three_evaluations_and_one_backward():
    calls = []

    def f(x):
        calls.append(None)
        return ops.tanh(x)

    check_gradients(f, normal(100, 100))
    assert len(calls) == 4  # the recorded one, once more for determinism, two for the quotient


def test_a_kink_within_the_step_does_not_fail_a_right_gradient():
    x = normal(50)
    x[3], x[20] = 3e-7, -4e-7
    for seed in range(5):
        assert check_gradients(ops.relu, x, rng=default_rng(seed)).passed
    # ... and is no excuse for a wrong one.
    with pytest.raises(GradientCheckError):
        check_gradients(forgotten_mask, x)


def test_many_kinks_of_a_wide_layer():
    weight = normal(400, 784) * 0.05

    def loss(x, w):
        return ops.cross_entropy(ops.affine(x, w, activation="relu"), np.zeros(16, np.int64))

    assert check_gradients(loss, normal(16, 784, seed=3), weight).passed


def test_directions_come_from_the_generator():
    rows = [check_gradients(ops.tanh, normal(5), rng=default_rng(seed)).rows[0].analytic for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]
    assert rows[0] == check_gradients(ops.tanh, normal(5)).rows[0].analytic


@pytest.mark.parametrize(("spoiled", "passed"), [(0, True), (4, True), (20, True), (24, False)])
def test_a_kink_along_one_direction_is_not_a_wrong_gradient(spoiled, passed):
    """The first quotients are off, as where a kink lies within the step; each direction takes four evaluations."""
    x = normal(10)
    calls = []

    def square(value):
        calls.append(value)
        return np.asarray((value**2).sum() + (1e-3 * len(calls) if len(calls) <= spoiled else 0.0))

    row = Comparison("x", x, 2 * x, square, np.ones(()), Settings(1e-6, 1e-6, elementwise=False)).row(default_rng(0))
    assert row.passed is passed
    assert len(calls) >= spoiled
    assert (row.worst is None) is passed


# What cannot be checked


def test_noise_is_told():
    rng = default_rng(5)
    with pytest.raises(InputError, match="different results for the same input"):
        check_gradients(lambda x: ops.dropout(x, mask=rng.random(x.shape) < 0.5), normal(50))


def test_values_that_are_not_finite_are_told():
    with pytest.raises(DivergenceError, match="x holds NaN or infinity"):
        check_gradients(ops.tanh, [1.0, np.nan])
    with np.errstate(all="ignore"):
        with pytest.raises(DivergenceError, match="at the given point"):
            check_gradients(ops.log, [-1.0])
        with pytest.raises(DivergenceError, match="edge of its domain"):
            check_gradients(ops.sqrt, [1e-9])


def test_a_gradient_that_is_not_finite_is_named():
    @differentiable
    def bad(x):
        return x * 1.0, (lambda g: np.where(np.arange(4) == 2, np.nan, g),)

    with pytest.raises(GradientCheckError, match=r"is nan at \(2,\), but numerically"):
        check_gradients(bad, normal(4))


def test_wrong_use_is_told():
    with pytest.raises(OptionError, match="at least one array"):
        check_gradients(lambda: Tensor(1.0))
    with pytest.raises(OptionError, match="step above 0"):
        check_gradients(ops.tanh, 1.0, step=0)
    with pytest.raises(OptionError, match="tolerance above 0"):
        check_gradients(ops.tanh, 1.0, tolerance=-1)
    with pytest.raises(InputError, match="must return a Tensor, but it returned ndarray"):
        check_gradients(lambda x: x.data, 1.0)
    with pytest.raises(ShapeError, match="gave float32"):
        check_gradients(lambda x: Tensor(x.data, dtype="float32"), 1.0)
    with no_grad(), pytest.raises(GraphError, match="no_grad"):
        check_gradients(ops.tanh, 1.0)


# Parameters


def two_layers(op=ops.relu):
    parameters = {
        "hidden.weight": Tensor(normal(8, 5), requires_grad=True),
        "hidden.bias": Tensor(normal(8, seed=2), requires_grad=True),
        "last.weight": Tensor(normal(3, 8, seed=3), requires_grad=True),
    }
    x, labels = normal(6, 5, seed=4), np.array([0, 1, 2, 0, 1, 2])

    def loss():
        hidden = op(ops.affine(x, parameters["hidden.weight"], parameters["hidden.bias"]))
        return ops.cross_entropy(ops.affine(hidden, parameters["last.weight"]), labels)

    return parameters, loss


def test_parameters_of_a_network_pass_and_are_restored():
    parameters, loss = two_layers()
    arrays = {name: (p.data, p.data.copy()) for name, p in parameters.items()}
    report = check_parameters(parameters.items(), loss)
    assert report.passed
    assert [row.name for row in report] == list(parameters)
    assert report.rows[0].shape == (8, 5) and report.rows[0].norm > 0
    for name, parameter in parameters.items():
        assert parameter.data is arrays[name][0]
        np.testing.assert_array_equal(parameter.data, arrays[name][1])
        assert parameter.grad is None


@pytest.mark.parametrize("elementwise", [False, True])
def test_wrong_parameters_are_reported_not_raised(elementwise):
    parameters, loss = two_layers(op=forgotten_mask)
    report = check_parameters(parameters.items(), loss, elementwise=elementwise)
    assert not report.passed
    assert [row.name for row in report.failed] == ["hidden.weight", "hidden.bias"]
    assert report.failed[0].worst is not None and len(report.failed[0].worst.index) == 2
    assert "WRONG at (" in str(report)
    assert str(report).splitlines()[3].endswith("ok")
    with pytest.raises(GradientCheckError, match="the gradient of hidden"):
        report.raise_if_failed()


def test_data_is_restored_when_the_loss_fails_on_the_way():
    parameter = Tensor(np.array([1.0]), requires_grad=True)
    data = parameter.data

    def loss():
        if parameter.data[0] > 1:
            raise RuntimeError("on the way")
        return (parameter * parameter).sum()

    with pytest.raises(RuntimeError, match="on the way"):
        check_parameters([("p", parameter)], loss)
    assert parameter.data is data and parameter.grad is None


def test_an_unused_parameter_has_gradient_zero():
    used, unused = (Tensor(normal(2), requires_grad=True) for _ in range(2))
    report = check_parameters([("used", used), ("unused", unused)], lambda: used.sum())
    assert report.passed and report.rows[1].norm == 0


def test_wrong_parameters_and_losses_are_told():
    p = Tensor(normal(2), requires_grad=True)
    with pytest.raises(ShapeError, match="float64, but w is float32"):
        check_parameters([("w", Tensor([1.0], requires_grad=True))], lambda: p.sum())
    with pytest.raises(ShapeError, match="one number"):
        check_parameters([("p", p)], lambda: p * 2)
    rng = default_rng(0)
    with pytest.raises(InputError, match="deterministic"):
        check_parameters([("p", p)], lambda: (p * rng.random(2)).sum())
