"""The labels of characters, and back."""

import pytest

from inkgrad.data.numbers import BLANK, LABELS, SIGNS, WRITABLE, digits_of, is_digit, labels_of, written_as
from inkgrad.errors import OptionError


def test_every_label_is_a_character():
    assert labels_of("0123456789") == list(range(1, 11))
    assert labels_of(SIGNS) == list(range(11, LABELS))
    assert written_as(range(LABELS)) == WRITABLE
    assert digits_of(WRITABLE) == "0123456789"
    assert [label for label in range(LABELS) if is_digit(label)] == labels_of("0123456789")
    assert written_as([BLANK]) == ""
    with pytest.raises(OptionError, match="'7 8' has ' ', but numbers are written with digits and"):
        labels_of("7 8")
