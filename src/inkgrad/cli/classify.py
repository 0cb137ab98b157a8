"""`inkgrad classify`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.cli.model import chosen_model
from inkgrad.cli.output import emit_json, say, show_digit
from inkgrad.data import to_digit
from inkgrad.data.folder import IMAGE_ENDINGS
from inkgrad.errors import ImageError, OptionError
from inkgrad.kernels import load_backend
from inkgrad.kernels.threads import thread_count
from inkgrad.models import Classification, Classifier

TOGETHER = 512  # pictures that the network sees at once
SURE = 0.95  # a digit probability below this is told
MANY = 500  # pictures from which on it pays to load compiled kernels before the first answer


def run(files: list[Path], *, model: Path | None, show: bool, json: bool) -> None:
    """Classify each file; a file that is no image is reported and does not keep the others from being read."""
    classifier = chosen_model(model)
    results: list[dict[str, Any]] = []
    failed = False
    for path, answer in _answers(_expand(files), classifier):
        if isinstance(answer, ImageError):
            failed = True
            say(f"inkgrad: {answer}", error=True)
            results.append({"file": str(path), "error": str(answer)})
            continue
        if json:
            results.append(_as_json(path, answer, classifier))
            continue
        say(_line(path, answer, classifier))
        if show and answer.image is not None:
            show_digit(answer.image)
    if json:
        emit_json({"results": results})
    if failed:
        raise SystemExit(2)


def _answers(paths: list[Path], classifier: Classifier) -> Iterator[tuple[Path, Classification | ImageError]]:
    """What is in each file, in their order; files are decoded by threads while others are answered, many at a time."""
    if len(paths) == 1:
        yield from _together(paths, [_form(paths[0])], classifier)
        return
    parts = [paths[start : start + TOGETHER] for start in range(0, len(paths), TOGETHER)]
    pool = ThreadPoolExecutor(thread_count())
    try:
        ahead = [pool.submit(_form, path) for path in parts[0]]
        if len(paths) >= MANY:
            load_backend()
        for some, following in zip(parts, [*parts[1:], []], strict=True):
            forms = [future.result() for future in ahead]
            ahead = [pool.submit(_form, path) for path in following]
            yield from _together(some, forms, classifier)
    finally:  # who stops listening does not wait for the pictures that are left
        pool.shutdown(cancel_futures=True)


def _together(
    paths: list[Path], forms: list[NDArray[np.uint8] | ImageError | None], classifier: Classifier
) -> Iterator[tuple[Path, Classification | ImageError]]:
    answers = iter(classifier.classify_forms([form for form in forms if not isinstance(form, ImageError)]))
    for path, form in zip(paths, forms, strict=True):
        yield path, form if isinstance(form, ImageError) else next(answers)


def _form(path: Path) -> NDArray[np.uint8] | ImageError | None:
    try:
        return to_digit(str(path))
    except ImageError as error:
        return error


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
    known, refusal = answer.digit_probability, classifier.refusal
    if answer.value is None or answer.runner_up is None:
        least = f"; at least {refusal.threshold:.1%} is asked" if refusal else ""
        return f"{path}: no digit" + (f"  (probability of a digit: {known:.1%}{least})" if known else "")
    second = answer.runner_up
    else_ = f"else {classifier.classes[second]}, {answer.probabilities[second]:.1%}"
    doubt = f"; perhaps no digit, {1 - known:.1%}" if known is not None and known < SURE else ""
    return f"{path}: {answer.label}  {answer.confidence:.1%}  ({else_}{doubt})"


def _as_json(path: Path, answer: Classification, classifier: Classifier) -> dict[str, Any]:
    second = answer.runner_up
    return {
        "file": str(path),
        "value": answer.value,
        "label": answer.label,
        "confidence": answer.confidence,
        "digit_probability": answer.digit_probability,
        "runner_up": second,
        "runner_up_label": None if second is None else classifier.classes[second],
        "probabilities": answer.probabilities,
    }
