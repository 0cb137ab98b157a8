"""Printed words: letters alone, boxes where they stand, and rows of them that are no numbers."""

import numpy as np
import pytest

from inkgrad.data import Dataset, load_digits
from inkgrad.data.numbers import Composer, Hands, Row
from inkgrad.data.numbers.words import beside_words, printed_words, random_word
from inkgrad.random import default_rng


def test_words_have_letters_of_all_cases():
    rng = default_rng(0)
    words = [random_word(rng) for _ in range(300)]
    assert all(word.isalpha() and 3 <= len(word) <= 10 for word in words)
    assert {word.isupper() for word in words} == {word.istitle() for word in words} == {True, False}
    assert set("oOlIsSzZ") <= set("".join(words))  # those that look like digits are among them


def test_a_number_beside_words_keeps_its_ink():
    rng = default_rng(0)
    ink = np.zeros((30, 50), np.float32)
    ink[:, 10:14] = ink[:, 40:44] = 1
    row = Row(ink, np.array([[10, 0, 4, 30], [40, 0, 4, 30]], np.float64), (2, 2), np.array([[12.0, 15], [42, 15]]))
    seen = set()
    for _ in range(20):
        both = beside_words(row, 30, rng)
        assert len(both.boxes) == 3
        before = both.boxes[0, 2] > 4  # the word's box comes first
        seen.add(bool(before))
        for left, top, width, height in (both.boxes[1:] if before else both.boxes[:2]).astype(int):
            assert (both.ink[top : top + height, left : left + width] == 1).all()
        ends = both.boxes[:, 0] + both.boxes[:, 2]
        assert ends.max() <= both.ink.shape[1]
        word, number = (both.boxes[0], both.boxes[1:]) if before else (both.boxes[2], both.boxes[:2])
        apart = number[0, 0] - word[0] - word[2] if before else word[0] - number[1, 0] - number[1, 2]
        assert apart >= 0.8 * 30 - 10  # 10 pixels of the row stand before its first digit
    assert seen == {True, False}


def test_words_are_no_numbers():
    composer = Composer([Hands(load_digits()[0])], words=1.0)
    made = composer.compose(default_rng(1))
    assert made.text == ""
    assert composer.compose(default_rng(1), text="12").text == "12"
    (box,) = printed_words(20, default_rng(0)).boxes
    assert box[2] > box[3] > 8


def test_a_number_is_of_one_who_wrote_all_its_digits():
    digits = load_digits()[0]
    chosen = np.concatenate([np.flatnonzero(digits.labels == label)[:2] for label in range(10)])
    images = digits.images[chosen].copy()
    writers = np.tile([0, 1], 10)
    images[writers == 1, 0, 0] = 77  # so that one knows them again
    kept = np.flatnonzero((writers == 1) | (digits.labels[chosen] != 7))
    hands = Hands(Dataset(images[kept], digits.labels[chosen][kept], "two"), writers[kept])
    rng = default_rng(0)
    assert all(image[0, 0] == 77 for _ in range(20) for image in hands.write([7, 1], rng))
    assert {int(image[0, 0]) for _ in range(20) for image in hands.write([1, 2], rng)} == {0, 77}
    with pytest.raises(IndexError):
        hands.write([10], rng)
