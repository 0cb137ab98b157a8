"""What all benchmarks share: workers in processes of their own, alternating; the machine; the test ledger."""

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LEDGER = HERE / "test_ledger.jsonl"
RESULTS = HERE / "results"


def machine() -> dict[str, Any]:
    """Processor, cores, versions and the BLAS core that arithmetic runs on."""
    import numpy as np
    from threadpoolctl import threadpool_info

    from inkgrad import __version__

    model = next(
        (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.processor()
    )
    blas = [
        f"{info['internal_api']} {info.get('architecture', '?')}, {info['num_threads']} threads"
        for info in threadpool_info()
    ]
    versions = {"inkgrad": __version__, "numpy": np.__version__, "python": platform.python_version()}
    return {"processor": model, "cores": os.cpu_count(), "blas": blas, **versions}


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def worker(script: str, *arguments: str) -> dict[str, Any]:
    """Run a script of this folder in a fresh process; its last line of output is a JSON object."""
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments], env=environment, capture_output=True, text=True, check=False
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


def log_test_evaluation(recipe: str, seed: int, accuracy: float, **more: Any) -> None:
    """Write down that the MNIST test set was looked at: the first evaluation of a recipe counts."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = {
        "date": now,
        "commit": commit.stdout.strip(),
        "recipe": recipe,
        "seed": seed,
        "test_accuracy": accuracy,
        **more,
    }
    with LEDGER.open("a") as file:
        file.write(json.dumps(line) + "\n")


def write_results(name: str, results: Mapping[str, Any]) -> None:
    """Keep the figures of a run beside the scripts."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"machine": machine(), **results}, indent=2) + "\n")
