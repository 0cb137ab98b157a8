"""Each format is read back by what others read it with."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkgrad.errors import OptionError
from inkgrad.reading.formats import binary_format, text_format
from inkgrad.reading.formats.csv_table import harmless
from inkgrad.reading.formats.parquet import Parquet
from inkgrad.reading.page import Digit, Number, Page
from inkgrad.reading.record import Tally, error_record, page_record

BOX = ((1.004, 2.0), (30.0, 2.5), (30.25, 20.0), (1.0, 19.996))


def number(text, confidence, written=None, free=None):
    digits = tuple(Digit(int(digit), confidence, ((0, 0.01),), BOX) for digit in text)
    return Number(text, written or text, confidence, BOX, digits, free)


RECORDS = [
    page_record("a.png", 1, Page((number("0123", 0.987654321), number("7", 1.0)), (number("5", 0.2),), 60, 40)),
    page_record("b, c.tif", 2, Page((number("12", 0.75, "=12-", "17"),), (), 60, 40)),
    error_record("bad.png", None, "bad.png is\nempty"),
    page_record("\x1b[31m.png", 1, Page((), (), 60, 40)),
    page_record("ü\udcff.png", 1, Page((number("5", 0.5, "-5"),), (), 60, 40)),
]
FORM = {"file": "f.png", "page": 1, "width": 9, "height": 9} | {
    "fields": {
        "sum": {"text": "125", "written": "1,25", "confidence": 0.5, "doubtful": True, "free": None, "box": BOX},
        "=code": {"text": "", "written": "", "confidence": None, "doubtful": False, "free": None, "box": BOX},
    }
}


def written(name, records, **options):
    file, tally = io.BytesIO(), Tally()
    form = binary_format(name, file, **options)
    for record in records:
        form.add(record)
        tally.add(record)
    form.end(tally)
    return file.getvalue()


def test_a_record_is_rounded_and_can_be_written_anywhere():
    first, _, failed, _, strange = RECORDS
    assert first["numbers"][0]["confidence"] == 0.987654
    assert first["numbers"][0]["box"] == [[1.0, 2.0], [30.0, 2.5], [30.25, 20.0], [1.0, 20.0]]
    assert failed == {"file": "bad.png", "page": None, "error": "bad.png is empty"}
    assert strange["file"] == "ü\\udcff.png"


def test_json_is_one_object_on_one_line():
    content = written("json", RECORDS).decode()
    assert content.count("\n") == 1
    assert json.loads(content) == {"pages": RECORDS, "read": 4, "failed": 1, "complete": True}


@pytest.mark.parametrize("count", range(3))
def test_json_broken_off_is_an_object_still(count):
    parts = []
    form, tally = text_format("json", parts.append), Tally()
    for record in RECORDS[:count]:
        form.add(record)
        tally.add(record)
    form.break_off(tally, "the disk is full", 1)
    expected = {"read": count, "failed": 0, "complete": False, "error": "the disk is full", "status": 1}
    assert json.loads("".join(parts)) == {"pages": RECORDS[:count]} | expected
    form.break_off(tally, "interrupted", 130)
    form.end(tally)
    assert "".join(parts).endswith("1}\n")  # it ends once


def test_csv():
    content = written("csv", RECORDS).decode()
    assert content.endswith("\r\n")
    assert content.replace("\r\n", "").isprintable()
    heading, *rows = csv.reader(io.StringIO(content, newline=""))
    corners = ["x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4"]
    assert heading == ["file", "page", "index", "text", "written", "confidence", "doubtful", *corners, "free"]
    box = ["1.0", "2.0", "30.0", "2.5", "30.25", "20.0", "1.0", "20.0"]
    assert rows == [
        ["a.png", "1", "1", "0123", "0123", "0.987654", "false", *box, ""],
        ["a.png", "1", "2", "7", "7", "1.0", "false", *box, ""],
        ["a.png", "1", "3", "5", "5", "0.2", "true", *box, ""],
        ["b, c.tif", "2", "1", "12", "'=12-", "0.75", "false", *box, "17"],
        ["ü\\udcff.png", "1", "1", "5", "-5", "0.5", "false", *box, ""],
    ]


@pytest.mark.slow
@given(st.text())
def test_no_cell_is_a_formula_and_nothing_is_lost(text):
    cell = harmless(text)
    assert cell in (text, f"'{text}")
    assert (cell[1:] if cell.startswith("'") else cell) == text
    if cell[:1] in tuple("=+-@\t\r\n"):
        float(cell.replace(",", "."))  # a number, which is its own value


def test_parquet():
    pyarrow, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pq.read_table(io.BytesIO(written("parquet", RECORDS)))
    assert table.column("text").to_pylist() == ["0123", "7", "5", "12", "5"]
    assert table.column("written").to_pylist() == ["0123", "7", "5", "=12-", "-5"]
    assert table.column("index").to_pylist() == [1, 2, 3, 1, 1]
    assert table.column("doubtful").to_pylist() == [False, False, True, False, False]
    assert table.column("confidence").to_pylist() == [0.987654, 1.0, 0.2, 0.75, 0.5]
    assert table.column("free").to_pylist() == [None, None, None, "17", None]
    assert table.column("x3").to_pylist() == [30.25] * 5
    assert table.schema.field("page").type == pyarrow.int32()
    empty = pq.read_table(io.BytesIO(written("parquet", [])))
    assert (empty.num_rows, empty.schema) == (0, table.schema)


def test_parquet_is_written_in_groups_of_rows():
    pq = pytest.importorskip("pyarrow.parquet")
    from inkgrad.reading.formats.columns import NumberColumns

    file = io.BytesIO()
    form = Parquet(file, NumberColumns(), group=2)
    for record in RECORDS:
        form.add(record)
    form.end(Tally())
    found = pq.ParquetFile(io.BytesIO(file.getvalue()))
    assert [found.metadata.row_group(i).num_rows for i in range(found.num_row_groups)] == [3, 2]


def test_parquet_without_pyarrow(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(OptionError, match=r'Parquet needs pyarrow; install it with pip install "inkgrad\[parquet\]"'):
        binary_format("parquet", io.BytesIO())


def test_text_is_aligned_and_marks_what_is_doubtful():
    assert written("text", RECORDS).decode().splitlines() == [
        "file   page  written  digits  confidence",
        "a.png     1     0123    0123       98.8%",
        "a.png     1        7       7      100.0%",
        "a.png     1        5       5       20.0%  doubtful",
        "b, c.tif     2     =12-      12       75.0%  freely read 17",
        "\\x1b[31m.png     1                               no number",
        "ü\\udcff.png      1       -5       5       50.0%",
    ]


def test_a_form_is_one_row_a_page():
    names = {"fields": ["sum", "=code"]}
    assert written("text", [FORM], **names).decode().splitlines() == [
        "file   page  sum          =code",
        "f.png     1  125 ? 50.0%  -",
    ]
    assert written("csv", [FORM], **names).decode() == (
        "file,page,sum,sum_confidence,sum_doubtful,'=code,'=code_confidence,'=code_doubtful\r\n"
        "f.png,1,125,0.5,true,,,false\r\n"
    )
    pq = pytest.importorskip("pyarrow.parquet")
    assert pq.read_table(io.BytesIO(written("parquet", [FORM], **names))).to_pylist() == [
        {"file": "f.png", "page": 1, "sum": "125", "sum_confidence": 0.5, "sum_doubtful": True}
        | {"=code": "", "=code_confidence": None, "=code_doubtful": False}
    ]


def test_a_tally():
    tally = Tally()
    for record in (*RECORDS, FORM):
        tally.add(record)
    assert tally.sentence() == "5 pages read, 4 numbers, 2 doubtful, 1 not readable"
