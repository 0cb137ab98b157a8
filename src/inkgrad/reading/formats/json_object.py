"""One JSON object on one line, whose pages are written as they come.

| key | holds |
|---|---|
| `pages` | the records, as in `inkgrad.reading.record`: `file` and `page`, then `width`, `height`, `numbers` and `doubtful`, or of forms `fields`, or `error` |
| `read` | how many pages were read |
| `failed` | how many files or pages could not be read |
| `complete` | whether the run came to its end; false after Ctrl-C or a full disk, where `pages` are those from before |
| `error`, `status` | only where it is not complete: one sentence that says why, and the exit status |
"""  # noqa: E501  a table

import json
from collections.abc import Callable

from inkgrad.reading.record import Record, Tally

__all__ = ["JsonObject"]


class JsonObject:
    r"""Writes the object; it is whole once `end` or `break_off` was called.

    >>> written: list[str] = []
    >>> object = JsonObject(written.append)
    >>> object.break_off(Tally(), "interrupted", 130)
    >>> "".join(written)
    '{"pages": [], "read": 0, "failed": 0, "complete": false, "error": "interrupted", "status": 130}\n'
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._before = '{"pages": ['
        self._ended = False

    def add(self, record: Record) -> None:
        """Write one page."""
        self._write(self._before + json.dumps(record, allow_nan=False))
        self._before = ", "

    def end(self, tally: Tally) -> None:
        """End the object of a run that came to its end."""
        self._end({"read": tally.pages, "failed": tally.failed, "complete": True})

    def break_off(self, tally: Tally, error: str, status: int) -> None:
        """End the object of a run that did not."""
        told = {"complete": False, "error": error, "status": status}
        self._end({"read": tally.pages, "failed": tally.failed} | told)

    def _end(self, rest: Record) -> None:
        if self._ended:
            return
        self._ended = True
        begin = "" if self._before == ", " else self._before
        self._write(f"{begin}], {json.dumps(rest)[1:]}\n")
