"""The parts of a reading on Ray that need no cluster: what is listed, divided, fetched, written, and refused."""

import contextlib
import dataclasses
import json
import os
from pathlib import Path
from typing import ClassVar

import pytest
from PIL import Image

import fake_reader
from documents import pdf
from inkgrad.cli.main import main
from inkgrad.data import load_amounts
from inkgrad.distributed.ray_reading import fetch, listing, manifest, read_on_ray, storage, tables
from inkgrad.distributed.ray_reading.cluster import connected
from inkgrad.distributed.ray_reading.fetch import AHEAD, Fetcher
from inkgrad.distributed.ray_reading.listing import LOCAL, Entry, find_entries
from inkgrad.distributed.ray_reading.manifest import Manifest
from inkgrad.distributed.ray_reading.storage import Folder
from inkgrad.distributed.ray_reading.worker import BatchReader, Job, SentModel
from inkgrad.errors import ModelFileError, OptionError, RunError, StorageError
from inkgrad.reading.forms import read_form
from inkgrad.reading.forms.reading import FormReader
from inkgrad.reading.inputs import NamedFile, find_files
from inkgrad.reading.joints import BadInput
from inkgrad.reading.page_work import Reading
from inkgrad.reading.record import Tally

pq = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("ray")
fsspec = pytest.importorskip("fsspec")
LocalFileSystem = pytest.importorskip("fsspec.implementations.local").LocalFileSystem


@pytest.fixture
def scans(tmp_path):
    place = tmp_path / "scans"
    for name in ("b2.png", "b10.png", "A1.PNG", "deep/c.png", ".hidden/d.png", "B/e.png", "notes.txt"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        fake_reader.save(place / "x.png", "12").replace(place / name)
    return place


@pytest.fixture
def job(tmp_path):
    return Job(str(tmp_path / "out"), [], Reading(fake_reader.quick_reader), seconds=60.0)


def rows(folder):
    return pq.read_table(folder).to_pylist()


@pytest.mark.parametrize("recursive", [False, True])
def test_what_is_listed_is_what_the_local_engine_lists(scans, recursive):
    expected = [str(path) for path in find_files([scans], recursive=recursive)]
    assert [entry.name for entry in find_entries([str(scans)], recursive=recursive)] == expected
    for scheme, root in (("file", LOCAL), ("fsspec+file", 0)):
        found = list(find_entries([f"{scheme}://{scans}"], recursive=recursive))
        assert [entry.name for entry in found] == [f"{scheme}://{name}" for name in expected]
        assert [(entry.path, entry.root) for entry in found] == [(name, root) for name in expected]


def test_links_are_listed_once(scans):
    (scans / "A0.png").symlink_to(scans / "b10.png")
    (scans / "c.png").symlink_to(scans / "A1.PNG")
    found = [Path(entry.name).name for entry in find_entries([str(scans)])]
    assert found == [path.name for path in find_files([scans])] == ["A0.png", "A1.PNG", "b2.png"]


def test_each_file_is_listed_once(scans):
    places = [f"fsspec+file://{scans}/b2.png", f"fsspec+file://{scans}", f"{scans}/b2.png", str(scans)]
    found = [entry.name.removeprefix("fsspec+file://") for entry in find_entries(places)]
    assert found == [f"{scans}/{name}" for name in ("b2.png", "A1.PNG", "b10.png", "b2.png", "A1.PNG", "b10.png")]


def test_places_that_are_not_there(scans):
    empty = scans.parent / "empty"
    (empty / "in").mkdir(parents=True)
    told = [entry.error for entry in find_entries([f"file://{empty}", "file:///nowhere", "nowhere"])]
    assert told[0].startswith(f"the folder file://{empty} has no images")
    assert told[0].endswith("name another, or search the folders in it, too, with --recursive")
    assert told[1] == "there is no file or folder file:///nowhere; check the URI"
    assert told[2] == "there is no file or folder nowhere; check the path"


def test_nothing_to_read_leaves_what_is_there(tmp_path, monkeypatch, job):
    monkeypatch.setattr("inkgrad.distributed.ray_reading.run.connected", lambda *_: contextlib.nullcontext())
    job = dataclasses.replace(job, places=["nowhere", str(tmp_path / "nowhere.png")])
    with pytest.raises(OptionError, match="none of the 2 paths names anything to read, the first of them: there is no"):
        read_on_ray(job, {})
    assert not list(tmp_path.iterdir())
    out = Folder(job.out)
    manifest.begin(out, Manifest({}), [Entry("a.png", LOCAL, "/a.png")])
    out.write("numbers/part-000000.parquet", b"what was read")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    with pytest.raises(OptionError, match="none of the 2 paths names anything to read"):
        read_on_ray(job, {}, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.name != ".lock"} == before


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (9, [4, 4, 1]), (1000, None)])
def test_batches_grow_and_hold_every_file(tmp_path, count, sizes):
    out = Folder(str(tmp_path / "out"))
    names = [os.fsdecode(b"caf\xe9-%d.png" % number) for number in range(count)]
    plan = manifest.begin(out, Manifest({}), (Entry(name, LOCAL, f"/{name}", 7) for name in names))
    batches = [manifest.batch(out, number) for number in range(plan.batches)]
    assert [entry.name for entries in batches for entry in entries] == names
    assert (plan.files, plan.complete) == (count, True)
    assert manifest.load(out) == plan
    lengths = [len(entries) for entries in batches]
    if sizes is not None:
        assert lengths == sizes
    else:
        assert plan.batches > manifest.TOGETHER  # several files of the manifest
        assert max(lengths) == max(lengths[:-1]) <= count / manifest.SHARE


