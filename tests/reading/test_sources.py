import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkgrad.errors import ImageError
from inkgrad.reading import STDIN, find_sources
from inkgrad.reading.sources import natural_order


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A folder to be in, with files that hold nothing: what they hold is not looked at."""
    for name in (
        *("page10.png", "page2.png", "Page1.JPG", "form.pdf", "photo.HEIC", "notes.txt", ".hidden.png", "plain"),
        *("more/a.tiff", "more/deep/b.png", ".git/c.png", "other/readme.md"),
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*paths, **options) -> list[str]:
    return [str(source) for source in find_sources(paths, **options)]


TOP = ["form.pdf", "Page1.JPG", "page2.png", "page10.png", "photo.HEIC"]


def test_folders_in_natural_order(tree):
    assert found(".") == TOP
    assert found(tree) == [str(tree / name) for name in TOP]
    deep = [*TOP[:1], str(Path("more/a.tiff")), str(Path("more/deep/b.png")), *TOP[1:]]
    assert found(".", recursive=True) == deep


def test_named_files_of_any_ending_in_the_order_of_their_names(tree):
    assert found("page2.png", "notes.txt", "form.pdf", "plain") == ["page2.png", "notes.txt", "form.pdf", "plain"]


def test_the_same_file_is_read_once(tree):
    assert found("page2.png", "./page2.png", tree / "page2.png", "more/../page2.png") == ["page2.png"]
    (tree / "more" / "again.png").symlink_to(tree / "page2.png")
    assert found("page2.png", "more") == ["page2.png", str(Path("more/a.tiff"))]
    assert found("page2.png", ".")[0] == "page2.png"
    assert len(found("page2.png", ".")) == len(TOP)


def test_globs_that_no_shell_expanded(tree):
    assert found("page*.png") == ["page2.png", "page10.png"]
    assert found("*") == [TOP[0], str(Path("more/a.tiff")), *TOP[1:]]
    assert found("**/*.png", recursive=False) == [str(Path("more/deep/b.png")), "page2.png", "page10.png"]
    assert found(str(tree / "page?.png")) == [str(tree / "page2.png")]
    (tree / "a[1].png").write_bytes(b"")
    assert found("a[1].png") == ["a[1].png"]


def test_standard_input_is_a_dash_and_a_file_of_that_name_is_not(tree):
    (tree / "-").write_bytes(b"")
    assert find_sources(["-", Path("form.pdf"), "-"]) == [STDIN, Path("form.pdf")]
    assert find_sources([f".{os.sep}-"]) == [Path("-")]


def test_links_in_a_folder(tree):
    (tree / "other" / "lost.png").symlink_to("nowhere.png")
    (tree / "other" / "circle").symlink_to(tree, target_is_directory=True)
    assert found("other", recursive=True) == [str(Path("other/lost.png"))]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_pipes_in_a_folder_are_passed_over(tree):
    os.mkfifo(tree / "other" / "endless.png")
    with pytest.raises(ImageError, match="has no images"):
        find_sources(["other"])


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("none.png", r"no file or folder none\.png; check the path"),
        ("page2.png/a", "no file or folder"),
        ("nul\0.png", "cannot find nul"),
        ("other", r"the folder other has no images \(files that end in .*\); name another"),
        ("empty", "the folder empty has no images .*name the folders in it"),
        ("*.bmp", r"\*\.bmp matches nothing, expected files of a known format \(PDF, PNG"),
        ("*.txt", r"\*\.txt matches 1 files or folders, but no images"),
        ("gone.png", r"gone\.png is a link to nowhere, which is not there"),
    ],
)
def test_errors(tree, path, words):
    (tree / "gone.png").symlink_to("nowhere")
    (tree / "empty" / "in").mkdir(parents=True)
    with pytest.raises(ImageError, match=words):
        find_sources([path])


def test_folders_that_cannot_be_opened(tree, monkeypatch):
    listing = Path.iterdir

    def guarded(folder):
        if folder.name in ("more", "other"):
            raise PermissionError(13, "Permission denied")
        return listing(folder)

    monkeypatch.setattr(Path, "iterdir", guarded)
    with pytest.raises(ImageError, match=r"cannot open the folder other \(Permission denied\)"):
        find_sources(["other"])
    assert found(".", recursive=True) == TOP


@given(st.lists(st.integers(0, 2000), unique=True), st.randoms(use_true_random=False))
def test_natural_order_is_that_of_the_numbers(numbers: list[int], rng: random.Random):
    paths = [Path(f"scan{number}b.png") for number in numbers]
    rng.shuffle(paths)
    assert sorted(paths, key=natural_order) == [Path(f"scan{number}b.png") for number in sorted(numbers)]


@given(st.lists(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)))
def test_any_names_can_be_sorted(names: list[str]):
    paths = [Path(name) for name in names]
    assert sorted(sorted(paths, key=natural_order, reverse=True), key=natural_order) == sorted(paths, key=natural_order)
