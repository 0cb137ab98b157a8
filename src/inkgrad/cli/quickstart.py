"""`inkgrad quickstart`."""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inkgrad.cli.gradcheck import as_json
from inkgrad.cli.output import emit_json, say
from inkgrad.data import Splits, load
from inkgrad.errors import StorageError
from inkgrad.models import MODEL_FILE, Classifier
from inkgrad.models import load as load_model
from inkgrad.training import Run, Settings
from inkgrad.training.gradcheck import check_network
from inkgrad.training.metrics import Evaluation, evaluate_predictions
from inkgrad.training.progress import Progress
from inkgrad.training.quickstart import quickstart_folder, quickstart_settings, write_samples

Tell = Callable[[str], None]


def run(*, out: Path, seed: int, json: bool) -> None:
    """Train, check, classify, and say what to try next."""
    start = time.perf_counter()
    tell: Tell = _silent if json else say
    settings, folder = quickstart_settings(seed), quickstart_folder()
    splits = load(settings.data)
    widths = "-".join(str(width) for width in (784, *(settings.hidden or ()), 10))
    tell(f"1. Train a network ({widths}) by backpropagation on {len(splits.train):,} handwritten digits")
    classifier, test = _train(settings, splits, folder)
    low, high = test.interval
    tell(
        f"   of {test.n} digits it has never seen it reads {test.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%})"
    )
    tell("\n2. Check every gradient against its numerical value")
    report = check_network(settings.model, splits.train, hidden=settings.hidden)
    tell("   " + str(report).replace("\n", "\n   "))
    report.raise_if_failed()
    tell("\n3. Recognize held-out digits in image files of several sizes and colors")
    answers = _classify(out, classifier, splits, tell)
    seconds = time.perf_counter() - start
    if json:
        result = {"model": str(folder / MODEL_FILE), "test": test.as_json(), "gradients": as_json(report)}
        emit_json(result | {"samples": answers, "seconds": seconds})
        return
    tell(f"\nDone in {seconds:.0f} s. Try next:")
    called = _called()
    tell(f"  {called} classify --show {answers[1]['file']}")
    tell("      with the network that comes with inkgrad; or name a picture of your own, of one digit")
    tell(f"  {called} evaluate {folder} --report report.html")
    tell("      which digits it misreads; it has seen only 1,200")
    tell(f"  {called} train --data mnist --epochs 10")
    tell("      50,000 digits, downloaded once")


def _called() -> str:
    """How this command was called, so that the next ones work too where the environment is not active."""
    program = Path(sys.argv[0])
    if program.name not in ("inkgrad", "inkgrad.exe") or shutil.which("inkgrad"):
        return "inkgrad"
    return str(program)


def _silent(_: str) -> None:
    """Say nothing: with --json, standard output holds one object."""


def _train(settings: Settings, splits: Splits, folder: Path) -> tuple[Classifier, Evaluation]:
    fresh = folder.with_name(f"{folder.name}-unfinished")
    _clear(fresh)
    Run(fresh, settings, splits, callbacks=[Progress(every_epochs=10)]).train()
    _clear(folder)  # only now: until the new model is there, the old one stays
    fresh.replace(folder)
    classifier = load_model(folder)
    probabilities = classifier.predict_proba(splits.test.images)
    return classifier, evaluate_predictions(splits.test.labels, probabilities, classifier.classes)


def _clear(folder: Path) -> None:
    """Remove what an earlier quickstart left in its own folder."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StorageError(f"cannot renew {folder}: {error.strerror}") from error


def _classify(out: Path, classifier: Classifier, splits: Splits, tell: Tell) -> list[dict[str, Any]]:
    answers = []
    for path, digit in write_samples(out, splits.test):
        answer = classifier.classify(path)
        read = "no digit" if answer.value is None else f"{answer.label} ({answer.confidence:.1%})"
        tell(f"   {path}  shows a {digit}, read as {read}")
        answers.append({"file": str(path), "digit": digit, "value": answer.value, "confidence": answer.confidence})
    return answers