def test_batches_are_bounded_by_bytes(tmp_path):
    out = Folder(str(tmp_path / "out"))
    plan = manifest.begin(out, Manifest({}), (Entry(f"{i}", LOCAL, f"/{i}", manifest.MOST_BYTES) for i in range(3)))
    assert plan.batches == 3


def test_folders_elsewhere(tmp_path):
    folder = Folder(f"fsspec+file://{tmp_path}/out")
    assert folder.path is None
    assert (folder.names(), folder.read("a/b")) == ([], None)
    for content in (b"first", b"second"):
        folder.write("a/b", content)
        assert folder.read("a/b") == content
    assert folder.names("a") == ["b"]  # nothing that is half written
    folder.delete("a")
    folder.delete("a")
    assert folder.names() == []


def test_files_elsewhere_are_fetched_and_deleted(tmp_path):
    for number in range(20):
        (tmp_path / f"{number}").write_bytes(b"%d" % number)
    (tmp_path / "7").unlink()
    place = f"fsspec+file://{tmp_path}"
    entries = [Entry(f"x/{number}", 0, f"{tmp_path}/{number}") for number in range(20)]
    entries[3] = Entry("x/3", LOCAL, "", error="no such thing")
    entries[4] = Entry("x/4", LOCAL, f"{tmp_path}/4")
    copies = set()
    with Fetcher([place], entries) as fetcher:
        for number, file in enumerate(fetcher.files()):
            if number in (3, 7):
                assert isinstance(file, BadInput)
                assert file.error == (
                    "no such thing" if number == 3 else "there is no file x/7 any more; check the URI"
                )
                continue
            assert isinstance(file, NamedFile)
            assert (file.name, file.path.read_bytes()) == (f"x/{number}", b"%d" % number)
            if number == 4:
                assert file.path == tmp_path / "4"
                continue
            copies.add(file.path)
            fetcher.forget(file.name)
            assert sum(copy.exists() for copy in file.path.parent.iterdir()) <= AHEAD
    assert len(copies) == 17
    assert not any(copy.exists() or copy.parent.exists() for copy in copies)
    assert (tmp_path / "4").exists()


class Failing(LocalFileSystem):
    """Storage that fails so often for a file, with an error of its own."""

    protocol = "failing"
    times: ClassVar[dict[str, int]] = {}

    def open(self, path, mode="rb", **options):
        self.times[path] = self.times.get(path, 0) - 1
        if self.times[path] >= 0:
            raise LookupError("the service\nis busy")
        return super().open(path, mode, **options)

    def ls(self, path, detail=False, **options):
        if path.endswith("locked"):
            raise LookupError("no way in")
        return super().ls(path, detail, **options)


def test_storage_that_fails_for_a_while(tmp_path, monkeypatch):
    fsspec.register_implementation("failing", Failing, clobber=True)
    monkeypatch.setattr(fetch, "PAUSES", (0.0, 0.0))
    entries = [Entry(f"x/{number}", 0, f"{tmp_path}/{number}") for number in range(3)]
    for number, entry in enumerate(entries):
        Path(entry.path).write_bytes(b"%d" % number)
        Failing.times[entry.path] = number + 1
    with Fetcher([f"fsspec+failing://{tmp_path}"], entries) as fetcher:
        *good, bad = fetcher.files()
        assert [file.path.read_bytes() for file in good] == [b"0", b"1"]
    assert bad == BadInput("x/2", "x/2 could not be fetched (the service is busy); try again with --resume")
    (tmp_path / "locked").mkdir()
    with pytest.raises(RunError, match=r"cannot open fsspec\+failing://.*locked \(no way in\); check the URI"):
        list(find_entries([f"fsspec+failing://{tmp_path}/locked"]))


