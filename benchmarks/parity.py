"""The numbers are PyTorch's.

The same network, initial weights, batches and optimizer (SGD with a learning rate of 0.01) give the same loss for 200
steps, in float32 and in float64. With a momentum of 0.9 the steps are ten times as long, and differences of rounding
grow from step to step: beside ours stands how far PyTorch in float32 comes from itself in float64. And trained for an
epoch on the first 50,000 training digits, each in an order of its own, both read the last 10,000 equally well: over
the seeds, the means differ by at most 3 standard errors of their difference.

    python benchmarks/parity.py [--seeds 5] [--steps 200] [--quick]
"""

import argparse
import itertools
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import harness
import networks
import numpy as np
from harness import Target

NETWORKS = ("mlp", "lenet5", "cnn")  # cnn without dropout
TOLERANCE = {"float64": 1e-9, "float32": 1e-3}
RATE, BATCH = 0.01, 64
MOMENTA = (0.0, 0.9)
ERRORS = Target(3.0, most=True)


def build(name: str, seed: int = 0) -> Any:
    """Our network; its dropouts let everything pass, so that no chance is left."""
    net = networks.build(name, seed)
    for _, module in net.named_modules():
        if hasattr(module, "p"):
            module.p = 0.0
    return net


def our_losses(name: str, folder: Path, dtype: str, steps: int, momentum: float) -> dict[str, Any]:
    import inkgrad as ig

    net = build(name).astype(np.dtype(dtype))
    step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=RATE, momentum=momentum))
    batches = _batches(folder, dtype)
    losses = [step(*batches[number]) for number in range(steps)]
    return {"losses": losses, "plan": networks.plan_of(step)}


def torch_losses(name: str, folder: Path, dtype: str, steps: int, momentum: float) -> dict[str, Any]:
    import peer_torch

    del name
    layers, weights = networks.read(folder)
    step = peer_torch.train_step(layers, weights, _batches(folder, dtype), "sgd", RATE, momentum)
    return {"losses": [step(number).item() for number in range(steps)]}


def _batches(folder: Path, dtype: str) -> list[tuple[np.ndarray, np.ndarray]]:
    batches = networks.batches(*networks.read_digits(folder), BATCH)
    return [(images.astype(dtype), labels) for images, labels in batches]


def learned(count: int) -> int:
    """How many of so many digits are learned from: 50,000 of MNIST's 60,000."""
    return count * 5 // 6


def our_accuracy(folder: Path, seed: int) -> float:
    import inkgrad as ig

    data = ig.data.Dataset(*networks.read_digits(folder), "digits")
    count = learned(len(data))
    train, validation = data[:count], data[count:]
    net = networks.build("lenet5", seed)
    step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=RATE, momentum=0.9))
    trainer = ig.training.Trainer(step, train, batch_size=BATCH, rng=ig.default_rng(seed))
    trainer.fit(epochs=1)
    predicted = ig.models.network_logits(net, validation.images, trainer.loader.scaling).argmax(axis=1)
    return float((predicted == validation.labels).mean())


def torch_accuracy(folder: Path, seed: int) -> float:
    import peer_torch
    import torch

    torch.manual_seed(seed)
    images, labels = networks.read_digits(folder)
    x, t = torch.from_numpy(images[:, None]), torch.from_numpy(labels)
    count = learned(len(t))
    net = peer_torch.network(*networks.read(folder / str(seed))).train()
    rule = peer_torch.optimizer(net, "sgd", RATE)
    for chosen in torch.randperm(count).split(BATCH):
        rule.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(net(x[chosen].float() / 255), t[chosen]).backward()
        rule.step()
    net.eval()
    with torch.inference_mode():
        predicted = torch.cat([net(part.float() / 255) for part in x[count:].split(1000)]).argmax(1)
    return float((predicted == t[count:]).float().mean())


LOSSES = {"ours": our_losses, "torch": torch_losses}
ACCURACIES = {"ours": our_accuracy, "torch": torch_accuracy}


