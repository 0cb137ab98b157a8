import gzip

import numpy as np
import pytest

from inkgrad.data import load_csv
from inkgrad.errors import DataError

HEADER = "label," + ",".join(f"pixel{i}" for i in range(784))


def row(label="7", pixel="0", columns=784):
    return ",".join([label] + [pixel] * columns)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [True, False])
def test_what_was_written_comes_back(tmp_path, header, end, packed):
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.integers(0, 10, 5), rng.integers(0, 256, (5, 784))])
    lines = ([HEADER] if header else []) + [",".join(map(str, line)) for line in table]
    content = (end.join(lines) + end + end).encode("utf-8-sig" if header else "utf-8")
    file = tmp_path / "digits.csv"
    file.write_bytes(gzip.compress(content) if packed else content)
    data = load_csv(file)
    np.testing.assert_array_equal(data.labels, table[:, 0])
    np.testing.assert_array_equal(data.images.reshape(5, 784), table[:, 1:])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "has no rows"),
        (HEADER, "has no rows"),
        ("\n\n", "has no rows"),
        (f"{HEADER}\n{row()}\n{row(columns=783)}", "line 3 .* has 784 columns, expected 785"),
        (f"{row(columns=10)}", "line 1 .* has 11 columns"),
        (f"{HEADER}\n{row(pixel='256')}", r"line 2 .* the pixel 256, expected 0\.\.255"),
        (f"{HEADER}\n\n{row(pixel='-1')}", "line 3 .* the pixel -1"),
        (f"{row('10')}", r"line 1 .* the label 10, expected 0\.\.9"),
        (f"{HEADER}\n{row()}\n{row('seven')}", "line 3 .* 'seven' where a whole number"),
        (f"{row()}\n{row(pixel='0.5')}", "line 2 .* '0.5' where"),
        (f"{row()}\n{row(pixel='')}", "line 2 .* '' where"),
        (f"{row('seven')}", "line 1 .* 'seven' where"),
    ],
)
def test_errors_name_the_line(tmp_path, content, words):
    file = tmp_path / "digits.csv"
    file.write_text(content)
    with pytest.raises(DataError, match=words):
        load_csv(file)


def test_missing_damaged_and_folder(tmp_path):
    with pytest.raises(DataError, match="no file"):
        load_csv(tmp_path / "none.csv")
    with pytest.raises(DataError, match="cannot read"):
        load_csv(tmp_path)
    file = tmp_path / "cut.csv.gz"
    file.write_bytes(gzip.compress(row().encode())[:-9])
    with pytest.raises(DataError, match="cut off"):
        load_csv(file)
