"""Full-batch gradient descent on 784-128-10: ReLU, softmax cross-entropy, no biases, N(0, 0.1^2) initial weights.

Inputs standardized with the one mean and deviation of all training pixels, the first 50,000 digits, learning rate
0.1. Prints loss and test accuracy after 20, 40 and 60 epochs, and the time of an epoch beside plain NumPy's in float32.

    python benchmarks/full_batch.py [--rounds 3]
"""

import argparse
import json
import time

import harness
import numpy as np

MARKS = (20, 40, 60)
RATE = 0.1


def inkgrad_run(seed: int) -> dict[str, object]:
    import inkgrad as ig

    train, test = ig.data.load_mnist()
    rng = ig.default_rng(seed)
    start = ig.nn.init.normal(0.1)
    net = ig.nn.Sequential(
        ig.nn.Flatten(),
        ig.nn.Linear(784, 128, rng=rng, bias=False, init=start),
        ig.nn.ReLU(),
        ig.nn.Linear(128, 10, rng=rng, bias=False, init=start),
    )
    scaling = ig.data.standardization(train)
    step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=RATE))
    trainer = ig.training.Trainer(step, train[:50_000], batch_size=50_000, scaling=scaling)
    losses, accuracies = {}, {}
    for mark in MARKS:
        trainer.fit(epochs=mark)
        logits = ig.models.network_logits(net, train.images[:50_000], scaling)
        losses[mark] = ig.nn.cross_entropy(logits, train.labels[:50_000]).item()
        predicted = ig.models.network_logits(net, test.images, scaling).argmax(axis=1)
        accuracies[mark] = float((predicted == test.labels).mean())
    seconds = float(np.median([record["seconds"] for record in trainer.history]))
    return {"losses": losses, "accuracies": accuracies, "seconds_per_epoch": seconds}


def numpy_run(seed: int) -> dict[str, object]:
    from inkgrad.data import load_mnist

    train, _ = load_mnist()
    x = train.images.reshape(-1, 784).astype(np.float32)
    x = ((x - x.mean(dtype=np.float64)) / x.std(dtype=np.float64)).astype(np.float32)[:50_000]
    t = np.eye(10, dtype=np.float32)[train.labels[:50_000]]
    rng = np.random.default_rng(seed)
    first = rng.standard_normal((784, 128), np.float32) * np.float32(0.1)
    second = rng.standard_normal((128, 10), np.float32) * np.float32(0.1)
    times, losses = [], {}
    for epoch in range(MARKS[-1] + 1):
        start = time.perf_counter()
        h = np.maximum(x @ first, 0)
        z = h @ second
        e = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        if epoch in MARKS:
            losses[epoch] = float(-np.log((p * t).sum(axis=1)).mean())
        g = (p - t) / np.float32(len(x))
        second_gradient = h.T @ g
        first_gradient = x.T @ ((g @ second.T) * (h > 0))
        second -= np.float32(RATE) * second_gradient
        first -= np.float32(RATE) * first_gradient
        times.append(time.perf_counter() - start)
    return {"losses": losses, "seconds_per_epoch": float(np.median(times))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker", choices=["numpy", "inkgrad"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps((numpy_run if options.worker == "numpy" else inkgrad_run)(options.seed)))
        return
    found: dict[str, list[dict[str, object]]] = {"numpy": [], "inkgrad": []}
    for seed in range(options.rounds):
        for name, runs in found.items():
            runs.append(harness.worker("full_batch.py", "--worker", name, "--seed", str(seed)))
            losses = ", ".join(f"{loss:.3f}" for loss in runs[-1]["losses"].values())
            print(
                f"seed {seed}  {name:8}  loss after {MARKS}: {losses}  {runs[-1]['seconds_per_epoch']:.3f} s an epoch",
                flush=True,
            )
        accuracies = found["inkgrad"][-1]["accuracies"]
        print(f"        test accuracy: {', '.join(f'{a:.2%}' for a in accuracies.values())}")
        harness.log_test_evaluation("full-batch gradient descent, 60 epochs", seed, accuracies["60"])
    report(found)


def report(found: dict[str, list[dict[str, object]]]) -> None:
    summary = {
        "seconds_per_epoch": {
            name: harness.spread([r["seconds_per_epoch"] for r in runs]) for name, runs in found.items()
        },
        "losses": {str(m): harness.spread([r["losses"][str(m)] for r in found["inkgrad"]]) for m in MARKS},
        "accuracies": {str(m): harness.spread([r["accuracies"][str(m)] for r in found["inkgrad"]]) for m in MARKS},
    }
    for mark in MARKS:
        loss, accuracy = summary["losses"][str(mark)], summary["accuracies"][str(mark)]
        print(
            f"after {mark} epochs: loss {loss['mean']:.3f} ± {loss['std']:.3f}, "
            f"test accuracy {accuracy['mean']:.2%} ± {accuracy['std']:.2%}"
        )
    times = {name: figures["median"] for name, figures in summary["seconds_per_epoch"].items()}
    ratio = times["numpy"] / times["inkgrad"]
    print(f"an epoch: inkgrad {times['inkgrad']:.3f} s, NumPy {times['numpy']:.3f} s, ratio {ratio:.2f}")
    harness.write_results("full_batch", {"runs": found, "summary": summary})
    print(json.dumps(harness.machine()))


if __name__ == "__main__":
    main()
