"""`inkgrad classify`."""

import re
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkgrad.models import pretrained

FORMATS = {
    "bmp": {},
    "gif": {},
    "jpg": {"quality": 90},
    "pgm": {},
    "tiff": {"compression": "tiff_lzw"},
    "webp": {"lossless": True},
    "PNG": {},
}


@pytest.fixture
def folder(tmp_path, pictures):
    """Three good pictures in a folder, beside what is none."""
    made = tmp_path / "scans"
    made.mkdir()
    for digit, path in pictures.items():
        shutil.copy(path, made / f"{digit}.png")
    (made / "notes.txt").write_text("not a picture")
    (made / "._0.png").write_bytes(b"what a Mac leaves beside a file")
    (made / "empty").mkdir()
    return made


def test_one_line_a_picture(inkgrad, trained, pictures):
    for digit, path in pictures.items():
        ended = inkgrad("classify", path, "--model", trained)
        assert ended.status == 0
        assert ended.err == ""
        assert re.fullmatch(rf"{re.escape(str(path))}: {digit}  \d+\.\d%  \(else \d, \d+\.\d%\)\n", ended.out)


def test_json(inkgrad, trained, pictures):
    found = inkgrad("classify", *pictures.values(), "--model", trained, "--json").json
    assert set(found) == {"results"}
    for (digit, path), result in zip(pictures.items(), found["results"], strict=True):
        assert set(result) == {
            *("file", "value", "label", "confidence", "digit_probability"),
            *("runner_up", "runner_up_label", "probabilities"),
        }
        assert result["digit_probability"] is None
        assert (result["file"], result["value"], result["label"]) == (str(path), digit, str(digit))
        assert result["confidence"] == max(result["probabilities"])
        assert sum(result["probabilities"]) == pytest.approx(1, abs=1e-6)
        ordered = np.argsort(result["probabilities"])
        assert (result["runner_up"], result["runner_up_label"]) == (ordered[-2], str(ordered[-2]))


def test_every_format_size_and_polarity(inkgrad, trained, pictures, tmp_path):
    files = {}
    for digit, path in pictures.items():
        with Image.open(path) as image:
            grey = image.convert("L")
        for ending, options in FORMATS.items():
            files[tmp_path / f"{digit}.{ending}"] = digit
            grey.save(tmp_path / f"{digit}.{ending}", **options)
        inverted = Image.eval(grey, lambda v: 255 - v)
        alpha = Image.new("RGBA", grey.size, (20, 30, 90, 0))
        alpha.putalpha(inverted)
        deep = Image.fromarray(np.asarray(grey, np.uint16) * 257)
        for name, other in {
            "inverted": inverted,
            "bits": grey.convert("1", dither=Image.Dither.NONE),
            "palette": grey.convert("RGB").quantize(16),
            "cmyk.tiff": grey.convert("CMYK"),
            "alpha": alpha,
            "deep": deep,
            "large": grey.resize((900, 900), Image.Resampling.BICUBIC),
            "small": grey.resize((40, 40), Image.Resampling.LANCZOS),
        }.items():
            file = tmp_path / (f"{digit}-{name}" if "." in name else f"{digit}-{name}.png")
            other.save(file)
            files[file] = digit
    results = inkgrad("classify", *files, "--model", trained, "--json").json["results"]
    wrong = {r["file"]: r.get("value") for r, digit in zip(results, files.values(), strict=True) if r["value"] != digit}
    assert wrong == {}


