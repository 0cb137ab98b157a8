"""Training by MPI: two ranks beside two threads, what a sum over ranks costs, and what 64 nodes would do.

Two ranks of one thread each beside one process of two threads, on the same steps of MNIST through the whole `Trainer`:
images a second, medians over rounds, in turn. Then the seconds that one node computes for a step by its batch, and
those of the sum of a message over two ranks of this machine by its size. From these `cluster.py` reckons steps on up to
64 nodes. Of networks between nodes nothing can be measured here: their latency and speed are stated, and are options.

    python benchmarks/mpi.py [--rounds 9] [--seconds 2] [--only lenet5] [--quick] [--link NAME,MICROSECONDS,GB/S]
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cluster
import contest
import harness
import networks
from cluster import Link
from harness import Target

KEPT = Target(0.9)
BATCHES = {"mlp": (128, 512, 2048), "lenet5": (128,), "cnn": (64, 256)}  # the model has the first of each
PARTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SIZES = [1 << i for i in range(3, 25, 2)]  # bytes
TAIL = 8  # numbers that travel with a gradient
LINKS = (Link("10 Gbit/s Ethernet", 25e-6, 1 / 1.1e9), Link("200 Gbit/s InfiniBand", 1.5e-6, 1 / 22e9))
ADDING = 1 / 10e9  # seconds a byte, in memory


# Workers


def ask(world: Any, line: str | None) -> Any:
    """Rank 0's next request for all; the others sleep until it comes, and leave the cores to other contenders."""
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    if world.rank == 0:
        for rank in range(1, world.size):
            comm.send(line, dest=rank)
        return line
    while not comm.iprobe(source=0):
        time.sleep(0.002)
    return comm.recv(source=0)


def trainer_of(name: str, batch: int, group: Any = None) -> Any:
    import inkgrad as ig

    train, _ = ig.data.load_mnist()
    net = networks.build(name)
    step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.01, momentum=0.9))
    options = {"batch_size": batch, "rng": ig.default_rng(1)} | ({} if group is None else {"group": group})
    return ig.training.Trainer(step, train[:50_000], **options)


def training(options: argparse.Namespace, group: Any = None) -> Callable[..., contest.Answer]:
    trainer = trainer_of(options.only, options.batch, group)

    def act(steps: int) -> contest.Answer:
        trainer.fit(steps=trainer.step_count + max(steps // 10, 1))  # the caches were another's
        start = time.perf_counter()
        trainer.fit(steps=trainer.step_count + steps)
        return {"seconds": time.perf_counter() - start, "plan": networks.plan_of(trainer.step)}

    return act


def computing(options: argparse.Namespace) -> Callable[..., contest.Answer]:
    """The step alone, by its batch."""
    import inkgrad as ig

    net = networks.build(options.only)
    step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.01, momentum=0.9))
    (images, labels), *_ = networks.batches(*networks.digits(max(PARTS)), max(PARTS))
    timed = {}
    for size in PARTS:
        few = images[:size], labels[:size]
        timed[size] = contest.Timed(lambda _, few=few: step(*few), warm=options.warm / 4, seconds=options.seconds / 4)
    count = sum(parameter.size for _, parameter in net.named_parameters())
    return lambda batch: {"seconds": timed[batch].round(), "parameters": count}


