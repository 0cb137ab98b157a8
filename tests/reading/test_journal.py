"""The journal: what is in it survives everything; what is not whole is dropped."""

import json
import os
import re
import subprocess
import sys

import pytest

from inkgrad.errors import OptionError, StorageError
from inkgrad.reading.journal import Journal, journal_path

OPTIONS = {"--min-confidence": 0.5, "--turn": False, "--model": None}


def filled(path, count=5):
    journal = Journal(path, OPTIONS, resume=False)
    places = [journal.append((f"{i}.png", 1), (i, i), {"file": f"{i}.png", "numbers": [i]}) for i in range(count)]
    journal.close()
    return places


def known(path, count=5):
    journal = Journal(path, OPTIONS, resume=True)
    found = [journal.find((f"{i}.png", 1), (i, i)) for i in range(count)]
    journal.close()
    return [None if one is None else one[1]["numbers"][0] for one in found]


def test_records_are_found_again(tmp_path):
    path = journal_path(tmp_path / "new" / "out.csv")
    places = filled(path)
    journal = Journal(path, OPTIONS, resume=True)
    assert journal.count == 5
    assert journal.find(("3.png", 1), (3, 3)) == (places[3], {"file": "3.png", "numbers": [3]})
    assert journal.record(places[4]) == {"file": "4.png", "numbers": [4]}
    assert journal.find(("3.png", 2), (3, 3)) is None
    assert journal.find(("3.png", 1), (3, 4)) is None, "the file has changed"
    assert journal.find(("3.png", 1), None) is None
    journal.remove()
    assert not path.exists()


def test_cut_off_anywhere_it_keeps_every_whole_line(tmp_path):
    path = tmp_path / "out.part"
    filled(path)
    whole = path.read_bytes()
    ends = [match.end() for match in re.finditer(b"\n", whole)]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        lines = sum(end <= cut for end in ends)
        assert known(path) == [i if i < lines - 1 else None for i in range(5)]
        after = path.read_bytes()
        assert after == whole[: ends[max(lines, 1) - 1]]  # what is half is gone, and a heading is there


@pytest.mark.parametrize("damage", [b"\0\0\0\0\n", b"{]\n", b'{"key": 1}\n', b"\xff\n"])
def test_what_a_power_cut_leaves_is_dropped(tmp_path, damage):
    path = tmp_path / "out.part"
    filled(path, 2)
    path.write_bytes(path.read_bytes() + damage + b'{"key": ["2.png", 1], "stamp": [2, 2], "record": {}}\n')
    assert known(path, 3) == [0, 1, None]


def test_what_failed_is_tried_again_and_the_last_record_counts(tmp_path):
    path = tmp_path / "out.part"
    journal = Journal(path, OPTIONS, resume=False)
    journal.append(("a", 1), (1, 1), {"error": "bad"})
    journal.append(("b", 1), (1, 1), {"numbers": [1]})
    journal.append(("b", 1), (2, 2), {"numbers": [2]})
    journal.close()
    journal = Journal(path, OPTIONS, resume=True)
    assert journal.find(("a", 1), (1, 1)) is None
    assert journal.find(("b", 1), (1, 1)) is None
    assert journal.find(("b", 1), (2, 2))[1] == {"numbers": [2]}
    journal.close()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"--min-confidence": 0.7}, "--min-confidence 0.5, not 0.7"),
        ({"--turn": True}, "--turn left out, not given"),
        ({"--expect": "x"}, "--expect left out, not x"),
    ],
)
def test_other_options_are_refused(tmp_path, other, words):
    path = tmp_path / "out.part"
    filled(path)
    with pytest.raises(OptionError) as caught:
        Journal(path, OPTIONS | other, resume=True)
    assert str(caught.value) == (
        f"the pages in {path} were read with {words}; give the same to continue with --resume, or begin anew with "
        f"--overwrite"
    )
    assert known(path) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("content", [b"my notes\n", b'{"pages": []}\n', b"x"])
def test_a_file_of_others_is_left_alone(tmp_path, resume, content):
    path = tmp_path / "out.part"
    path.write_bytes(content)
    with pytest.raises(OptionError, match=r"out\.part is no journal of inkgrad read; move it away, or name another"):
        Journal(path, OPTIONS, resume=resume)
    assert path.read_bytes() == content


@pytest.mark.skipif(os.name != "posix", reason="locks as POSIX has them")
def test_one_writer_at_a_time(tmp_path):
    path = tmp_path / "out.part"
    journal = Journal(path, OPTIONS, resume=False)
    journal.append(("a", 1), (1, 1), {})
    for resume in (True, False):
        with pytest.raises(OptionError, match="another run is writing"):
            Journal(path, OPTIONS, resume=resume)
    journal.close()
    assert len(path.read_bytes().splitlines()) == 2


FULL = """
import resource, sys
from pathlib import Path
from inkgrad.errors import StorageError
from inkgrad.reading.journal import Journal
journal = Journal(Path(sys.argv[1]), {}, resume=False)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    for i in range(1000):
        journal.append((f"{i}.png", 1), (i, i), {"numbers": [i]})
except StorageError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="the limit is POSIX's")
def test_a_full_disk_leaves_whole_lines(tmp_path):
    path = tmp_path / "out.part"
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, timeout=60, check=True)
    lines = path.read_bytes().splitlines(keepends=True)
    assert all(line.endswith(b"\n") and json.loads(line) for line in lines)
    kept = f"the {len(lines) - 1} pages in it are kept, continue with --resume"
    assert done.stdout == f"cannot write {path}: File too large; {kept}\n"


def test_places_where_no_file_can_be(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file" / "out.part"):
        with pytest.raises(StorageError, match="name another --out"):
            Journal(path, OPTIONS, resume=False)