def test_a_batch_is_read_and_what_failed_is_tried_again(tmp_path, job):
    scans = tmp_path / "scans"
    scans.mkdir()
    names = ["a.png", "b.png", "c.pdf", "d.png", "e.png"]
    for name, digits in zip(names, ("12", "", "", "345", "6"), strict=True):
        fake_reader.save(scans / "x.png", digits, 0.4 if digits == "6" else 0.99).replace(scans / name)
    (scans / "c.pdf").write_bytes(pdf("", ""))  # two white pages
    (scans / "b.png").write_bytes(b"")
    fake_reader.special(scans / "d.png", fake_reader.KILLED)
    out, places = Folder(job.out), [f"fsspec+file://{scans}"]
    manifest.begin(out, Manifest({}), find_entries(places))
    reader = BatchReader(dataclasses.replace(job, places=places))
    plan = manifest.load(out)
    assert (plan.files, plan.batches) == (5, 2)

    first, second = (reader._answer(number) for number in range(2))
    assert (first.files, first.tally, first.failure) == (4, Tally(3, 1, 0, 2), None)
    empty, killed = first.errors
    assert empty == f"{places[0]}/b.png is empty, expected an image file; save or copy it again"
    assert "ended the process that read it (signal 9), and again when tried alone" in killed
    assert (second.files, second.tally, second.errors) == (1, Tally(1, 0, 1, 0), [])
    assert [row["text"] for row in rows(tmp_path / "out" / "numbers")] == ["12", "6"]
    failed = rows(tmp_path / "out" / "errors")
    assert [(row["file"][-5:], row["page"]) for row in failed] == [("b.png", None), ("d.png", 1)]
    assert [row["pages"] for row in rows(tmp_path / "out" / "files")] == [1, 0, 2, 0, 1]

    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("part-000001.parquet")}
    fake_reader.save(scans / "b.png", "99")
    fake_reader.save(scans / "a.png", "00")  # has been read: is not read again
    assert tables.tallies(out, 0) == (4, Tally(3, 1, 0, 2))
    again = reader._answer(0)
    assert again.tally == Tally(4, 2, 0, 1)
    assert again.errors == [killed]
    assert [row["text"] for row in rows(tmp_path / "out" / "numbers")] == ["12", "99", "6"]
    assert reader._answer(1).tally == second.tally
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.slow
def test_what_a_worker_cannot_do_comes_back(tmp_path, job):
    out = Folder(job.out)
    fake_reader.save(tmp_path / "a.png", "1")
    manifest.begin(out, Manifest({}), find_entries([str(tmp_path / "a.png")]))
    (tmp_path / "out" / "errors").write_bytes(b"in the way")
    failed = BatchReader(job)(numbers={"item": [0]})["answer"]
    with pytest.raises(StorageError, match=r"cannot write .*part-000000\.parquet: .*; what was there before is unch"):
        type(BatchReader(job)._answer(0)).of_text(failed[0]).check()
    for changed, kind, words in (
        ({"version": "0.0"}, RunError, r"a worker has inkgrad .*, but the run was started by 0\.0; install the same"),
        ({"out": f"{tmp_path}/elsewhere"}, StorageError, "is not there on .*; name an --out that all machines"),
    ):
        with pytest.raises(kind, match=words):
            BatchReader(dataclasses.replace(job, **changed))._answer(0).check()


def test_a_model_is_sent_to_the_workers(tmp_path):
    with pytest.raises(ModelFileError, match=r"^my\.safetensors"):
        SentModel("my.safetensors", b"no model")()
    weights = Path(listing.__file__).parents[2] / "reading" / "weights" / "reader.safetensors"
    reader = SentModel("my.safetensors", weights.read_bytes())()
    assert reader.confidence_at_error(0.01) > 0.5


