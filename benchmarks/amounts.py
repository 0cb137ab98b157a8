"""Whole numbers on bank cheques that the reader has not seen: accuracy, read rate at 1 % error, calibration.

Five folds over blocks of neighbours of the 700 amounts, as neighbouring cheques are often of one hand. A first reader
learns from composed numbers alone, without a digit or a paper of any amount. From it a reader is trained for each fold,
without that fold, and reads it. A fold's minutes are those of both trainings. Calibration and threshold of a fold come
from the other four. A run that is kept in a folder is not trained twice, and goes on where it was stopped.

    python benchmarks/amounts.py [--keep FOLDER] [--seed 0] [--folds 0 1 2 3 4] [--misread FILE.png] [--write MODEL]

Four labels are plainly wrong (`WRITTEN` has what stands in the pictures): all is told by the labels as they are, and
once more with these set right.

--write puts the calibration of all folds together, and its thresholds, into the model file of a reader that was trained
on all of them.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import harness
import numpy as np
from accuracy import run
from harness import Target
from number_metrics import Said, accuracy, calibration_error, digit_error_rate, reliability
from numpy.typing import NDArray
from shipped_plots import draw_reliability

import inkgrad as ig
from inkgrad.data.amounts import folds
from inkgrad.reading.calibration import (
    SHARES,
    Calibration,
    fitted_calibration,
    fitted_threshold,
    save_calibrated,
)

FOLDS = 5
COMPOSED = "--no-amounts --steps 6200"
REAL = "--steps 3000 --learning-rate 0.002"
ERROR = 0.01
BORDER = 5  # amounts on each side of a border between folds, that may be of a hand on its other side
WRITTEN = {  # what is written, where anybody sees that it is not the label
    "images/a_car_000365.png": "13817",
    "images/a_car_000768.png": "17146",
    "images/a_car_000885.png": "40000",
    "images/a_car_001068.png": "28304",
}
ACCURACY = Target(87, 92)
READ = Target(70, 85)
WRONG = Target(1.5, most=True)
OFF = Target(1.5, most=True)
CALIBRATION = Target(3.0, most=True)
MINUTES = Target(25, most=True)
FIGURES = (
    ("whole numbers right, %", "right", ACCURACY),
    ("read at 1 % error, %", "read", READ),
    ("wrong among those, %", "wrong of what is read", WRONG),
    ("mean confidence less accuracy, points", "confidence less accuracy", OFF),
    ("calibration error, 5 bins, %", "calibration error", CALIBRATION),
)


def trained(out: Path, how: str) -> float:
    """Train a reader in a folder, unless it is there; the minutes that it took."""
    if not (out / "model.safetensors").exists():
        run(f"train-reader {'--resume' if (out / 'settings.json').exists() else how} --out {out} --json")
    return float(json.loads((out / "history.jsonl").read_text().splitlines()[-1])["seconds"]) / 60


def read_fold(fold: int, keep: Path, seed: int) -> dict[str, Any]:
    """Train without a fold, then read it: each amount's label, what was read, and its probability."""
    first, out = keep / f"composed-{seed}", keep / f"fold-{fold}-{seed}"
    minutes = trained(first, f"{COMPOSED} --seed {seed}")
    minutes += trained(out, f"{REAL} --start {first / 'model.safetensors'} --fold {fold} --seed {seed}")
    reader = ig.Reader.load(out / "model.safetensors")
    reader.calibration = Calibration()  # the network's own probability
    reader.likeness = all_alike
    amounts = ig.data.load_amounts()
    rows, seconds = [], []
    reader.read(amounts[0].gray)  # plans the network
    for amount, part in zip(amounts, folds(len(amounts), FOLDS), strict=True):
        if part != fold:
            continue
        start = time.perf_counter()
        numbers = reader.read(amount.gray, min_confidence=0).numbers
        seconds.append(time.perf_counter() - start)
        text = "".join(number.text for number in numbers)
        sure = min((number.confidence for number in numbers), default=0.0)
        rows.append([amount.name, amount.digits, text, sure])
    return {"rows": rows, "minutes": minutes, "seconds": seconds}


