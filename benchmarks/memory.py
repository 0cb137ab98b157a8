"""Peak memory of training: VmHWM of fresh processes, with compiled kernels cached.

Ours beside PyTorch, training `cnn` at a batch of 64 for 20 steps, in turn; ours over batches of 1 to 4,096; and whether
it depends on how many images the data set has, through the trainer's loader. What Python and the libraries take
before the network is built is shown beside it.

    python benchmarks/memory.py [--rounds 5] [--quick]
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import harness
import networks
from harness import Target

NETWORK, BATCH, STEPS = "cnn", 64, 20
BATCHES = [1 << i for i in range(13)]
SETS = (10_000, 60_000)
TARGET = Target(0.8, 0.5, most=True)
MEGABYTE = 1e6


def peak() -> float:
    """The most memory that this process has held so far, in MB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / MEGABYTE


def few_batches(folder: Path, batch: int) -> list[Any]:
    """As many batches as there are steps, or as there are digits for."""
    images, labels = networks.read_digits(folder)
    return networks.batches(images[: STEPS * batch], labels[: STEPS * batch], batch)


def ours(folder: Path, batch: int, steps: int) -> dict[str, float]:
    import inkgrad as ig

    net = networks.build(NETWORK)
    step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.01, momentum=0.9))
    batches = few_batches(folder, batch)
    before = peak()
    for number in range(steps):
        step(*batches[number % len(batches)])
    return {"before": before, "peak": peak()}


def torch(folder: Path, batch: int, steps: int) -> dict[str, float]:
    import peer_torch

    batches = few_batches(folder, batch)
    step = peer_torch.train_step(*networks.read(folder), batches, "sgd", 0.01)
    before = peak()
    for number in range(steps):
        step(number)
    return {"before": before, "peak": peak()}


def trainer(folder: Path, batch: int, steps: int) -> dict[str, float]:
    """Ours through the trainer, which gathers its batches from a data set of bytes."""
    import inkgrad as ig

    data = ig.data.Dataset(*networks.read_digits(folder), "digits")
    net = networks.build(NETWORK)
    step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.01, momentum=0.9))
    before = peak()
    ig.training.Trainer(step, data, batch_size=batch).fit(steps=steps)
    return {"before": before, "peak": peak(), "bytes": (data.images.nbytes + data.labels.nbytes) / MEGABYTE}


CONTENDERS = {"ours": ours, "torch": torch, "trainer": trainer}


def measure(contender: str, folder: Path, batch: int = BATCH) -> dict[str, float]:
    """One fresh process."""
    line = [contender, "--folder", str(folder), "--batch", str(batch)]
    found: dict[str, float] = harness.worker("memory.py", "--worker", *line)
    return found


def against_torch(folder: Path, rounds: int, without: list[str]) -> dict[str, Any]:
    found: dict[str, list[dict[str, float]]] = {c: [] for c in ("ours", "torch") if c not in without}
    for _ in range(rounds):
        for contender, runs in found.items():
            runs.append(measure(contender, folder))
    summary = {c: {k: harness.spread([run[k] for run in runs]) for k in runs[0]} for c, runs in found.items()}
    rows = []
    for contender, figures in summary.items():
        ratio = summary["ours"]["peak"]["median"] / figures["peak"]["median"]
        figures["ours_over_this"] = ratio
        most, before = figures["peak"], figures["before"]["median"]
        cells = [contender, f"{most['median']:.0f}", f"{most['min']:.0f} to {most['max']:.0f}", f"{before:.0f}"]
        rows.append([*cells, *(("", "") if contender == "ours" else (f"{ratio:.2f}", TARGET.judge(ratio)))])
    print(f"{NETWORK}, batch {BATCH}, {STEPS} steps")
    columns = ["contender", "peak, MB", "least to most", "before training", "ours / it", "target"]
    harness.table(columns, rows, right=(1, 2, 3, 4))
    return summary


def over_batches(folder: Path, sizes: list[int]) -> dict[str, dict[str, float]]:
    found = {size: measure("ours", folder, size) for size in sizes}
    rows = [[str(n), f"{run['peak']:.0f}", f"{run['peak'] - run['before']:.0f}"] for n, run in found.items()]
    harness.table(["batch", "peak, MB", "of it for training"], rows, right=(0, 1, 2))
    return {str(size): run for size, run in found.items()}


def over_sets() -> dict[str, dict[str, float]]:
    found = {}
    for count in SETS:
        with tempfile.TemporaryDirectory() as place:
            networks.write_digits(Path(place), count)
            found[str(count)] = measure("trainer", Path(place))
    rows = [
        [f"{int(n):,}", f"{r['peak']:.0f}", f"{r['bytes']:.0f}", f"{r['peak'] - r['bytes']:.0f}"]
        for n, r in found.items()
    ]
    harness.table(["images in the set", "peak, MB", "the set itself", "the rest"], rows, right=(0, 1, 2, 3))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without", choices=["torch"], nargs="*", default=[])
    parser.add_argument("--quick", action="store_true", help="a look whether it works; nothing is written")
    parser.add_argument("--worker", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, default=BATCH, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(CONTENDERS[options.worker](options.folder, options.batch, STEPS)))
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        networks.export(networks.build(NETWORK), folder)
        networks.write_digits(folder, 2 * BATCHES[-1])
        measure("ours", folder, 1)  # fills the cache of kernels
        cases: dict[str, Any] = {
            "against_torch": against_torch(folder, 1 if options.quick else options.rounds, options.without),
            "over_batches": over_batches(folder, BATCHES[:2] if options.quick else BATCHES),
        }
    cases["over_sets"] = over_sets()
    harness.finish("memory", cases, quick=options.quick)


if __name__ == "__main__":
    main()
