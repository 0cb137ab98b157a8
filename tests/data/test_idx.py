import gzip
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inkgrad.data import read_idx
from inkgrad.errors import DataError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


arrays = st.sampled_from(sorted(CODES)).flatmap(
    lambda code: hnp.arrays(code, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
)
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@same_folder
@given(array=arrays, packed=st.booleans())
def test_what_was_written_comes_back(tmp_path, array, packed):
    file = tmp_path / "file"
    file.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    read = read_idx(file)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("packed", [False, True])
def test_a_cut_at_any_byte_is_found(tmp_path, packed):
    whole = idx(np.arange(60, dtype=np.uint8).reshape(5, 3, 4))
    whole = gzip.compress(whole) if packed else whole
    file = tmp_path / "cut"
    for end in range(len(whole)):
        file.write_bytes(whole[:end])
        with pytest.raises(DataError, match=r"cut.*(again|another file)$"):
            read_idx(file)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n", "not an IDX file: it begins with 89 50"),
        (bytes([0, 0, 7, 1, 0, 0, 0, 0]), "not an IDX file"),
        (bytes([0, 0, 8, 200]) + bytes(900), "not an IDX file"),
        (idx(np.zeros(3, np.uint8)) + b"x", "bytes after the 3 bytes"),
        (gzip.compress(idx(np.zeros(3, np.uint8)) + b"x"), "bytes after the 3 bytes"),
        (gzip.compress(idx(np.zeros(3, np.uint8)))[:-4] + b"abcd", "damaged"),
        (gzip.compress(idx(np.zeros(3, np.uint8))) + b"junk", "damaged"),
    ],
    ids=["picture", "type", "axes", "trailing", "trailing-inside", "sum", "junk"],  # without: gzip's time of day
)
def test_what_is_no_idx_file_is_refused(tmp_path, content, words):
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_idx(file)


@pytest.mark.parametrize("padding", [b"", bytes(100)], ids=["plain", "padded"])
def test_gzip_files_may_be_joined_and_padded(tmp_path, padding):
    array = np.tile(np.arange(250, dtype=np.uint8), 24_000).reshape(-1, 100)
    whole = idx(array)
    file = tmp_path / "file"
    file.write_bytes(gzip.compress(whole[:777], 1) + gzip.compress(whole[777:], 0) + padding)
    np.testing.assert_array_equal(read_idx(file), array)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_header_alone_takes_no_memory(tmp_path, pack):
    file = tmp_path / "file"
    file.write_bytes(pack(bytes([0, 0, 0x0E, 3]) + b"\xff" * 12 + bytes(16)))
    with pytest.raises(DataError, match="truncated"):
        read_idx(file)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(DataError, match=r"no file .*nowhere"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(DataError, match="cannot read"):
        read_idx(tmp_path)
