"""`inkgrad benchmark`."""

from dataclasses import asdict
from typing import Any

from inkgrad.cli.output import emit_json, say, table
from inkgrad.training.benchmark import Measured, kernels_without_twin, machine, measure


def run(*, quick: bool, json: bool) -> None:
    """Measure training and prediction on this machine and say what they ran on."""
    times: dict[str, Any] = {"seconds": 0.02, "warm": 0.02, "rounds": 1} if quick else {}
    found = []
    for measured in measure(**times):
        say(f"measured {measured.network}, {_work(measured)}", error=True)
        found.append(measured)
    ground, missing = machine(), kernels_without_twin()
    if json:
        emit_json({"results": [asdict(row) for row in found], "machine": ground, "reference_kernels": missing})
        return
    rows = [
        [row.network, _work(row), f"{row.images_per_second:,.0f}", f"{row.milliseconds:.3f}", row.plan] for row in found
    ]
    table(["network", "work", "images/s", "ms a call", "plan"], rows, right=(2, 3))
    say()
    for name, value in ground.items():
        say(f"{name:10} {'; '.join(value) if isinstance(value, list) else value}")
    say(f"\nkernels without a compiled form, for what is not planned: {', '.join(missing) or 'none'}")


def _work(row: Measured) -> str:
    return f"{row.work} {'one image' if row.batch == 1 else f'batch {row.batch}'}"
