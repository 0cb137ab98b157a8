"""Writes the figures of results/ into the tables of the model cards, docs/pretrained.md and docs/reader.md.

    python benchmarks/model_cards.py [--check]

A table stands between `<!-- table: NAME -->` and `<!-- end -->`. --check writes nothing, and fails if a card differs.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import as_file
from pathlib import Path
from typing import Any

import amounts
import harness
from accuracy import TRAINED
from harness import Target

import inkgrad as ig
import reading
from inkgrad.models.pretrained import weights_file

DOCS = Path(__file__).parent.parent / "docs"
CARDS = (DOCS / "pretrained.md", DOCS / "reader.md")
TABLE = re.compile(r"(<!-- table: (?P<name>[^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)
WORDS = {
    "mnist test": "MNIST's 10,000 test digits",
    "mnist validation": "MNIST's last 10,000 training digits",
    "hwd1000": "`hwd1000`",
    "semeion": "`semeion`",
    "photographs": "parts of two photographs",
    "letters but CcVN<>^+": "letters without C, c, V, N, &lt;, &gt;, ^ and +",
    "symbols but CcVN<>^+": "symbols without C, c, V, N, &lt;, &gt;, ^ and +",
}

Rows = list[Sequence[str]]


def results(name: str) -> dict[str, Any]:
    found: dict[str, Any] = harness.read_results(name)["cases"]
    return found


def named(key: str) -> str:
    return WORDS.get(key, key)


def judged(target: Target, value: float, unit: str = " %") -> tuple[str, str]:
    """The bound in words, and whether it is met."""
    return f"at {'most' if target.most else 'least'} {target.bound:g}{unit}", "yes" if target.met(value) else "**no**"


def network(name: str) -> Rows:
    found = results("shipped")[name]
    seed = found["seeds"]["ships"]
    recipe = tomllib.loads((TRAINED / f"{name}-{seed}" / "recipe.toml").read_text())
    width = f" of width {recipe['width']}" if "width" in recipe else ""
    classifier = ig.models.pretrained(name)
    views = f", {len(classifier.views)} views of an image" if len(classifier.views) > 1 else ""
    minutes = found["seeds"]["runs"][str(seed)]["minutes"]
    with as_file(weights_file(name)) as path:
        size = path.stat().st_size
    count = classifier.network.parameter_count()
    return [
        ["", ""],
        ["network", f"`{recipe['model']}`{width}, {count:,} parameters{views}"],
        ["file", f"{size / 1000:.0f} kB"],
        ["made by", f"`inkgrad train --recipe {name} --seed {seed}`"],
        ["learned from", f"`{recipe['data']}`"],
        ["training", f"{minutes:.0f} minutes on one core of two that were busy"],
        [
            "temperature, threshold",
            f"{found['temperature']:.3f}; below a digit probability of {found['threshold']:.4f} the answer is "
            '"no digit"',
        ],
    ]


def hands(name: str) -> Rows:
    found = results("shipped")[name]
    runs = found["seeds"]["spread"]
    rows: Rows = [["digits", "read right", _seeds(len(found["seeds"]["runs"])), "refused", "calibration error"]]
    for key in ("mnist test", "mnist validation", "hwd1000", "semeion"):
        error = f"{found['reliability'][key]['error']:.2f} %" + (" (fitted here)" if key == "mnist validation" else "")
        spread = f"{runs[key]['mean']:.2f} ± {runs[key]['std']:.2f} %"
        rows.append([named(key), f"{found['sets'][key]:.2f} %", spread, f"{found['digits refused'][key]:.2f} %", error])
    return rows


def _seeds(count: int) -> str:
    return f"{count} seeds" if count > 1 else "one seed"


def refused(name: str) -> Rows:
    found = results("shipped")[name]["refused"]
    return [["what is no digit", "refused"], *([named(kind), f"{share:.1f} %"] for kind, share in found.items())]


def changed(name: str) -> Rows:
    found = results("shipped")[name]["changed"]
    base = found["as they are"]
    rows = ([change, f"{right:.2f} %", f"{base - right:.2f}"] for change, right in found.items())
    return [["digits that were changed", "read right", "points lost"], *rows]


def left_out() -> Rows:
    rows = (
        [f"`{name}`", f"{found['images']:,}", f"{found['right']:.2f} %"] for name, found in results("left_out").items()
    )
    return [["set", "digits", "read right"], *rows]


def whole_numbers() -> Rows:
    folds, found = results("amounts")["seed 0"], results("reading")["shipped"]
    photos = found["webcam"]
    kept = "amounts on bank cheques, five folds"
    rows: Rows = [
        [kept, f"{folds['amounts']}", f"{folds['right']:.1f} %", *judged(amounts.ACCURACY, folds["right"])],
        [
            "photos of a web camera, never learned from",
            f"{photos['photos']}",
            f"{photos['right']} of {photos['photos']}",
            *judged(Target(9), photos["right"], ""),
        ],
        [
            "postcodes, composed of one writer's digits, hard setting",
            f"{found['postcodes']['count']:,}",
            f"{found['postcodes']['right']:.1f} %",
            *judged(Target(95), found["postcodes"]["right"]),
        ],
        [
            "a lone digit, 12 to 600 pixels high, anywhere on a page",
            "1,000",
            f"{found['lone digits']:.1f} %",
            *judged(Target(97), found["lone digits"]),
        ],
        [
            "pictures without a number: none is read",
            "1,000",
            f"{found['no number']['all']:.1f} %",
            *judged(Target(98), found["no number"]["all"]),
        ],
    ]
    return [["whole numbers", "pictures", "right", "aim", "met"], *rows]


def confidence() -> Rows:
    folds = results("amounts")["seed 0"]
    told = {
        "right": "whole numbers right",
        "read": "read at 1 % error, each fold by a threshold from the others",
        "wrong of what is read": "wrong among these",
        "confidence less accuracy": "mean confidence less accuracy",
        "calibration error": "calibration error over five bins of equal size",
    }
    rows = (
        [told[key], f"{folds[key]:.2f} %", *judged(target, abs(folds[key])), f"{folds['as written'][key]:.2f} %"]
        for _, key, target in amounts.FIGURES
    )
    return [["amounts", "", "aim", "met", "wrong labels set right"], *rows]


def folds() -> Rows:
    found = results("amounts")["seed 0"]["right by fold"]
    return [["fold", "right"], *([str(number), f"{right:.1f} %"] for number, right in enumerate(found))]


def pages() -> Rows:
    found = results("reading")["shipped"]["pages"]
    base = found["as they are"]
    rows: Rows = []
    for change, right in found.items():
        target = ("", "") if change == "as they are" else judged(reading.COST, base - right, "")
        rows.append([change, f"{right:.1f} %", f"{base - right:.1f}", *target])
    return [["1,000 composed pages", "all numbers right", "points lost", "aim", "met"], *rows]


def eased() -> Rows:
    found = results("reading")["shipped"]["postcodes"]["eased"]
    return [["postcodes", "right"], *([setting, f"{right:.1f} %"] for setting, right in found.items())]


def without() -> Rows:
    found = results("reading")["shipped"]["no number"]
    return [["without a number", "none read"], *([kind, f"{share:.1f} %"] for kind, share in found.items())]


def tesseract() -> Rows:
    rows: Rows = [["", "", "right", "errors of digits", "read at 1 % error", "wrong of these"]]
    for data, found in results("tesseract").items():
        for name, figures in found.items():
            if isinstance(figures, dict):
                shares = (figures[key] for key in ("right", "digit errors", "read", "wrong"))
                rows.append([data, name, *(f"{share:.1f} %" for share in shares)])
    return rows


def writers() -> Rows:
    rows: Rows = [["", "", "wrong", "invalid", "valid but wrong"]]
    for task, found in results("mdw").items():
        for name, figures in found.items():
            if isinstance(figures, dict):
                shares = (figures[key] for key in ("strict", "invalid", "valid but wrong"))
                rows.append([task, name, *(f"{share:.2f} %" for share in shares)])
    return rows


def speed() -> Rows:
    found, unseen = results("read_speed"), results("amounts")["seed 0"]["seconds an amount"]
    memory = found["folder"]["memory"]
    return [
        ["on two cores, medians", "", "aim"],
        ["a cheque amount", f"{1000 * found['amount']['median']:.1f} ms", "15 ms"],
        [
            "one that its reader has not seen; the mean",
            f"{1000 * unseen['median']:.1f} ms; {1000 * unseen['mean']:.1f} ms",
            "",
        ],
        ["a photo of 12 megapixels with a dozen numbers", f"{found['photo']['median']:.2f} s", "0.6 s"],
        ["the first result of a cold `inkgrad read one.png`", f"{found['cold start']['median']:.2f} s", "1.5 s"],
        ["a folder: times as fast by two cores as by one", f"{found['folder']['times']:.2f}", "1.7"],
        ["memory for four times as many files", f"{memory[1] / memory[0]:.2f} times as much", "1"],
    ]


OF_WEIGHTS = {"network": network, "digits": hands, "refused": refused, "changed": changed}
TABLES: dict[str, Callable[[], Rows]] = {
    **{f"{name} {what}": partial(table, name) for name in ig.models.PRETRAINED for what, table in OF_WEIGHTS.items()},
    "left out": left_out,
    "whole numbers": whole_numbers,
    "confidence": confidence,
    "folds": folds,
    "pages": pages,
    "eased": eased,
    "without a number": without,
    "tesseract": tesseract,
    "writers": writers,
    "speed": speed,
}


def markdown(rows: Rows) -> str:
    head, *body = rows
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *body])


def filled(text: str) -> str:
    """A card with all of its tables made anew."""
    return TABLE.sub(lambda found: found[1] + markdown(TABLES[found["name"]]()) + found[3], text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a card differs from the results")
    options = parser.parse_args()
    for card in CARDS:
        before = card.read_text()
        after = filled(before)
        if options.check and after != before:
            sys.exit(f"{card} differs from results/; run python benchmarks/model_cards.py")
        if not options.check:
            card.write_text(after)


if __name__ == "__main__":
    main()
