"""Choosing, among the connected pieces of ink in a picture, those that make up the one digit."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["choose_digit"]

_MOST = 200  # pieces looked at, the largest ones

Mask = NDArray[np.bool_]


class _Piece(NamedTuple):
    number: int
    left: int
    top: int
    width: int
    height: int
    area: int

    @property
    def longest(self) -> int:
        return max(self.width, self.height)

    def gap(self, other: "_Piece") -> tuple[int, int]:
        """Empty columns and rows between the two boxes; negative where they overlap."""
        across = max(self.left, other.left) - min(self.left + self.width, other.left + other.width)
        down = max(self.top, other.top) - min(self.top + self.height, other.top + other.height)
        return across, down

    def joined(self, other: "_Piece") -> "_Piece":
        left, top = min(self.left, other.left), min(self.top, other.top)
        right = max(self.left + self.width, other.left + other.width)
        bottom = max(self.top + self.height, other.top + other.height)
        return _Piece(self.number, left, top, right - left, bottom - top, self.area + other.area)


def choose_digit(certain: Mask, possible: Mask) -> tuple[Mask | None, Mask]:
    """Choose the pieces of the digit.

    Args:
        certain: bool (h, w), what is ink beyond doubt.
        possible: bool (h, w), what is ink if it hangs together with certain ink; contains `certain`.

    Returns:
        The digit with the soft rim around it, bool (h, w), or None if nothing is large enough; and what is
        foreign to it and was drawn stronger than a neighbor (frames, edges), bool (h, w).

    >>> ink = np.zeros((30, 30), bool)
    >>> ink[5:25, 12:15] = ink[2, 2] = True
    >>> digit, foreign = choose_digit(ink, ink)
    >>> bool(digit[10, 13]), bool(digit[2, 2]), bool(foreign.any())
    (True, False, False)
    """
    import cv2

    _, numbers, stats, _ = cv2.connectedComponentsWithStats(possible.astype(np.uint8), connectivity=8)
    seen = np.flatnonzero(np.bincount(numbers[certain], minlength=len(stats)))
    seen = seen[seen > 0]
    seen = seen[np.argsort(-stats[seen, cv2.CC_STAT_AREA], kind="stable")][:_MOST]
    pieces = [_Piece(int(number), *map(int, stats[number])) for number in seen]
    smallest = max(3.0, 0.025 * max(certain.shape))
    pieces = [piece for piece in pieces if piece.longest >= smallest or piece.area >= smallest**2 / 4]
    foreign = _foreign(pieces, numbers)
    if foreign:
        strange = np.isin(numbers, [piece.number for piece in foreign])
        return None, _wider(strange, 2)
    nothing = np.zeros(certain.shape, np.bool_)
    if not pieces:
        return None, nothing
    chosen = _gather(pieces, certain.shape)
    return _with_rim(numbers, [piece.number for piece in chosen]), nothing


def _foreign(pieces: list[_Piece], numbers: NDArray[Any]) -> list[_Piece]:
    """Frames, ruled lines and what the border of the picture cuts, if a digit remains without them."""
    shape = numbers.shape
    free = [piece for piece in pieces if not _touches(piece, shape)]
    found = []
    for piece in pieces:
        others = [other for other in free if other is not piece and not _is_line(other, numbers)]
        largest = max((other.longest for other in others), default=0)
        if largest < 0.08 * min(shape):
            continue
        if _is_line(piece, numbers) or _is_frame(piece, numbers, others):
            found.append(piece)
            continue
        cut = largest >= 0.2 * min(shape) and _touches(piece, shape)
        if cut and not _belongs(piece, max(others, key=lambda other: other.area)):
            found.append(piece)
    return found


def _touches(piece: _Piece, shape: tuple[int, ...]) -> bool:
    rows, columns = shape
    return piece.left <= 0 or piece.top <= 0 or piece.left + piece.width >= columns or piece.top + piece.height >= rows


def _is_line(piece: _Piece, numbers: NDArray[Any]) -> bool:
    """A straight rule across nearly the whole picture."""
    rows, columns = numbers.shape
    return (piece.width >= 0.9 * columns and piece.height <= 0.12 * rows) or (
        piece.height >= 0.9 * rows and piece.width <= 0.06 * columns and _touches(piece, numbers.shape)
    )


def _is_frame(piece: _Piece, numbers: NDArray[Any], others: list[_Piece]) -> bool:
    """A box drawn around another piece: ink along at least three of its four sides, hardly any inside."""
    inside = [
        other for other in others if all(gap < 0 for gap in piece.gap(other)) and other.longest >= 0.25 * piece.longest
    ]
    if not inside or piece.area > 0.5 * piece.width * piece.height:
        return False
    box = numbers[piece.top : piece.top + piece.height, piece.left : piece.left + piece.width] == piece.number
    deep, wide = max(1, piece.height // 10), max(1, piece.width // 10)
    sides = (box[:deep].any(0), box[-deep:].any(0), box[:, :wide].any(1), box[:, -wide:].any(1))
    return sum(float(side.mean()) >= 0.85 for side in sides) >= 3


def _belongs(piece: _Piece, digit: _Piece) -> bool:
    """Whether a smaller piece is part of the digit: a 5's bar is near, a neighbor stands beside."""
    across, down = piece.gap(digit)
    size = digit.longest
    if across > 0.12 * size and piece.height >= 0.5 * digit.height:
        return False
    # Small crumbs must be nearer than a stroke that was left loose.
    reach = 0.3 if piece.longest >= 0.2 * size else 0.12
    return max(across, down) <= reach * size


