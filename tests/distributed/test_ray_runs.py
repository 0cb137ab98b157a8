"""Whole readings on a real Ray cluster on this machine: the local engine's rows, whatever is killed meanwhile."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from PIL import Image

import fake_reader
import inkgrad as ig
from documents import image, pdf
from inkgrad.distributed.ray_reading import manifest, tables
from inkgrad.distributed.ray_reading.storage import Folder

pq = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("ray")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc"),
]

READER = "ray::MapWorker(MapBatches(BatchReader))"
FAKE = """
import fake_reader
import inkgrad.cli.read
from inkgrad.cli.main import main
inkgrad.cli.read.load_reader = fake_reader.slow_reader
if __name__ == "__main__":
    main()
"""


@pytest.fixture
def start(tmp_path):
    """Starts `inkgrad read` in a process group of its own; what is left of it at the end of the test is killed."""
    started = []

    def run(*line, fake=None, **more):
        begin = ["-m", "inkgrad"] if fake is None else ["-c", FAKE]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        env = (
            kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "FAKE_SECONDS": str(fake)} | more
        )
        command = [sys.executable, *begin, "read", *map(str, line)]
        started.append(
            subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True)
        )
        return started[-1]

    yield run
    for one in started:
        for number in [*descendants(one.pid), one.pid] if one.poll() is None else []:
            os.kill(number, signal.SIGKILL)
        one.communicate()


def descendants(number):
    """Process -> what it is called, of all that a process has started."""
    parents = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:  # it has just ended
                continue
    found, more = {}, [number]
    while more:
        more = [child for child, parent in parents.items() if parent in more]
        for child in more:
            try:
                found[child] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:
                continue
    return found


def readers(running):
    return [number for number, name in descendants(running.pid).items() if name == READER]


def alive(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(happened, running=None, seconds=180):
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert running is None or running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def done(out):
    return tables.done(Folder(str(out)))


def ended(running):
    """(status, standard error)."""
    _, said = running.communicate(timeout=500)
    return running.returncode, said


def rows(place):
    return pq.read_table(place).to_pylist()


def same(found, expected):
    """The same rows; the last bits of confidences depend on where arrays lie, also from run to run of one engine."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.pop("confidence") == pytest.approx(other.pop("confidence"), abs=2e-6)
        assert one == other


def complaints(said):
    return {line for line in said.splitlines() if line.startswith("inkgrad: ")}


