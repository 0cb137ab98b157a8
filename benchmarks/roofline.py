"""How near training comes to what the machine can do.

Measures the machine's float32 peak, the best rate of NumPy's matrix products over several sizes on all cores, counts
the operations of the products of a training step from each network's layers, and compares the images a second that
this peak would allow with those of train_speed.py, or with a short measurement where there are none.

    python benchmarks/roofline.py [--rounds 5] [--measure] [--quick]
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import contest
import harness
import networks
import numpy as np
import train_speed

SIZES = (512, 1024, 1536, 2048, 3072)


def gemm_rates(sizes: tuple[int, ...], rounds: int) -> dict[int, float]:
    """GFLOP/s of square matrix products: the best of the rounds for each size."""
    rng = np.random.default_rng(0)
    best = {}
    for size in sizes:
        a, b = (rng.standard_normal((size, size), np.float32) for _ in range(2))
        out = np.empty_like(a)
        times = []
        for _ in range(rounds + 1):
            start = time.perf_counter()
            np.matmul(a, b, out=out)
            times.append(time.perf_counter() - start)
        best[size] = 2 * size**3 / min(times) / 1e9
    return best


def reached(name: str, *, measure: bool, quick: bool) -> tuple[float, str]:
    """(images a second, where they are from)."""
    kept = harness.read_results("train_speed").get("cases", {}).get(name)
    if kept and not measure:
        return kept["contenders"]["ours"]["images_per_second"]["median"], f"train_speed, commit {kept['commit']}"
    with tempfile.TemporaryDirectory() as place:
        batch = train_speed.CASES[name].batch
        networks.write_digits(Path(place), 10 * batch)
        seconds = ("0.05", "0.1") if quick else ("1", "4")
        line = ["--only", name, "--folder", place, "--seconds", seconds[0], "--warm", seconds[1]]
        contender = contest.Contender("ours", "train_speed.py", "ours", *line)
        steps = [contender.go()["step"] for _ in range(1 if quick else 3)]
        contender.close()
    return batch / float(np.median(steps)), "measured now"


def describe(name: str) -> tuple[list[networks.Layer], networks.Weights]:
    net = networks.build(name)
    return networks.describe(net), {path: member.data for path, member in net.named_state()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure", action="store_true", help="measure, also where train_speed.py has")
    parser.add_argument("--quick", action="store_true", help="a look whether it works; nothing is written")
    options = parser.parse_args()
    rates = gemm_rates(SIZES[:1] if options.quick else SIZES, options.rounds)
    peak = max(rates.values())
    print(
        "NumPy's products of square matrices, float32, GFLOP/s: " + ", ".join(f"{n}: {r:.0f}" for n, r in rates.items())
    )
    print(f"peak: {peak:.0f} GFLOP/s\n")
    cases: dict[str, Any] = {"peak": {"gflops": peak, "by_size": {str(n): rate for n, rate in rates.items()}}}
    rows = []
    for name in train_speed.CASES:
        work = networks.flops(*describe(name))
        speed, source = reached(name, measure=options.measure, quick=options.quick)
        allowed = 1e9 * peak / work["train"]
        part = speed / allowed
        cases[name] = work | {"allowed": allowed, "reached": speed, "part": part, "source": source}
        flops = (f"{work['forward'] / 1e6:.2f}", f"{work['train'] / 1e6:.2f}")
        rows.append([name, *flops, f"{allowed:,.0f}", f"{speed:,.0f}", f"{part:.0%}", source])
    columns = [
        "network",
        "MFLOP an image forward",
        "in training",
        "images/s at the peak",
        "reached",
        "of the peak",
        "from",
    ]
    harness.table(columns, rows, right=range(1, 6))
    harness.finish("roofline", cases, quick=options.quick)


if __name__ == "__main__":
    main()
