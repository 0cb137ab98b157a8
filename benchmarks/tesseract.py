"""Whole numbers read by us and by Tesseract, side by side: cheque amounts, postcodes, photos of a web camera.

Tesseract is Debian's package (`apt install tesseract-ocr`), told that there is one line of digits; all pictures of a
set go through one process of one thread. Amounts are read by the readers of the five folds (`amounts.py --keep`),
each of which has not learned from its fold. Thresholds of a fifth of a set come from the rest of it.

    python benchmarks/tesseract.py --keep FOLDER [--count 1000] [--model FILE] [--quick]
"""

import argparse
import csv
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import harness
import numpy as np
from number_metrics import Said, accuracy, digit_error_rate, read_at
from numpy.typing import NDArray

import inkgrad as ig
from inkgrad.data.amounts import folds
from inkgrad.data.numbers import HARD, Composer
from reading import SEED, writers

Images = NDArray[np.uint8]
Case = tuple[str, str, Images]  # name, digits, picture
ERROR = 0.01
PARTS = 5


def amounts(count: int) -> list[Case]:
    return [(one.name, one.digits, one.gray) for one in ig.data.load_amounts()][:count]


def postcodes(count: int) -> list[Case]:
    composer, rng = Composer([writers()], paper=HARD), ig.default_rng(SEED)
    texts = ["".join(map(str, rng.integers(0, 10, 5))) for _ in range(count)]
    return [(str(i), text, composer.compose(rng, text=text).gray) for i, text in enumerate(texts)]


def photos(count: int) -> list[Case]:
    folder = ig.data.mnist_folder().parent / "webcam_numbers"
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    return [(row["file"], row["label"], ig.data.read_picture(str(folder / row["file"]))) for row in rows]


SETS: dict[str, Callable[[int], list[Case]]] = {
    "cheque amounts": amounts,
    "postcodes": postcodes,
    "webcam photos": photos,
}


def by_us(cases: list[Case], readers: list[ig.Reader]) -> tuple[list[Said], float]:
    """Each of the readers reads its block; how many seconds it took."""
    part, said, start = folds(len(cases), len(readers)), [], time.perf_counter()
    for (name, label, gray), which in zip(cases, part, strict=True):
        numbers = readers[which].read(gray, min_confidence=0).numbers
        text = "".join(number.text for number in numbers)
        said.append(Said(name, label, text, min((number.confidence for number in numbers), default=0.0)))
    return said, time.perf_counter() - start


def by_tesseract(cases: list[Case]) -> tuple[list[Said], float]:
    """All pictures in one call; a number is as sure as its least sure word."""
    with tempfile.TemporaryDirectory() as place:
        paths = [str(Path(place) / f"{index}.png") for index in range(len(cases))]
        for path, (_, _, gray) in zip(paths, cases, strict=True):
            cv2.imwrite(path, gray)
        listed = Path(place) / "list.txt"
        listed.write_text("\n".join(paths) + "\n")
        start = time.perf_counter()
        done = subprocess.run(
            [*("tesseract", str(listed), "stdout", "--psm", "7"), *("-c", "tessedit_char_whitelist=0123456789"), "tsv"],
            env=os.environ | {"OMP_THREAD_LIMIT": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        seconds = time.perf_counter() - start
    words: list[list[tuple[str, float]]] = [[] for _ in cases]
    for line in csv.DictReader(done.stdout.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        text = "".join(character for character in line["text"] or "" if character.isdigit())
        if text:
            words[int(line["page_num"]) - 1].append((text, float(line["conf"]) / 100))
    said = [
        Said(name, label, "".join(text for text, _ in found), min((sure for _, sure in found), default=0.0))
        for (name, label, _), found in zip(cases, words, strict=True)
    ]
    return said, seconds


def figures(said: list[Said], seconds: float) -> dict[str, float]:
    read, wrong = read_at(said, folds(len(said), PARTS), ERROR)
    return {
        "right": accuracy(said),
        "digit errors": digit_error_rate(said),
        "read": read,
        "wrong": wrong,
        "milliseconds": 1000 * seconds / len(said),
    }


def our_readers(name: str, model: Path | None, keep: Path | None, seed: int) -> list[ig.Reader]:
    """One reader for each block of a set."""
    if name == "cheque amounts" and keep:
        return [ig.Reader.load(keep / f"fold-{fold}-{seed}" / "model.safetensors") for fold in range(PARTS)]
    return [ig.Reader.load(model) if model else ig.Reader.pretrained()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="the folder of the folds; without it amounts are left out")
    parser.add_argument("--seed", type=int, default=0, help="of the folds")
    parser.add_argument("--model", type=Path, help="a reader's model file; the one that ships by default")
    parser.add_argument("--count", type=int, default=1000, help="pictures of a set at most")
    parser.add_argument("--quick", action="store_true", help="a look whether it works; writes nothing")
    options = parser.parse_args()
    if not shutil.which("tesseract"):
        raise SystemExit("there is no tesseract on this machine; apt install tesseract-ocr")
    version = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    results: dict[str, Any] = {}
    rows = []
    for name, make in SETS.items():
        if name == "cheque amounts" and not options.keep:
            continue
        cases = make(20 if options.quick else options.count)
        readers = our_readers(name, options.model, options.keep, options.seed)
        by_us(cases[:1], readers)  # the first one waits for plans
        found = {"inkgrad": figures(*by_us(cases, readers)), f"Tesseract {version}": figures(*by_tesseract(cases))}
        results[name] = {"pictures": len(cases), **found}
        for who, of in found.items():
            numbers = [f"{of[key]:.1f}" for key in ("right", "digit errors", "read", "wrong", "milliseconds")]
            rows.append([name, f"{len(cases):,}", who, *numbers])
    columns = ["", "pictures", "", "% right", "digit errors, %", f"% read at {ERROR:.0%}", "% wrong of these", "ms"]
    harness.table(columns, rows, right=(1, 3, 4, 5, 6, 7))
    harness.finish("tesseract", results, quick=options.quick or options.model is not None)


if __name__ == "__main__":
    main()
