"""Run by mpiexec: the command `inkgrad`, with something wrong on rank 1.

odd_rank.py other-data|no-data|hangs|fails|fails-last WORDS...
"""

import sys
import time

import inkgrad.cli.train as command
from inkgrad.cli.main import main
from inkgrad.data import Splits, load
from inkgrad.errors import DataError
from inkgrad.training import Run


def odd(*arguments, **options):
    from mpi4py import MPI

    splits = load(*arguments, **options)
    if MPI.COMM_WORLD.rank != 1:
        return splits
    if sys.argv[1] == "no-data":
        raise DataError("there is no data set here; put it there")
    if sys.argv[1] == "hangs":
        time.sleep(600)
    if sys.argv[1] == "fails":
        raise ZeroDivisionError("by chance")
    if sys.argv[1] == "fails-last":
        return splits
    return Splits(splits.train[1:], splits.validation, splits.test)


def fails_last(run):
    from mpi4py import MPI

    last = trained(run)
    if MPI.COMM_WORLD.rank == 1:
        raise DataError("there was something wrong; put it right")
    return last


trained = Run.train

if __name__ == "__main__":
    command.load = odd
    if sys.argv[1] == "fails-last":
        Run.train = fails_last
    main(sys.argv[2:])
