"""Form files: what is in them, and what is said of mistakes."""

from pathlib import Path

import pytest

from inkgrad.errors import OptionError
from inkgrad.reading.expectations import Expected
from inkgrad.reading.forms import Field, read_form

GOOD = '[[field]]\nname = "sum"\nbox = [0.1, 0.2, 0.3, 0.4]\n'


def form(tmp_path, text):
    path = tmp_path / "form.toml"
    path.write_text(text)
    return path


def test_a_whole_form(tmp_path):
    (tmp_path / "blank.png").write_bytes(b"x")
    (tmp_path / "codes.txt").write_text("12\n34\n")
    path = form(
        tmp_path,
        f"""template = "blank.png"
        {GOOD}
        required = true
        min_confidence = 1
        amount = true
        [[field]]
        name = "Größe"
        box = [0.9, 0.0, 0.1, 1]
        list = ["12", "34"]
        checksum = "luhn"
        [[field]]
        name = "code"
        box = [0, 0, 1, 1]
        list = "codes.txt"
        expect = '\\d\\d'
        date = "dmy"
        """,
    )
    found = read_form(path)
    assert found.template == tmp_path / "blank.png"
    assert found.names == ["sum", "Größe", "code"]
    assert found.fields == (
        Field("sum", (0.1, 0.2, 0.3, 0.4), True, 1, Expected(amount=True)),
        Field("Größe", (0.9, 0.0, 0.1, 1.0), False, None, Expected(list=("12", "34"), checksum="luhn")),
        Field("code", (0, 0, 1, 1), expected=Expected(expect=r"\d\d", list=tmp_path / "codes.txt", date="dmy")),
    )
    for changed in ("blank.png", "codes.txt", "form.toml"):
        before = read_form(path).digest
        with (tmp_path / changed).open("a") as file:
            file.write("\n")
        assert read_form(path).digest != before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it has no fields; add one headed by [[field]]"),
        ("field = []", "it has no fields"),
        ("[field]", "fields must be tables, each headed by [[field]]"),
        ("field = 3", "fields must be tables"),
        ("[[fields]]", "'fields' is no key of a form; there are 'template' and [[field]]"),
        ('template = "no.png"\n' + GOOD, "there is no template {folder}/no.png; give the path of an image"),
        ("template = 3\n" + GOOD, "the template must be the name of an image file, but is 3"),
        ("[[field]]\nbox = [0, 0, 1, 1]", "field number 1: its name must be a text, but is missing"),
        (GOOD + "[[field]]\nname = 7", "field number 2: its name must be a text, but is 7"),
        ('[[field]]\nname = " "', "field number 1: its name must be a text, but is ' '"),
        (
            '[[field]]\nname = "x"',
            "field 'x': box must be four numbers: left, top, width, height as shares of the page,",
        ),
        (GOOD.replace("0.4]", "true]"), "field 'sum': box must be four numbers"),
        (GOOD.replace(", 0.4]", "]"), "field 'sum': box must be four numbers"),
        (GOOD.replace("0.4]", "nan]"), "field 'sum': box must be four numbers"),
        (GOOD.replace("0.4]", "0]"), "field 'sum': the box [0.1, 0.2, 0.3, 0] is empty; its width and height must be"),
        (
            GOOD.replace("0.4]", "0.9]"),
            "field 'sum': the box [0.1, 0.2, 0.3, 0.9] is not on the page; left, top, left +",
        ),
        (GOOD.replace("[0.1", "[-0.1"), "field 'sum': the box [-0.1, 0.2, 0.3, 0.4] is not on the page"),
        (GOOD.replace("0.3", "inf"), "field 'sum': the box [0.1, 0.2, inf, 0.4] is not on the page"),
        (GOOD + "needed = true", "field 'sum': 'needed' is no key of a field; there are name, box, required"),
        (GOOD + 'required = "yes"', "field 'sum': required must be true or false, but is 'yes'"),
        (GOOD + "amount = 1", "field 'sum': amount must be true or false, but is 1"),
        (GOOD + "min_confidence = 2", "field 'sum': min_confidence must be a number from 0 to 1, but is 2"),
        (GOOD + "min_confidence = true", "field 'sum': min_confidence must be a number from 0 to 1, but is True"),
        (GOOD + "expect = 5", "field 'sum': expect must be a text, but is 5"),
        (GOOD + "list = [1, 2]", "field 'sum': list must be the name of a file, or a list of texts, but is [1, 2]"),
        (
            GOOD + 'list = "no.txt"',
            "field 'sum': cannot read {folder}/no.txt: No such file or directory; check the path",
        ),
        (GOOD + GOOD, "field 'sum': its column 'sum' is there already; rename the field"),
        (
            GOOD + GOOD.replace("sum", "sum_doubtful"),
            "field 'sum_doubtful': its column 'sum_doubtful' is there already",
        ),
        (GOOD.replace("sum", "page"), "field 'page': its column 'page' is there already"),
    ],
)
def test_mistakes(tmp_path, text, words):
    path = form(tmp_path, text)
    with pytest.raises(OptionError) as caught:
        read_form(path)
    assert str(caught.value).startswith(f"the form {path}: {words.format(folder=tmp_path)}")
    assert "\n" not in str(caught.value)


def test_files_that_are_none(tmp_path):
    with pytest.raises(OptionError, match=r"cannot read the form no\.toml: No such file"):
        read_form(Path("no.toml"))
    with pytest.raises(OptionError, match="is no TOML: "):
        read_form(form(tmp_path, "[[field"))
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(OptionError, match="cannot read the form"):
        read_form(path)
