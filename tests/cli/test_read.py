"""`inkgrad read`, with a reader that takes what pages say of themselves."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fake_reader
from documents import nested_forms
from fake_reader import page, save, special

NOT_POSIX = pytest.mark.skipif(os.name != "posix", reason="the signal is POSIX's")
DRIVER = """
import fake_reader
import inkgrad.cli.read
from inkgrad.cli.main import main
inkgrad.cli.read.load_reader = fake_reader.slow_reader
if __name__ == "__main__":
    main()
"""


@pytest.fixture
def read(inkgrad, monkeypatch):
    monkeypatch.setattr("inkgrad.cli.read.load_reader", fake_reader.quick_reader)
    monkeypatch.setattr("inkgrad.cli.read_progress.LINE_SECONDS", 1e9)  # however slow the machine is
    return lambda *line: inkgrad("read", *line)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "scans"
    made.mkdir()
    for i, (digits, confidence) in enumerate((("0123", 0.99), ("77", 0.4), ("", 0.9), ("5", 0.8))):
        save(made / f"{i}.png", digits, confidence)
    return made


@pytest.fixture
def process(home):
    """Starts the command with a slow reader in a process group of its own."""
    started = []

    def start(*line, seconds=0.1, **options):
        paths = os.pathsep.join(path for path in sys.path if path)
        env = os.environ | {"PYTHONPATH": paths, "FAKE_SECONDS": str(seconds)}
        command = [sys.executable, "-c", DRIVER, "read", *map(str, line)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
        started.append(subprocess.Popen(command, env=env, **pipes | options))
        return started[-1]

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.communicate()


def wait_for(happened, running):
    deadline = time.monotonic() + 60
    while not happened():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_text(read, folder):
    ended = read(folder)
    name = f"{folder}/0.png"
    width = len(name)
    assert ended.out.splitlines() == [
        f"{'file':{width}}  page  written  digits  confidence",
        f"{folder}/0.png     1     0123    0123       99.0%",
        f"{folder}/1.png     1       77      77       40.0%  doubtful",
        f"{folder}/2.png     1                               no number",
        f"{folder}/3.png     1        5       5       80.0%",
    ]
    assert ended.err == "4 pages read, 2 numbers, 1 doubtful\n"
    assert ended.status == 0


def test_text_is_aligned_by_the_longest_name(read, tmp_path):
    save(tmp_path / "1.png", "7")
    save(tmp_path / "longer.png", "8")
    ended = read(tmp_path, "--jobs", 1)
    assert ended.status == 0
    assert len({line.index(" 1  ") for line in ended.out.splitlines()[1:]}) == 1
    out = tmp_path / "out.txt"
    assert read(tmp_path / "1.png", tmp_path / "longer.png", "--jobs", 1, "--out", out).status == 0
    assert out.read_text() == ended.out


def test_progress_over_the_pages_of_a_document(read, tmp_path, monkeypatch):
    monkeypatch.setattr("inkgrad.cli.read_progress.LINE_SECONDS", 0.0)
    first, *others = [Image.fromarray(page(str(i))) for i in range(3)]
    first.save(tmp_path / "scan.tif", save_all=True, append_images=others)
    ended = read(tmp_path / "scan.tif", "--format", "csv", "--jobs", 1)
    assert ended.err.splitlines()[1:] == [
        "2 of 3 pages, 2 pages read, 2 numbers, 0 doubtful",
        "3 of 3 pages, 3 pages read, 3 numbers, 0 doubtful",
        "3 pages read, 3 numbers, 0 doubtful",
    ]


def test_json(read, folder):
    ended = read(folder, "--json", "--min-confidence", 0.9)
    assert ended.json.keys() == {"pages", "read", "failed", "complete"}
    assert (ended.json["read"], ended.json["failed"], ended.json["complete"]) == (4, 0, True)
    first, *_, last = ended.json["pages"]
    assert first.keys() == {"file", "page", "width", "height", "numbers", "doubtful"}
    (number,) = first["numbers"]
    assert number.keys() == {"text", "written", "confidence", "box", "digits", "free"}
    assert number["digits"][0].keys() == {"value", "confidence", "alternatives", "box"}
    assert (last["numbers"], last["doubtful"][0]["text"]) == ([], "5")


@pytest.mark.slow
def test_files_by_their_endings(read, folder, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    for name in ("out.csv", "out.json", "out.parquet", "out.txt"):
        ended = read(folder, "--jobs", 1, "--out", tmp_path / "new" / name)
        assert (ended.status, ended.out) == (0, "")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["out.csv", "out.json", "out.parquet", "out.txt"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "new" / "out.csv").read_text())))
    table = pq.read_table(tmp_path / "new" / "out.parquet").to_pylist()
    assert [row["text"] for row in rows] == [row["text"] for row in table] == ["0123", "77", "5"]
    assert json.loads((tmp_path / "new" / "out.json").read_text())["read"] == 4
    assert (tmp_path / "new" / "out.txt").read_text() == read(folder).out


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_bad_files_are_reported_and_the_others_read(read, folder, form):
    (folder / "00.png").write_bytes(b"no picture")
    special(folder / "01.png", fake_reader.REFUSED)
    ended = read(folder, folder / "missing.png", *form)
    assert ended.status == 2
    bad, refused, missing, tally = ended.err.splitlines()
    assert bad.startswith(f"inkgrad: {folder}/00.png is not an image")
    assert refused == f"inkgrad: {folder}/01.png, page 1: this page is refused"
    assert missing.startswith("inkgrad: there is no ")
    assert tally == "4 pages read, 2 numbers, 1 doubtful, 3 not readable"
    if form:
        failed = [record for record in ended.json["pages"] if "error" in record]
        assert [f"inkgrad: {record['error']}" for record in failed] == [bad, refused, missing]
        assert ended.json["complete"] is True
    else:
        assert len(ended.out.splitlines()) == 5


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--min-confidence 1.5", "--min-confidence must be from 0 to 1, but is 1.5"),
        ("--min-confidence nan", "--min-confidence must be from 0 to 1, but is nan"),
        ("--at-error -1", "--at-error must be from 0 to 1, but is -1.0"),
        ("--at-error 0.01", "it was never measured; give a confidence instead"),
        ("--at-error 0.1 --min-confidence 0.5", "--min-confidence cannot be given together with --at-error; leave one"),
        ("--model no.safetensors", "there is no reader's model file no.safetensors; check the path"),
        ("--model scans", "the folder scans holds no model.safetensors, expected the folder of a reader's training"),
        (
            "--out new.xlsx",
            "--out new.xlsx ends in .xlsx, expected .txt, .csv, .json or .parquet; name the format",
        ),
        ("--timeout 0", "--timeout must be above 0 seconds, but is 0"),
        ("--timeout nan", "--timeout must be above 0 seconds, but is nan"),
        ("--jobs 0", "--jobs must be from 1 to 256, but is 0"),
        ("--format pdf", "'pdf' is not one of 'text', 'json', 'csv', 'parquet'"),
        ("--format csv --json", "--json cannot be given together with --format csv; leave one out"),
        ("--format parquet", "--format parquet needs --out with the name of a file"),
        ("--resume", "--resume needs --out with the name of a file"),
        ("--resume --overwrite --out x.csv", "--resume cannot be given together with --overwrite; leave one out"),
        ("--fields no.toml", "cannot read the form no.toml: No such file or directory; check the path"),
        (
            "--fields f.toml --amount",
            "--amount cannot be given together with --fields, whose file says what is expected",
        ),
        ("--fields f.toml --turn", "--turn cannot be given together with --fields"),
        ("--expect-list no.txt", "no.txt"),
        ("--annotate scans", "the folder scans holds other files; name a new or empty one with --annotate"),
        ("--annotate scans/0.png", "--annotate needs a folder, but scans/0.png is a file"),
        ("--out scans", "cannot write scans: it is no ordinary file; name another with --out"),
        ("--out scans/0.png --format csv", "scans/0.png is one of the files to read"),
        ("--out . --format csv", "cannot write .: it is no ordinary file; name another with --out"),
        ("--out scans/0.png/x.csv", "scans/0.png is no folder; name another with --out"),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_bad_options(read, folder, monkeypatch, line, words, form):
    monkeypatch.chdir(folder.parent)
    form = [] if "--json" in line or "--format" in line or "xlsx" in line else form
    before = {path: path.read_bytes() for path in folder.iterdir()}
    ended = read("scans/0.png", *line.split(), *form)
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert words in ended.err
    if form:
        assert ended.json == {"error": ended.err.removeprefix("inkgrad: ").rstrip(), "status": 2}
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert not list(folder.parent.glob("*.part"))


def test_a_file_that_exists(read, folder, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("mine")
    ended = read(folder, "--out", out)
    assert (ended.status, out.read_text()) == (2, "mine")
    assert ended.err == f"inkgrad: {out} exists; name another --out, or replace it with --overwrite\n"
    ended = read(folder, "--out", out, "--resume")
    assert (ended.status, out.read_text()) == (0, "mine")
    assert ended.err == f"{out} is finished, there is nothing to resume; --overwrite reads all anew\n"
    assert read(folder, "--out", out, "--overwrite").status == 0
    assert out.read_text().startswith("file,page")


@pytest.mark.parametrize("paths", [["nowhere.png"], ["nowhere.png", "empty", "*.tif"]])
def test_nothing_to_read_leaves_what_is_there(read, folder, tmp_path, monkeypatch, paths):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert read(folder, "--out", "done.csv").status == 0
    (tmp_path / "begun.csv.part").write_text('{"journal": "inkgrad read", "options": {}}\n')
    before = {path: path.read_bytes() for path in tmp_path.glob("*.*")}
    for line in (["new.csv", "--annotate", "drawn"], ["done.csv", "--overwrite"], ["begun.csv", "--resume"]):
        ended = read(*paths, "--out", *line)
        assert ended.status == 2
        assert ended.err.count("\n") == 1
        assert "there is no file or folder nowhere.png; check the path" in ended.err
    assert {path: path.read_bytes() for path in tmp_path.glob("*.*")} == before
    assert not (tmp_path / "drawn").exists()


def test_a_picture_of_the_folder_is_no_output(read, folder):
    picture = folder / "0.png"
    before = picture.read_bytes()
    ended = read(folder, "--out", picture, "--format", "csv", "--overwrite")
    assert (ended.status, ended.err) == (2, f"inkgrad: --out {picture} is one of the files to read; name another\n")
    assert picture.read_bytes() == before


@pytest.mark.parametrize(("line", "what"), [([""], "a path"), (["0.png", "--out", ""], "--out")])
def test_an_empty_name_is_not_the_folder_one_is_in(read, folder, monkeypatch, line, what):
    monkeypatch.chdir(folder)
    ended = read(*line)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == f"inkgrad: {what} is empty, expected a name; check the variable that it came from\n"


@pytest.fixture
def many(tmp_path):
    made = tmp_path / "many"
    made.mkdir()
    for i in range(40):
        save(made / f"{i:02}.png", f"{i:03}", 0.3 + i / 60)
    (made / "17.png").write_bytes(b"no picture")
    return made


@NOT_POSIX
@pytest.mark.parametrize("form", ["csv", pytest.param("json", marks=pytest.mark.slow)])
def test_kill_9_in_the_middle_and_go_on(read, process, many, tmp_path, form):
    out, whole = tmp_path / f"out.{form}", tmp_path / f"whole.{form}"
    journal = tmp_path / f"out.{form}.part"
    assert read(many, "--out", whole).status == 2
    lines, before = ("--out", out, "--annotate", tmp_path / "drawn", "--jobs", 2), 0
    for resume in ([], ["--resume"]):
        running = process(many, *lines, *resume)
        wait_for(lambda: journal.exists() and journal.read_bytes().count(b"\n") > before + 6, running)  # noqa: B023
        running.kill()
        assert running.wait(30) == -signal.SIGKILL
        assert not out.exists()
        before = journal.read_bytes().count(b"\n")
    with journal.open("ab") as file:
        file.write(b'{"key": ["half a l')
    other = read(many, "--out", out, "--resume", "--min-confidence", 0.6)
    assert other.status == 2
    assert "were read with --min-confidence 0.5, not 0.6; give the same to continue" in other.err
    assert read(many, *lines, "--resume").status == 2  # for the bad file
    assert out.read_bytes() == whole.read_bytes()
    assert not journal.exists()
    assert len(list((tmp_path / "drawn").glob("*.png"))) == 39


@pytest.mark.slow
@NOT_POSIX
@pytest.mark.parametrize("kept", [True, False])
def test_ctrl_c(process, read, many, tmp_path, kept):
    out = tmp_path / "out.json"
    line = ("--json", "--out", out) if kept else ("--json",)
    running = process(many, *line, seconds=0.2)
    if kept:
        wait_for(lambda: Path(f"{out}.part").exists() and Path(f"{out}.part").read_bytes().count(b"\n") > 3, running)
    else:
        began = os.read(running.stdout.fileno(), 200).decode()
    os.killpg(running.pid, signal.SIGINT)  # as the terminal does: to all of them
    pressed = time.monotonic()
    told, said = running.communicate(timeout=60)
    assert time.monotonic() - pressed < 20
    assert running.returncode == 130
    assert said.endswith("inkgrad: interrupted\n")
    assert "Traceback" not in said
    if kept:
        assert not out.exists()
        assert f"pages are kept in {out}.part; continue with the same line and --resume\n" in said
        assert json.loads(told) == {"error": "interrupted", "status": 130}
        assert read(many, *line, "--resume").status == 2
        assert json.loads(out.read_text())["complete"] is True
    else:
        found = json.loads(began + told)
        assert (found["complete"], found["error"], found["status"]) == (False, "interrupted", 130)
        assert 1 <= len(found["pages"]) < 40


@pytest.mark.slow
@NOT_POSIX
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_full_disk(process, read, many, tmp_path, form):
    import resource

    if form == "parquet":
        pytest.importorskip("pyarrow")
    out, whole = tmp_path / f"out.{form}", tmp_path / f"whole.{form}"
    read(many, "--out", whole)

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))

    running = process(many, "--out", out, "--jobs", 1, seconds=0, preexec_fn=full)
    told, said = running.communicate(timeout=60)
    assert (running.returncode, told) == (1, "")
    last = said.splitlines()[-1]
    assert last.startswith(f"inkgrad: cannot write {out}.part: File too large; the ")
    assert last.endswith("pages in it are kept, continue with --resume")
    assert "Traceback" not in said
    assert not out.exists()
    assert read(many, "--out", out, "--resume").status == 2
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_a_full_standard_output(process, folder, form):
    with Path("/dev/full").open("wb") as full:
        running = process(folder, "--format", form, stdout=full)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert said == "inkgrad: cannot write standard output: No space left on device; make room for it\n"


@pytest.mark.slow
@NOT_POSIX
def test_who_reads_has_gone(process, many):
    running = process(many, "--format", "csv", seconds=0.05)
    running.stdout.readline()
    running.stdout.close()
    running.stdout = None
    _, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "Traceback" not in said


@pytest.mark.slow
def test_annotated_pages(read, folder, tmp_path):
    Image.fromarray(page("42")).save(folder / "photo.JPG", quality=100)
    (folder / "sub").mkdir()
    save(folder / "sub" / "0.png", "9")
    drawn = tmp_path / "drawn"
    assert read(folder, folder / "sub", "--annotate", drawn).status == 0
    names = ["0.png", "0_2.png", "1.png", "2.png", "3.png", "photo.JPG"]
    assert sorted(path.name for path in drawn.iterdir() if not path.name.startswith(".")) == names
    with Image.open(drawn / "0.png") as image:
        pixels = np.asarray(image)
        assert (pixels == (0, 135, 62)).all(axis=2).any()
    with Image.open(drawn / "photo.JPG") as image:
        assert image.format == "JPEG"
    again = read(folder, "--annotate", drawn)
    assert again.status == 2
    assert "holds annotated pages of an earlier run; name another with --annotate, or replace them" in again.err
    assert read(folder, "--annotate", drawn, "--overwrite").status == 0


@pytest.mark.slow
def test_a_form(read, folder, tmp_path):
    form = tmp_path / "form.toml"
    form.write_text(
        '[[field]]\nname = "left"\nbox = [0, 0, 0.5, 1]\n'
        '[[field]]\nname = "right"\nbox = [0.5, 0, 0.5, 1]\nrequired = true\n'
    )
    ended = read(folder / "0.png", folder / "1.png", "--fields", form, "--format", "csv")
    assert ended.out.splitlines() == [
        "file,page,left,left_confidence,left_doubtful,right,right_confidence,right_doubtful",
        f"{folder}/0.png,1,0123,0.99,false,,,true",
        f"{folder}/1.png,1,77,0.4,true,,,true",
    ]
    assert ended.err == "2 pages read, 1 number, 3 doubtful\n"
    (first, _) = read(folder / "0.png", folder / "1.png", "--fields", form, "--json").json["pages"]
    assert first.keys() == {"file", "page", "width", "height", "fields"}
    assert first["fields"]["left"].keys() == {"text", "written", "confidence", "doubtful", "free", "box"}


@pytest.mark.slow
@NOT_POSIX
@pytest.mark.parametrize("jobs", [1, 2])
def test_files_that_end_or_hold_up_their_process(read, folder, tmp_path, jobs):
    first = special(tmp_path / "first.png", fake_reader.KILLED)
    special(folder / "4.png", fake_reader.ENDLESS)
    ended = read(first, folder, "--json", "--jobs", jobs, "--timeout", 3)
    assert ended.status == 2
    assert [page["file"] for page in ended.json["pages"]] == [str(first), *(f"{folder}/{i}.png" for i in range(5))]
    killed, held_up, tally = ended.err.splitlines()
    assert killed.startswith(f"inkgrad: {first}, page 1 ended the process that read it (signal 9), and again")
    assert held_up.startswith(f"inkgrad: {folder}/4.png, page 1 took longer than 3 seconds to be read; give more with")
    assert tally == "4 pages read, 2 numbers, 1 doubtful, 2 not readable"
    assert ended.json["complete"] is True


@pytest.mark.slow
def test_a_pdf_whose_forms_are_nested_without_end(read, tmp_path, folder):
    """Nine forms, eight of which draw the next ten times: 10 ** 8 rectangles from 2 kB."""
    (tmp_path / "deep.pdf").write_bytes(nested_forms(9, 10))
    ended = read(tmp_path / "deep.pdf", "--timeout", 2)
    assert ended.status == 2
    assert f"{tmp_path}/deep.pdf, page 1 took longer than 2 seconds to be read" in ended.err


def test_help_needs_no_numpy():
    code = "import sys, inkgrad.cli.reading; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
