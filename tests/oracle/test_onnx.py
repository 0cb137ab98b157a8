"""Networks that PyTorch's two exporters write."""

import warnings

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.nn.state import load_state

pytestmark = pytest.mark.oracle


def lenet5(torch):
    nn = torch.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def cnn(torch):
    """PyTorch's own example, written as it is there."""
    nn, F = torch.nn, torch.nn.functional

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 32, 3, 1), nn.Conv2d(32, 64, 3, 1)
            self.dropout1, self.dropout2 = nn.Dropout(0.25), nn.Dropout(0.5)
            self.fc1, self.fc2 = nn.Linear(9216, 128), nn.Linear(128, 10)

        def forward(self, x):
            x = F.relu(self.conv2(F.relu(self.conv1(x))))
            x = torch.flatten(self.dropout1(F.max_pool2d(x, 2)), 1)
            return F.log_softmax(self.fc2(self.dropout2(F.relu(self.fc1(x)))), dim=1)

    return Net()


def view(torch):
    """Flattened by the length of an axis: the older exporter computes the shape in the graph."""

    class Flat(torch.nn.Module):
        def forward(self, x):
            return x.view(x.size(0), -1)

    layers = list(lenet5(torch))
    layers[6] = Flat()
    return torch.nn.Sequential(*layers)


def mixed(torch):
    """What digit networks have beside that."""
    nn = torch.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8), nn.LeakyReLU(0.1), nn.AvgPool2d(2)),
        *(nn.Conv2d(8, 8, 3, groups=4, dilation=2, padding=1), nn.GELU(), nn.ConstantPad2d((1, 0, 0, 2), 0.5)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10, bias=False), nn.Hardtanh(), nn.Softmax(-1)),
    )


NETS = {"lenet5": lenet5, "cnn": cnn, "view": view, "mixed": mixed}


@pytest.mark.parametrize("dynamo", [True, False])
@pytest.mark.parametrize("name", NETS)
def test_networks_of_pytorch(name, dynamo, torch, tmp_path):
    torch.manual_seed(0)
    net, images = NETS[name](torch).eval(), torch.rand(3, 1, 28, 28)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1), module.running_var.uniform_(0.5, 1.5)
    path = tmp_path / "net.onnx"
    free = {"dynamic_shapes": ({0: torch.export.Dim("n")},)} if dynamo else {"dynamic_axes": {"x": {0: "n"}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (images,), path, dynamo=dynamo, input_names=["x"], verbose=False, **free)
    ours = ig.export.from_onnx(path)
    some = torch.rand(5, 1, 28, 28)
    expected = net(some).detach().numpy()
    again = ig.export.from_onnx(ig.export.to_onnx(ours))
    for one in (ours, again):
        with ig.no_grad():
            got = one(some.numpy()).data
        assert np.linalg.norm(got - expected) / np.linalg.norm(expected) < 1e-5
    if name == "cnn":
        assert {key for key, _ in ours.named_parameters()} == set(net.state_dict())
    _learns_as_there(torch, ours, net, some)


def _learns_as_there(torch, ours, net, images):
    """The gradient's norm is PyTorch's, in prediction mode, so that statistics and dropout stay out of it."""
    targets = torch.arange(5) % 10
    torch.nn.functional.cross_entropy(net(images), targets).backward()
    ig.nn.cross_entropy(ours(ig.Tensor(images.numpy())), targets.numpy()).backward()
    norm = np.sqrt(sum(float((p.grad**2).sum()) for p in net.parameters()))
    total = np.sqrt(sum(float((p.grad**2).sum()) for _, p in ours.named_parameters()))
    if not any(isinstance(module, torch.nn.BatchNorm2d) for module in net.modules()):  # folded into the convolution
        assert abs(norm - total) / norm < 1e-4


def test_our_weights_in_pytorch_and_back(torch, tmp_path):
    """The shipped architecture with our weights, written by PyTorch, gives our logits."""
    ours, net = ig.models.build("lenet5", rng=ig.default_rng(3)), lenet5(torch)
    for _, parameter in ours.named_parameters():
        parameter.data = parameter.data + np.float32(0.01)  # biases of zero would be optimized away
    names = net.state_dict().keys()
    weights = dict(zip(names, (torch.as_tensor(a) for a in ig.nn.state_of(ours).values()), strict=True))
    net.load_state_dict(weights)
    path = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net.eval(), (torch.rand(2, 1, 28, 28),), path, dynamo=True, verbose=False)
    loaded = ig.export.from_onnx(path)
    load_state(ours.eval(), dict(zip(dict(ours.named_state()), ig.nn.state_of(loaded).values(), strict=True)))
    images = ig.default_rng(0).random((2, 1, 28, 28), dtype=np.float32)
    with ig.no_grad():
        np.testing.assert_allclose(loaded(images).data, ours(images).data, rtol=1e-5, atol=1e-6)
