"""How well rows of digits are found: on real cheques, on composed pages of each kind, and where there are none.

A number is found if one row holds all of its digits (by 15 % of their height), none of another line, and is 0.85 to 1.5
times as high as they are. Composed pages have digits of the last 10,000 MNIST training digits.

    INKGRAD_DATA=... python benchmarks/rows.py [--pages 100]
"""

import argparse
import csv
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

import inkgrad as ig
from inkgrad.data.numbers import Hands, Paper
from inkgrad.data.numbers.page import ComposedPage, Layout, Written, compose_page
from inkgrad.data.numbers.strip import DIGIT_HEIGHT, MARGIN
from inkgrad.reading.rows import Row, find_rows

TOLERANCE = 0.15  # of the digits' height
CLEAN = Paper(dark=0.2, shade=0.1, pattern=0, stamp=0, pale=0.3, blur=0.6, noise=0.02, jpeg=0.3, negative=0)
REAL = Paper(dark=0.4, shade=0.3, pattern=0, stamp=0, pale=0.5, blur=0.8, noise=0.04, jpeg=0.5, negative=0)


@dataclass
class Tally:
    """What became of the pages of one kind."""

    numbers: int = 0
    found: int = 0
    pages: int = 0
    rows: int = 0
    idle: int = 0
    seconds: list[float] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)

    def add(self, page: ComposedPage) -> list[Row]:
        """Look for the rows of a page, and compare."""
        start = time.process_time()
        rows = find_rows(page.pixels)
        self.seconds.append(time.process_time() - start)
        self.numbers += len(page.numbers)
        right = sum(any(_holds(row, number, page.numbers) for row in rows) for number in page.numbers)
        self.found += right
        if right < len(page.numbers):
            self.missed.append(self.pages)
        self.pages += 1
        self.rows += len(rows)
        self.idle += sum(not any(_inside(row, number).any() for number in page.numbers) for row in rows)
        return rows


def _in_strip(row: Row, points: np.ndarray) -> np.ndarray:
    seen = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1) @ np.linalg.inv(row.strips[0].matrix).T
    return seen[..., :2] / seen[..., 2:] - MARGIN


def _inside(row: Row, number: Written) -> np.ndarray:
    """Which digits have their middle in a row."""
    x, y = _in_strip(row, number.corners.mean(axis=1)).T
    width = row.strips[0].pixels.shape[1] - 2 * MARGIN
    return (x > 0) & (x < width) & (y > 0) & (y < DIGIT_HEIGHT)


def _holds(row: Row, number: Written, others: Sequence[Written]) -> bool:
    if not _inside(row, number).all():
        return False
    places = _in_strip(row, number.corners)
    # The box of a turned digit is larger than the digit.
    low, high = places.mean(axis=1)[:, 1].min(), places.mean(axis=1)[:, 1].max()
    tall = np.linalg.norm(places[:, 3] - places[:, 0], axis=1).max()
    height = high - low + (places[..., 1].max(axis=1) - places[..., 1].min(axis=1)).mean()
    near = TOLERANCE * tall
    width = row.strips[0].pixels.shape[1] - 2 * MARGIN
    centered = places.mean(axis=1, keepdims=True) + (places - places.mean(axis=1, keepdims=True)) * 0.9
    inside = centered.min() >= -near and centered[..., 0].max() <= width + near
    inside &= bool(centered[..., 1].max() <= DIGIT_HEIGHT + near)
    level = number.corners.mean(axis=(0, 1))[1]
    apart = [other for other in others if abs(other.corners.mean(axis=(0, 1))[1] - level) > 0]
    strange = 0
    for other in apart:
        held = _inside(row, other)
        y = _in_strip(row, other.corners.mean(axis=1))[:, 1]
        strange += int((held & (np.abs(y - places[..., 1].mean()) > 0.7 * tall)).sum())
    return bool(inside) and strange == 0 and 0.85 <= DIGIT_HEIGHT / max(height, 1e-6) <= 1.5


def cheques(folder: Path) -> Iterator[ComposedPage]:
    for line in csv.DictReader((folder / "labels.csv").open()):
        boxes = np.array([box[:4] for box in json.loads(line["boxes_xywh_digit"])], np.float64)
        x, y, w, h = boxes.T
        corners = np.stack([np.stack(at, 1) for at in ((x, y), (x + w, y), (x + w, y + h), (x, y + h))], 1)
        yield ComposedPage(
            cv2.imread(str(folder / line["file"]), cv2.IMREAD_GRAYSCALE), (Written(line["label"], corners),)
        )


