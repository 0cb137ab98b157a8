"""Examples for the OpenAPI document; each can be sent as it stands."""

import base64

__all__ = ["PICTURE", "PICTURE_BASE64", "PIXELS"]

_SEVEN = """
........
.######.
.#....#.
......#.
.....#..
....##..
....#...
...##...
...#....
...#....
........
"""
_ROWS = _SEVEN.split()
_TIMES, _TOP, _LEFT = 2, 3, 6  # in 28x28

PIXELS = [
    [255 if _ROWS[y // _TIMES][x // _TIMES] == "#" else 0 for x in range(_TIMES * len(_ROWS[0]))]
    for y in range(_TIMES * len(_ROWS))
]
PIXELS = [[0] * 28] * _TOP + [[0] * _LEFT + row + [0] * (28 - _LEFT - len(row)) for row in PIXELS]
PIXELS += [[0] * 28] * (28 - len(PIXELS))
"""A seven of 28x28 numbers."""

PICTURE = "\n".join([f"P1 {len(_ROWS[0])} {len(_ROWS)}", *_ROWS, ""]).replace("#", "1").replace(".", "0")
"""The same as a picture file that is a text: a portable bitmap (PBM), 1 for ink."""

PICTURE_BASE64 = base64.b64encode(PICTURE.encode()).decode()
"""That file as JSON holds it."""
