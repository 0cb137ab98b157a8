"""How many digits a second the server answers, and what becomes of more than it can.

`wrk` (Debian's package) sends MNIST's validation digits as JSON from the same machine. First 32 connections to one warm
server: requests a second and the 99th percentile of their times, with both the networks that ship. Then ten times as
many connections as the queue holds: each request must be answered or refused with 503, none lost, the memory must not
grow, and right afterwards 32 connections must be answered as before.

    python benchmarks/serve_load.py [--seconds 15] [--quick]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import harness
from harness import Target

RATE = Target(500)  # answers a second
SLOWEST = Target(100, most=True)  # ms, the 99th percentile
START = Target(2, most=True)  # seconds
NONE_LOST = Target(0, most=True)
GROWTH = Target(64, most=True)  # MB
CONNECTIONS = 32
WAITING = 64
BODIES = 500


@contextmanager
def server(*options: str) -> Iterator[tuple[str, int, float]]:
    """A server in a process of its own: its URL, its process id, and the seconds until it answered first."""
    command = [sys.executable, "-m", "inkgrad", "serve", "--port", "0", "--json", "--waiting", str(WAITING), *options]
    since = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        urllib.request.urlopen(f"{url}api/v1/health", timeout=60).close()
        yield url, process.pid, time.perf_counter() - since
    finally:
        process.terminate()
        process.wait()


def load(url: str, connections: int, seconds: int, bodies: Path, model: str) -> dict[str, Any]:
    """What wrk counts: answered, refused, lost, and times in ms."""
    script = str(harness.HERE / "serve_load.lua")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", script]
    done = subprocess.run(
        [*command, f"{url}api/v1/classify?model={model}"],
        env=os.environ | {"INKGRAD_BODIES": str(bodies)},
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told | {"rate": told["answered"] / told["seconds"]}


def memory(pid: int) -> float:
    """Resident MB of a process (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def answer(url: str, body: bytes) -> dict[str, Any]:
    """One digit by an ordinary client."""
    request = urllib.request.Request(f"{url}api/v1/classify", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        told: dict[str, Any] = json.load(reply)
    return told


def write_bodies(path: Path) -> list[int]:
    """Validation digits of MNIST as requests, one a line; returns what they are."""
    from inkgrad.data import load

    digits = load("mnist").validation[:BODIES]
    path.write_text(
        "".join(json.dumps({"pixels": image.tolist()}, separators=(",", ":")) + "\n" for image in digits.images)
    )
    return [int(label) for label in digits.labels]


def main() -> None:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("this needs wrk: apt-get install wrk")
    seconds = 2 if chosen.quick else chosen.seconds
    with tempfile.TemporaryDirectory() as folder, server() as (url, pid, start):
        bodies = Path(folder) / "bodies"
        labels = write_bodies(bodies)
        lines = bodies.read_bytes().splitlines()
        right = sum(answer(url, line)["value"] == label for line, label in zip(lines, labels, strict=True))
        time.sleep(0 if chosen.quick else 10)  # until the reader is loaded, too
        found = {model: load(url, CONNECTIONS, seconds, bodies, model) for model in ("digits", "tiny")}
        before = memory(pid)
        found["flood"] = load(url, 10 * WAITING, seconds, bodies, "digits")
        growth = memory(pid) - before
        found["after"] = load(url, CONNECTIONS, seconds, bodies, "digits")
    report(found, right, growth, start, quick=chosen.quick)


def report(found: dict[str, dict[str, Any]], right: int, growth: float, start: float, *, quick: bool) -> None:
    """Print the table and keep the figures."""
    print(f"answers {start:.2f} s after its start: {START.judge(start)}")
    print(f"{right} of {BODIES} validation digits read right over HTTP, before the load\n")
    print(f"{'load':<24}{'answers/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'refused':>9}{'others':>8}{'lost':>6}")
    names = {
        "digits": f"{CONNECTIONS} connections, digits",
        "tiny": f"{CONNECTIONS} connections, tiny",
        "flood": f"{10 * WAITING} connections",
        "after": f"{CONNECTIONS} right afterwards",
    }
    for key, one in found.items():
        rate, times = f"{one['rate']:>10.0f}", f"{one['p50_ms']:>9.1f}{one['p99_ms']:>9.1f}"
        print(f"{names[key]:<24}{rate}{times}{one['refused']:>9}{one['others']:>8}{one['lost']:>6}")
    flood = found["flood"]
    print(f"\nanswers/s with {CONNECTIONS} connections: {RATE.judge(found['digits']['rate'])}")
    print(f"p99: {SLOWEST.judge(found['digits']['p99_ms'])}")
    print(f"lost or answered otherwise in the flood: {NONE_LOST.judge(flood['lost'] + flood['others'])}")
    print(f"memory grew by {growth:.0f} MB: {GROWTH.judge(growth)}")
    print(f"answers/s right afterwards: {RATE.judge(found['after']['rate'])}")
    if not quick:
        harness.write_results(
            "serve_load", {"right": right, "of": BODIES, "growth_mb": growth, "start_seconds": start, "loads": found}
        )


if __name__ == "__main__":
    main()
