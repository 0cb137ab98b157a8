"""Saliency, integrated gradients and Grad-CAM against PyTorch's gradients."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.explain import grad_cam, integrated_gradients, saliency

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def pair(torch):
    """The same network twice, and its convolutional part in PyTorch."""
    net = ig.models.build("lenet5", rng=ig.default_rng(7))
    m = torch.nn
    body = m.Sequential(m.Conv2d(1, 6, 5, padding=2), m.ReLU(), m.MaxPool2d(2), m.Conv2d(6, 16, 5), m.ReLU())
    dense = (m.Linear(400, 120), m.ReLU(), m.Linear(120, 84), m.ReLU(), m.Linear(84, 10))
    head = m.Sequential(m.MaxPool2d(2), m.Flatten(), *dense)
    twins = [*body.parameters(), *head.parameters()]
    for (_, ours), theirs in zip(net.named_parameters(), twins, strict=True):
        theirs.data = torch.tensor(ours.data.copy())
    return net, body, head


@pytest.mark.parametrize("target", [0, 7])
def test_gradients_are_pytorchs(pair, torch, target):
    net, body, head = pair
    image = ig.data.load_digits()[0].images[5]
    ink = torch.tensor(image[None, None] / np.float32(255), requires_grad=True)
    maps = body(ink)
    maps.retain_grad()
    head(maps)[0, target].backward()
    np.testing.assert_allclose(saliency(net, image, target), ink.grad[0, 0].numpy(), rtol=1e-3, atol=1e-6)
    weights = maps.grad.mean(dim=(2, 3), keepdim=True)
    cam = torch.relu((weights * maps).sum(dim=1))[0].detach().numpy()
    np.testing.assert_allclose(grad_cam(net, image, target), cam, rtol=1e-3, atol=1e-6)
    way = [torch.tensor((k + 0.5) / 20 * image[None, None] / 255, dtype=torch.float32) for k in range(20)]
    total = np.zeros((28, 28), np.float32)
    for x in way:
        x.requires_grad = True
        head(body(x))[0, target].backward()
        total += x.grad[0, 0].numpy() / 20
    expected = total * image / 255
    np.testing.assert_allclose(integrated_gradients(net, image, target, steps=20), expected, rtol=1e-2, atol=1e-4)
