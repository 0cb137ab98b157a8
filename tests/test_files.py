"""Files are written whole or not at all."""

import contextlib
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from inkgrad.errors import StorageError
from inkgrad.files import write_atomically

FULL = """
import resource, signal, sys
from inkgrad.errors import StorageError
from inkgrad.files import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(sys.argv[1], b"new" * 1000)
except StorageError as error:
    print(error)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@contextlib.contextmanager
def without_privileges():
    """Root may write everywhere; inside the block root is nobody."""
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("content", "held"),
    [
        (b"\0\xff", b"\0\xff"),
        ("drei → 3", "drei → 3".encode()),
        (lambda file: file.write(b"seven"), b"seven"),
        ("", b""),
    ],
)
def test_content_of_every_kind(tmp_path, content, held):
    path = tmp_path / "new" / "folder" / "file"
    assert write_atomically(str(path), content) == path
    assert path.read_bytes() == held
    assert names(path.parent) == ["file"]


def test_an_old_file_is_replaced_not_changed(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with path.open() as reader:
        write_atomically(path, "new")
        assert reader.read() == "old"  # who has it open reads on
    assert path.read_text() == "new"


@pytest.mark.skipif(os.name != "posix", reason="modes as POSIX has them")
def test_the_mode_is_that_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_content_that_fails_leaves_the_old_file(tmp_path, error):
    def content(file):
        file.write(b"half")
        raise error

    path = tmp_path / "file"
    path.write_text("old")
    kind = StorageError if isinstance(error, OSError) else type(error)
    with pytest.raises(kind) as caught:
        write_atomically(path, content)
    if kind is StorageError:
        assert str(caught.value) == f"cannot write {path}: No space left on device; what was there before is unchanged"
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="the limit is POSIX's")
def test_a_limit_of_the_system_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"cannot write {path}: File too large; what was there before is unchanged\n"
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="modes as POSIX has them")
def test_a_folder_that_may_not_be_written():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "file").write_text("old")
        folder.chmod(0o555)
        with without_privileges(), pytest.raises(StorageError, match=r"cannot write .*/file: Permission denied"):
            write_atomically(folder / "file", "new")
        assert (folder / "file").read_text() == "old"
        assert names(folder) == ["file"]
        folder.chmod(0o755)


def test_places_where_no_file_can_be(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "inside", tmp_path / "folder", tmp_path / ("x" * 300)):
        with pytest.raises(StorageError, match="cannot write"):
            write_atomically(path, "new")
    assert names(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_devices_and_pipes_are_not_renamed_away(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="no ordinary file"):
        write_atomically(tmp_path / "pipe", "x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    """The new file is in place by then; some file systems refuse to sync folders."""
    real = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(22, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert write_atomically(tmp_path / "note", "new").read_text() == "new"


def test_a_link_stays_a_link_and_a_mode_stays(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
