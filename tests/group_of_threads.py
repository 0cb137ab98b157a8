"""A group whose ranks are threads of this process: what a trainer needs of others, without any MPI."""

import copy
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np


class Lost(Exception):
    """The other ranks have ended."""


class ThreadGroup:
    """One rank of several threads that meet at a barrier."""

    def __init__(self, rank, size, barrier, table):
        self.rank, self.size = rank, size
        self._barrier, self._table = barrier, table
        self.calls = 0

    def all(self, value: Any) -> list[Any]:
        self.calls += 1
        self._table[self.rank] = copy.deepcopy(value)
        self._meet()
        found = list(self._table)
        self._meet()
        return found

    def first(self, value):
        return self.all(value)[0]

    def add(self, array):
        found = self.all(array)
        assert len({part.shape for part in found}) == 1, "the ranks are not in step"
        array[...] = np.sum(found, axis=0)

    def described(self):
        return f"rank {self.rank} of {self.size}"

    def _meet(self):
        try:
            self._barrier.wait(timeout=60)
        except threading.BrokenBarrierError:
            raise Lost from None


def in_threads(size: int, work: Callable[[ThreadGroup], Any]) -> list[Any]:
    """What each rank returns, or the exception that ended it; a rank that ends leaves the others alone."""
    barrier, table, ends = threading.Barrier(size), [None] * size, [None] * size

    def run(rank):
        try:
            ends[rank] = work(ThreadGroup(rank, size, barrier, table))
        except BaseException as error:
            ends[rank] = error
            time.sleep(0.2)  # for those that are just leaving the barrier
            barrier.abort()

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends
