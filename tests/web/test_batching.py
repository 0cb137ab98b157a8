"""What waits at the same time is done together, in order, and no more waits than there is room for."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkgrad.web.batching import Batcher, FullError, Room


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 50))
def test_each_gets_its_own_answer_or_is_refused(count: int, together: int, waiting: int) -> None:
    calls: list[int] = []

    def work(some: Sequence[int]) -> list[int | Exception]:
        calls.append(len(some))
        return [ValueError(str(x)) if x % 7 == 3 else -x for x in some]

    async def all_at_once() -> list[int | BaseException]:
        with ThreadPoolExecutor(1) as pool:
            ask = Batcher(work, pool, most_waiting=waiting, most_together=together)
            return await asyncio.gather(*(ask(x) for x in range(count)), return_exceptions=True)

    answers = asyncio.run(all_at_once())
    for x, answer in enumerate(answers):
        if x >= waiting:  # nothing begins before all have come
            assert isinstance(answer, FullError)
        elif x % 7 == 3:
            assert isinstance(answer, ValueError) and str(answer) == str(x)
        else:
            assert answer == -x
    assert max(calls) <= together and sum(calls) == min(count, waiting)


def test_work_that_fails_as_a_whole_fails_each_and_the_next_is_done() -> None:
    failing = threading.Event()
    failing.set()

    def work(some: Sequence[int]) -> Sequence[int]:
        if failing.is_set():
            raise RuntimeError("not now")
        return some

    async def twice() -> None:
        with ThreadPoolExecutor(1) as pool:
            ask = Batcher[int, int](work, pool, most_waiting=9, most_together=9)
            for answer in await asyncio.gather(ask(1), ask(2), return_exceptions=True):
                assert isinstance(answer, RuntimeError)
            failing.clear()
            assert await ask(3) == 3

    asyncio.run(twice())


def test_who_has_gone_is_not_worked_for_and_holds_up_nobody() -> None:
    done: list[int] = []
    begin = threading.Event()

    def work(some: Sequence[int]) -> Sequence[int]:
        begin.wait(30)
        done.extend(some)
        return some

    async def leave() -> None:
        with ThreadPoolExecutor(1) as pool:
            ask = Batcher[int, int](work, pool, most_waiting=9, most_together=1)
            tasks = [asyncio.create_task(ask(x)) for x in range(3)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            tasks[1].cancel()
            begin.set()
            assert await tasks[2] == 2
            assert done == [0, 2]

    asyncio.run(leave())


def test_a_room_is_left_only_when_the_work_has_ended() -> None:
    end = threading.Event()

    async def fill() -> None:
        with ThreadPoolExecutor(2) as pool:
            room = Room(2)
            first = asyncio.create_task(room.run(pool, lambda: end.wait(30)))
            second = asyncio.create_task(room.run(pool, lambda: end.wait(30)))
            await asyncio.sleep(0)
            first.cancel()  # its thread goes on all the same
            with pytest.raises(asyncio.CancelledError):
                await first
            with pytest.raises(FullError):
                await room.run(pool, lambda: True)
            end.set()
            assert await second
            while True:
                try:
                    assert await room.run(pool, lambda: True)
                    return
                except FullError:
                    await asyncio.sleep(0)

    asyncio.run(fill())
