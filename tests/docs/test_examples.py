"""Every example in README and documentation does what it says, every command line parses, every link leads on."""

import contextlib
import doctest
import io
import itertools
import json
import os
import re
import shlex
import shutil
import textwrap
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest
from typer.main import get_command

import fake_reader
from inkgrad.cli.main import app, main
from inkgrad.kernels import registry

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
PAGES = [*READMES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.M | re.S)
COMMENT = re.compile(r"<!--\s*(?P<text>[^>]*?)\s*-->\s*\Z", re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block, the HTML comment directly before it, and the line that its code begins on."""

    language: str
    code: str
    comment: str
    line: int


def name(page):
    return page.relative_to(ROOT).as_posix()


def blocks(page):
    text, end, found = page.read_text(encoding="utf-8"), 0, []
    for match in FENCE.finditer(text):
        comment = COMMENT.search(text[end : match.start()])
        line = text.count("\n", 0, match.start("code")) + 1
        code = textwrap.dedent(match["code"])
        found.append(Block(match["language"], code, comment["text"] if comment else "", line))
        end = match.end()
    return found


def outside_blocks(page):
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def python_blocks(page):
    """(block, the output that it should print or None)."""
    all_blocks = [*blocks(page), Block("", "", "", 0)]
    for block, following in itertools.pairwise(all_blocks):
        if block.language == "python" and not block.comment.startswith("no-run:"):
            yield block, following.code if following.comment == "output" else None


WITH_PYTHON = [page for page in PAGES if any(True for _ in python_blocks(page))]
WITH_MNIST = [page for page in WITH_PYTHON if any(b.comment == "needs: mnist" for b, _ in python_blocks(page))]


def chinese_are_slow(pages):
    """Their code is that of their English twins, as a test sees to, so once in a while is enough."""
    return [pytest.param(page, marks=[pytest.mark.slow] * (".zh" in page.name)) for page in pages]


def run_page(page, *, mnist):
    namespace = {"__name__": "example"}
    for block, expected in python_blocks(page):
        if block.comment == "needs: mnist" and not mnist:
            continue
        printed = io.StringIO()
        code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
        with contextlib.redirect_stdout(printed):
            exec(code, namespace)
        if expected is not None:
            same = doctest.OutputChecker().check_output(
                expected, printed.getvalue(), doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            )
            assert same, f"{name(page)}:{block.line} printed\n{printed.getvalue()}\ninstead of\n{expected}"


@pytest.fixture(autouse=True)
def kernels_of_examples_are_forgotten(monkeypatch):
    monkeypatch.setattr(registry, "KERNELS", dict(registry.KERNELS))


@pytest.mark.parametrize("page", chinese_are_slow(WITH_PYTHON), ids=name)
def test_examples(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page, mnist=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", chinese_are_slow(WITH_MNIST), ids=name)
def test_examples_that_need_mnist(page, tmp_path, monkeypatch, mnist):
    monkeypatch.chdir(tmp_path)
    run_page(page, mnist=True)


def test_few_examples_are_not_run():
    skipped = [b for page in PAGES for b in blocks(page) if b.comment.startswith("no-run:")]
    assert len(skipped) <= 5


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_outputs_follow_an_example(page):
    found = blocks(page)
    for before, block in zip([Block("", "", "", 0), *found], found, strict=False):
        if block.comment == "output":
            assert (before.language, block.language) == ("python", "text"), f"{name(page)}:{block.line}"


# Commands


def shell_lines(page):
    for block in blocks(page):
        if block.language in ("sh", "console", "powershell"):
            for line in block.code.splitlines():
                if block.language != "console" or line.startswith("$ "):
                    yield line.removeprefix("$ ")


def command_lines(page):
    """The arguments of every inkgrad command in the shell blocks of a page."""
    for line in shell_lines(page):
        lexer = shlex.shlex(line.replace("\\", "/"), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = []
        for word in [*lexer, ";"]:
            if set(word) <= set("();<>|&"):
                while words and "=" in words[0]:
                    words = words[1:]  # variables set for the command
                if words[:2] == ["mpiexec", "-n"]:
                    words = words[3:]
                if words and words[0].split("/")[-1] == "inkgrad":
                    yield words[1:]
                words = []
            else:
                words.append(word)


COMMANDS = sorted({shlex.join(words) for page in PAGES for words in command_lines(page)})


def test_there_are_commands():
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_parse(line):
    command, words = get_command(app), shlex.split(line)
    if words and not words[0].startswith("-"):
        command = command.commands[words.pop(0)]
    command.make_context("inkgrad", words)


TWINS = [
    tuple(READMES),
    *((page.with_name(page.name.replace(".zh.", ".")), page) for page in PAGES if ".zh." in page.name),
]


@pytest.mark.parametrize("pages", TWINS, ids=lambda pages: name(pages[1]))
def test_pages_in_two_languages_have_the_same_code(pages):
    def code(page):
        comments = re.compile(r" +#.*$", re.M)
        return [(b.language, comments.sub("", b.code)) for b in blocks(page)]

    assert code(pages[0]) == code(pages[1])


def sections(page):
    """heading -> text under it, for headings of the second level."""
    _, *parts = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.M)
    return {part.partition("\n")[0].strip(): part for part in parts}


def rows(text, column):
    """The code words in the first cell of each row of the table headed by `column`."""
    table = re.search(rf"^\| {re.escape(column)} \|.*?(?=^\s*$|\Z)", text, re.M | re.S)
    assert table, f"no table headed by {column!r}"
    first = [line.split(" | ")[0] for line in table[0].splitlines()[2:]]
    return {word for cell in first for word in re.findall(r"`([^`]+)`", cell)}


DOCUMENTED = [
    "quickstart",
    "train",
    "tune",
    "lr-find",
    "ensemble",
    "evaluate",
    "doctor",
    "classify",
    "read",
    "learn",
    "serve",
    "train-reader",
    "gradcheck",
]


@pytest.mark.parametrize("command", DOCUMENTED)
def test_options_are_documented(command):
    documented = {o.split()[0] for o in rows(sections(ROOT / "docs/commands.md")[command], "option")}
    existing = set()
    for parameter in get_command(app).commands[command].params:
        option = parameter.param_type_name == "option"
        existing.add(max(parameter.opts, key=len) if option else (parameter.metavar or parameter.name).upper())
    assert documented == existing - {"--help"}


def test_documented_keys_are_those_of_the_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # not into the user's own data folder
    monkeypatch.setattr("inkgrad.cli.quickstart.quickstart_folder", lambda: tmp_path / "quickstart")
    text = sections(ROOT / "docs/commands.md")

    def run(line):
        with pytest.raises(SystemExit):
            main([*line.split(), "--json"])
        return json.loads(capsys.readouterr().out)

    quickstart = run("quickstart")
    assert quickstart.keys() == rows(text["quickstart"], "key of `quickstart --json`")
    assert quickstart["samples"][0].keys() == {"file", "digit", "value", "confidence"}
    assert run("train --model two-layer --epochs 1 --out run").keys() == rows(text["train"], "key of `train --json`")
    documented = rows(text["evaluate"], "key of `evaluate --json`")
    evaluated = run("evaluate run")
    assert evaluated.keys() | evaluated["most_confused"][0].keys() == documented | {"true", "predicted", "count"}
    assert run("doctor run").keys() == rows(text["doctor"], "key of `doctor --json`")
    (tmp_path / "no.png").write_bytes(b"none")
    classified = run("classify inkgrad-quickstart/sample-1.png no.png")
    assert classified.keys() == rows(text["classify"], "key of `classify --json`")
    answer, failure = classified["results"]
    assert answer.keys() | failure.keys() == rows(text["classify"], "key of a result")
    tuned = run("tune --model two-layer --epochs 1 --trials 1 --out tuned")
    assert tuned.keys() == rows(text["tune"], "key of `tune --json`")
    assert run("lr-find --model two-layer").keys() == rows(text["lr-find"], "key of `lr-find --json`")
    checked = run("gradcheck --model softmax-regression")
    assert checked.keys() == rows(text["gradcheck"], "key of `gradcheck --json`")
    assert quickstart["gradients"].keys() < checked.keys()
    assert run("classify missing.png --model nothing").keys() == rows(text["Exit status"], "key of an error")


def test_documented_keys_are_those_of_read(tmp_path, monkeypatch, capsys):
    """With a reader that takes what pages say of themselves."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("inkgrad.cli.read.load_reader", fake_reader.quick_reader)
    text = sections(ROOT / "docs/commands.md")["read"]
    (tmp_path / "bad.png").write_bytes(b"none")
    (tmp_path / "form.toml").write_text('[[field]]\nname = "all"\nbox = [0, 0, 1, 1]\n')
    fake_reader.save(tmp_path / "page.png", "77")

    def run(line):
        with pytest.raises(SystemExit):
            main(["read", *line.split(), "--json"])
        return json.loads(capsys.readouterr().out)

    turned, bad, form = run("page.png --turn"), run("bad.png"), run("page.png --fields form.toml")
    found = [*turned["pages"], *bad["pages"], *form["pages"]]
    assert set().union(*found) == rows(text, "key of a page")

    def described(key):
        (line,) = re.findall(rf"^\| `{key}`[^|]*\|(.*)\|$", text, re.M)
        return set(re.findall(r"`(\w+)`", line))

    (number,) = turned["pages"][0]["numbers"]
    assert number.keys() | number["digits"][0].keys() == described("numbers")
    assert form["pages"][0]["fields"]["all"].keys() == described("fields")

    def header(*line):
        with pytest.raises(SystemExit):
            main(["read", "page.png", "--format", "csv", *line])
        return set(capsys.readouterr().out.splitlines()[0].split(","))

    assert header() == rows(text, "column")
    assert header("--fields", "form.toml") == {"file", "page", "all", "all_confidence", "all_doubtful"}
    monkeypatch.setattr("inkgrad.cli.read.load_reader", fake_reader.full_disk)
    broken_off = run("page.png")
    assert turned.keys() == {"pages", "read", "failed", "complete"} < broken_off.keys()
    assert broken_off.keys() == rows(text, "key of `read --json`")


# Links


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them; for plain words MkDocs makes the same."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", outside_blocks(page), re.M):
        text = unicodedata.normalize("NFC", re.sub(r"[`*]", "", heading)).lower()
        found.add(re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    text = outside_blocks(page)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    for target in targets:
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = Path(os.path.normpath(page.parent / path)) if path else page
        assert there.is_file(), f"{name(page)} links to {target}, which is not there"
        if anchor and there.parent.name != "api":  # the reference's anchors are made by mkdocstrings
            assert anchor in anchors(there), f"{name(page)} links to {target}, but there is no such heading"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "mkdocs.yml"], ids=name)
def test_pages_fetch_nothing(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r'(!\[[^\]]*\]\(|src="|href="|extra_\w+:\s*\n\s*- *)https?://', text)


def test_graphviz_is_not_needed_for_the_examples(tmp_path, monkeypatch):
    page = ROOT / "docs/backpropagation.md"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("dot") is None
    run_page(page, mnist=False)
