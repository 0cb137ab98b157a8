"""Every text of the page is there, in both languages, and used."""

import dataclasses
import json
import re
from pathlib import Path

import inkgrad
from inkgrad.lessons.batches import BATCHES
from inkgrad.lessons.convergence import THEOREMS, convergence
from inkgrad.lessons.deep import STARTS, Switches
from inkgrad.lessons.descent import OPTIMIZERS
from inkgrad.lessons.mistakes import MISTAKES
from inkgrad.lessons.surfaces import SURFACES
from inkgrad.lessons.troubles import CASES
from inkgrad.lessons.unrolled import STAGES
from inkgrad.web.problems import PROBLEMS
from inkgrad.web.reading import ReadFields

PAGE = Path(inkgrad.__file__).parent / "web" / "page"
TABLES = {
    path: json.loads(path.read_text(encoding="utf-8")) for path in [PAGE / "texts.json", *PAGE.rglob("texts/*.json")]
}
TABLE = {name: row for table in TABLES.values() for name, row in table.items()}
HTML = {name: (PAGE / name).read_text(encoding="utf-8") for name in ("index.html", "learn.html")}
SCRIPTS = {path: path.read_text(encoding="utf-8") for path in PAGE.rglob("*.js") if path.name != "docs.js"}
MADE = {  # names that are put together of parts
    *(f"pad_{mode}" for mode in ("digit", "number")),
    *(f"pad_here_{mode}" for mode in ("digit", "number")),
    *(f"{view}_title" for view in ("draw", "read", "inside")),
    *(
        f"{name}{end}"
        for name in ("gradient", "integrated_gradients", "grad_cam", "occlusion")
        for end in ("", "_hint")
    ),
    *(name for name in TABLE if name.startswith("problem_")),
    *("sure", "fairly", "unsure", "confirmed", "corrected"),
    *(f"step_{name}" for name in ("start", "back", "step", "end")),
    *(f"layers_{way}_{name.lower()}" for way in ("at", "back") for name in STAGES),
    *(f"mistake_{one.name}{end}" for one in MISTAKES for end in ("", "_means")),
    *(f"descent_{name}" for name in (*SURFACES, *OPTIMIZERS, *BATCHES, "small", "right", "large")),
    *(f"descent_seen_{name}" for name in SURFACES),
    *(f"descent_wrong_{field}" for field in ("rate", "x", "y")),
    *(f"troubles_wrong_{field}" for field in ("rate", "depth")),
    *(f"descent_compare_{name}" for name in ("batches", "rules", "rates")),
    *(f"descent_by_{name}" for name in ("images", "updates")),
    *(f"descent_{end}_{name.replace('-', '_')}" for end in ("theory", "means") for name in THEOREMS),
    *(f"descent_curve_{rate.name}" for name in THEOREMS for rate in convergence(name).rates),
    *(f"troubles_{means}{name}" for means in ("", "means_") for name in CASES),
    *(f"troubles_start_{name}" for name in STARTS),
    *(f"troubles_{field.name}" for field in dataclasses.fields(Switches)),
    *(f"troubles_{name}" for name in ("before", "after", "solved", "stuck", "slow")),
    *(f"live_{name}" for name in ("network", "data", "optimizer", "digits", "sgd", "momentum")),
    *(f"live_{name}{end}" for name in ("loss", "accuracy", "norms") for end in ("", "_hint")),
    *(f"live_is_{kind}" for kind in ("running", "waiting", "ended", "finished", "diverged", "unwatched", "failed")),
    *(f"live_is_{kind}" for kind in ("closed", "idle", "lost")),
    *(f"pixels_kernel_{name}" for name in ("upright", "level", "slanted", "outline", "blur", "nothing")),
    *(f"pixels_{key}" for key in ("arrowup", "arrowdown", "arrowleft", "arrowright", "home")),
}


