"""The processes that mpiexec has started, as a group that trains one network."""

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from inkgrad.distributed.patience import Patience
from inkgrad.distributed.witness import Witness
from inkgrad.errors import OptionError
from inkgrad.kernels.threads import chosen_threads, thread_count, use_threads

__all__ = ["World", "join", "started_together"]

PATIENCE = 600.0  # seconds
# The variables by which launchers tell how many processes there are.
STARTED = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")


class World:
    """All ranks of an MPI communicator, as trainers and runs take them as `group`.

    Args:
        comm: of mpi4py; all of its processes make a world of it at once.
        patience: how many seconds to wait for the others in one message, before the training ends.

    Attributes:
        rank: the number of this process.
        size: how many there are.
        host: the name of this machine.

    >>> world = join()
    >>> world.all("here") == ["here"] * world.size
    True
    """

    def __init__(self, comm: Any, *, patience: float = PATIENCE) -> None:
        self.rank, self.size = int(comm.rank), int(comm.size)
        self.host = socket.gethostname()
        self._comm = comm
        self._ends = comm.Dup()  # messages of ranks that end, which meet no others
        self._witness = Witness.of(comm, f"{self.described()} (process {os.getpid()})") if self.size > 1 else None
        self._patience = Patience(patience, self.described(), lambda: self.leave(alone=False))

    def add(self, array: NDArray[Any]) -> None:
        """Sum a contiguous float32 or float64 array over all ranks in place."""
        from mpi4py import MPI

        with self._patience:
            self._comm.Allreduce(MPI.IN_PLACE, array, op=MPI.SUM)

    def first(self, value: Any) -> Any:
        """What rank 0 gave; anything that can be pickled."""
        with self._patience:
            return self._comm.bcast(value, root=0)

    def all(self, value: Any) -> list[Any]:
        """What each rank gave, in their order; anything that can be pickled."""
        with self._patience:
            found: list[Any] = self._comm.allgather(value)
        return found

    def described(self) -> str:
        """This rank in words."""
        return f"rank {self.rank} of {self.size} on {self.host}"

    def note(self, text: str) -> None:
        """What shall be said where a rank ends without a word, such as how to continue."""
        if self._witness is not None:
            self._witness.tell(text)
        self._patience.note = text

    def leave(self, *, alone: bool = True) -> None:
        """From here on the end of this process is no surprise; nor is that of any, where it does not leave alone."""
        if self._witness is not None:
            self._witness.leave(alone=alone)

    def statuses(self, status: int, *, seconds: float | None) -> list[int] | None:
        """How each rank ends: what all gave here; None where some have not come within so many seconds."""
        import time

        import numpy as np

        found = np.zeros(self.size, np.intc)
        request = self._ends.Iallgather(np.array([status], np.intc), found)
        end = None if seconds is None else time.monotonic() + seconds
        with contextlib.nullcontext() if seconds is not None else self._patience:
            while not request.Test():
                if end is not None and time.monotonic() > end:
                    self._unanswered = request  # MPI may write to its buffers until the process ends
                    return None
                time.sleep(0.005)
        return [int(one) for one in found]

    def abort(self, status: int) -> None:
        """End all ranks at once."""
        self._comm.Abort(status)


def started_together() -> int:
    """How many processes mpiexec or srun has started with this one, by what they say; 1 where there is neither.

    >>> started_together() >= 1
    True
    """
    return max((int(n) for n in map(os.environ.get, STARTED) if n and n.isdecimal()), default=1)


def join(*, patience: float | None = None) -> World:
    """The world of all processes that mpiexec has started with this one; of this process alone without mpiexec.

    Ranks on one machine share its cores, unless `use_threads` or INKGRAD_THREADS says how many threads each has.

    Args:
        patience: seconds to wait for the others in one message; INKGRAD_MPI_TIMEOUT or 600 by default.

    Raises:
        OptionError: there is no MPI, or mpiexec belongs to another MPI than mpi4py.
    """
    patience = _patience() if patience is None else patience
    comm = _mpi().COMM_WORLD
    started = started_together()
    if comm.size == 1 < started:
        raise OptionError(
            f"{started} processes were started, but the MPI of mpi4py ({_library()}) sees one: mpiexec belongs to "
            f"another MPI; use the mpiexec of that one, or install mpi4py for the MPI of this mpiexec"
        )
    _share_cores(comm)
    return World(comm, patience=patience)


def _mpi() -> Any:
    import warnings

    try:
        with warnings.catch_warnings():  # of a mpiexec of another MPI: `join` says it in an error
            warnings.simplefilter("ignore", RuntimeWarning)
            from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        what = 'mpi4py is not installed; install both with: pip install "inkgrad[mpi]"'
        if not isinstance(error, ModuleNotFoundError):
            said = " ".join(" ".join(str(error).splitlines()[:2]).split())  # then come all other places it has looked
            what = f"mpi4py finds no MPI library ({said}); load the MPI of the cluster, or: pip install mpich"
        raise OptionError(f"training by MPI needs mpi4py and an MPI, but {what}") from error
    return MPI


def _library() -> str:
    from mpi4py import MPI

    return str(MPI.Get_library_version().split("\n")[0]).strip()


def _patience() -> float:
    said = os.environ.get("INKGRAD_MPI_TIMEOUT")
    if not said:
        return PATIENCE
    with contextlib.suppress(ValueError):
        if float(said) > 0:
            return float(said)
    raise OptionError(f"INKGRAD_MPI_TIMEOUT must be a number of seconds above 0, but is {said!r}")


def _share_cores(comm: Any) -> None:
    """Ranks that may use the same cores get an equal number of threads each."""
    if chosen_threads() is not None or comm.size == 1:
        return
    with _same_machine(comm) as local:
        cores: list[Any] = local.allgather(_cores())
        mine = cores[local.rank]
        sharing = sum(1 for others in cores if mine is None or others is None or mine & others)
    use_threads(max(1, thread_count() // sharing))


def _cores() -> set[int] | None:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None


@contextlib.contextmanager
def _same_machine(comm: Any) -> Iterator[Any]:
    from mpi4py import MPI

    local = comm.Split_type(MPI.COMM_TYPE_SHARED)
    try:
        yield local
    finally:
        local.Free()
