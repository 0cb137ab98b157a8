"""`inkgrad evaluate`."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np

from inkgrad.cli.model import chosen_model
from inkgrad.cli.output import emit_json, say, table
from inkgrad.data import Dataset, load, mixture_parts
from inkgrad.errors import OptionError
from inkgrad.models import Classifier
from inkgrad.training.metrics import Evaluation, evaluate_predictions
from inkgrad.training.report import write_report


def run(model: Path, *, data: str | None, split: str, report: Path | None, json: bool) -> None:
    """Measure a model on one split of a data set."""
    classifier = chosen_model(model)
    training = classifier.header.get("training", {})
    settings = training.get("settings", {})
    if data is None and "data" not in settings and "members" in training:
        known = ", ".join(sorted({str(member.get("data")) for member in training["members"]}))
        raise OptionError(f"the members of {model} were trained on different data ({known}); name one with --data")
    source = data or settings.get("data", "digits")
    if split == "validation" and settings.get("train_on") == "all":
        raise OptionError(
            f"{model} was trained with --train-on all, so it has learned from the validation part; use --split test"
        )
    learned = {part.name for part in mixture_parts(settings.get("data", ""))[1:]}
    parts = mixture_parts(source)
    if parts[0].name in learned:
        say(f"{model} has learned from all of {parts[0].name}: this tells nothing of unseen digits", error=True)
    splits = load(parts[0].name)  # of a mixture the first part has the digits to measure on
    dataset = splits.test if split == "test" else splits.validation
    if len(dataset) == 0:
        raise OptionError(f"{dataset.name} has no images; choose another --split or larger --data")
    _check_classes(classifier, dataset)
    probabilities = classifier.predict_proba(dataset.images)
    evaluation = evaluate_predictions(dataset.labels, probabilities, classifier.classes)
    if report is not None:
        _report(report, evaluation, classifier, dataset, probabilities, model)
    if json:
        result = {"model": str(model), "data": str(source), "split": split} | evaluation.as_json()
        emit_json(result | {"report": None if report is None else str(report)})
        return
    _print(evaluation, classifier, dataset)
    if report is not None:
        say(f"\nreport written to {report}")


def _check_classes(classifier: Classifier, dataset: Dataset) -> None:
    if classifier.classes != dataset.classes:
        raise OptionError(
            f"the model knows the classes {', '.join(classifier.classes)}, but {dataset.name} has "
            f"{', '.join(dataset.classes)}; evaluate it on data of its own classes"
        )


def _print(evaluation: Evaluation, classifier: Classifier, dataset: Dataset) -> None:
    low, high = evaluation.interval
    wrong = evaluation.n - int(np.trace(evaluation.confusion))
    say(f"{dataset.name}: accuracy {evaluation.accuracy:.2%} (95 % interval {low:.2%} to {high:.2%})")
    say(f"{wrong:,} of {evaluation.n:,} images misread, calibration error {evaluation.calibration_error:.2%}\n")
    names = classifier.classes
    rows = [
        [name, f"{evaluation.precision[i]:.2%}", f"{evaluation.recall[i]:.2%}", f"{evaluation.support[i]:,}"]
        for i, name in enumerate(names)
    ]
    table(["class", "precision", "recall", "images"], rows, right=(1, 2, 3))
    say("\nconfusion (rows: true, columns: read as)")
    counts = [
        [name, *(str(c) if c else "." for c in row)] for name, row in zip(names, evaluation.confusion, strict=True)
    ]
    table(["", *names], counts, right=range(1, len(names) + 1))
    if evaluation.most_confused:
        pairs = ", ".join(f"{names[t]} as {names[p]} ({c})" for t, p, c in evaluation.most_confused[:5])
        say(f"\nmost confused: {pairs}")


def _report(
    path: Path, evaluation: Evaluation, classifier: Classifier, dataset: Dataset, probabilities: Any, model: Path
) -> None:
    header = classifier.header
    settings = header.get("training", {}).get("settings", {})
    details = {
        "model": str(model),
        "architecture": f"{header.get('architecture')} {header.get('options')}",
        "data": dataset.name,
        "trained with": ", ".join(f"{key} {value}" for key, value in settings.items() if value not in (None, 0, 0.0)),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    write_report(
        path,
        evaluation,
        title=f"{header.get('architecture', 'network')} on {dataset.name}",
        images=dataset.images,
        labels=dataset.labels,
        probabilities=probabilities,
        classes=classifier.classes,
        details=details,
        classifier=classifier,
    )
