"""What the weights that ship can do: hands that they never saw, what is no digit, changed images, calibration.

Draws docs/images/shipped-reliability.svg and shipped-robustness.svg, the plots of the model cards.

MNIST's test digits are looked at with `--split test` alone, once for frozen weights, as test_ledger.jsonl says. Things
that are no digits are drawn from a fixed seed, of the kinds that no network learns (`inkgrad.data.TESTED`); the digits
among them are of MNIST's last 10,000 training digits.

    python benchmarks/shipped.py [--model digits tiny | RUN ...] [--split test] [--misread FOLDER] [--quick]
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import numpy as np
import shipped_plots
from harness import Target
from numpy.typing import NDArray

import inkgrad as ig
from inkgrad.data import Dataset
from inkgrad.models import Classifier

Images = NDArray[np.uint8]
SHIPPED = ("digits", "tiny")
SEED = 20240
REFUSED = Target(95.0)
COST = Target(1.5, most=True)  # points
CALIBRATION = Target(0.3, most=True)  # %
SETS = {
    "hwd1000": {"digits": Target(99.8)},
    "semeion": {"digits": Target(96.0)},
    "mnist test": {"digits": Target(99.6, 99.75), "tiny": Target(99.2)},
}


def moved(angle: float = 0.0, scale: float = 1.0, down: float = 0.0, right: float = 0.0) -> Callable[[Images], Images]:
    """Turned by degrees and scaled about the middle, then moved by pixels."""
    import cv2

    matrix = cv2.getRotationMatrix2D((13.5, 13.5), angle, scale)
    matrix[:, 2] += (right, down)
    return lambda images: np.stack([cv2.warpAffine(image, matrix, (28, 28)) for image in images])


def each(change: Callable[[Images], Any]) -> Callable[[Images], Images]:
    """A change of one image, of all."""
    return lambda images: np.stack([np.asarray(change(image), np.uint8) for image in images])


def strokes(operation: str) -> Callable[[Images], Images]:
    """One pixel thicker or thinner: the brightest or darkest of 2x2 pixels."""
    import cv2

    return each(lambda image: getattr(cv2, operation)(image, np.ones((2, 2), np.uint8)))


def noisy(images: Images) -> Images:
    """Normal noise with a standard deviation of 30 gray levels."""
    noise = ig.default_rng(SEED).normal(0, 30, images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


def salted(images: Images) -> Images:
    """5 % of the pixels black or white."""
    drawn = ig.default_rng(SEED).random(images.shape)
    return np.where(drawn < 0.025, 255, np.where(drawn > 0.975, 0, images)).astype(np.uint8)


def blurred(images: Images) -> Images:
    """A Gaussian blur with a standard deviation of one pixel."""
    import cv2

    return each(lambda image: cv2.GaussianBlur(image, (0, 0), 1.0))(images)


CHANGES: dict[str, Callable[[Images], Images]] = {
    "as they are": lambda images: images,
    "turned left by 15 degrees": moved(15),
    "turned right by 15 degrees": moved(-15),
    "3 pixels down": moved(down=3),
    "3 pixels up": moved(down=-3),
    "3 pixels to the right": moved(right=3),
    "3 pixels to the left": moved(right=-3),
    "scaled by 0.7": moved(scale=0.7),
    "scaled by 1.4": moved(scale=1.4),
    "strokes a pixel thicker": strokes("dilate"),
    "strokes a pixel thinner": strokes("erode"),
    "noise of 30 gray levels": noisy,
    "5 % salt and pepper": salted,
    "blur of 1 pixel": blurred,
    "a quarter of the contrast": lambda images: images // 4,
}


def accuracy(classifier: Classifier, dataset: Dataset) -> float:
    """In %."""
    return 100 * float((classifier.predict(dataset.images) == dataset.labels).mean())


def measure(classifier: Classifier, count: int, per_kind: int) -> dict[str, Any]:
    """All that can be said without the test digits."""
    validation = ig.data.load("mnist").validation[:count]
    known = classifier.digit_probability(validation.images)
    threshold = float(np.quantile(known, 0.01))
    found: dict[str, Any] = {
        "threshold": threshold,
        "threshold in the file": classifier.refusal.threshold if classifier.refusal else None,
        "temperature": classifier.temperature,
        "sets": {"mnist validation": accuracy(classifier, validation)},
        "reliability": {},
        "refused": {},
        "changed": {},
    }
    sets = {"mnist validation": validation} | {name: ig.data.load(name).test for name in ("hwd1000", "semeion")}
    for name, dataset in sets.items():
        found["sets"][name] = accuracy(classifier, dataset)
        found["reliability"][name] = reliability(classifier, dataset)
    for kind in ig.data.TESTED:
        drawn = ig.data.nondigits([kind], per_kind, validation, ig.default_rng(SEED))
        found["refused"][kind] = 100 * float((classifier.digit_probability(drawn.images) < threshold).mean())
    for name, change in CHANGES.items():
        changed = Dataset(change(validation.images), validation.labels, name)
        found["changed"][name] = accuracy(classifier, changed)
    return found


def reliability(classifier: Classifier, dataset: Dataset) -> dict[str, Any]:
    """The expected calibration error over 15 bins, in %, and the bins that are not empty."""
    probabilities = classifier.predict_proba(dataset.images)
    found = ig.training.evaluate_predictions(dataset.labels, probabilities, classifier.classes).reliability
    bins = {name: getattr(found, name)[found.count > 0].tolist() for name in ("count", "confidence", "accuracy")}
    return {"error": 100 * found.error, **bins}


def test(classifier: Classifier, name: str, found: dict[str, Any]) -> None:
    """The final figures, on MNIST's test digits."""
    digits = ig.data.load("mnist").test
    found["sets"]["mnist test"] = accuracy(classifier, digits)
    found["reliability"]["mnist test"] = reliability(classifier, digits)
    said = {"calibration_error": found["reliability"]["mnist test"]["error"] / 100}
    harness.log_test_evaluation(f"shipped weights {name!r}", 0, found["sets"]["mnist test"] / 100, **said)


