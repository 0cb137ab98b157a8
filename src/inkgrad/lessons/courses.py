"""Trainings in short pieces, each of which can be asked for by itself."""

import contextlib
import contextvars
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

from inkgrad.errors import OptionError

__all__ = ["Courses", "UnreachedError", "one_piece_a_turn"]

Key = TypeVar("Key", bound=Hashable)
State = TypeVar("State")
Piece = TypeVar("Piece")

_bounded = contextvars.ContextVar("bounded", default=False)


class UnreachedError(Exception):
    """Another piece has been made, and the one that was asked for is further on: ask again."""


@contextlib.contextmanager
def one_piece_a_turn() -> Iterator[None]:
    """Inside the block, who asks for a piece far ahead gets `UnreachedError` after each piece on the way."""
    token = _bounded.set(True)
    try:
        yield
    finally:
        _bounded.reset(token)


class Courses(Generic[Key, State, Piece]):
    """Trainings that are determined by a key, cut in pieces.

    A piece is always the same, whoever asks for it and when. Trainings asked for of late are kept with
    all their pieces so far, so that the next piece takes no longer than itself; one that is forgotten begins anew.

    Args:
        begin: key -> the state before the first piece.
        advance: state -> the next piece; changes the state.
        pieces: how many there are of each training.
        kept: how many trainings are kept.

    >>> counting = Courses(lambda key: [key], lambda state: state.append(state[-1] + 1) or state[-1], 3, kept=2)
    >>> counting.piece(5, 2), counting.piece(5, 3), counting.piece(5, 1)
    (7, 8, 6)
    """

    def __init__(
        self, begin: Callable[[Key], State], advance: Callable[[State], Piece], pieces: int, *, kept: int
    ) -> None:
        self._begin, self._advance, self._count, self._most = begin, advance, pieces, kept
        self._kept: OrderedDict[Key, tuple[State, list[Piece]]] = OrderedDict()
        self._lock = threading.Lock()

    def piece(self, key: Key, number: int) -> Piece:
        """A piece of a training, counted from 1.

        Raises:
            OptionError: there is no such piece.
            UnreachedError: inside `one_piece_a_turn`, it is further on.
        """
        if not 1 <= number <= self._count:
            raise OptionError(f"this training has the parts 1 to {self._count}, but {number} was asked for")
        with self._lock:
            # Out of its place while it changes: what fails on the way is not kept.
            state, pieces = self._kept.pop(key) if key in self._kept else (self._begin(key), [])
            first = len(pieces)
            while len(pieces) < number and not (_bounded.get() and len(pieces) > first):
                pieces.append(self._advance(state))
            self._kept[key] = (state, pieces)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            if len(pieces) < number:
                raise UnreachedError
            return pieces[number - 1]
