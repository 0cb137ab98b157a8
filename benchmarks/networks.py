"""The networks as plain data, so that each peer builds the same one from the same weights without importing inkgrad.

A network is described by a list of layers, each a dict with its `kind`, the names of its weights and its options.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

Layer = dict[str, Any]
Weights = dict[str, np.ndarray]


def batches(images: np.ndarray, labels: np.ndarray, size: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """uint8 images (n, 28, 28), labels -> full batches of float32 (size, 1, 28, 28) and int64 (size,)."""
    made = []
    for i in range(0, len(images) - size + 1, size):
        batch = images[i : i + size, None].astype(np.float32) / np.float32(255)
        made.append((batch, np.ascontiguousarray(labels[i : i + size], np.int64)))
    return made


def digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first of MNIST's training digits, from the start again where there are not so many."""
    from inkgrad.data import load_mnist

    train, _ = load_mnist()
    return np.resize(train.images, (count, 28, 28)), np.resize(train.labels, count)


def build(name: str, seed: int = 0) -> Any:
    """Our network."""
    import inkgrad as ig

    return ig.models.build(name, rng=ig.default_rng(seed))


def export(net: Any, folder: Path) -> None:
    """Write a network's description and weights for the peers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "layers.json").write_text(json.dumps(describe(net)))
    np.savez(folder / "weights.npz", **{name: member.data for name, member in net.named_state()})


def read(folder: Path) -> tuple[list[Layer], Weights]:
    """What `export` wrote."""
    with np.load(folder / "weights.npz") as file:
        return json.loads((folder / "layers.json").read_text()), dict(file)


def write_digits(folder: Path, count: int) -> None:
    """Leave digits for the contenders, so that none has to unpack MNIST."""
    images, labels = digits(count)
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels)


def read_digits(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """What `write_digits` left."""
    return np.load(folder / "images.npy"), np.load(folder / "labels.npy")


def plan_of(step: Any) -> str:
    """How a `TrainStep` runs: "planned", or why it goes the eager way."""
    return getattr(step, "fallback", "no plan") or "planned"


def describe(net: Any) -> list[Layer]:
    """The layers of one of our networks, in order."""
    return [_layer(f"layers.{number}", module) for number, module in enumerate(net.layers)]


KINDS = {
    "Linear": "linear",
    "Conv2d": "conv",
    "MaxPool2d": "max_pool",
    "AveragePool2d": "average_pool",
    "BatchNorm1d": "batch_norm",
    "BatchNorm2d": "batch_norm",
    "Dropout": "dropout",
    "Flatten": "flatten",
    "ReLU": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
}
OPTIONS = {
    "conv": ("stride", "padding"),
    "max_pool": ("size", "stride", "padding"),
    "average_pool": ("size", "stride", "padding"),
    "batch_norm": ("eps", "momentum"),
    "dropout": ("p",),
}
PARTS = ("weight", "bias", "running_mean", "running_var")


def _layer(path: str, module: Any) -> Layer:
    name = type(module).__name__
    if name not in KINDS or (getattr(module, "mask", None) is not None and name == "Conv2d"):
        raise SystemExit(f"the peers have no twin of the layer {path}, a {name}")
    made: Layer = {"kind": KINDS[name], "images": name.endswith("2d")}
    for part in PARTS:
        if getattr(module, part, None) is not None:
            made[part] = f"{path}.{part}"
    return made | {option: getattr(module, option) for option in OPTIONS.get(made["kind"], ())}


def flops(layers: list[Layer], weights: Weights, side: int = 28) -> dict[str, float]:
    """Floating-point operations an image of the products of a network: `forward`, and `train` for a whole step.

    A multiplication and an addition count as two. Training makes each product three times, for the outputs, the
    weights and the inputs; but nobody wants the gradient of the image.
    """
    forward, train, size, products = 0.0, 0.0, (side, side), 0
    for layer in layers:
        if layer["kind"] in ("conv", "max_pool", "average_pool"):
            window = weights[layer["weight"]].shape[2:] if layer["kind"] == "conv" else layer["size"]
            moves = zip(size, window, layer["stride"], layer["padding"], strict=True)
            size = tuple((length + 2 * padding - w) // stride + 1 for length, w, stride, padding in moves)
        if layer["kind"] in ("conv", "linear"):
            places = math.prod(size) if layer["kind"] == "conv" else 1
            work = 2.0 * weights[layer["weight"]].size * places
            forward += work
            train += work * (3 if products else 2)
            products += 1
    return {"forward": forward, "train": train}
