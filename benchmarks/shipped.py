"""What the weights that ship can do: hands that they never saw, what is no digit, changed images, calibration.

Draws docs/images/shipped-reliability.svg and shipped-robustness.svg, the plots of the model cards.

MNIST's test digits are looked at with `--split test` alone, once for each run in trained/, as test_ledger.jsonl says.
Things that are no digits are drawn from a fixed seed, of the kinds that no network learns (`inkgrad.data.TESTED`); the
digits among them are of MNIST's last 10,000 training digits. Trained/ has the runs of some seeds of each recipe.

    python benchmarks/shipped.py [--model digits tiny | RUN ...] [--split test] [--misread FOLDER] [--quick]
"""

import argparse
import functools
import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import harness
import numpy as np
import shipped_plots
from accuracy import TRAINED, minutes, on_test
from harness import Target
from numpy.typing import NDArray

import inkgrad as ig
from inkgrad.data import Dataset
from inkgrad.data.form import to_form
from inkgrad.data.nondigits import glyphs, parts
from inkgrad.models import MODEL_FILE, Classifier
from inkgrad.models.pretrained import weights_file

Images = NDArray[np.uint8]
SHIPPED = ig.models.PRETRAINED
SEED = 71117  # of which nothing was drawn before the recipes were frozen
LOOK_ALIKES = "CcVN<>^+"  # letters and symbols like which something is that is learned
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


def refused(classifier: Classifier, images: Images) -> float:
    """Which share `classify` gives no value for, in %."""
    assert classifier.refusal is not None
    return 100 * float((classifier.digit_probability(images) < classifier.refusal.threshold).mean())


def measure(classifier: Classifier, count: int, per_kind: int) -> dict[str, Any]:
    """All that can be said without the test digits."""
    validation = ig.data.load("mnist").validation[:count]
    found: dict[str, Any] = {
        "threshold": classifier.refusal.threshold if classifier.refusal else None,
        "temperature": classifier.temperature,
        "sets": {},
        "digits refused": {},
        "reliability": {},
        "refused": {},
        "changed": {},
    }
    for name, dataset in {"mnist validation": validation, **unseen()}.items():
        measure_set(classifier, name, dataset, found)
    for kind, draw in no_digits(validation).items():
        rng = ig.default_rng(SEED)
        found["refused"][kind] = refused(classifier, np.stack([draw(rng) for _ in range(per_kind)]))
    for name, change in CHANGES.items():
        changed = Dataset(change(validation.images), validation.labels, name)
        found["changed"][name] = accuracy(classifier, changed)
    return found


@functools.cache
def unseen() -> dict[str, Dataset]:
    """Sets of which nothing was learned."""
    return {name: ig.data.load(name).test for name in ("hwd1000", "semeion")}


def no_digits(digits: Dataset) -> dict[str, Callable[[np.random.Generator], Images]]:
    """The tested kinds; then those again without what has learned look-alikes, and without leaving anything out."""
    kinds = {kind: functools.partial(draw, digits) for kind, draw in ig.data.TESTED.items()}
    for name, characters in (("letters", glyphs.LATIN), ("symbols", glyphs.SYMBOLS)):
        others = "".join(character for character in characters if character not in LOOK_ALIKES)
        kinds[f"{name} but {LOOK_ALIKES}"] = lambda rng, others=others: to_form(glyphs.one_of(others, rng))
    labels = (4, 5, 6, 8, 9)
    kinds["pieces, also those that are ones"] = lambda rng: parts.remnant(digits, labels, rng, all_of_them=True)
    return kinds


def measure_set(classifier: Classifier, name: str, dataset: Dataset, found: dict[str, Any]) -> None:
    found["sets"][name] = accuracy(classifier, dataset)
    found["digits refused"][name] = refused(classifier, dataset.images)
    found["reliability"][name] = reliability(classifier, dataset)


def reliability(classifier: Classifier, dataset: Dataset) -> dict[str, Any]:
    """The expected calibration error over 15 bins, in %, and the bins that are not empty."""
    probabilities = classifier.predict_proba(dataset.images)
    found = ig.training.evaluate_predictions(dataset.labels, probabilities, classifier.classes).reliability
    bins = {name: getattr(found, name)[found.count > 0].tolist() for name in ("count", "confidence", "accuracy")}
    return {"error": 100 * found.error, **bins}


def of_seeds(name: str, split: str) -> dict[str, Any]:
    """The runs of a recipe in trained/: each one's figures, their mean and spread, and which of them ships."""
    ships = hashlib.sha256(weights(name).read_bytes()).hexdigest()
    found: dict[str, Any] = {"ships": None, "runs": {}}
    for out in sorted(TRAINED.glob(f"{name}-[0-9]")):
        classifier = ig.models.load(out)
        seed = classifier.header["training"]["settings"]["seed"]
        if hashlib.sha256((out / MODEL_FILE).read_bytes()).hexdigest() == ships:
            found["ships"] = seed
        figures = {"mnist validation": 100 * classifier.header["metrics"]["validation_accuracy"]}
        figures |= {unknown: accuracy(classifier, dataset) for unknown, dataset in unseen().items()}
        if split == "test" or (out / "test.json").exists():
            command = f"{name}: inkgrad train --recipe {name}"
            tested = on_test(out, command, seed, functools.partial(test_figures, classifier))
            figures["mnist test"] = 100 * tested["test_accuracy"]
        found["runs"][seed] = figures | {"minutes": minutes(out)}
    if not found["runs"]:
        return {}
    if found["ships"] is None:
        raise SystemExit(f"none of the runs {name}-* in {TRAINED} has the weights that ship as {name!r}")
    keys = found["runs"][found["ships"]]
    found["spread"] = {key: harness.spread([run[key] for run in found["runs"].values()]) for key in keys}
    return found


