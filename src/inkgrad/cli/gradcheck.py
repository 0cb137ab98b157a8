"""`inkgrad gradcheck`."""

from typing import Any

from inkgrad.autodiff.check import GradientReport
from inkgrad.cli.output import emit_json, say
from inkgrad.data import load
from inkgrad.training.gradcheck import check_network


def run(*, model: str, data: str, batch_size: int, seed: int, json: bool) -> None:
    """Check every parameter of a fresh network; a wrong gradient ends in exit status 1."""
    train = load(data).train
    report = check_network(model, train, batch_size=batch_size, seed=seed)
    if json:
        if report.passed:
            emit_json({"model": model, "data": train.name, "batch_size": batch_size} | as_json(report))
    else:
        say(f"{model} on {min(batch_size, len(train))} digits of {train.name}, float64, along random directions\n")
        say(f"{report}\n")
    report.raise_if_failed()
    if not json:
        say("backpropagation agrees with the numerical gradient of every parameter")


def as_json(report: GradientReport) -> dict[str, Any]:
    """The report as JSON holds it."""
    rows = [
        {"name": r.name, "shape": list(r.shape), "norm": r.norm, "relative_error": r.relative_error, "passed": r.passed}
        for r in report
    ]
    return {"passed": report.passed, "tolerance": report.tolerance, "parameters": rows}
