"""How long a step of each lesson takes: from a question to its whole answer, of a real server on loopback.

Every question is another one, so that no answer is kept from before: other inputs, other digits, the next part of a
training. The first two of each kind warm up. A descent is a whole path of up to 400 steps; a change of a training is
answered while the training runs as fast as it can.

    python benchmarks/lesson_steps.py [--quick]
"""

import argparse
import contextlib
import itertools
import json
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import harness
from harness import Target

TESTS = harness.HERE.parent / "tests"
sys.path[:0] = [str(TESTS / "web"), str(TESTS)]

from serving import Server, ask, serving  # noqa: E402

STEP = Target(100, most=True)  # ms, the median
WARM, ASKED = 2, 20
Question = tuple[str, dict[str, Any]]


def questions() -> dict[str, list[Question]]:
    """Of each kind, at least as many different ones as are asked."""
    from inkgrad.lessons.digits import lesson_digits
    from inkgrad.lessons.mistakes import MISTAKES
    from inkgrad.lessons.surfaces import SURFACES
    from inkgrad.lessons.troubles import CASES

    _, test = lesson_digits()
    pixels = [image.reshape(28, 28).tolist() for image in test.images[: WARM + ASKED].astype(float)]
    purchase = {"expression": "(apples*100 + oranges*150)*tax"}
    numbers = range(1, WARM + ASKED + 1)
    deep = {name: {"rate": case.switches.rate, "depth": case.switches.depth} for name, case in CASES.items()}
    checks = itertools.product((one.name for one in MISTAKES), (False, True))
    found: dict[str, list[Question]] = {
        "1 graph": [("graph", purchase | {"inputs": {"apples": k, "oranges": 3, "tax": 1.1}}) for k in numbers],
        "2 layers": [("layers", {"sample": k, "weights": "trained", "updates": k % 5}) for k in numbers],
        "3 check": [("check", {"mistake": name, "corrected": mended}) for name, mended in checks],
        "3 steps": [("steps", {"expression": "exp(x)*x", "x": 0.1 * k}) for k in numbers],
    }
    for surface in SURFACES.values():
        rates = [(rule, rate * (1 + k / 100)) for k in range(4) for rule, (_, rate, _) in surface.rates.items()]
        found[f"4 descend, {surface.name}"] = [
            ("descend", {"surface": surface.name, "optimizer": rule, "rate": rate}) for rule, rate in rates
        ]
    for batch in ("full", "mini", "single"):
        asked = {"batch": batch, "optimizer": "adam", "rate": 0.001}
        found[f"4 batches, {batch}"] = [("batches", asked | {"part": k}) for k in numbers]
    theorems = itertools.product((10, 100, 1000), ("convex", "strongly-convex", "momentum", "stochastic"))
    found["4 convergence"] = [("convergence", {"theorem": name, "condition": kappa}) for kappa, name in theorems]
    found["5 change"] = [("training/change", {"learning_rate": 0.001 * k}) for k in numbers]
    found["6 deep"] = [("deep", {"depth": 8, "activation": "relu", "start": "he", "part": k}) for k in numbers]
    found["6 deep, a new network"] = [
        ("deep", deep[name] | {"rate": 0.01 + k / 1e4}) for k, name in zip(numbers, itertools.cycle(deep), strict=False)
    ]
    found["6 starts"] = [
        ("starts", {"hidden": h, "activation": a}) for h in (2, 3, 4, 8) for a in ("relu", "tanh", "sigmoid")
    ]
    found["7 convolution"] = [("convolution", {"pixels": one, "kernel": [[-1.0, 0.0, 1.0]] * 3}) for one in pixels]
    found["7 shifted"] = [("shifted", {"pixels": one, "right": 2}) for one in pixels]
    return found


@contextlib.contextmanager
def training(server: Server) -> Iterator[dict[str, Any]]:
    """What names a training that runs, until the end of the block."""
    name = server.post("/api/v1/lessons/training", {"network": "lenet5", "pace": 100.0}).json["training"]
    with contextlib.closing(server.connect()) as connection:
        body = json.dumps({"training": name}).encode()
        connection.request("POST", "/api/v1/lessons/training/watch", body, {"Content-Type": "application/json"})
        connection.getresponse()
        yield {"training": name}
        server.post("/api/v1/lessons/training/change", {"training": name, "end": True})


def measured(server: Server, asked: list[Question], more: dict[str, Any]) -> list[float]:
    """Milliseconds of each question but the first two."""
    found = []
    with contextlib.closing(server.connect()) as connection:
        for route, question in asked:
            content = json.dumps(question | more).encode()
            before = time.perf_counter()
            answer = ask(connection, "POST", f"/api/v1/lessons/{route}", content, {"Content-Type": "application/json"})
            found.append(1000 * (time.perf_counter() - before))
            if answer.status != 200:
                raise SystemExit(f"{route}: {answer.status} {answer.content.decode()[:300]}")
    return found[WARM:]


def main() -> None:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    cases, rows = {}, []
    with serving() as server:
        for name, asked in questions().items():
            of_training = training(server) if name == "5 change" else contextlib.nullcontext({})
            with of_training as more:
                taken = measured(server, asked[: WARM + (4 if quick else ASKED)], more)
            median, slowest = statistics.median(taken), statistics.quantiles(taken, n=20, method="inclusive")[-1]
            cases[name] = {"asked": len(taken), "median_ms": median, "p95_ms": slowest}
            rows.append([name, str(len(taken)), f"{median:.1f}", f"{slowest:.1f}", STEP.judge(median)])
    harness.table(["lesson", "asked", "median ms", "95 % ms", ""], rows, right=(1, 2, 3))
    harness.finish("lesson_steps", cases, quick=quick)


if __name__ == "__main__":
    main()
