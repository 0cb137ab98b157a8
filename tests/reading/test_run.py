"""A whole reading: order, bad files, memory, and going on after any end."""

import functools
import gc
import json
import os
import tracemalloc
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import fake_reader
from inkgrad.errors import OptionError, StorageError
from inkgrad.reading.annotate import AnnotationFolder
from inkgrad.reading.formats import text_format
from inkgrad.reading.joints import BadInput
from inkgrad.reading.output import FileOutput, StreamOutput, is_finished
from inkgrad.reading.page_work import Reading
from inkgrad.reading.record import Tally
from inkgrad.reading.run import read_all
from inkgrad.reading.workers import LOOK_AHEAD

READING = Reading(fake_reader.quick_reader)
OPTIONS = {"--min-confidence": 0.5}


@dataclass(frozen=True)
class Made:
    """A page without a file."""

    file: str
    digits: str = "12"
    confidence: float = 0.99
    page: int = 1
    path: Path | None = None

    def pixels(self):
        return fake_reader.page(self.digits, self.confidence)


@dataclass(frozen=True)
class Kept:
    """A page of a file; `loaded` notes which were loaded."""

    path: Path
    loaded: list

    page = 1

    @property
    def file(self):
        return self.path.name

    def pixels(self):
        self.loaded.append(self.file)
        return fake_reader.decode(self.path)


class Full(Kept):
    """One that is called by its whole path."""

    @property
    def file(self):
        return str(self.path)


class Noted:
    def __init__(self):
        self.records, self.tally = [], Tally()

    def find(self, key, stamp):
        return None

    def add(self, key, stamp, record, place=None):
        self.records.append(record)
        self.tally.add(record)

    def end(self):
        pass


def read(inputs, reading=READING, **options):
    output = Noted()
    read_all(inputs, reading, output, **({"here": "jobs" not in options} | options))
    return output.records


def test_records_come_in_order_with_what_failed_among_them():
    special = fake_reader.page("1")
    special[0, 0] = fake_reader.BROKEN
    inputs = [Made("a", "007"), BadInput("b", "b is no image"), Made("c", "5", 0.3), Made("d", page=2)]
    a, b, c, d = read(inputs)
    assert [n["text"] for n in a["numbers"]] == ["007"]
    assert b == {"file": "b", "page": None, "error": "b is no image"}
    assert (c["numbers"], [n["text"] for n in c["doubtful"]]) == ([], ["5"])
    assert (d["file"], d["page"]) == ("d", 2)


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (fake_reader.REFUSED, "x.png, page 1: this page is refused"),
        (fake_reader.BROKEN, "x.png: page 1 could not be read, unexpected ZeroDivisionError: division by zero"),
    ],
)
def test_what_a_reader_raises_is_an_error_of_the_page(tmp_path, first, words):
    path = fake_reader.special(tmp_path / "x.png", first)
    assert read([Kept(path, []), Made("y")])[0] == {"file": "x.png", "page": 1, "error": words}


def test_a_full_disk_is_no_error_of_a_page():
    class Full:
        def read(self, image, **options):
            raise StorageError("full")

    with pytest.raises(StorageError, match="full"):
        read([Made("a")], Reading(Full))


def test_turned_pages():
    class Upright(fake_reader.FakeReader):
        """Is surer of what lies as it should."""

    reading = Reading(Upright, turn=True)
    for quarters, turn in ((0, 0), (1, 90), (2, 180), (3, 270)):

        @dataclass(frozen=True)
        class Turned(Made):
            quarters: int = 0

            def pixels(self):
                return np.rot90(super().pixels(), self.quarters)

        (record,) = read([Turned("a", "123", quarters=quarters)], reading)
        assert (record["turn"], record["width"], record["height"]) == (turn, 60, 40)
        assert record["numbers"][0]["text"] == "123"


