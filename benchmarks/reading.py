"""What the reader that ships reads: photos, postcodes, pages that are changed, a lone digit, and what is no number.

Nothing of it was learned from. Numbers are composed of the last 10,000 training digits of MNIST, each of one writer's.

    python benchmarks/reading.py [--model FILE] [--count 1000] [--quick]
"""

import argparse
import csv
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import harness
import numpy as np
from harness import Target
from numpy.typing import NDArray

import inkgrad as ig
from inkgrad.data.numbers import HARD, Composer, Hands, Paper, Style, random_style
from inkgrad.data.numbers.page import ComposedPage, Layout, compose_page

Images = NDArray[np.uint8]
SEED = 61001
COST = Target(2.0, most=True)  # points


def writers() -> Hands:
    """The last 10,000 training digits, by their writers."""
    return Hands(ig.data.load("mnist").validation, ig.data.load_writers()[50_000:])


def said(reader: Any, gray: Images) -> str:
    """The digits of all numbers of a picture, in reading order."""
    return "".join(number.text for number in reader.read(gray, min_confidence=0).numbers)


def webcam(reader: Any) -> dict[str, Any]:
    """The photos, none of which was learned from."""
    folder = ig.data.mnist_folder().parent / "webcam_numbers"
    with (folder / "labels.csv").open(newline="") as file:
        rows = [
            (row["label"], said(reader, ig.data.read_picture(str(folder / row["file"]))))
            for row in csv.DictReader(file)
        ]
    return {"right": sum(label == text for label, text in rows), "photos": len(rows), "read": rows}


def larger(style: Style) -> Style:
    """From 22 pixels on, up to the 48 that numbers have at most."""
    share = np.log(style.height / 16) / np.log(48 / 16)
    return replace(style, height=22 * (48 / 22) ** float(share))


def apart(style: Style) -> Style:
    """Digits that leave a gap of a tenth of their height."""
    return replace(style, gap=max(style.gap, 0.1), unevenness=min(style.unevenness, 0.05))


EASED: dict[str, tuple[Paper, tuple[Callable[[Style], Style], ...]]] = {
    "the hard setting": (HARD, ()),
    "digits from 22 pixels on": (HARD, (larger,)),
    "digits apart": (HARD, (apart,)),
    "no patterns, no stamps": (replace(HARD, pattern=0.0, stamp=0.0), ()),
    "no lines, no boxes": (replace(HARD, ruled=0.0, boxes=0.0), ()),
    "the usual paper": (Paper(), ()),
    "white paper, digits from 22 pixels on and apart": (
        Paper(**{field.name: 0.0 for field in fields(Paper)}),
        (larger, apart),
    ),
}
"""What is left of the hard setting's difficulties when one of them is taken out, and when all are."""


def postcodes(reader: Any, hands: Hands, count: int) -> dict[str, Any]:
    """Five digits of one writer each, in the hard setting, and in settings that are less so."""
    right = {}
    for name, (paper, eases) in EASED.items():
        composer, good = Composer([hands], paper=paper), 0
        for number in range(count):
            rng = ig.default_rng([SEED, number])  # the same digits, written as alike as may be, in every setting
            text, style = "".join(map(str, rng.integers(0, 10, 5))), random_style(rng)
            for ease in eases:
                style = ease(style)
            good += said(reader, composer.compose(rng, text=text, style=style).gray) == text
        right[name] = 100 * good / count
    return {"right": right["the hard setting"], "count": count, "eased": right}


def unchanged(page: Images, rng: np.random.Generator) -> Images:
    """As it is."""
    del rng
    return page


def turned(page: Images, rng: np.random.Generator) -> Images:
    """Turned by up to 15 degrees, none of it cut off, on paper that goes on."""
    import cv2

    h, w = page.shape
    angle = rng.uniform(-15, 15)
    cos, sin = np.cos(np.radians(abs(angle))), np.sin(np.radians(abs(angle)))
    wide, high = int(np.ceil(w * cos + h * sin)), int(np.ceil(h * cos + w * sin))
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1.0)
    matrix[:, 2] += [(wide - w) / 2, (high - h) / 2]
    return np.asarray(
        cv2.warpAffine(page, matrix, (wide, high), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def noisy(page: Images, rng: np.random.Generator) -> Images:
    """Normal noise of 15 gray levels."""
    return np.clip(np.rint(page + rng.normal(0, 15, page.shape)), 0, 255).astype(np.uint8)


def squeezed(page: Images, rng: np.random.Generator) -> Images:
    """JPEG of quality 30."""
    import cv2

    del rng
    _, content = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, 30])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)


def pale(page: Images, rng: np.random.Generator) -> Images:
    """A quarter of the contrast."""
    del rng
    level = float(np.median(page))
    return np.clip(np.rint(level + (page - level) / 4), 0, 255).astype(np.uint8)


CHANGES: dict[str, Callable[[Images, np.random.Generator], Images]] = {
    "as they are": unchanged,
    "turned by up to 15 degrees": turned,
    "ink at a quarter of the contrast": pale,
    "noise of 15 gray levels": noisy,
    "JPEG of quality 30": squeezed,
}