def test_a_form_is_sent_to_the_workers(tmp_path):
    (tmp_path / "codes.txt").write_text("12\n34  # of old\n")
    Image.fromarray(load_amounts()[0].gray).resize((800, 600)).save(tmp_path / "blank.png")
    (tmp_path / "form.toml").write_text(
        'template = "blank.png"\n[[field]]\nname = "code"\nbox = [0, 0, 1, 1]\nlist = "codes.txt"\n'
    )
    form = read_form(tmp_path / "form.toml")
    sent = form.without_files()
    (tmp_path / "codes.txt").unlink()
    (tmp_path / "blank.png").unlink()
    reader = FormReader(sent, fake_reader.FakeReader())
    assert [reader._expectations[0].accepts(code) for code in ("12", "34", "56")] == [True, True, False]
    assert sent.digest == form.digest
    with pytest.raises(OptionError, match=r"cannot read .*codes\.txt"):
        form.without_files()


@pytest.fixture
def read(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    fake_reader.save(tmp_path / "a.png", "1")

    def run(*line):
        with pytest.raises(SystemExit) as end:
            main(["read", "a.png", "--engine", "ray", *map(str, line)])
        return end.value.code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ([], "--engine ray needs --out with the name of a folder"),
        (["--out", "o", "--json"], "--json does not go with --engine ray, which writes a folder of Parquet files"),
        (["--out", "o", "--format", "csv"], "--format csv does not go with --engine ray, which writes Parquet"),
        (["--out", "o", "--annotate", "drawn"], "--annotate does not go with --engine ray"),
        (["-", "--out", "o"], "standard input can be read by one process only"),
        (["--out", "a.png"], "a.png: it is no folder; name another with --out"),
        (["--out", "."], "is a folder with other files in it; name a new one with --out"),
        (["--out", "o", "--jobs", "0"], "--jobs must be from 1 to 100000, but is 0"),
        (["nope://x", "--out", "o"], "nope://x is on no file system that PyArrow opens"),
        (["--out", "nope://x"], "nope://x is on no file system that PyArrow opens"),
        (["--out", "s3://key:word@bucket"], "the URI s3://...@bucket has a secret in it"),
        (["abfs://box/a?sv=1&sig=abc=", "--out", "o"], "the URI abfs://box/a?sv=1&... has a secret in it"),
        (["--out", "o", "--ray-address", "127.0.0.1:1"], "no Ray cluster answers at 127.0.0.1:1 (Connection refused)"),
        (["--out", "o", "--ray-address", "ray://x:1"], "the Ray address ray://x:1 is of no known kind, expected HOST:"),
    ],
)
def test_what_does_not_go_with_ray(read, line, words, tmp_path):
    status, said = read(*line)
    assert status == 2
    assert words in said
    assert said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_an_address_in_the_environment_where_nothing_answers(read, monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    status, said = read("--out", "o")
    assert status == 2
    assert (
        "no Ray cluster answers at 127.0.0.1:1 (Connection refused); check --ray-address and RAY_ADDRESS, and" in said
    )


def test_an_output_that_cannot_be_written(read):
    status, said = read("--out", "/proc/nowhere/out")
    assert status == 1
    assert said == "inkgrad: cannot write /proc/nowhere/out: No such file or directory; name another --out\n"


def test_without_the_extra(read, monkeypatch):
    find = storage.__class__  # a module: any object that is no None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ray" else find)
    status, said = read("--out", "o")
    assert status == 2
    assert said == 'inkgrad: --engine ray needs Ray Data; install it with pip install "inkgrad[ray]"\n'


def test_with_ray_but_without_ray_data(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray.data", None)
    with pytest.raises(OptionError, match="--engine ray needs Ray Data"), connected(None, 1):
        pass


def test_what_is_there_is_not_touched(read, tmp_path):
    out = tmp_path / "o"
    out.mkdir()
    told = {"manifest": "inkgrad read", "options": {"inkgrad": "0.0"}, "complete": True}
    for finished, words in ((False, "holds what an earlier run has read; continue it"), (True, "exists; name another")):
        (out / "manifest.json").write_text(json.dumps(told | {"finished": finished}))
        assert words in read("--out", "o")[1]
        assert "no Ray cluster answers" in read("--out", "o", "--overwrite", "--ray-address", "127.0.0.1:1")[1]
        assert json.loads((out / "manifest.json").read_text())["finished"] == finished
    assert "o is finished, there is nothing to resume" in read("--out", "o", "--resume")[1]
    (out / "manifest.json").write_text(json.dumps(told))
    assert "were read with inkgrad 0.0, not" in read("--out", "o", "--resume")[1]
    (out / "manifest.json").write_text("{}")
    assert "is no output of inkgrad read, or a damaged one" in read("--out", "o", "--resume")[1]
