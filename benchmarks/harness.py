"""What all benchmarks share: fresh processes, the machine, tables with targets, results, the test ledger.

The BLAS picks its core for itself in every process: a preset OPENBLAS_CORETYPE is dropped when this is imported.
"""

import datetime
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.pop("OPENBLAS_CORETYPE", None)

HERE = Path(__file__).parent
LEDGER = HERE / "test_ledger.jsonl"
RESULTS = HERE / "results"


def machine() -> dict[str, Any]:
    """Processor, cores, versions and the BLAS core that arithmetic runs on."""
    from inkgrad.training import benchmark

    return benchmark.machine() | {"load": os.getloadavg()[0]}


def worker(script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run a script of this folder in a fresh process; its last line of output is a JSON object."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        env=dict(os.environ) | dict(environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(arguments)} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, sample deviation, median, least and greatest."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {
        "mean": statistics.fmean(values),
        "std": deviation,
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
    }


@dataclass(frozen=True)
class Target:
    """What a figure must reach, and what it should.

    Attributes:
        bound: the least that is good enough; the most, where `most`.
        goal: what to go for.
        most: whether less is better.
    """

    bound: float
    goal: float | None = None
    most: bool = False

    def met(self, value: float) -> bool:
        """Whether the bound holds."""
        return value <= self.bound if self.most else value >= self.bound

    def judge(self, value: float) -> str:
        """The target in words, and what became of it."""
        words = f"at {'most' if self.most else 'least'} {self.bound:g}"
        if self.goal is None:
            return f"{words}: {'met' if self.met(value) else 'MISSED'}"
        reached = Target(self.goal, most=self.most).met(value)
        end = "goal met" if reached else "met" if self.met(value) else "MISSED"
        return f"{words}, goal {self.goal:g}: {end}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print a table; the columns numbered in `right` are aligned to the right."""
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    for row in [columns, ["-" * width for width in widths], *rows]:
        cells = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        print("  ".join(cells).rstrip())
    print(flush=True)


def stamp() -> dict[str, str]:
    """When, and on which commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"date": now, "commit": commit.stdout.strip()}


def log_test_evaluation(recipe: str, seed: int, accuracy: float, **more: Any) -> None:
    """Write down that the MNIST test set was looked at: the first evaluation of a recipe counts."""
    line = stamp() | {"recipe": recipe, "seed": seed, "test_accuracy": accuracy, **more}
    with LEDGER.open("a") as file:
        file.write(json.dumps(line) + "\n")


def write_results(name: str, results: Mapping[str, Any]) -> None:
    """Keep the figures of a run beside the scripts."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"machine": machine(), **results}, indent=2) + "\n")


def read_results(name: str) -> dict[str, Any]:
    """What `write_results` kept; empty if there is nothing yet."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def finish(name: str, cases: Mapping[str, Mapping[str, Any]], *, quick: bool) -> None:
    """Keep the cases of a run beside those of earlier runs, and print the machine; a quick look leaves no trace."""
    if not quick:
        kept = read_results(name).get("cases", {})
        write_results(name, {"cases": kept | {key: stamp() | dict(case) for key, case in cases.items()}})
    print(json.dumps(machine()))
