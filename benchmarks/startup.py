"""How long the first answers take: `import inkgrad` over bare Python, `inkgrad --help`, `inkgrad classify`.

Medians of fresh processes with warm files. Also checks that the first two do not load what they should not. `classify`
answers for one picture, whether kernels are compiled or not, and for a folder of 5,000 pictures of 28x28 pixels.

    python benchmarks/startup.py [--rounds 7]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import harness
from harness import Target
from PIL import Image

HEAVY = ("numpy", "numba", "scipy", "cv2", "sklearn", "matplotlib")
LOADED = f"import sys; print([m for m in {HEAVY} if m in sys.modules])"
HELP = "import sys; sys.argv = ['inkgrad', '--help']\nfrom inkgrad.cli.main import main\nmain()"


COLD = Target(1.0, most=True)  # seconds
RATE = Target(1000)  # pictures a second
CLASSIFY = [sys.executable, "-m", "inkgrad", "classify"]
FOLDER = 5000


def seconds(command: Sequence[str], rounds: int, environment: Mapping[str, str] | None = None) -> float:
    """The median time of a process, after one that warms the files."""
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | dict(environment or {}))
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def loaded(code: str) -> str:
    """Which heavy modules a program has loaded at its end."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def classify(rounds: int, count: int) -> dict[str, float]:
    """Seconds for one picture with and without compiled kernels on disk, and pictures a second of a folder."""
    import inkgrad as ig

    digits = ig.data.load_digits()[1].images
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "pictures"
        folder.mkdir()
        for index in range(count):
            Image.fromarray(digits[index % len(digits)]).save(folder / f"{index:05d}.png")
        one = [*CLASSIFY, str(folder / "00000.png")]
        empty = {"NUMBA_CACHE_DIR": str(Path(place) / "none")}
        return {
            "classify_one": seconds(one, rounds),
            "classify_one_nothing_compiled": seconds(one, rounds, empty),
            "classify_folder_images_per_second": count / seconds([*CLASSIFY, str(folder)], rounds),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="two rounds; nothing is written")
    options = parser.parse_args()
    rounds = 2 if options.quick else options.rounds
    bare = seconds([sys.executable, "-c", "pass"], rounds)
    results = {
        "bare_python": bare,
        "import_inkgrad_over_bare": seconds([sys.executable, "-c", "import inkgrad"], rounds) - bare,
        "import_loads": loaded(f"import inkgrad; {LOADED}"),
        "help": seconds([sys.executable, "-c", HELP], rounds),
        "help_loads": loaded(
            "import contextlib, io\nfrom inkgrad.cli.main import main\n"
            "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
            f"    main(['--help'])\n{LOADED}"
        ),
    }
    first = classify(rounds, 500 if options.quick else FOLDER)
    for name, value in results.items():
        print(f"{name:36} {value if isinstance(value, str) else f'{value:.3f} s'}")
    *ones, (many, rate) = first.items()
    for name, value in ones:
        print(f"{name:36} {value:.3f} s, {COLD.judge(value)}")
    print(f"{many:36} {rate:.0f}, {RATE.judge(rate)}")
    if not options.quick:
        harness.write_results("startup", results | first)


if __name__ == "__main__":
    main()