@pytest.mark.parametrize("jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_few_of_10000_pages_are_there_at_a_time(jobs):
    class Counted(Noted):
        most = 0

        def add(self, key, stamp, record, place=None):
            self.most = max(self.most, len(alive))
            self.tally.add(record)

    alive, output = weakref.WeakSet(), Counted()

    def pages():
        for i in range(10_000):
            page = Made(f"{i}.png", "1")
            alive.add(page)
            yield page

    read_all(pages(), READING, output, jobs=jobs, here=jobs is None)
    assert output.tally.pages == 10_000
    assert output.most <= LOOK_AHEAD * (jobs or 0) + 4


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False])
def test_memory_does_not_grow_with_the_pages(tmp_path, kept):
    """What is kept of a page in the end is eight bytes, the place of its record, and in a stream nothing."""
    if kept:
        output = FileOutput(tmp_path / "out.csv", "csv", options=OPTIONS)
    else:
        output = StreamOutput(text_format("json", len))
    sizes = []

    def told(record):
        if output.tally.pages % 250 == 0:
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    try:
        read_all((Made(f"{i}.png", "1") for i in range(1_500)), READING, output, here=True, told=told)
        tracemalloc.reset_peak()
        output.end()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sizes[-1] - sizes[0] < 1_250 * 16 + 5_000
    assert peak - sizes[-1] < 500_000


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "scans"
    made.mkdir()
    for i in range(6):
        fake_reader.save(made / f"{i}.png", str(10 + i), 0.4 + 0.1 * i)
    return made


def file_output(out, **options):
    return FileOutput(out, "json", options=OPTIONS, **options)


def run(folder, out, inputs=None, **options):
    """Read a folder to a file; returns which were loaded."""
    loaded = []
    output = file_output(out, **options)
    try:
        pages = [Kept(path, loaded) for path in sorted(folder.iterdir())] if inputs is None else inputs(loaded)
        read_all(pages, READING, output, here=True)
        output.end()
    finally:
        output.close()
    return loaded


def interrupted(folder, out, after):
    @dataclass(frozen=True)
    class Pressed(Kept):
        def pixels(self):
            if len(self.loaded) == after:
                raise KeyboardInterrupt
            return super().pixels()

    def inputs(loaded):
        return [Pressed(path, loaded) for path in sorted(folder.iterdir())]

    with pytest.raises(KeyboardInterrupt):
        run(folder, out, inputs)
    assert not out.exists()


def test_it_goes_on_where_it_stopped(folder, tmp_path):
    whole, out = tmp_path / "whole.json", tmp_path / "out.json"
    assert len(run(folder, whole)) == 6
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
    assert is_finished(whole)
    interrupted(folder, out, 4)
    assert not is_finished(out)
    assert run(folder, out, resume=True) == ["4.png", "5.png"]
    assert out.read_bytes() == whole.read_bytes()
    assert is_finished(out)


def test_files_that_came_went_or_changed(folder, tmp_path):
    out = tmp_path / "out.json"
    interrupted(folder, out, 5)
    (folder / "0.png").unlink()
    fake_reader.save(folder / "1.png", "777")
    os.utime(folder / "1.png", ns=(1, 1))
    fake_reader.save(folder / "15.png", "888")
    loaded = run(folder, out, resume=True)
    assert loaded == ["1.png", "15.png", "5.png"]
    pages = json.loads(out.read_text())["pages"]
    assert [page["file"] for page in pages] == ["1.png", "15.png", "2.png", "3.png", "4.png", "5.png"]
    assert [(page["numbers"] + page["doubtful"])[0]["text"] for page in pages] == [
        "777",
        "888",
        *["12", "13", "14", "15"],
    ]


def test_what_is_there_is_not_written_over(folder, tmp_path):
    out = tmp_path / "out.json"
    run(folder, out)
    before = out.read_bytes()
    with pytest.raises(OptionError, match=r"out\.json exists; name another --out, or replace it with --overwrite"):
        file_output(out)
    interrupted(folder, tmp_path / "new.json", 3)
    with pytest.raises(
        OptionError, match=r"new\.json\.part holds what an earlier run has read; continue it with --res"
    ):
        file_output(tmp_path / "new.json")
    assert len(run(folder, out, overwrite=True)) == 6
    assert len(run(folder, tmp_path / "new.json", overwrite=True)) == 6
    assert out.read_bytes() == before
    with pytest.raises(OptionError, match="is no ordinary file"):
        file_output(folder)