def _gather(pieces: list[_Piece], shape: tuple[int, ...]) -> list[_Piece]:
    """The weightiest piece near the middle, and piece by piece what belongs to it."""
    rows, columns = shape

    def weight(piece: _Piece) -> float:
        off_x = (piece.left + piece.width / 2) / columns - 0.5
        off_y = (piece.top + piece.height / 2) / rows - 0.5
        return piece.area * (1.2 - (off_x**2 + off_y**2) * 2)

    main = max(pieces, key=weight)
    chosen, rest, whole = [main], [piece for piece in pieces if piece is not main], main
    least = 0.015 * main.area
    while near := [piece for piece in rest if piece.area >= least and _belongs(piece, whole)]:
        chosen += near
        for piece in near:
            whole = whole.joined(piece)
        rest = [piece for piece in rest if piece not in near]
    # Which of two digits is meant, nobody knows: all of them are shown, and that is no digit to a network.
    return chosen + [piece for piece in rest if _is_another(piece, whole, shape)]


def _is_another(piece: _Piece, digit: _Piece, shape: tuple[int, ...]) -> bool:
    """Whether a piece that stands apart is as large as a digit of the same hand, and whole."""
    large = piece.height >= 0.6 * digit.height and piece.longest <= 1.6 * digit.longest
    return (
        large
        and piece.area >= 0.3 * digit.area
        and max(piece.gap(digit)) <= digit.longest
        and not _touches(piece, shape)
    )


def _with_rim(numbers: NDArray[Any], chosen: list[int]) -> Mask:
    """The chosen pieces and the pale pixels around them, but nothing of the other pieces."""
    digit: Mask = np.isin(numbers, chosen)
    free: Mask = digit | (numbers == 0)
    rim = 2 + max(numbers.shape) // 150
    return _wider(digit, rim) & free


def _wider(mask: Mask, by: int) -> Mask:
    import cv2

    kernel = np.ones((2 * by + 1, 2 * by + 1), np.uint8)
    wide: NDArray[np.uint8] = np.asarray(cv2.dilate(mask.astype(np.uint8), kernel), np.uint8)
    return wide.astype(np.bool_)
