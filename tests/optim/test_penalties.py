"""Penalties on large weights."""

import numpy as np
import pytest

import cases
from inkgrad.errors import OptionError
from inkgrad.optim import L1, L2


def module(dtype=np.float64):
    d = cases.Draw("penalties")
    return cases.Weights(w=d.away(3, 2).astype(dtype), b=d.away(3).astype(dtype), k=d.away(2, 1, 2, 2).astype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_l2(dtype):
    net = module(dtype)
    loss = L2(0.1)(net)
    assert loss.size == 1
    assert loss.dtype == dtype
    assert loss.item() == pytest.approx(0.05 * ((net.w.data**2).sum() + (net.k.data**2).sum()), rel=1e-6)
    loss.backward()
    for p in (net.w, net.k):
        np.testing.assert_allclose(p.grad, 0.1 * p.data, rtol=1e-6)
    assert net.b.grad is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_l1(dtype):
    net = module(dtype)
    loss = L1(0.1)(net)
    assert loss.dtype == dtype
    assert loss.item() == pytest.approx(0.1 * (np.abs(net.w.data).sum() + np.abs(net.k.data).sum()), rel=1e-6)
    loss.backward()
    for p in (net.w, net.k):
        np.testing.assert_allclose(p.grad, 0.1 * np.sign(p.data), rtol=1e-6)
    assert net.b.grad is None


def test_at_zero_l1_does_not_pull():
    net = cases.Weights(w=np.array([[0.0, 2.0]]))
    L1(0.5)(net).backward()
    assert net.w.grad.tolist() == [[0, 0.5]]


def test_it_adds_to_the_loss():
    net = module()
    ((net.w * 3.0).sum() + L2(0.1)(net)).backward()
    np.testing.assert_allclose(net.w.grad, 3 + 0.1 * net.w.data)


@pytest.mark.parametrize("penalty", [L1, L2])
def test_refusals(penalty):
    for strength in (0, -1, float("nan")):
        with pytest.raises(OptionError, match="needs a positive strength"):
            penalty(strength)
    with pytest.raises(OptionError, match="Weights has no weights of two or more axes"):
        penalty(0.1)(cases.Weights(b=np.zeros(3)))