def test_a_folder_stands_for_its_pictures(inkgrad, trained, folder, pictures):
    found = inkgrad("classify", folder, pictures[6], "--model", trained, "--json").json["results"]
    names = ["0.png", "3.png", "6.png"]
    assert [result["file"] for result in found] == [*(str(folder / name) for name in names), str(pictures[6])]
    assert [result["value"] for result in found] == [0, 3, 6, 6]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_broken_file_does_not_stop_the_others(inkgrad, trained, folder, form):
    (folder / "1.png").write_bytes(b"no picture at all")
    (folder / "2.png").write_bytes(b"")
    ended = inkgrad("classify", folder, folder / "9.png", "--model", trained, *form)
    assert ended.status == 2
    said = ended.err.splitlines()
    assert len(said) == 3
    for line, name in zip(said, ("1.png", "2.png", "9.png"), strict=True):
        assert line.startswith("inkgrad: ")
        assert str(folder / name) in line
    if form:
        results = ended.json["results"]
        assert [r.get("value", "broken") for r in results] == [0, "broken", "broken", 3, 6, "broken"]
        assert [f"inkgrad: {r['error']}" for r in results if "error" in r] == said
        assert all(set(r) == {"file", "error"} for r in results if "error" in r)
    else:
        assert len(ended.out.splitlines()) == 3


def test_a_blank_page_is_no_digit(inkgrad, trained, tmp_path):
    Image.new("L", (100, 80), 240).save(tmp_path / "blank.png")
    ended = inkgrad("classify", tmp_path / "blank.png", "--model", trained)
    assert (ended.status, ended.out) == (0, f"{tmp_path / 'blank.png'}: no digit\n")
    (result,) = inkgrad("classify", tmp_path / "blank.png", "--model", trained, "--json").json["results"]
    assert (result["value"], result["label"], result["runner_up"], result["confidence"]) == (None, None, None, 0)


def test_show(inkgrad, trained, pictures):
    lines = inkgrad("classify", pictures[0], "--show", "--model", trained).out.splitlines()
    assert len(lines) == 29  # two characters a pixel, as characters are twice as high as wide
    assert all(re.fullmatch(r"    \|((.)\2){28}\|", line) for line in lines[1:])
    assert "@" in "".join(lines[1:])
    assert lines[1].strip("| ") == lines[28].strip("| ") == ""  # the margin of four pixels
    assert re.search(r"[-+*#%@]{2}[ .]{6,}[-+*#%@]{2}", lines[15])  # the hole of the zero


@pytest.mark.slow
def test_the_weights_that_ship(inkgrad, home, pictures, monkeypatch):
    """They are the default, also where a quickstart has left a model; a run of their name comes before them."""
    named = {name: inkgrad("classify", pictures[0], "--model", name, "--json").json for name in ("digits", "tiny")}
    assert named["digits"] != named["tiny"]
    inkgrad("quickstart", "--json")
    assert list(home.glob("**/model.safetensors"))
    assert inkgrad("classify", pictures[0], "--json").json == named["digits"]
    monkeypatch.chdir(home)
    Path("digits").mkdir()  # pictures of digits, perhaps: no run
    assert inkgrad("classify", pictures[0], "--model", "digits", "--json").json == named["digits"]
    inkgrad("train", "--epochs", "1", "--out", "tiny", "--json")
    own = inkgrad("classify", pictures[0], "--model", "tiny", "--json").json
    assert own == inkgrad("classify", pictures[0], "--model", home / "tiny", "--json").json != named["tiny"]
    ended = inkgrad("classify", pictures[0], "--model", "tyni")
    assert ended.status == 2
    assert ended.err == (
        "inkgrad: there is no model tyni; name a run's folder, a model file, or weights that come with inkgrad: "
        "digits or tiny\n"
    )


def test_who_stops_listening_does_not_wait(pictures, monkeypatch):
    """Pictures that nobody asks for any more are not decoded."""
    from inkgrad.cli import classify

    seen, decoded = [], threading.Event()

    def form(path):
        seen.append(path)
        if len(seen) > 4:
            decoded.wait(5)  # a slow picture

    monkeypatch.setattr(classify, "_form", form)
    monkeypatch.setattr(classify, "TOGETHER", 4)
    answers = classify._answers([pictures[0]] * 400, pretrained("tiny"))
    next(answers)
    threading.Timer(0.2, decoded.set).start()
    answers.close()
    assert len(seen) < 12


def test_a_folder_without_pictures(inkgrad, trained, folder):
    ended = inkgrad("classify", folder / "empty", "--model", trained)
    assert ended.status == 2
    assert ended.err.startswith(f"inkgrad: the folder {folder / 'empty'} holds no images")
    assert ended.err.count("\n") == 1
