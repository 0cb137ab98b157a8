"""Training speed: images a second of a loop of training steps, beside PyTorch in eager form and JAX compiled.

The same MNIST digits as float32 batches in memory, the same initial weights. Each contender is a process of its own;
they work in turn, round by round. Figures are medians over the rounds, ratios are of these medians.

    python benchmarks/train_speed.py [--rounds 7] [--seconds 1] [--only mlp] [--quick]
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import contest
import harness
import networks
from harness import Target

IMAGES = 12_800


# A step on the batch of a number, what waits until it is done, and what the contender says of itself.
Prepared = tuple[Callable[[int], object], Callable[[], object], Callable[[], dict[str, Any]]]


@dataclass(frozen=True)
class Case:
    """What is trained: the network, its batch, its optimizer and rate, and the targets beside each peer."""

    batch: int
    optimizer: str
    rate: float
    targets: dict[str, Target | None]


CASES = {
    "mlp": Case(128, "sgd", 0.05, {"torch": Target(2.5, 3.0), "jax": Target(1.3, 1.5)}),
    "lenet5": Case(64, "sgd", 0.02, {"torch": Target(3.0, 5.0), "jax": None}),
    "cnn": Case(64, "sgd", 0.02, {"torch": Target(1.5, 2.0), "jax": None}),
    "simple-cnn": Case(120, "adam", 0.001, {"torch": Target(0.8, 1.2)}),
}


def ours(case: Case, name: str, batches: list[Any], folder: Path) -> Prepared:
    import inkgrad as ig

    del folder
    net = networks.build(name)
    optimizers = {
        "sgd": lambda: ig.optim.SGD(net, learning_rate=case.rate, momentum=0.9),
        "adam": lambda: ig.optim.Adam(net, learning_rate=case.rate),
    }
    train = ig.training.TrainStep(net, ig.nn.cross_entropy, optimizers[case.optimizer]())
    return (
        lambda number: train(*batches[number % len(batches)]),
        contest.nothing,
        lambda: harness.machine() | {"plan": networks.plan_of(train)},
    )


def torch(case: Case, name: str, batches: list[Any], folder: Path) -> Prepared:
    import peer_torch

    del name
    step = peer_torch.train_step(*networks.read(folder), batches, case.optimizer, case.rate)
    return step, contest.nothing, peer_torch.versions


def jax(case: Case, name: str, batches: list[Any], folder: Path) -> Prepared:
    import peer_jax

    del name
    step, finish = peer_jax.train_step(*networks.read(folder), batches, case.optimizer, case.rate)
    return step, finish, peer_jax.versions


CONTENDERS = {"ours": ours, "torch": torch, "jax": jax}


def worker(contender: str, options: argparse.Namespace) -> None:
    def prepare() -> tuple[contest.Answer, Callable[..., contest.Answer]]:
        name, case = options.only, CASES[options.only]
        batches = networks.batches(*networks.read_digits(options.folder), case.batch)
        step, finish, info = CONTENDERS[contender](case, name, batches, options.folder)
        timed = contest.Timed(step, finish, warm=options.warm, seconds=options.seconds)
        return {"first_step": timed.first, **info()}, lambda: {"step": timed.round()}

    contest.serve(prepare)


def run_case(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """All contenders of a case, in turn."""
    case = CASES[name]
    names = [contender for contender in ("ours", *case.targets) if contender not in options.without]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        networks.export(networks.build(name), folder)
        networks.write_digits(folder, 10 * case.batch if options.quick else IMAGES)
        more = ["--seconds", str(options.seconds), "--warm", str(options.warm), "--only", name, "--folder", place]
        contenders = [contest.Contender(c, "train_speed.py", c, *more) for c in names]
        answers = contest.alternate(contenders, options.rounds)
        for contender in contenders:
            contender.close()
    result: dict[str, Any] = {"batch": case.batch, "optimizer": case.optimizer, "contenders": {}}
    for contender in contenders:
        steps = [answer["step"] for answer in answers[contender.name]]
        speed = harness.spread([case.batch / step for step in steps])
        result["contenders"][contender.name] = {"info": contender.info, "images_per_second": speed, "steps": steps}
    return result


def rows_of(name: str, result: dict[str, Any]) -> list[list[str]]:
    """A row for each contender; the ratios go into the result too."""
    rows, found = [], result["contenders"]
    best = found["ours"]["images_per_second"]["median"]
    for contender, figures in found.items():
        speed = figures["images_per_second"]
        ratio = best / speed["median"]
        target = CASES[name].targets.get(contender)
        figures["ours_over_this"] = ratio
        verdict = "" if contender == "ours" else "for information" if target is None else target.judge(ratio)
        rows.append(
            [
                f"{name} ({result['batch']})" if contender == "ours" else "",
                contender,
                f"{speed['median']:,.0f}",
                f"{speed['min']:,.0f} to {speed['max']:,.0f}",
                f"{1000 * result['batch'] / speed['median']:.3f}",
                "" if contender == "ours" else f"{ratio:.2f}",
                verdict or f"plan: {figures['info']['plan']}",
            ]
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a round")
    parser.add_argument("--warm", type=float, default=4.0, help="seconds of work before anything is measured")
    parser.add_argument("--only", choices=list(CASES))
    parser.add_argument("--without", choices=["torch", "jax"], nargs="*", default=[])
    parser.add_argument("--quick", action="store_true", help="a look whether it works; nothing is written")
    parser.add_argument("--worker", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options)
        return
    if options.quick:
        options.rounds, options.seconds, options.warm = 2, 0.05, 0.1
    results, rows = {}, []
    for name in [options.only] if options.only else CASES:
        results[name] = run_case(name, options)
        rows += rows_of(name, results[name])
        print(f"{name} measured", flush=True)
    columns = [
        "network (batch, optimizer)",
        "contender",
        "images/s",
        "least to most",
        "ms a step",
        "ours / it",
        "target",
    ]
    harness.table(columns, rows, right=(2, 3, 4, 5))
    harness.finish("train_speed", results, quick=options.quick)


if __name__ == "__main__":
    main()