def test_a_journal_without_pages_is_not_kept(folder, tmp_path):
    interrupted(folder, tmp_path / "out.json", 0)
    assert list(tmp_path.glob("*.part")) == []


def test_the_disk_is_full_at_the_end(folder, tmp_path, monkeypatch):
    out = tmp_path / "out.json"

    def full(path, content):
        raise StorageError(f"cannot write {path}: No space left on device; what was there before is unchanged")

    with monkeypatch.context() as patched:
        patched.setattr("inkgrad.reading.output.write_atomically", full)
        with pytest.raises(StorageError) as caught:
            run(folder, out)
    assert str(caught.value) == (
        f"cannot write {out}: No space left on device; what was there before is unchanged, and all that was read is in "
        f"{out}.part: continue with --resume"
    )
    assert run(folder, out, resume=True) == []
    assert len(json.loads(out.read_text())["pages"]) == 6


def test_an_annotated_page_is_drawn_anew_where_another_has_its_name(tmp_path):
    paths = [tmp_path / name / "x.png" for name in "abc"]
    for path, digits in zip(paths, ("1", "22", "333"), strict=True):
        path.parent.mkdir()
        fake_reader.save(path, digits)

    def annotated(paths, *, end, loaded):
        output = FileOutput(tmp_path / "out.json", "json", options=OPTIONS, resume=True)
        folder = AnnotationFolder(tmp_path / "drawn", again=True)
        pages = [Full(path, loaded) for path in paths]
        read_all(pages, READING, output, here=True, annotate=folder)
        if end:
            output.end()
        output.close()

    annotated(paths[:2], end=False, loaded=[])
    first = {path.name: path.read_bytes() for path in (tmp_path / "drawn").glob("*.png")}
    loaded = []
    annotated(paths[1:], end=False, loaded=loaded)
    assert loaded == [str(path) for path in paths[1:]]
    assert (tmp_path / "drawn" / "x.png").read_bytes() == first["x_2.png"] != first["x.png"]
    loaded.clear()
    annotated(paths[1:], end=True, loaded=loaded)
    assert not loaded


def test_annotated_pages_are_no_input(folder, tmp_path):
    annotate = AnnotationFolder(folder / "drawn")
    fake_reader.save(folder / "drawn" / "0.png", "1")
    pages = [Kept(path, []) for path in (folder / "0.png", folder / "drawn" / "0.png")]
    output = Noted()
    read_all(pages, READING, output, here=True, annotate=annotate)
    assert [record["file"] for record in output.records] == ["0.png"]
    assert (folder / "drawn" / "0.png").stat().st_size > 100


@pytest.mark.slow
def test_processes_read_the_same():
    slow = Reading(functools.partial(fake_reader.FakeReader, 0.01))
    pages = [Made(f"{i}", f"{i}") for i in range(30)]
    assert read(pages, slow, jobs=2) == read(pages)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
@pytest.mark.parametrize(
    ("first", "words"),
    [
        (fake_reader.KILLED, "ended the process that read it (signal 9), and again when tried alone; it is damaged or"),
        (fake_reader.ENDLESS, "took longer than 2 seconds to be read; give more with --timeout, or leave it out"),
    ],
)
def test_a_page_that_takes_its_process_with_it(tmp_path, first, words):
    path = fake_reader.special(tmp_path / "x.png", first)
    bad, good = read([Kept(path, []), Made("y")], jobs=1, seconds=2.0)
    assert (bad["file"], bad["page"]) == ("x.png", 1)
    assert bad["error"].startswith(f"x.png, page 1 {words}")
    assert [number["text"] for number in good["numbers"]] == ["12"]
