"""A small process on each machine that says which rank has ended without a word.

When a process is killed, mpiexec kills the others at once, so that none of the ranks can say anything. The witness is
no rank: it holds a socket to each, sees which one closes first, tells it on standard error, and ends.
"""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["Witness"]

CONNECTING_SECONDS = 60.0


class Witness:
    """A rank's connection to the witness of its machine."""

    def __init__(self, connection: socket.socket, who: str) -> None:
        self._connection: socket.socket | None = connection
        self._send({"who": who})

    @classmethod
    def of(cls, comm: Any, who: str) -> "Witness | None":
        """One for all ranks of a communicator on this machine; None where the system has no such sockets."""
        from mpi4py import MPI

        local = comm.Split_type(MPI.COMM_TYPE_SHARED)
        try:
            with _folder(wanted=local.rank == 0) as folder:
                place = local.bcast(None if folder is None else _start(folder, local.size), root=0)
                connection = None if place is None else _connected(place)
                local.Barrier()  # the folder is no longer needed
        finally:
            local.Free()
        return None if connection is None else cls(connection, who)

    def tell(self, note: str) -> None:
        """What is said beside the name of who has ended."""
        self._send({"note": note})

    def leave(self, *, alone: bool) -> None:
        """Say goodbye, for all of this machine unless this rank leaves alone."""
        self._send({"bye": "alone" if alone else "all"})
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, content: dict[str, Any]) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):  # a witness that is gone hinders nobody
                self._connection.sendall(json.dumps(content).encode() + b"\n")


@contextlib.contextmanager
def _folder(*, wanted: bool) -> Iterator[str | None]:
    """A new folder for a socket; None where none is wanted or none can be made, as the others must not wait."""
    with contextlib.ExitStack() as kept:
        folder = None
        if wanted:
            with contextlib.suppress(OSError):
                made = tempfile.TemporaryDirectory(prefix="inkgrad-", ignore_cleanup_errors=True)
                folder = kept.enter_context(made)
        yield folder


def _connected(place: str) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(place)
    except OSError:
        connection.close()
        return None
    return connection


def _start(folder: str, count: int) -> str | None:
    """Start the witness of this machine; where it listens."""
    if not hasattr(socket, "AF_UNIX"):
        return None
    place = str(Path(folder) / "witness")
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(place)
            listener.listen(count)
            subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, str(listener.fileno()), str(count)],
                pass_fds=[listener.fileno()],
                start_new_session=True,  # neither Ctrl-C nor the end of the ranks shall reach it
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                env={k: v for k, v in os.environ.items() if not k.startswith(("PMI", "MPI", "HYD"))},
            )
    except OSError:
        return None
    return place


def _watch(listener: socket.socket, count: int) -> str | None:
    """Wait until all have said goodbye, or one has not; what is to be said of that one."""
    listener.settimeout(CONNECTING_SECONDS)
    names: dict[socket.socket, str] = {}
    unread: dict[socket.socket, bytes] = {}
    note = ""
    for _ in range(count):
        try:
            connection, _address = listener.accept()
        except TimeoutError:  # one has ended before it came, or cannot connect
            break
        names[connection], unread[connection] = "a rank", b""
    while names:
        for ready in select.select(list(names), [], [])[0]:
            received = _receive(ready)
            *lines, unread[ready] = (unread[ready] + received).split(b"\n")
            for content in map(json.loads, lines):
                names[ready] = content.get("who", names[ready])
                note = content.get("note", note)
                if content.get("bye") == "all":
                    return None
                if "bye" in content:
                    del names[ready]
                    break
            if not received and ready in names:
                return (
                    f"inkgrad: {names[ready]} has ended without a word, as when it is killed or memory is short; "
                    f"the training ends{'; ' + note if note else ''}\n"
                )
    return None


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(4096)
    except OSError:
        return b""


if __name__ == "__main__":
    said = _watch(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
    if said is not None:
        os.write(2, said.encode())
