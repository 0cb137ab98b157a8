"""Trainings in pieces: the same whoever asks, and each piece a turn of its own where others wait."""

import pytest

from inkgrad.lessons.courses import Courses, UnreachedError, one_piece_a_turn


def counting(**options):
    made = []

    def advance(state):
        state[0] += 1
        made.append(state[0])
        return state[0]

    return Courses(lambda key: [key], advance, 50, **options), made


def test_a_piece_far_ahead_is_made_in_turns():
    courses, made = counting(kept=2)
    with one_piece_a_turn():
        for turn in range(1, 5):
            with pytest.raises(UnreachedError):
                courses.piece(0, 5)
            assert len(made) == turn
        assert courses.piece(0, 5) == 5
        assert courses.piece(0, 2) == 2 and len(made) == 5  # what is there takes no turn
    assert courses.piece(0, 50) == 50  # outside of it all at once


def test_what_is_forgotten_begins_anew():
    courses, made = counting(kept=1)
    assert [courses.piece(key, 2) for key in (0, 10, 0)] == [2, 12, 2]
    assert made == [1, 2, 11, 12, 1, 2]
