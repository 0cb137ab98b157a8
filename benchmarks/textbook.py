"""The textbook's experiment: 784-50-10, ReLU, softmax cross-entropy, SGD 0.1, batch 100, 10,000 steps on MNIST.

Ours beside a plain NumPy rendering of the textbook's loop (layers with forward and backward in float64, a batch drawn
with replacement, the loss computed once more to be logged). Each run is a process of its own; the two alternate.

    python benchmarks/textbook.py [--seeds 5]
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import harness
import numpy as np

STEPS, BATCH, RATE = 10_000, 100, 0.1
COMMAND = (
    f"train --data mnist --train-on all --model two-layer --optimizer sgd --learning-rate {RATE} "
    f"--batch-size {BATCH} --steps {STEPS}"
)


class Affine:
    """x W + b, as the textbook writes it."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray) -> None:
        self.weight, self.bias = weight, bias

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return np.dot(x, self.weight) + self.bias

    def backward(self, g: np.ndarray) -> np.ndarray:
        self.weight_gradient = np.dot(self.x.T, g)
        self.bias_gradient = np.sum(g, axis=0)
        return np.dot(g, self.weight.T)


class Relu:
    """max(x, 0) with a mask."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.mask = x <= 0
        y = x.copy()
        y[self.mask] = 0
        return y

    def backward(self, g: np.ndarray) -> np.ndarray:
        g = g.copy()
        g[self.mask] = 0
        return g


class SoftmaxWithLoss:
    """Softmax and cross-entropy against one-hot targets."""

    def forward(self, z: np.ndarray, t: np.ndarray) -> float:
        e = np.exp(z - np.max(z, axis=1, keepdims=True))
        self.y, self.t = e / np.sum(e, axis=1, keepdims=True), t
        return float(-np.sum(t * np.log(self.y + 1e-7)) / len(z))

    def backward(self) -> np.ndarray:
        return (self.y - self.t) / len(self.t)


def numpy_loop(seed: int) -> dict[str, float]:
    from inkgrad.data import load_mnist

    train, test = load_mnist()
    images, targets = train.images.reshape(-1, 784).astype(np.float32) / 255, np.eye(10)[train.labels]
    rng = np.random.RandomState(seed)
    first = Affine(0.01 * rng.randn(784, 50), np.zeros(50))
    relu = Relu()
    second = Affine(0.01 * rng.randn(50, 10), np.zeros(10))
    last = SoftmaxWithLoss()

    def logits(x: np.ndarray) -> np.ndarray:
        return second.forward(relu.forward(first.forward(x)))

    losses = []
    start = time.perf_counter()
    for _ in range(STEPS):
        batch = rng.choice(len(images), BATCH)
        x, t = images[batch], targets[batch]
        last.forward(logits(x), t)
        first.backward(relu.backward(second.backward(last.backward())))
        for layer in (first, second):
            layer.weight -= RATE * layer.weight_gradient
            layer.bias -= RATE * layer.bias_gradient
        losses.append(last.forward(logits(x), t))
    seconds = time.perf_counter() - start
    predictions = logits(test.images.reshape(-1, 784).astype(np.float32) / 255).argmax(axis=1)
    return {"accuracy": float((predictions == test.labels).mean()), "images_per_second": STEPS * BATCH / seconds}


def inkgrad_command(seed: int) -> dict[str, float]:
    import contextlib
    import io

    from inkgrad.cli.main import main

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        for line in (f"{COMMAND} --seed {seed} --out {out} --json", f"evaluate {out} --data mnist --json"):
            with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
                main(line.split())
        accuracy = json.loads(printed.getvalue())["accuracy"]
        history = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    return {"accuracy": accuracy, "images_per_second": STEPS * BATCH / sum(record["seconds"] for record in history)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--worker", choices=["numpy", "inkgrad"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.worker:
        run = numpy_loop if options.worker == "numpy" else inkgrad_command
        print(json.dumps(run(options.seed)))
        return
    found: dict[str, list[dict[str, float]]] = {"numpy": [], "inkgrad": []}
    for seed in range(options.seeds):
        for name, runs in found.items():
            runs.append(harness.worker("textbook.py", "--worker", name, "--seed", str(seed)))
            print(
                f"seed {seed}  {name:8}  {runs[-1]['accuracy']:.2%}  {runs[-1]['images_per_second']:>9,.0f} images/s",
                flush=True,
            )
        harness.log_test_evaluation("textbook: inkgrad " + COMMAND, seed, found["inkgrad"][-1]["accuracy"])
    report(found)


def report(found: dict[str, list[dict[str, float]]]) -> None:
    summary = {
        name: {key: harness.spread([run[key] for run in runs]) for key in ("accuracy", "images_per_second")}
        for name, runs in found.items()
    }
    for name, figures in summary.items():
        a, s = figures["accuracy"], figures["images_per_second"]
        print(f"{name:8}  test accuracy {a['mean']:.2%} ± {a['std']:.2%}   {s['median']:,.0f} images/s (median)")
    ratio = summary["inkgrad"]["images_per_second"]["median"] / summary["numpy"]["images_per_second"]["median"]
    print(f"inkgrad trains {ratio:.2f} times as many images/s")
    harness.write_results("textbook", {"command": COMMAND, "runs": found, "summary": summary, "ratio": ratio})
    print(json.dumps(harness.machine()))


if __name__ == "__main__":
    main()
