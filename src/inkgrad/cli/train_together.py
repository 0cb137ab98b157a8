"""`inkgrad train --distributed mpi`."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from inkgrad.cli.output import say
from inkgrad.distributed import World, end_together, join
from inkgrad.errors import OptionError
from inkgrad.training import Settings
from inkgrad.training.group import by_first

__all__ = ["together"]


@contextlib.contextmanager
def together(
    decide: Callable[[], tuple[Settings, Path]],
) -> Iterator[tuple[World, tuple[Settings, Path], str]]:
    """The ranks of this training, what rank 0 has decided for all, and the command that continues it.

    Raises:
        OptionError: there is no MPI, or what is decided is nothing that several processes train.
    """
    with end_together(join()) as world:
        settings, folder = by_first(world, decide)
        if settings.members > 1:
            raise OptionError(
                f"--distributed trains one network, but members is {settings.members}; train them one by "
                f"one with --seed, and join them with inkgrad ensemble"
            )
        command = f"mpiexec -n {world.size} inkgrad train --distributed mpi --resume"
        world.note(f"what was saved stays, continue with: {command} --out {folder}")
        if world.size == 1 and world.rank == 0:
            say("one process alone; for more, start it with: mpiexec -n 4 inkgrad train ...", error=True)
        yield world, (settings, folder), command
