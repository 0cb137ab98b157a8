"""Copies and pickles of tensors stand outside the graph of the original."""

import copy
import pickle

import numpy as np
import pytest

import inkgrad as ig

COPIES = [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]


@pytest.mark.parametrize("make", COPIES)
def test_a_copys_gradient_is_its_own(make):
    original = ig.Tensor([1.0, 2.0], requires_grad=True, name="w")
    (original * 2).sum().backward()
    original.grad = None
    twin = make(original)
    (twin * 3).sum().backward()
    assert original.grad is None
    assert twin.grad.tolist() == [3, 3]
    assert twin.name == "w"


@pytest.mark.parametrize("make", COPIES)
def test_the_copy_of_a_result_is_detached(make):
    result = ig.Tensor([1.0], requires_grad=True) * 2
    assert not make(result).requires_grad
    assert result.requires_grad


def test_a_copied_network_trains_alone():
    net = ig.nn.Linear(2, 1, rng=ig.default_rng(0))
    ig.optim.SGD(net, learning_rate=0.1)
    twin = copy.deepcopy(net)
    before = net.weight.data.copy()
    optimizer = ig.optim.SGD(twin, learning_rate=0.1)
    twin(np.ones((1, 2), np.float32)).sum().backward()
    optimizer.step()
    assert np.array_equal(net.weight.data, before)
    assert not np.array_equal(twin.weight.data, before)