def of_lessons():
    """The texts of the frame of each lesson."""
    for script in SCRIPTS.values():
        found = re.search(r'static lesson = "(\w+)";\s+static concepts = (\d+);\s+static tasks = (\d+);', script)
        if found:
            lesson, concepts, tasks = found.groups()
            yield from (f"{lesson}_{end}" for end in ("title", "source", "question", "answer"))
            yield from (f"{lesson}_concept_{i + 1}" for i in range(int(concepts)))
            yield from (f"{lesson}_do_{i + 1}" for i in range(int(tasks)))


def used():
    names = set(re.findall(r'data-t(?:-label|-title)?="(\w+)"', "".join(HTML.values()))) | MADE | set(of_lessons())
    for script in SCRIPTS.values():
        for call in re.findall(r"\bt\(([^()]*)", script):
            names |= set(re.findall(r'"([a-z_-]+)"', call.partition(", {")[0]))
        names |= set(re.findall(r'\b(?:t|label): "(\w+)"', script))  # of elements
        names |= {name for name in re.findall(r'"(\w+)"', script) if name in TABLE and "_" in name}
    return names


def test_the_lessons_load_every_table():
    told = re.search(r'data-texts="([^"]+)"', HTML["learn.html"])[1].split()
    assert sorted(told) == sorted(path.relative_to(PAGE).as_posix() for path in TABLES)
    assert sum(map(len, TABLES.values())) == len(TABLE)  # no name stands in two of them


def test_no_text_is_missing_and_none_is_left_over():
    assert used() == set(TABLE)


def test_every_text_has_two_languages_with_the_same_places():
    chinese = re.compile(r"[一-鿿]")
    same = {"api", "grad_cam", "descent_adagrad", "descent_rmsprop", "descent_adam"}  # names
    for name, row in TABLE.items():
        assert len(row) == 2 and all(row), name
        assert len({tuple(sorted(re.findall(r"\{(\w+)\}", text))) for text in row}) == 1, name
        assert name in same or row[0] != row[1], name
        assert name in same | {"language"} or chinese.search(row[1]), name


def test_nothing_stands_in_the_page_itself():
    """Between tags there are only names that are the same in every language."""
    whole = "".join(html.partition("<body>")[2] for html in HTML.values())
    bodies = re.sub(r"<(svg|noscript).*?</\1>", "", whole, flags=re.S)
    words = {text.strip() for text in re.findall(r">([^<]+)<", bodies) if re.search("[A-Za-z]{2}", text)}
    assert words <= {"inkgrad", "Luhn", "EAN-13", "EAN-8", "Damm", "mod 97", "CSV", "JSON"}


def test_every_problem_of_the_server_has_a_text():
    told = {name.removeprefix("problem_") for name in TABLE if name.startswith("problem_") and name.count("_") == 1}
    assert told == set(PROBLEMS) | {"offline", "other"}


def test_every_page_sets_its_theme_before_it_is_painted():
    """One palette for each theme: which it is, a script in the head says."""
    for path in PAGE.glob("*.html"):
        html = path.read_text(encoding="utf-8")
        assert 0 < html.find('theme.js"></script>') < html.find('rel="stylesheet"'), path.name
    for path in PAGE.rglob("*.css"):
        assert "prefers-color-scheme" not in path.read_text(encoding="utf-8"), path.name


def test_numbers_are_doubtful_below_what_the_server_takes_for_doubtful():
    index = (PAGE / "index.html").read_text(encoding="utf-8")
    field = re.search(r'id="least"[^>]*value="(\d+)"', index)
    assert field and int(field[1]) == 100 * ReadFields.model_fields["min_confidence"].default


def test_without_scripts_the_page_says_what_it_needs():
    index = (PAGE / "index.html").read_text(encoding="utf-8")
    told = index.partition("<noscript>")[2].partition("</noscript>")[0]
    assert "needs JavaScript" in told and "需要 JavaScript" in told


def test_nothing_is_fetched_from_elsewhere():
    for path in PAGE.rglob("*.*"):
        if path.suffix in (".html", ".css", ".js", ".json"):
            outside = re.findall(r"(?:https?:)?//[a-z][\w.-]+\.[a-z]{2,}", path.read_text(encoding="utf-8"))
            assert set(outside) <= {"http://www.w3.org"}, path.name