def kinds(rng: np.random.Generator) -> dict[str, tuple[Layout, Paper]]:
    """One page of each kind."""
    lone = float(np.exp(rng.uniform(np.log(12), np.log(600))))
    # Whatever its size, on a page of any size that it has room on, up to 12 megapixels.
    high = round(np.exp(rng.uniform(np.log(max(240, 1.5 * lone)), np.log(3000))))
    one = {"digits": (1, 1), "size": lone, "width": round(high * 4 / 3), "height": high}
    few = {"rows": int(rng.integers(2, 7)), "columns": int(rng.integers(1, 4))}
    return {
        "lone digit": (Layout(**one), CLEAN),
        "lone digit, hard": (Layout(**one, shadow=True), REAL),
        "one number": (Layout(size=rng.uniform(20, 100)), REAL),
        "lines, columns": (Layout(**few, size=rng.uniform(16, 45)), REAL),
        "dense lines": (Layout(rows=9, columns=2, size=38, height=660), REAL),
        "ruled": (Layout(**few, form="ruled", size=rng.uniform(24, 45)), REAL),
        "boxed": (Layout(**few, form="boxed", size=rng.uniform(24, 45)), REAL),
        "cells": (Layout(**few, form="cells", size=rng.uniform(24, 45)), REAL),
        "words": (Layout(**few, words=8, size=rng.uniform(24, 45)), REAL),
        "turned": (Layout(**few, size=rng.uniform(24, 45), angle=rng.uniform(-15, 15)), REAL),
        "turned, boxed": (Layout(**few, form="boxed", size=rng.uniform(24, 45), angle=rng.uniform(-15, 15)), REAL),
        "sheet on table": (Layout(**few, size=rng.uniform(24, 45), table=True), REAL),
        "sheet, shadow": (Layout(**few, size=rng.uniform(24, 45), table=True, shadow=True), REAL),
        "pale": (Layout(**few, size=rng.uniform(24, 45)), Paper(0.1, 0.1, 0, 0, 0, 0, 0.75, 0.5, 0.02, 0.3, 0)),
        "noise": (Layout(**few, size=rng.uniform(24, 45)), Paper(0.1, 0.1, 0, 0, 0, 0, 0.3, 0.5, 0.06, 0.3, 0)),
        "negative": (Layout(**few, size=rng.uniform(24, 45)), Paper(0.2, 0.2, 0, 0, 0, 0, 0.4, 0.5, 0.03, 0.3, 1)),
        "patterned": (Layout(**few, size=rng.uniform(24, 45)), Paper(0.3, 0.2, 1, 0, 0, 0, 0.3, 0.5, 0.02, 0.3, 0)),
    }


def empty(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Pictures without numbers."""
    from sklearn.datasets import load_sample_images

    for level in (255, 128, 0):
        yield "blank", np.full((700, 1000), level, np.uint8)
    for sigma in (5, 15, 40):
        yield "noise", np.clip(rng.normal(180, sigma, (700, 1000)), 0, 255).astype(np.uint8)
    for picture in load_sample_images().images:
        yield "photograph", cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        large = cv2.resize(picture, (4000, 3000), interpolation=cv2.INTER_CUBIC)
        yield "photograph, 12 megapixels", cv2.cvtColor(large, cv2.COLOR_RGB2GRAY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100, help="composed pages of each kind")
    pages = parser.parse_args().pages
    cv2.setNumThreads(1)
    data = Path(os.environ["INKGRAD_DATA"])
    train, _ = ig.data.load_mnist()
    hands = Hands(train[50_000:])
    tallies = {"cheque amounts": Tally()}
    for page in cheques(data / "orand_car"):
        tallies["cheque amounts"].add(page)
    for seed in range(pages):
        for name, (layout, paper) in kinds(ig.default_rng(seed)).items():
            page = compose_page(hands, layout, paper, ig.default_rng(seed))
            tallies.setdefault(name, Tally()).add(page)
    print(f"{'kind':<18}{'pages':>6}{'numbers':>9}{'found %':>9}{'rows':>7}{'idle':>6}{'ms a page':>11}  missed on")
    for name, tally in tallies.items():
        share, milliseconds = 100 * tally.found / tally.numbers, 1e3 * float(np.median(tally.seconds))
        counts = f"{tally.pages:>6}{tally.numbers:>9}{share:>9.1f}{tally.rows:>7}{tally.idle:>6}{milliseconds:>11.1f}"
        print(f"{name:<18}{counts}  {tally.missed[:12]}")
    for line in csv.DictReader((data / "webcam_numbers" / "labels.csv").open()):
        rows = find_rows(cv2.imread(str(data / "webcam_numbers" / line["file"]), cv2.IMREAD_GRAYSCALE))
        print(f"webcam photo of {line['label']}: {len(rows)} rows")
    for name, picture in empty(ig.default_rng(0)):
        start = time.process_time()
        rows = find_rows(picture)
        print(f"{name}: {len(rows)} rows in {1e3 * (time.process_time() - start):.0f} ms")


if __name__ == "__main__":
    main()