def all_alike(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """No doubt of short numbers: the networks that doubt them have learned from digits of all amounts."""
    return np.ones(len(images))


def measure(found: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """All folds together, each with the calibration and the threshold that the others give."""
    fold = np.concatenate([[k] * len(found[k]["rows"]) for k in found])
    rows = [row for k in found for row in found[k]["rows"]]
    said = [Said(*row) for row in rows]
    right = np.array([one.right for one in said])
    raw = np.array([one.confidence for one in said])
    inner = inside(fold)
    confidence, read = np.zeros(len(rows)), np.zeros(len(rows), bool)
    for k in found:
        own, others = fold == k, fold != k
        fitted = fitted_calibration(raw[others], right[others])
        scaled = np.array([fitted(p) for p in raw])
        confidence[own] = scaled[own]
        least = fitted_threshold(scaled[others], right[others], ERROR)
        read[own] = scaled[own] >= (2.0 if least is None else least)
    everything = fitted_calibration(raw, right, SHARES)
    return {
        "amounts": len(rows),
        "right": accuracy(said),
        "right far from borders": accuracy([one for one, kept in zip(said, inner, strict=True) if kept]),
        "digit errors": digit_error_rate(said),
        "right by fold": [100 * float(right[fold == k].mean()) for k in found],
        "read": 100 * float(read.mean()),
        "wrong of what is read": 100 * float((~right)[read].mean()) if read.any() else 0.0,
        "confidence less accuracy": 100 * float(confidence.mean() - right.mean()),
        "calibration error": 100 * calibration_error(confidence, right),
        "reliability": reliability(confidence, right),
        "minutes of a fold": [found[k]["minutes"] for k in found],
        "seconds an amount": harness.spread([second for one in found.values() for second in one["seconds"]]),
        "calibration": everything.as_json(),
        "misread": [row[:3] for row, good in zip(rows, right, strict=True) if not good],
    }


def as_written(found: dict[int, dict[str, Any]]) -> dict[str, float]:
    """The figures with the wrong labels set right."""
    mended = {
        k: one | {"rows": [[name, WRITTEN.get(name, label), *said] for name, label, *said in one["rows"]]}
        for k, one in found.items()
    }
    measured = measure(mended)
    return {key: measured[key] for _, key, _ in FIGURES}


def inside(fold: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which amounts stand far from a border between folds."""
    borders = np.flatnonzero(np.diff(fold)) + 1
    far = np.abs(np.arange(len(fold))[:, None] - borders + 0.5) > BORDER
    return np.asarray(far.all(axis=1))


def show(found: dict[str, Any]) -> None:
    written = found["as written"]
    rows = [
        [words, f"{found[key]:.2f}", target.judge(abs(found[key])), f"{written[key]:.2f}"]
        for words, key, target in FIGURES
    ]
    rows.insert(1, [f"those {BORDER} or more from another fold", f"{found['right far from borders']:.2f}", "", ""])
    rows.insert(2, ["errors of digits, %", f"{found['digit errors']:.2f}", "", ""])
    longest = max(found["minutes of a fold"])
    rows.append(["minutes of both trainings, the longest fold", f"{longest:.1f}", MINUTES.judge(longest), ""])
    harness.table([f"{found['amounts']} amounts", "", "", "wrong labels set right"], rows, right=(1, 3))


def sheet(misread: list[list[str]], path: Path) -> None:
    """What is misread: the picture, what it says, and what was read."""
    import cv2

    pictures = {amount.name: amount.gray for amount in ig.data.load_amounts()}
    cells = []
    for name, label, text in misread:
        gray = pictures[name]
        scale = min(60 / gray.shape[0], 300 / gray.shape[1])
        cell = np.full((84, 304), 255, np.uint8)
        small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cell[: small.shape[0], : small.shape[1]] = small
        cv2.putText(cell, f"{label} as {text}", (2, 80), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1, cv2.LINE_AA)
        cells.append(cell)
    cells += [np.full((84, 304), 255, np.uint8)] * (-len(cells) % 4)
    cv2.imwrite(str(path), np.vstack([np.hstack(cells[i : i + 4]) for i in range(0, len(cells), 4)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="a folder for the runs; a temporary one by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(FOLDS)))
    parser.add_argument("--misread", type=Path, help="a picture to write, of the amounts that are misread")
    parser.add_argument("--write", type=Path, metavar="MODEL", help="a reader to write the calibration into")
    options = parser.parse_args()
    whole = options.folds == list(range(FOLDS))
    if options.write is not None and not whole:
        parser.error("--write needs all folds")
    with tempfile.TemporaryDirectory() as place:
        keep = options.keep or Path(place)
        found = {fold: read_fold(fold, keep, options.seed) for fold in options.folds}
    result = measure(found) | {"as written": as_written(found)}
    show(result)
    if whole:
        draw_reliability(result["reliability"], f"{result['amounts']} amounts, out of fold", "reader-reliability.svg")
    if options.misread:
        sheet(result["misread"], options.misread)
    if options.write is not None:
        save_calibrated(options.write, Calibration.from_json(result["calibration"]))
    harness.finish("amounts", {f"seed {options.seed}": result}, quick=not whole)


if __name__ == "__main__":
    main()
