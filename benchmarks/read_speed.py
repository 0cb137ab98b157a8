"""How fast numbers are read: a cheque amount, a photo of 12 megapixels, a cold start, folders on one core and on two.

python benchmarks/read_speed.py [--model FILE] [--quick]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import harness
import numpy as np
from harness import Target
from numpy.typing import NDArray

import inkgrad as ig
from inkgrad.data.numbers import Paper
from inkgrad.data.numbers.page import Layout, compose_page
from reading import SEED, writers

Images = NDArray[np.uint8]
PHOTO = (4032, 3024)  # pixels across and down, as phones take them
AMOUNT = Target(15, most=True)  # milliseconds
MEGAPIXELS = Target(0.6, most=True)  # seconds
COLD = Target(1.5, most=True)  # seconds
CORES = Target(1.7)  # times
SIZES = (500, 2000)  # files of a small and of a large folder
MEMORY = Target(1.1, most=True)  # times as much for the large one


def photo(seed: int) -> Images:
    """A sheet with a dozen numbers, light and noise as a camera's."""
    layout = Layout(width=PHOTO[0], height=PHOTO[1], rows=4, columns=3, size=110.0)
    return compose_page(writers(), layout, Paper(pattern=0, stamp=0, negative=0), ig.default_rng([SEED, seed])).pixels


def timed(reader: ig.Reader, pictures: list[Images]) -> list[float]:
    """Seconds of each; the first one, which fills caches, does not count."""
    reader.read(pictures[0])
    seconds = []
    for picture in pictures:
        start = time.perf_counter()
        reader.read(picture)
        seconds.append(time.perf_counter() - start)
    return seconds


def command(*arguments: str, cores: int | None = None) -> tuple[float, int]:
    """Seconds of `inkgrad read` in a fresh process, and the most memory that one of its processes had, in bytes.

    With `cores` it runs on so many of them, and knows of no others.
    """
    bound = "" if cores is None else f"os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:{cores}]); "
    code = (
        f"import os, resource, subprocess, sys; {bound}"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL,"
        " stderr=subprocess.PIPE, text=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss);"
        " sys.stderr.write(done.stderr); sys.exit(done.returncode)"
    )
    start = time.perf_counter()
    whole = [sys.executable, "-c", code, sys.executable, "-m", "inkgrad", "read", *arguments]
    done = subprocess.run(whole, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"inkgrad read {' '.join(arguments)} failed:\n{done.stderr}")
    return seconds, 1024 * int(done.stdout)


def folders(place: Path, sizes: tuple[int, int], model: list[str], rounds: int) -> dict[str, Any]:
    """One core beside two, in turn, and the memory of a small folder beside that of a large one."""
    grays = [one.gray for one in ig.data.load_amounts()]
    for size in sizes:
        (place / str(size)).mkdir()
        for index in range(size):
            cv2.imwrite(str(place / str(size) / f"{index:04d}.png"), grays[index % len(grays)])
    small, large = (str(place / str(size)) for size in sizes)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for cores, taken in seconds.items():
            taken.append(command(large, "--json", *model, cores=cores)[0])
    one, two = (statistics.median(taken) for taken in seconds.values())
    memory = [command(folder, "--json", *model, cores=2)[1] for folder in (small, large)]
    return {"seconds of one core": one, "of two": two, "times": one / two, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a reader's model file; the one that ships by default")
    parser.add_argument("--quick", action="store_true", help="a look whether it works; writes nothing")
    options = parser.parse_args()
    reader = ig.Reader.load(options.model) if options.model else ig.Reader.pretrained()
    model = ["--model", str(options.model)] if options.model else []
    count, rounds = (10, 1) if options.quick else (200, 5)
    amounts = timed(reader, [one.gray for one in ig.data.load_amounts()[:count]])
    photos = timed(reader, [photo(seed) for seed in range(3 if options.quick else 10)])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        cv2.imwrite(str(place / "one.png"), ig.data.load_amounts()[0].gray)
        cold = [command(str(place / "one.png"), *model)[0] for _ in range(2 + rounds)][1:]
        sizes = (10, 20) if options.quick else SIZES
        many = folders(place, sizes, model, rounds)
    found = {"amount": amounts, "photo": photos, "cold start": cold}
    results = {name: harness.spread(seconds) for name, seconds in found.items()} | {"folder": many}
    milliseconds, second, start = (results[name]["median"] for name in found)
    growth = many["memory"][1] / many["memory"][0]
    rows = [
        ["a cheque amount, ms", f"{1000 * milliseconds:.1f}", AMOUNT.judge(1000 * milliseconds)],
        ["a photo of 12 megapixels, s", f"{second:.2f}", MEGAPIXELS.judge(second)],
        ["inkgrad read one.png, s", f"{start:.2f}", COLD.judge(start)],
        [f"a folder of {sizes[1]} on one core, s", f"{many['seconds of one core']:.1f}", ""],
        ["times faster on two", f"{many['times']:.2f}", CORES.judge(many["times"])],
        [f"memory of {sizes[1]} files to {sizes[0]}", f"{growth:.2f}", MEMORY.judge(growth)],
    ]
    harness.table(["median", "", ""], rows, right=(1,))
    harness.finish("read_speed", results, quick=options.quick or options.model is not None)


if __name__ == "__main__":
    main()