def compare_losses(steps: int) -> dict[str, Any]:
    """The greatest relative difference of the losses of each network and precision."""
    cases, rows = {}, []
    for name in NETWORKS:
        with tempfile.TemporaryDirectory() as place:
            networks.export(build(name), Path(place))
            networks.write_digits(Path(place), steps * BATCH)
            for momentum, (dtype, tolerance) in itertools.product(MOMENTA, TOLERANCE.items()):
                line = ["--network", name, "--folder", place, "--dtype", dtype, "--steps", str(steps)]
                line += ["--momentum", str(momentum)]
                found = {c: harness.worker("parity.py", "--worker", c, *line) for c in LOSSES}
                losses, plan = {c: answer["losses"] for c, answer in found.items()}, found["ours"]["plan"]
                if dtype == "float64":
                    exact = losses["torch"]
                worst = relative_difference(losses["ours"], losses["torch"])
                own = relative_difference(losses["torch"], exact)
                verdict = Target(tolerance, most=True).judge(worst) if dtype == "float64" or not momentum else ""
                ends = [f"{losses['ours'][k]:.4f}" for k in (0, -1)]
                rows.append([name, f"{momentum}", dtype, plan, *ends, f"{worst:.1e}", f"{own:.1e}", verdict])
                cases[f"{name} momentum {momentum} {dtype}"] = {
                    "plan": plan,
                    "worst_relative_difference": worst,
                    "torch_from_its_float64": own,
                    "losses": losses,
                }
    columns = ["network", "momentum", "dtype", "plan", "first loss", f"loss {steps}", "worst difference"]
    harness.table([*columns, "PyTorch's from its float64", "target"], rows, right=(4, 5, 6, 7))
    return cases


def relative_difference(losses: list[float], others: list[float]) -> float:
    """The greatest of all steps."""
    return max(abs(a - b) / abs(b) for a, b in zip(losses, others, strict=True))


def compare_accuracies(seeds: int, count: int) -> dict[str, Any]:
    """Validation accuracy after an epoch of `lenet5`, of both, from weights of the same seeds."""
    found: dict[str, list[float]] = {contender: [] for contender in ACCURACIES}
    with tempfile.TemporaryDirectory() as place:
        networks.write_digits(Path(place), count)
        for seed in range(seeds):
            networks.export(networks.build("lenet5", seed), Path(place) / str(seed))
            for contender, values in found.items():
                line = ["--folder", place, "--seed", str(seed)]
                values.append(harness.worker("parity.py", "--worker", contender, *line)["accuracy"])
            print(f"seed {seed}: " + ", ".join(f"{c} {values[-1]:.2%}" for c, values in found.items()), flush=True)
    spreads = {contender: harness.spread(values) for contender, values in found.items()}
    ours, theirs = spreads["ours"], spreads["torch"]
    error = math.sqrt((ours["std"] ** 2 + theirs["std"] ** 2) / seeds)
    apart = abs(ours["mean"] - theirs["mean"]) / error if error else 0.0
    rows = [[c, f"{s['mean']:.2%} ± {s['std']:.2%}", f"{s['min']:.2%} to {s['max']:.2%}"] for c, s in spreads.items()]
    harness.table(["lenet5, 1 epoch", "validation accuracy", "least to most"], rows)
    print(f"the means differ by {apart:.2f} standard errors of the difference: {ERRORS.judge(apart)}")
    return {"runs": found, "summary": spreads, "standard_errors": apart}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="a look whether it works; nothing is written")
    parser.add_argument("--worker", choices=list(LOSSES), help=argparse.SUPPRESS)
    for name in ("--network", "--dtype"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--momentum", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker and options.network:
        case = (options.network, options.folder, options.dtype, options.steps, options.momentum)
        print(json.dumps(LOSSES[options.worker](*case)))
        return
    if options.worker:
        print(json.dumps({"accuracy": ACCURACIES[options.worker](options.folder, options.seed)}))
        return
    if options.quick:
        options.seeds, options.steps = 2, 5
    cases = compare_losses(options.steps)
    cases["accuracy after 1 epoch of lenet5"] = compare_accuracies(options.seeds, 1200 if options.quick else 60_000)
    harness.finish("parity", cases, quick=options.quick)


if __name__ == "__main__":
    main()
