import builtins
import codecs
import gzip
import os
import pickle

import numpy as np
import pytest

from inkgrad.data.pickled import read_pickle
from inkgrad.errors import DataError


def save(path, content: bytes):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", ["u1", "<f4", ">f8", "<i8", "?"])
def test_arrays_of_every_protocol(tmp_path, protocol, dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    held = {
        "c": array,
        "f": np.asfortranarray(array),
        "t": array.transpose(2, 0, 1),
        "n": (1, "x"),
        "s": array[1, 2, 3],
    }
    read = read_pickle(save(tmp_path / "a.pkl", pickle.dumps(held, protocol)))
    for key in "cfts":
        np.testing.assert_array_equal(read[key], held[key])
        assert read[key].dtype == np.dtype(dtype).newbyteorder("=")
    assert read["n"] == (1, "x")


def test_gzip_and_the_arrays_of_python_2(tmp_path):
    # What Python 2 wrote with protocol 2: the values are text, to be taken as latin-1.
    head = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    state = (
        b"(K\x01K\x03\x85cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    content = head + state + b"\x89U\x03\x00\x80\xfftb."
    read = read_pickle(save(tmp_path / "two.pkl.gz", gzip.compress(content)))
    np.testing.assert_array_equal(read, np.array([0, 128, 255], np.uint8))


class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize(
    ("function", "words"),
    [(os.system, r"system"), (builtins.eval, "eval"), (np.load, "load"), (codecs.lookup, "lookup")],
)
def test_nothing_is_run(tmp_path, protocol, function, words):
    mark = tmp_path / "mark"
    command = f"touch {mark}" if function is os.system else f"open({str(mark)!r}, 'w')"
    file = save(tmp_path / "evil.pkl", pickle.dumps((np.zeros(2), Call(function, command)), protocol))
    with pytest.raises(DataError, match=rf"holds .*{words}.*nothing of it was run"):
        read_pickle(file)
    assert not mark.exists()


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_arrays_of_objects_and_compounds_are_refused(tmp_path, protocol):
    for array in (np.array([None, "x"]), np.zeros(2, [("a", "i4")]), np.array(["text"]), np.array(["2020"], "M8[Y]")):
        with pytest.raises(DataError, match="an array of"):
            read_pickle(save(tmp_path / "objects.pkl", pickle.dumps(array, protocol)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cut off or is no pickle"),
        (b"no pickle at all", "cut off or is no pickle"),
        (pickle.dumps(np.arange(1000))[:-20], "cut off"),
        (gzip.compress(pickle.dumps(np.arange(1000)))[:-20], "cut off|cannot read"),
        (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n}U\x01aK\x01sb.", "change a function"),
        (b"\x80\x02cnumpy\nndarray\nM\xff\xff\x85R.", "direct call"),
        (b"\x80\x02cnumpy\nndarray\n.", "holds"),
        (b"\x80\x02cnumpy\nndarray.tofile\n.", "ndarray.tofile"),
        (b"Pabc\n.", "outside the file"),
        (pickle.dumps({1, 2}), "a set"),
    ],
)
def test_damaged_and_crafted_pickles(tmp_path, content, words):
    with pytest.raises(DataError, match=words):
        read_pickle(save(tmp_path / "bad.pkl", content))


def test_a_shape_that_does_not_fit_its_bytes(tmp_path):
    content = pickle.dumps(np.zeros(7, np.uint8), 2).replace(b"K\x07\x85", b"K\x63\x85")
    with pytest.raises(DataError, match="does not fit its 7 bytes"):
        read_pickle(save(tmp_path / "bad.pkl", content))


def test_a_missing_pickle(tmp_path):
    with pytest.raises(DataError, match="no file"):
        read_pickle(tmp_path / "none.pkl")
