"""Numbers of one writer each, as the Multi-Digit Writer tasks have them (Wagstaff 2025, arXiv 2512.00676).

Postcodes of five digits, cheque amounts of three to seven digits that follow Benford's law, clock times of three or
four digits. A number is the images of its digits side by side, without signs, all of one writer. The tasks take their
digits from NIST's test writers; here the last 10,000 training digits of MNIST stand in for them, none of which was
learned from. 4,080 of them are by writers of whom other digits were. Postcodes are any five digits, as there is no list
of the valid ones here: a reading is invalid if it has another count of digits.

Read by `Reader` as one picture, and digit by digit by `digits` and `tiny`, with and without what is known of a number.

    python benchmarks/mdw.py [--count 10000] [--model FILE] [--quick]
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
import numpy as np
from numpy.typing import NDArray

import inkgrad as ig
from inkgrad.reading.expect import Expectation, expect_pattern
from reading import SEED, writers

Images = NDArray[np.uint8]
PAD = 4  # pixels of paper around a picture


@dataclass(frozen=True)
class Task:
    """A kind of number.

    Attributes:
        draw: a number, as its digits.
        valid: whether digits can be such a number.
        value: what it is worth, in the unit; None where numbers are names.
        unit: of the value.
        pattern: what `valid` says, as far as `--expect` can.
    """

    draw: Callable[[np.random.Generator], str]
    valid: Callable[[str], bool]
    pattern: str
    value: Callable[[str], float] | None = None
    unit: str = ""


def amount(rng: np.random.Generator) -> str:
    """Dollars and cents below 100,000, whose first digits follow Benford's law (1938): their logarithm is uniform."""
    return f"{int(10 ** rng.uniform(2, 7))}"


def clock(rng: np.random.Generator) -> str:
    """From 0:00 to 23:59, without a leading zero of the hour."""
    minute = int(rng.integers(0, 24 * 60))
    return f"{minute // 60}{minute % 60:02d}"


def minutes(text: str) -> float:
    return 60 * int(text[:-2]) + int(text[-2:])


TASKS = {
    "postcodes": Task(lambda rng: f"{rng.integers(601, 99927):05d}", lambda text: len(text) == 5, r"\d{5}"),
    "cheque amounts": Task(
        amount,
        lambda text: len(text) == 3 or (3 < len(text) <= 7 and text[0] != "0"),
        r"\d{3}|[1-9]\d{3,6}",
        lambda text: int(text) / 100,
        "dollars",
    ),
    "clock times": Task(
        clock,
        lambda text: len(text) in (3, 4) and minutes(text) < 24 * 60 and int(text[-2:]) < 60,
        r"\d[0-5]\d|1\d[0-5]\d|2[0-3][0-5]\d",
        minutes,
        "minutes",
    ),
}


def metrics(task: Task, labels: list[str], texts: list[str]) -> dict[str, float]:
    """Errors in %, and what valid ones cost: the sum, the mean and the greatest of the differences."""
    valid = [bool(text) and task.valid(text) for text in texts]
    wrong = [label != text for label, text in zip(labels, texts, strict=True)]
    found = {
        "strict": 100 * float(np.mean(wrong)),
        "invalid": 100 * float(1 - np.mean(valid)),
        "valid but wrong": 100 * float(np.mean(np.logical_and(valid, wrong))),
    }
    if task.value:
        pairs = [(task.value(b), task.value(a)) for a, b, good in zip(labels, texts, valid, strict=True) if good]
        off = np.array([read - true for read, true in pairs] or [0.0])
        found |= {"total": float(np.abs(off).sum()), "mean": float(off.mean()), "greatest": float(np.abs(off).max())}
    return found


def contenders(model: Path | None) -> dict[str, Callable[[Task, list[list[Images]]], list[str]]]:
    """What reads numbers, by name: from the images of their digits to texts."""
    reader = ig.Reader.load(model) if model else ig.Reader.pretrained()

    def whole(numbers: list[list[Images]], expectation: Expectation | None) -> list[str]:
        texts = []
        for images in numbers:
            picture = np.pad(255 - np.concatenate(images, axis=1), PAD, constant_values=255)
            read = reader.read(picture, min_confidence=0, expectation=expectation).numbers
            texts.append("".join(number.text for number in read))
        return texts

    def one_by_one(name: str) -> Callable[[Task, list[list[Images]]], list[str]]:
        network = ig.models.pretrained(name)

        def read(_: Task, numbers: list[list[Images]]) -> list[str]:
            classes = iter(network.predict_proba(np.concatenate(numbers))[:, :10].argmax(axis=1))
            return ["".join(str(next(classes)) for _ in images) for images in numbers]

        return read

    return {
        "Reader": lambda _, numbers: whole(numbers, None),
        "Reader, told what to expect": lambda task, numbers: whole(numbers, expect_pattern(task.pattern)),
        "digits, one by one": one_by_one("digits"),
        "tiny, one by one": one_by_one("tiny"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="numbers of each task")
    parser.add_argument("--model", type=Path, help="a reader's model file; the one that ships by default")
    parser.add_argument("--quick", action="store_true", help="a look whether it works; writes nothing")
    options = parser.parse_args()
    count = 50 if options.quick else options.count
    hands, readers = writers(), contenders(options.model)
    results: dict[str, Any] = {}
    for name, task in TASKS.items():
        rng = ig.default_rng(SEED)
        labels = [task.draw(rng) for _ in range(count)]
        numbers = [hands.write([int(digit) for digit in label], rng) for label in labels]
        results[name] = {who: metrics(task, labels, read(task, numbers)) for who, read in readers.items()}
        keys = list(next(iter(results[name].values())))
        rows = [[who, *(f"{of[key]:,.2f}" for key in keys)] for who, of in results[name].items()]
        units = [
            f"{key}, %" if key in ("strict", "invalid", "valid but wrong") else f"{key}, {task.unit}" for key in keys
        ]
        harness.table([f"{count:,} {name}", *units], rows, right=range(1, 1 + len(keys)))
    harness.finish("mdw", results, quick=options.quick or options.model is not None)


if __name__ == "__main__":
    main()
