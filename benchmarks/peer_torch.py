"""PyTorch's twin of a network, in its usual eager form."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from networks import Layer, Weights
from torch import nn

FUNCTIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "flatten": nn.Flatten}


def versions() -> dict[str, Any]:
    return {"torch": torch.__version__, "threads": torch.get_num_threads()}


def network(layers: Sequence[Layer], weights: Weights) -> nn.Sequential:
    """The same layers with the same weights."""
    return nn.Sequential(*(_module(layer, weights) for layer in layers))


def _module(layer: Layer, weights: Weights) -> nn.Module:
    kind, bias = layer["kind"], "bias" in layer
    if kind == "linear":
        outputs, inputs = weights[layer["weight"]].shape
        return _filled(nn.Linear(inputs, outputs, bias=bias), layer, weights)
    if kind == "conv":
        outputs, inputs, *window = weights[layer["weight"]].shape
        made = nn.Conv2d(inputs, outputs, tuple(window), tuple(layer["stride"]), tuple(layer["padding"]), bias=bias)
        return _filled(made, layer, weights)
    if kind == "batch_norm":
        size = len(weights[layer["weight"]])
        made = (nn.BatchNorm2d if layer["images"] else nn.BatchNorm1d)(size, layer["eps"], layer["momentum"])
        return _filled(made, layer, weights)
    if kind in ("max_pool", "average_pool"):
        pool = nn.MaxPool2d if kind == "max_pool" else nn.AvgPool2d
        return pool(tuple(layer["size"]), tuple(layer["stride"]), tuple(layer["padding"]))
    if kind == "dropout":
        return nn.Dropout(layer["p"])
    return FUNCTIONS[kind]()


def _filled(module: nn.Module, layer: Layer, weights: Weights) -> nn.Module:
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weights[layer["weight"]]))
        for part in ("bias", "running_mean", "running_var"):
            if part in layer:
                getattr(module, part).copy_(torch.from_numpy(weights[layer[part]]))
    return module


def optimizer(net: nn.Module, kind: str, rate: float, momentum: float = 0.9) -> torch.optim.Optimizer:
    if kind == "adam":
        return torch.optim.Adam(net.parameters(), lr=rate)
    return torch.optim.SGD(net.parameters(), lr=rate, momentum=momentum)


def tensors(batches: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(torch.from_numpy(images), torch.from_numpy(labels)) for images, labels in batches]


def train_step(
    layers: Sequence[Layer],
    weights: Weights,
    batches: Sequence[tuple[np.ndarray, np.ndarray]],
    kind: str,
    rate: float,
    momentum: float = 0.9,
) -> Callable[[int], torch.Tensor]:
    """One step of training on the batch of a number; gives the loss as a tensor."""
    net, data = network(layers, weights), tensors(batches)
    dtype = data[0][0].dtype
    net = net.to(dtype).train()
    rule = optimizer(net, kind, rate, momentum)

    def step(number: int) -> torch.Tensor:
        images, labels = data[number % len(data)]
        rule.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(net(images), labels)
        loss.backward()
        rule.step()
        return loss

    return step


def predictor(layers: Sequence[Layer], weights: Weights) -> Callable[[np.ndarray], np.ndarray]:
    """Images -> logits."""
    net = network(layers, weights).eval()

    def predict(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return net(torch.from_numpy(images)).numpy()

    return predict
