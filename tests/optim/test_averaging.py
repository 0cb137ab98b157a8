"""The moving average of the weights."""

import numpy as np
import pytest

import cases
import inkgrad as ig
from inkgrad import optim
from inkgrad.errors import CheckpointError, OptionError
from inkgrad.optim import MovingAverage


def module(dtype=np.float64):
    d = cases.Draw("averaging")
    return cases.Weights(a=d.normal(3, 2).astype(dtype), b=d.normal(4).astype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_published_recurrence(dtype):
    net = module(dtype)
    average = MovingAverage(net, decay=0.5)
    expected = net.a.data.astype(np.float64)
    for t in range(20):
        net.a.data += dtype(t)
        d = min(0.5, (1 + t) / (10 + t))
        expected = d * expected + (1 - d) * net.a.data
        average.update()
    with average.applied():
        np.testing.assert_allclose(net.a.data, expected, rtol=1e-12 if dtype is np.float64 else 1e-5)
        assert net.a.dtype == dtype


def test_applied_puts_the_weights_back_into_the_same_arrays():
    net = module()
    average = MovingAverage(net)
    array, before = net.a.data, net.a.data.copy()
    net.a.data += 1
    with average.applied():
        assert net.a.data is array
        np.testing.assert_array_equal(net.a.data, before)
    assert net.a.data is array
    np.testing.assert_array_equal(net.a.data, before + 1)


def test_applied_puts_the_weights_back_after_an_error():
    net = module()
    average = MovingAverage(net)
    net.a.data += 1
    now = net.a.data.copy()
    with pytest.raises(RuntimeError, match="inside"), average.applied():
        raise RuntimeError("inside")
    np.testing.assert_array_equal(net.a.data, now)


def test_the_averages_are_not_changed_inside():
    net = module()
    average = MovingAverage(net)
    with average.applied():
        net.a.data += 100
    with average.applied():
        assert (np.abs(net.a.data) < 50).all()


def test_it_follows_an_optimizer_that_moves_the_arrays():
    net = module()
    average = MovingAverage(net, decay=0.5)
    optimizer = optim.SGD(net, 0.1)
    net.a.grad, net.b.grad = np.ones((3, 2)), np.ones(4)
    before = net.a.data.copy()
    optimizer.step()
    average.update()
    with average.applied():
        np.testing.assert_allclose(net.a.data, before - 0.1 * 0.9)
    np.testing.assert_allclose(net.a.data, before - 0.1)


def test_a_saved_state_continues_bit_for_bit():
    def steps(net, average, count):
        for _ in range(count):
            net.a.data *= 1.1
            average.update()

    through = module()
    one = MovingAverage(through)
    steps(through, one, 10)
    first = module()
    two = MovingAverage(first)
    steps(first, two, 4)
    saved = two.state_arrays()
    second = module()
    second.a.data[...] = first.a.data
    three = MovingAverage(second)
    three.load_state_arrays(saved)
    steps(second, three, 6)
    for name, array in one.state_arrays().items():
        np.testing.assert_array_equal(array, three.state_arrays()[name])
    assert three.count == 10


def test_a_state_of_another_network_is_refused():
    average = MovingAverage(module())
    for arrays in ({}, MovingAverage(cases.Weights(a=np.zeros((3, 2)))).state_arrays()):
        with pytest.raises(CheckpointError, match="does not fit this network"):
            average.load_state_arrays(arrays)


@pytest.mark.parametrize("decay", [0, 1, -0.1, 1.1, float("nan")])
def test_the_decay_is_a_fraction(decay):
    with pytest.raises(OptionError, match="decay in"):
        MovingAverage(module(), decay=decay)


def test_running_statistics_are_averaged_too():
    net = ig.nn.Sequential(ig.nn.BatchNorm1d(3))
    average = MovingAverage(net, decay=0.5)
    (norm,) = net.layers
    expected = np.zeros(3)
    for t in range(6):
        net(ig.default_rng(t).normal(t, 1, (5, 3)))
        d = min(0.5, (1 + t) / (10 + t))
        expected = d * expected + (1 - d) * norm.running_mean.data
        average.update()
    last = norm.running_mean.data.copy()
    with average.applied():
        np.testing.assert_allclose(norm.running_mean.data, expected, rtol=1e-5)
    np.testing.assert_array_equal(norm.running_mean.data, last)
