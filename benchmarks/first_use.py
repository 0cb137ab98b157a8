"""The first training step: in a fresh process with an empty cache of kernels, and again with what the first left there.

Cold, everything from the start of Python to the end of the first step of `cnn` counts. Warm, what counts is how much
longer it takes to set up and make the first step than a later step takes. Also that `import inkgrad` and
`inkgrad --help` load nothing heavy and how long they take.

    python benchmarks/first_use.py [--rounds 3] [--network cnn] [--quick]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import harness
import startup
from harness import Target

BATCH = 64
COLD = Target(25.0, most=True)
ADDED = Target(1.0, most=True)
WATCHED = 5.0  # seconds of steps after the first


def worker(network: str) -> None:
    """The first step, and the steps after it."""
    begin = time.perf_counter()
    import numpy as np

    import inkgrad as ig

    net = ig.models.build(network, rng=ig.default_rng(0))
    images = ig.default_rng(1).random((BATCH, 1, 28, 28), dtype=np.float32)
    labels = np.arange(BATCH) % 10
    ready = time.perf_counter()
    step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.01, momentum=0.9))
    step(images, labels)
    done = time.perf_counter()
    print(json.dumps({"imports": ready - begin, "first": done - ready}), flush=True)
    steps = []
    while not steps or time.perf_counter() - done < WATCHED:
        start = time.perf_counter()
        step(images, labels)
        steps.append((start - done, time.perf_counter() - start))
    later = statistics.median(taken for _, taken in steps[len(steps) * 3 // 4 :])
    settled = next(when for when, taken in steps if taken < 1.5 * later)
    print(json.dumps({"later": later, "full_speed_after": settled}), flush=True)


def measure(network: str, cache: str) -> dict[str, float]:
    """One process; `until_first_step` as seen from outside."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(harness.HERE / "first_use.py"), "--worker", "--network", network],
        env=dict(os.environ) | {"NUMBA_CACHE_DIR": cache},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found: dict[str, float] = {"until_first_step": time.perf_counter() - start}
    if not line:
        raise SystemExit(f"the process ended with status {process.wait()}")
    found |= json.loads(line) | json.loads(process.stdout.readline())
    process.wait()
    return found | {"added": found["first"] - found["later"]}


def starts(network: str, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Cold and warm, each round with a cache of its own."""
    found: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            for runs in found.values():
                runs.append(measure(network, cache))
    return found


def report(found: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    keys = ("until_first_step", "imports", "first", "later", "added", "full_speed_after")
    summary = {name: {k: harness.spread([run[k] for run in runs]) for k in keys} for name, runs in found.items()}
    verdicts = {
        "cold": "s in all: " + COLD.judge(summary["cold"]["until_first_step"]["median"]),
        "warm": "s added: " + ADDED.judge(summary["warm"]["added"]["median"]),
    }
    rows = []
    for name, figures in summary.items():
        total = figures["until_first_step"]
        cells = [f"{figures[k]['median']:.3f}" for k in keys[1:]]
        cells.insert(0, f"{total['median']:.2f} ({total['min']:.2f} to {total['max']:.2f})")
        rows.append([name, *cells, verdicts[name]])
    columns = ["seconds", "until the first step is done", "imports", "set up, first step", "a later step", "added"]
    harness.table([*columns, "full speed after another", "target"], rows, right=range(1, 7))
    return summary


def first_answers(rounds: int) -> dict[str, Any]:
    """What does not train has nothing to wait for."""
    bare = startup.seconds([sys.executable, "-c", "pass"], rounds)
    found: dict[str, Any] = {
        "import_over_bare": startup.seconds([sys.executable, "-c", "import inkgrad"], rounds) - bare,
        "import_loads": startup.loaded(f"import inkgrad; {startup.LOADED}"),
        "help": startup.seconds([sys.executable, "-c", startup.HELP], rounds),
    }
    print(f"import inkgrad: {found['import_over_bare']:.3f} s over bare Python, heavy modules {found['import_loads']}")
    print(f"inkgrad --help: {found['help']:.3f} s")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--network", default="cnn")
    parser.add_argument("--quick", action="store_true", help="one round; nothing is written")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.network)
        return
    runs = starts(options.network, 1 if options.quick else options.rounds)
    case = {"batch": BATCH, "runs": runs, "summary": report(runs)}
    cases = {options.network: case, "first_answers": first_answers(2 if options.quick else 7)}
    harness.finish("first_use", cases, quick=options.quick)


if __name__ == "__main__":
    main()