def misread(classifier: Classifier, folder: Path) -> None:
    """Contact sheets of what is misread of the sets that nothing learns from: the label, and what it was taken for."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("hwd1000", "semeion"):
        dataset = ig.data.load(name).test
        answers = classifier.predict(dataset.images)
        wrong = np.flatnonzero(answers != dataset.labels)
        if wrong.size:
            labels = [f"{dataset.labels[i]} as {answers[i]}" for i in wrong]
            ig.data.contact_sheet(dataset.images[wrong], labels=labels, scale=2).save(folder / f"{name}.png")


def show(name: str, found: dict[str, Any]) -> None:
    """Three tables."""
    print(
        f"{name}: temperature {found['temperature']:.3f}, 99 % of the validation digits are above a digit probability"
    )
    print(f"of {found['threshold']:.4f}\n")
    rows = []
    for dataset, reached in found["sets"].items():
        wanted = SETS.get(dataset, {}).get(name)
        error = found["reliability"][dataset]["error"]
        judged = CALIBRATION.judge(error) if dataset == "mnist test" else ""
        rows.append([dataset, f"{reached:.2f}", wanted.judge(reached) if wanted else "", f"{error:.2f}", judged])
    harness.table(["digits", "% right", "", "calibration error, %", ""], rows, right=(1, 3))
    rows = [[kind, f"{share:.1f}", REFUSED.judge(share)] for kind, share in found["refused"].items()]
    harness.table(["no digits", "% refused", ""], rows, right=(1,))
    whole = found["changed"]["as they are"]
    rows = [
        [change, f"{reached:.2f}", f"{whole - reached:.2f}", COST.judge(whole - reached)]
        for change, reached in found["changed"].items()
    ]
    harness.table(["validation digits", "% right", "points lost", ""], rows, right=(1, 2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="*", default=list(SHIPPED), help="names of weights that ship, or runs")
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--each", type=int, default=2000, help="things of each kind that is no digit")
    parser.add_argument("--misread", type=Path, help="a folder for contact sheets of what is misread")
    parser.add_argument("--quick", action="store_true", help="a look whether it works; writes nothing")
    options = parser.parse_args()
    cases: dict[str, Any] = {}
    for name in options.model:
        classifier = ig.models.load(name) if Path(name).exists() else ig.models.pretrained(name)
        start = time.perf_counter()
        found = measure(classifier, 500 if options.quick else 10_000, 50 if options.quick else options.each)
        if options.split == "test" and not options.quick:
            test(classifier, name, found)
        found["seconds"] = time.perf_counter() - start
        show(name, found)
        if options.misread:
            misread(classifier, options.misread / Path(name).name)
        if name in SHIPPED:
            cases[name] = found
    harness.finish("shipped", cases, quick=options.quick or not cases)
    if cases and not options.quick:
        shipped_plots.draw(harness.read_results("shipped")["cases"])


if __name__ == "__main__":
    main()