def summing(options: argparse.Namespace, world: Any) -> Callable[..., contest.Answer]:
    """The sum over all ranks of a message."""
    import numpy as np

    def act(size: int, count: int) -> contest.Answer:
        array = np.zeros(max(size // 4, 1), np.float32)
        for _ in range(max(count // 10, 1)):
            world.add(array)
        start = time.perf_counter()
        for _ in range(count):
            world.add(array)
        return {"seconds": (time.perf_counter() - start) / count}

    del options
    return act


def worker(options: argparse.Namespace) -> None:
    if options.worker == "compute":
        contest.serve(lambda: (harness.machine(), computing(options)))
    if options.worker == "threads":
        contest.serve(lambda: (harness.machine(), training(options)))
    if options.worker not in ("ranks", "sums"):
        return
    from inkgrad.distributed import join

    world = join()
    act = training(options, world) if options.worker == "ranks" else summing(options, world)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def send(answer: contest.Answer) -> None:
        if world.rank == 0:
            out.write(json.dumps(answer) + "\n")
            out.flush()

    send(harness.machine())
    while True:
        line = ask(world, sys.stdin.readline() if world.rank == 0 else None)
        if not line:
            break
        send(act(**json.loads(line)))
    world.leave()


# The parent


def mpiexec(ranks: int) -> list[str]:
    """What starts ranks, each bound to nothing."""
    folders = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    found = shutil.which("mpiexec", path=folders)
    if found is None:
        raise SystemExit('there is no mpiexec; install one with: pip install "inkgrad[mpi]"')
    return [found, "-n", str(ranks)]


def start(
    kind: str, name: str, options: argparse.Namespace, threads: int, ranks: int = 0, batch: int = 0
) -> contest.Contender:
    line = [kind, "--only", name, "--seconds", str(options.seconds), "--warm", str(options.warm), "--batch", str(batch)]
    environment = {"INKGRAD_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    launcher = mpiexec(ranks) if ranks else []
    return contest.Contender(kind, "mpi.py", *line, environment=environment, launcher=launcher)


def two_beside_two(name: str, batch: int, options: argparse.Namespace) -> dict[str, Any]:
    """One process of two threads and two ranks of one."""
    contenders = [start("threads", name, options, 2, batch=batch), start("ranks", name, options, 1, 2, batch)]
    steps = 20
    for contender in contenders:  # they warm up, and tell how many steps fill a round
        end, taken = time.monotonic() + options.warm, 0.0
        while time.monotonic() < end or not taken:
            taken = contender.go(steps=steps)["seconds"] / steps
            steps = max(steps, round(options.warm / 8 / taken))
    steps = max(round(options.seconds / taken), 1)
    answers = contest.alternate(contenders, options.rounds, steps=steps)
    for contender in contenders:
        contender.close()
    images = batch * steps
    speed = {kind: harness.spread([images / a["seconds"] for a in found]) for kind, found in answers.items()}
    return {
        "network": name,
        "batch": batch,
        "steps": steps,
        "images_per_second": speed,
        "ratio": speed["ranks"]["median"] / speed["threads"]["median"],
        "plan": {kind: found[-1]["plan"] for kind, found in answers.items()},
    }


def compute_times(name: str, options: argparse.Namespace) -> dict[str, Any]:
    contender = start("compute", name, options, options.threads)
    rounds: dict[int, list[float]] = {size: [] for size in PARTS}
    for _ in range(options.rounds):
        for size, found in rounds.items():
            answer = contender.go(batch=size)
            found.append(answer["seconds"])
    contender.close()
    return {
        "parameters": answer["parameters"],
        "threads": options.threads,
        "seconds": {str(size): statistics.median(found) for size, found in rounds.items()},
    }


def message_times(options: argparse.Namespace) -> dict[str, Any]:
    contender = start("sums", "mlp", options, 1, ranks=2)
    found = {}
    for size in SIZES:
        first = contender.go(size=size, count=20)["seconds"]
        count = max(round(options.seconds / 8 / first), 5)
        found[size] = statistics.median(contender.go(size=size, count=count)["seconds"] for _ in range(options.rounds))
    contender.close()
    link = cluster.fitted("ranks of this machine", found, 2)
    return {"seconds": {str(k): v for k, v in found.items()}, "alpha": link.alpha, "beta": link.beta}


def report_model(compute: dict[str, dict[str, Any]], links: list[Link]) -> dict[str, Any]:
    """Print and return how many times as fast as one node 2 to 64 are, and up to where that pays."""
    found: dict[str, Any] = {}
    rows = []
    for name, measured in compute.items():
        times = {int(size): seconds for size, seconds in measured["seconds"].items()}
        size, batch = 4 * (measured["parameters"] + TAIL), BATCHES[name][0]
        for link in links:
            for grows in (False, True):
                lines = cluster.steps(times, size, batch, link, grows=grows)
                pays = cluster.pays_to(lines)
                kind = f"{batch} a node" if grows else f"{batch} in all"
                found[f"{name}, {link.name}, {kind}"] = {"lines": lines, "pays_to": pays}
                speedups = (f"{line['speedup']:.1f}" for line in lines[1:])
                rows.append([name, f"{size / 1024:,.0f} kB", link.name, kind, *speedups, str(pays)])
    nodes = [str(n) for n in cluster.NODES[1:]]
    columns = ["network", "message", "link", "batch", *nodes, "pays to"]
    print("times as fast as one node, by the model, on so many nodes")
    harness.table(columns, rows, right=(1, *range(4, len(columns))))
    return found


def parsed_link(text: str) -> Link:
    name, alpha, speed = text.rsplit(",", 2)
    return Link(name, float(alpha) * 1e-6, 1 / (float(speed) * 1e9), ADDING)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a round")
    parser.add_argument("--warm", type=float, default=4.0, help="seconds of work before anything is measured")
    parser.add_argument("--threads", type=int, default=2, help="of a node in the model")
    parser.add_argument("--link", type=parsed_link, action="append", help="name,latency in us,GB/s; repeatable")
    parser.add_argument("--only", choices=list(BATCHES))
    parser.add_argument("--quick", action="store_true", help="a look whether it works; nothing is written")
    parser.add_argument("--batch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--worker", choices=["threads", "ranks", "compute", "sums"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options)
        return
    if options.quick:
        options.rounds, options.seconds, options.warm = 2, 0.1, 0.2
    cases: dict[str, Any] = {}
    names = [options.only] if options.only else list(BATCHES)
    for name in names:
        for batch in BATCHES[name]:
            cases[f"two ranks, {name}, {batch}"] = two_beside_two(name, batch, options)
            print(f"{name}, {batch}: two ranks beside two threads measured", flush=True)
    rows = []
    for case in cases.values():
        speeds = (f"{case['images_per_second'][kind]['median']:,.0f}" for kind in ("threads", "ranks"))
        rows.append([case["network"], str(case["batch"]), *speeds, f"{case['ratio']:.2f}", KEPT.judge(case["ratio"])])
    columns = ["images/s of training", "batch", "2 threads", "2 ranks", "ratio", "target"]
    harness.table(columns, rows, right=(1, 2, 3, 4))
    messages = cases["messages"] = message_times(options)
    sums = [[f"{int(size):,}", f"{1e6 * s:,.1f}"] for size, s in messages["seconds"].items()]
    harness.table(["bytes summed over two ranks", "us"], sums, right=(0, 1))
    print(f"alpha {1e6 * messages['alpha']:.1f} us, beta {1e9 * messages['beta']:.3f} ns a byte\n")
    compute = {name: compute_times(name, options) for name in names}
    cases |= {f"compute, {name}": one for name, one in compute.items()}
    links = [Link("ranks of this machine", messages["alpha"], messages["beta"])]
    links += options.link or [Link(link.name, link.alpha, link.beta, ADDING) for link in LINKS]
    cases["model"] = report_model(compute, links)
    harness.finish("mpi", cases, quick=options.quick)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
