"""`inkgrad classify`."""

from pathlib import Path
from typing import Any

from inkgrad.cli.output import emit_json, say, show_digit
from inkgrad.data.folder import IMAGE_ENDINGS
from inkgrad.errors import ImageError, OptionError
from inkgrad.models import MODEL_FILE, Classification, Classifier, load
from inkgrad.training.quickstart import quickstart_folder


def run(files: list[Path], *, model: Path | None, show: bool, json: bool) -> None:
    """Classify each file; a file that is no image is reported and does not keep the others from being read."""
    classifier = load(_model_path(model))
    results: list[dict[str, Any]] = []
    failed: list[str] = []
    for path in _expand(files):
        try:
            answer = classifier.classify(path)
        except ImageError as error:
            failed.append(str(error))
            say(f"inkgrad: {error}", error=True)
            results.append({"file": str(path), "error": str(error)})
            continue
        results.append(_as_json(path, answer, classifier))
        if not json:
            say(_line(path, answer, classifier))
            if show and answer.image is not None:
                show_digit(answer.image)
    if json:
        emit_json({"results": results})
    if failed:
        raise SystemExit(2)


def _model_path(model: Path | None) -> Path:
    if model is not None:
        return model
    path = quickstart_folder() / MODEL_FILE
    if not path.is_file():
        raise OptionError("there is no model yet; run inkgrad quickstart first, or name one with --model")
    return path


def _expand(files: list[Path]) -> list[Path]:
    """The files, with the images of folders in their place, sorted by name."""
    expanded: list[Path] = []
    for path in files:
        if not path.is_dir():
            expanded.append(path)
            continue
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_ENDINGS and not p.name.startswith("."))
        if not inside:
            raise OptionError(f"the folder {path} holds no images (files ending in .png, .jpg, .tif and the like)")
        expanded.extend(inside)
    return expanded


def _line(path: Path, answer: Classification, classifier: Classifier) -> str:
    if answer.value is None or answer.runner_up is None:
        return f"{path}: no digit"
    second = answer.runner_up
    return (
        f"{path}: {answer.label}  {answer.confidence:.1%}"
        f"  (else {classifier.classes[second]}, {answer.probabilities[second]:.1%})"
    )


def _as_json(path: Path, answer: Classification, classifier: Classifier) -> dict[str, Any]:
    second = answer.runner_up
    return {
        "file": str(path),
        "value": answer.value,
        "label": answer.label,
        "confidence": answer.confidence,
        "runner_up": second,
        "runner_up_label": None if second is None else classifier.classes[second],
        "probabilities": answer.probabilities,
    }