def test_the_rows_of_the_local_engine(start, tmp_path):
    scans = tmp_path / "scans"
    (scans / "deep" / "deeper").mkdir(parents=True)
    grays = [amount.gray for amount in ig.data.load_amounts()[:16]]
    endings = ("png", "jpg", "bmp", "webp", "tif", "png")
    for number, (gray, ending) in enumerate(zip(grays, endings * 2, strict=False)):
        place = (scans, scans / "deep", scans / "deep" / "deeper")[number % 3]
        Image.fromarray(gray).save(place / f"amount {number}.{ending}")
    first, *others = [Image.fromarray(gray) for gray in grays[12:15]]
    first.save(scans / "three pages.tif", save_all=True, append_images=others)
    height, width = grays[15].shape
    drawn = f"q {width} 0 0 {height} 0 0 cm /Im0 Do Q"
    (scans / "form.pdf").write_bytes(pdf(drawn, "", drawn, box=(width, height), images=[image(grays[15])]))
    whole = (scans / "deep" / "amount 1.jpg").read_bytes()
    (scans / "cut off.jpg").write_bytes(whole[: len(whole) // 2])
    (scans / "empty.png").write_bytes(b"")
    (scans / "noise.jpg").write_bytes(bytes(range(256)))
    (scans / "deep" / "damaged.pdf").write_bytes(b"%PDF-1.4\n%%EOF")
    line = ("scans", "nowhere.png", "--recursive", "--min-confidence", "0.9")
    status, said = ended(start(*line, "--out", "local.parquet"))
    assert status == 2
    status, told = ended(start(*line, "--engine", "ray", "--jobs", "2", "--out", "out"))
    assert status == 2, told
    assert complaints(told) == complaints(said)
    assert len(complaints(said)) == 5
    assert told.splitlines()[-1] == said.splitlines()[-1]
    assert "Ray" not in told
    assert "ray" not in told
    expected = rows(tmp_path / "local.parquet")
    assert sum(row["doubtful"] for row in expected) > 0
    same(rows(tmp_path / "out" / "numbers"), expected)
    assert {f"inkgrad: {row['error']}" for row in rows(tmp_path / "out" / "errors")} == complaints(said)
    status, told = ended(
        start(f"fsspec+file://{scans}", "--recursive", "--engine", "ray", "--out", f"file://{tmp_path}/o")
    )
    assert status == 2, told
    found = rows(tmp_path / "o" / "numbers")
    assert [row["file"].removeprefix(f"fsspec+file://{tmp_path}/") for row in found] == [
        row["file"] for row in expected
    ]
    assert [row["text"] for row in found] == [row["text"] for row in expected]


@pytest.fixture
def many(tmp_path):
    """60 scans, of which one cannot be read and one takes the process that reads it along, and what they say."""
    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(60):
        fake_reader.save(scans / f"{number}.png", str(1000 + number))
    fake_reader.special(scans / "20.png", fake_reader.KILLED)
    fake_reader.special(scans / "40.png", fake_reader.REFUSED)
    return [str(1000 + number) for number in range(60) if number not in (20, 40)]


SETTINGS = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "0123456789abcdef" * 4, "RAY_raylet_start_wait_time_s": "120",
}  # fmt: skip


@contextlib.contextmanager
def ended_after(command, log, said, **env):
    """A program that says something when it is ready; what is left of it is killed."""
    with log.open("w") as file:
        running = subprocess.Popen(command, env=os.environ | SETTINGS | env, stdout=file, stderr=file)
    wait_for(lambda: said in log.read_text(), running)
    first = descendants(running.pid)
    try:
        yield running
    finally:
        for number in filter(alive, [running.pid, *first, *descendants(running.pid)]):
            os.kill(number, signal.SIGKILL)
        running.wait()


@contextlib.contextmanager
def head(tmp_path, paths=()):
    """The environment of a cluster of one CPU that runs on loopback, with its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    folder = tempfile.mkdtemp(prefix="ray-")  # names of sockets are short
    command = [
        Path(sys.executable).with_name("ray"), "start", "--head", "--block", "--num-cpus=1",
        "--node-ip-address=127.0.0.1", f"--port={address.rpartition(':')[2]}", "--include-dashboard=false",
        "--object-store-memory=100000000", f"--temp-dir={folder}",
    ]  # fmt: skip
    python_path = os.pathsep.join([*paths, *(path for path in sys.path if path)])
    try:
        with ended_after(command, tmp_path / "head.log", "This command will now block forever", PYTHONPATH=python_path):
            yield SETTINGS | {"RAY_ADDRESS": address}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cluster(tmp_path):
    with head(tmp_path) as told:
        yield told


def test_a_cluster_that_runs(start, tmp_path, many, cluster):
    command = ("scans", "--engine", "ray", "--out", "out")
    refused = ended(start(*command, fake=0.0, RAY_ADDRESS=cluster["RAY_ADDRESS"], RAY_AUTH_MODE="disabled"))
    assert refused[0] == 2
    assert f"no Ray cluster answers at {cluster['RAY_ADDRESS']} (" in refused[1]
    assert "set RAY_AUTH_MODE=token if it asks for a token" in refused[1]
    status, said = ended(start(*command, fake=0.0, **cluster))
    assert status == 2, said
    assert [row["text"] for row in rows(tmp_path / "out" / "numbers")] == many
    status, said = ended(
        start(*command, "--overwrite", "--ray-address", cluster.pop("RAY_ADDRESS"), fake=0.0, **cluster)
    )
    assert status == 2, said
    assert [row["text"] for row in rows(tmp_path / "out" / "numbers")] == many


ANOTHER = """
import sys, time
from ray._private.node import Node
from ray._private.parameter import RayParams
settings = dict(node_ip_address="127.0.0.1", num_cpus=1, object_store_memory=10**8, include_log_monitor=False)
Node(RayParams(gcs_address=sys.argv[1], **settings), head=False, shutdown_at_exit=False, spawn_reaper=False)
print("it is there", flush=True)
time.sleep(1000)
"""  # `ray start` would look for the cluster on the network's address


def test_a_machine_that_is_lost(start, tmp_path, many, cluster):
    paths = os.pathsep.join(path for path in sys.path if path)
    another = [sys.executable, "-c", ANOTHER, cluster["RAY_ADDRESS"]]
    with ended_after(another, tmp_path / "another.log", "it is there", PYTHONPATH=paths) as machine:
        running = start("scans", "--engine", "ray", "--out", "out", fake=0.3, **cluster)
        wait_for(lambda: any(name == READER for name in descendants(machine.pid).values()), running)
        wait_for(lambda: len(done(tmp_path / "out")) >= 3, running)
    status, said = ended(running)
    assert status == 2, said
    assert [row["text"] for row in rows(tmp_path / "out" / "numbers")] == many
    assert len(rows(tmp_path / "out" / "errors")) == 2


def test_a_cluster_without_inkgrad(start, tmp_path, many):
    (tmp_path / "lacks" / "inkgrad").mkdir(parents=True)
    (tmp_path / "lacks" / "inkgrad" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'inkgrad'\")"
    )
    with head(tmp_path, paths=[str(tmp_path / "lacks")]) as told:
        status, said = ended(start("scans", "--engine", "ray", "--out", "out", fake=0.0, **told))
    assert status == 1
    assert said.splitlines()[-1].startswith("inkgrad: the machines of the cluster have no inkgrad; install")


def test_a_worker_that_is_killed_costs_nothing(start, tmp_path, many):
    running = start("scans", "--engine", "ray", "--jobs", "2", "--out", "out", fake=0.3)
    wait_for(lambda: len(done(tmp_path / "out")) >= 2, running)
    victim = wait_for(lambda: readers(running), running)[0]
    others = [number for number, name in descendants(victim).items() if "spawn_main" in name]
    assert others  # it reads in a process of its own, which ends with it
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: not any(map(alive, [victim, *others])))
    everything = {running.pid, *descendants(running.pid)}
    status, said = ended(running)
    assert status == 2, said
    assert said.splitlines()[-1] == "58 pages read, 58 numbers, 0 doubtful, 2 not readable"
    assert [row["text"] for row in rows(tmp_path / "out" / "numbers")] == many
    errors = rows(tmp_path / "out" / "errors")
    assert [row["file"] for row in errors] == ["scans/20.png", "scans/40.png"]
    assert "ended the process that read it (signal 9), and again when tried alone" in errors[0]["error"]
    assert len(rows(tmp_path / "out" / "files")) == 60
    wait_for(lambda: not any(map(alive, everything)))


def test_a_run_that_is_killed_goes_on(start, tmp_path, many):
    line = ("scans", "--engine", "ray", "--jobs", "1", "--out", "out")
    out = tmp_path / "out"
    for number, least in ((signal.SIGINT, 2), (signal.SIGKILL, 6)):
        running = start(*line, *(["--resume"] if least > 2 else []), fake=0.3)
        wait_for(lambda least=least: len(done(out)) >= least, running)
        everything = {running.pid, *descendants(running.pid)}
        if number == signal.SIGINT:
            os.killpg(running.pid, number)  # as the terminal does: to all of them
        else:
            os.kill(running.pid, number)
        status, said = ended(running)
        assert status == (130 if number == signal.SIGINT else -signal.SIGKILL)
        if number == signal.SIGINT:
            assert "what was read is kept in out; continue with the same line and --resume" in said
        wait_for(lambda gone=everything: not any(map(alive, gone)))
    assert len(done(out)) < manifest.load(Folder(str(out))).batches
    assert "holds what an earlier run has read; continue it" in ended(start(*line, fake=0))[1]
    assert "were read with --turn left out, not given" in ended(start(*line, "--turn", "--resume", fake=0))[1]
    sure = [part for part in done(out) if not tables.tallies(Folder(str(out)), part)[1].failed]
    before = {part: (out / "numbers" / f"part-{part:06d}.parquet").stat().st_mtime_ns for part in sure}
    status, said = ended(start(*line, "--resume", fake=0.0))
    assert status == 2, said
    assert [row["text"] for row in rows(out / "numbers")] == many
    assert len(rows(out / "errors")) == 2
    for part, time_ns in before.items():
        assert (out / "numbers" / f"part-{part:06d}.parquet").stat().st_mtime_ns == time_ns
    fake_reader.save(tmp_path / "scans" / "20.png", "1020")
    fake_reader.save(tmp_path / "scans" / "40.png", "1040")
    status, said = ended(start(*line, "--resume", fake=0.0))  # what failed is tried again
    assert status == 0, said
    assert [row["text"] for row in rows(out / "numbers")] == [str(1000 + number) for number in range(60)]
    assert "out is finished, there is nothing to resume" in ended(start(*line, "--resume", fake=0.0))[1]