def clean_pages(hands: Hands, count: int) -> Iterator[ComposedPage]:
    """Pages of one to six numbers on plain paper."""
    rng = ig.default_rng(SEED + 1)
    paper = Paper(pattern=0.0, stamp=0.0, negative=0.0, pale=0.0, dark=0.2, noise=0.02, blur=0.5)
    for _ in range(count):
        layout = Layout(
            width=700,
            height=500,
            rows=int(rng.integers(1, 4)),
            columns=int(rng.integers(1, 3)),
            size=float(rng.uniform(20, 60)),
        )
        yield compose_page(hands, layout, paper, rng)


def changed_pages(reader: Any, hands: Hands, count: int) -> dict[str, float]:
    """The share of pages whose numbers are all right, in any order, in %, for each change."""
    right = dict.fromkeys(CHANGES, 0)
    for number, page in enumerate(clean_pages(hands, count)):
        texts = sorted(written.text for written in page.numbers)
        for name, change in CHANGES.items():
            read = reader.read(change(page.pixels, ig.default_rng([SEED, number])), min_confidence=0).numbers
            right[name] += sorted(one.text for one in read) == texts
    return {name: 100 * count_ / count for name, count_ in right.items()}


def lone_digits(reader: Any, hands: Hands, count: int) -> float:
    """The share of single digits, 12 to 600 pixels high anywhere on a page of any size, that are read, in %."""
    rng = ig.default_rng(SEED + 2)
    paper = Paper(pattern=0.0, ruled=0.0, boxes=0.0, stamp=0.0, negative=0.0, dark=0.3, pale=0.3)
    right = 0
    for _ in range(count):
        size = float(np.exp(rng.uniform(np.log(12), np.log(600))))
        # The page's size has nothing to do with the digit's, but that it has room; up to 12 megapixels.
        high = round(np.exp(rng.uniform(np.log(max(240, 1.5 * size)), np.log(3000))))
        layout = Layout(width=round(high * 4 / 3), height=high, digits=(1, 1), size=size)
        page = compose_page(hands, layout, paper, rng)
        right += said(reader, page.pixels) == "".join(written.text for written in page.numbers)
    return 100 * right / count


def no_numbers(count: int) -> Iterator[tuple[str, Images]]:
    """Pictures without a number: blank paper, words, drawings, photographs, noise."""
    from no_numbers import KINDS

    rng = ig.default_rng(SEED + 3)
    for index in range(count):
        kind = list(KINDS)[index % len(KINDS)]
        yield kind, KINDS[kind](rng)


def refused(reader: Any, count: int) -> dict[str, float]:
    """The share of pictures without a number in which none is read, in %, by kind and of all."""
    found: dict[str, list[bool]] = {}
    for kind, picture in no_numbers(count):
        found.setdefault(kind, []).append(not reader.read(picture).numbers)
    everything = [good for of_kind in found.values() for good in of_kind]
    return {kind: 100 * float(np.mean(good)) for kind, good in found.items()} | {
        "all": 100 * float(np.mean(everything))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a reader's model file; the one that ships by default")
    parser.add_argument("--count", type=int, default=1000, help="how many of each")
    parser.add_argument("--quick", action="store_true", help="a look whether it works; writes nothing")
    options = parser.parse_args()
    count = 20 if options.quick else options.count
    reader = ig.Reader.load(options.model) if options.model else ig.Reader.pretrained()
    start, hands = time.perf_counter(), writers()
    found: dict[str, Any] = {
        "webcam": webcam(reader),
        "postcodes": postcodes(reader, hands, count),
        "pages": changed_pages(reader, hands, count),
        "lone digits": lone_digits(reader, hands, count),
        "no number": refused(reader, count),
    }
    show(found)
    found["seconds"] = time.perf_counter() - start
    harness.finish("reading", {"shipped": found}, quick=options.quick or options.model is not None)


def show(found: dict[str, Any]) -> None:
    photos, whole = found["webcam"], found["pages"]["as they are"]
    rows = [
        ["webcam photos", f"{photos['right']} of {photos['photos']}", Target(9, 10).judge(photos["right"])],
        [
            "postcodes, hard setting",
            f"{found['postcodes']['right']:.1f}",
            Target(95).judge(found["postcodes"]["right"]),
        ],
        ["a lone digit", f"{found['lone digits']:.1f}", Target(97).judge(found["lone digits"])],
        [
            "without a number: none read",
            f"{found['no number']['all']:.1f}",
            Target(98).judge(found["no number"]["all"]),
        ],
    ]
    harness.table(["", "% right", ""], rows, right=(1,))
    eased = found["postcodes"]["eased"].items()
    harness.table(["postcodes", "% right"], [[name, f"{right:.1f}"] for name, right in eased], right=(1,))
    harness.table(["no number in", "% none read"], [[k, f"{v:.1f}"] for k, v in found["no number"].items()], right=(1,))
    rows = [
        [name, f"{right:.1f}", f"{whole - right:.1f}", COST.judge(whole - right)]
        for name, right in found["pages"].items()
    ]
    harness.table(["pages", "% right", "points lost", ""], rows, right=(1, 2))


if __name__ == "__main__":
    main()