def test_figures(classifier: Classifier) -> dict[str, Any]:
    """What is logged of a look at MNIST's test digits."""
    digits = ig.data.load("mnist").test
    error = reliability(classifier, digits)["error"] / 100
    return {"test_accuracy": accuracy(classifier, digits) / 100, "calibration_error": error}


def keep_test_figures(name: str, found: dict[str, Any]) -> None:
    """What was measured on the test digits before, if it was with these weights: they are not looked at again."""
    kept = harness.read_results("shipped").get("cases", {}).get(name, {})
    seeds = found["seeds"]
    first_look = seeds["runs"][seeds["ships"]].get("mnist test") if seeds else None
    before = kept.get("sets", {}).get("mnist test")
    if first_look is not None and before is not None and abs(before - first_look) < 1e-9:
        for part in ("sets", "digits refused", "reliability"):
            found[part]["mnist test"] = kept[part]["mnist test"]


def weights(name: str) -> Path:
    return Path(str(weights_file(name)))


def misread(classifier: Classifier, sets: Mapping[str, Dataset], folder: Path) -> None:
    """Contact sheets of what is misread of each set: the label, and what it was taken for."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, dataset in sets.items():
        answers = classifier.predict(dataset.images)
        wrong = np.flatnonzero(answers != dataset.labels)
        if wrong.size:
            labels = [f"{dataset.labels[i]} as {answers[i]}" for i in wrong]
            ig.data.contact_sheet(dataset.images[wrong], labels=labels, scale=2).save(folder / f"{name}.png")


def show(name: str, found: dict[str, Any]) -> None:
    """Three tables, and one of the seeds."""
    print(f"{name}: temperature {found['temperature']:.3f}, refused below a probability of {found['threshold']:.4f}\n")
    rows = []
    for dataset, reached in found["sets"].items():
        wanted = SETS.get(dataset, {}).get(name)
        error = found["reliability"][dataset]["error"]
        judged = CALIBRATION.judge(error) if dataset == "mnist test" else ""
        given_up = f"{found['digits refused'][dataset]:.2f}"
        rows.append(
            [dataset, f"{reached:.2f}", wanted.judge(reached) if wanted else "", given_up, f"{error:.2f}", judged]
        )
    harness.table(["digits", "% right", "", "% refused", "calibration error, %", ""], rows, right=(1, 3, 4))
    rows = [
        [kind, f"{share:.1f}", REFUSED.judge(share) if kind in ig.data.TESTED else ""]
        for kind, share in found["refused"].items()
    ]
    harness.table(["no digits", "% refused", ""], rows, right=(1,))
    whole = found["changed"]["as they are"]
    rows = [
        [change, f"{reached:.2f}", f"{whole - reached:.2f}", COST.judge(whole - reached) if name != "tiny" else ""]
        for change, reached in found["changed"].items()
    ]
    harness.table(["validation digits", "% right", "points lost", ""], rows, right=(1, 2))
    if found.get("seeds"):
        seeds = found["seeds"]
        rows = [
            [key, f"{of['mean']:.2f}", f"{of['std']:.2f}", f"{of['min']:.2f}", f"{of['max']:.2f}"]
            for key, of in seeds["spread"].items()
        ]
        columns = [f"{len(seeds['runs'])} seeds; {seeds['ships']} ships", "mean", "deviation", "least", "most"]
        harness.table(columns, rows, right=(1, 2, 3, 4))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="*", default=list(SHIPPED), help="names of weights that ship, or runs")
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--each", type=int, default=2000, help="things of each kind that is no digit")
    parser.add_argument("--misread", type=Path, help="a folder for contact sheets of what is misread")
    parser.add_argument("--quick", action="store_true", help="a look whether it works; writes nothing")
    options = parser.parse_args()
    if options.split == "test" and (options.quick or not set(options.model) <= set(SHIPPED)):
        parser.error("the test digits are for the weights that ship, measured in whole")
    cases: dict[str, Any] = {}
    for name in options.model:
        classifier = ig.models.pretrained(name) if name in SHIPPED else ig.models.load(name)
        start = time.perf_counter()
        found = measure(classifier, 500 if options.quick else 10_000, 50 if options.quick else options.each)
        if name in SHIPPED and not options.quick:
            found["seeds"] = of_seeds(name, options.split)
            if options.split == "test":
                measure_set(classifier, "mnist test", ig.data.load("mnist").test, found)
            else:
                keep_test_figures(name, found)
            cases[name] = found
        found["seconds"] = time.perf_counter() - start
        show(name, found)
        if options.misread:
            misread(classifier, unseen(), options.misread / Path(name).name)
    harness.finish("shipped", cases, quick=options.quick or not cases)
    if cases:
        shipped_plots.draw(harness.read_results("shipped")["cases"])


if __name__ == "__main__":
    main()
