"""Reading with Ray beside the local engine: files a second once all is running, the start, the memory of a worker.

`inkgrad read` in fresh processes, in turn: the local engine with two processes, Ray with two workers and with one, each
on a small and on a large folder of composed pages. What a file more takes is the steady state; what the small folder
takes beyond its files is the start. All give the same numbers.

    python benchmarks/ray_read.py [--rounds 5] [--quick]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import harness
import pyarrow.parquet as pq
from harness import Target

import inkgrad as ig
from inkgrad.data.numbers import Hands, Paper
from inkgrad.data.numbers.page import Layout, compose_page

SEED = 61009
PAGES = 100  # that differ
SIZES = (40, 800)  # files of the small and of the large folder
KEPT = Target(0.8)  # of what the local engine reads
SAMPLE_SECONDS = 0.5
WORKER = b"ray::MapWorker"


@dataclass
class Contender:
    """One way to read, and the seconds that it took for the small and for the large folder, round by round."""

    engine: str
    jobs: int
    seconds: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    memory: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.engine}, {self.jobs} {'workers' if self.jobs > 1 else 'worker'}"

    def read(self, folder: Path, out: Path) -> Path:
        """Read a folder, and note the time; returns where the numbers are."""
        whole = [sys.executable, "-m", "inkgrad", "read", str(folder), "--jobs", str(self.jobs), "--overwrite"]
        if self.engine == "Ray":
            whole += ["--engine", "ray", "--out", str(out)]
        else:
            whole += ["--out", str(out := out.with_suffix(".parquet"))]
        env = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
        start = time.perf_counter()
        running = subprocess.Popen(whole, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env)
        ended = threading.Event()
        watch = threading.Thread(target=self._watch, args=(running.pid, ended))
        watch.start()
        _, said = running.communicate()
        taken = time.perf_counter() - start
        ended.set()
        watch.join()
        if running.returncode:
            raise SystemExit(f"{' '.join(whole[2:])} failed:\n{said}")
        self.seconds[folder.name == "large"].append(taken)
        return out / "numbers" if self.engine == "Ray" else out

    def _watch(self, number: int, ended: threading.Event) -> None:
        """The most memory that each kind of process has."""
        while not ended.wait(SAMPLE_SECONDS):
            for kind, size in memory(number).items():
                self.memory[kind] = max(self.memory.get(kind, 0), size)

    def rates(self, sizes: tuple[int, int]) -> list[float]:
        """Files a second in the steady state, round by round."""
        return [(sizes[1] - sizes[0]) / (large - small) for small, large in zip(*self.seconds, strict=True)]

    def starts(self, sizes: tuple[int, int]) -> list[float]:
        """Seconds of the small folder beyond those of its files."""
        rates = self.rates(sizes)
        return [small - sizes[0] / rate for small, rate in zip(self.seconds[0], rates, strict=True)]


def memory(number: int) -> dict[str, int]:
    """Bytes of a process and all that it has started, what several share divided among them; empty without /proc.

    `a worker` is the largest of Ray's workers with the processes that it reads in; `all the others` is Ray itself, or
    the whole local engine.
    """
    parents, names, sizes = {}, {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(path.name)] = (path / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
    found: dict[str, int] = {}
    generation = {number: "all the others"}
    workers: dict[str, int] = {}
    while generation:
        for process, kind in generation.items():
            try:
                lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            sizes[process] = sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            group = workers if kind.isdigit() else found
            group[kind] = group.get(kind, 0) + sizes[process]
        generation = {
            child: str(child) if names.get(child, b"").startswith(WORKER) else generation[parent]
            for child, parent in parents.items()
            if parent in generation
        }
    return found | ({"a worker": max(workers.values())} if workers else {})


def compose(place: Path, sizes: tuple[int, int]) -> dict[str, Path]:
    """The small and the large folder."""
    hands, rng = Hands(ig.data.load_digits()[0]), ig.default_rng(SEED)
    layout = Layout(rows=2, columns=2)
    pages = [compose_page(hands, layout, Paper(pattern=0, stamp=0, negative=0), rng).pixels for _ in range(PAGES)]
    files = [cv2.imencode(".png", page)[1].tobytes() for page in pages[: max(sizes)]]
    folders = {}
    for name, size in zip(("small", "large"), sizes, strict=True):
        folders[name] = place / name
        folders[name].mkdir()
        for index in range(size):
            (folders[name] / f"{index:05d}.png").write_bytes(files[index % len(files)])
    return folders


def texts(place: Path) -> list[Any]:
    rows = pq.read_table(place, columns=["file", "page", "index", "text"]).to_pylist()
    return [tuple(row.values()) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a look whether it works; writes nothing")
    options = parser.parse_args()
    rounds, sizes = (1, (8, 24)) if options.quick else (options.rounds, SIZES)
    local, two, one = contenders = [Contender("local", 2), Contender("Ray", 2), Contender("Ray", 1)]
    with tempfile.TemporaryDirectory() as folder:
        folders = compose(Path(folder), sizes)
        for number in range(rounds):
            for name, place in folders.items():
                order = contenders if number % 2 == 0 else contenders[::-1]
                read = {one.name: texts(one.read(place, Path(folder) / one.name)) for one in order}
                if any(found != read[local.name] for found in read.values()):
                    raise SystemExit(f"the engines do not give the same numbers of the {name} folder")
    results: dict[str, Any] = {
        contender.name: {
            "files": sizes,
            "files_per_second": harness.spread(contender.rates(sizes)),
            "start": harness.spread(contender.starts(sizes)),
            "seconds": {name: harness.spread(found) for name, found in zip(folders, contender.seconds, strict=True)},
            "memory": contender.memory,
        }
        for contender in contenders
    }
    speed = {name: case["files_per_second"]["median"] for name, case in results.items()}
    share, times = speed[two.name] / speed[local.name], speed[two.name] / speed[one.name]
    results["ratios"] = {"of local": share, "two workers to one": times}
    rows = [
        [
            name,
            f"{speed[name]:.1f}",
            f"{results[name]['start']['median']:.1f}",
            f"{results[name]['seconds']['large']['median']:.1f}",
            *(f"{results[name]['memory'].get(kind, 0) / 1e6:,.0f}" for kind in ("a worker", "all the others")),
        ]
        for name in speed
    ]
    columns = ["", "files/s", "start, s", f"{sizes[1]} files, s", "a worker, MB", "all the others, MB"]
    harness.table(columns, rows, right=(1, 2, 3, 4, 5))
    print(f"Ray to local, both with two: {share:.2f}, {KEPT.judge(share)}")
    print(f"two workers to one: {times:.2f}\n")
    harness.finish("ray_read", results, quick=options.quick)


if __name__ == "__main__":
    main()
