"""What waits at the same time is done together, in order, and no more waits than there is room for."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkgrad.web.batching import Batcher, FullError, Room


@settings(deadline=None)
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
    begun, end = threading.Barrier(3), threading.Event()

    def work() -> bool:
        begun.wait(30)
        return end.wait(30)

    async def fill() -> None:
        with ThreadPoolExecutor(2) as pool:
            room = Room(2)
            first = asyncio.create_task(room.run(pool, work))
            second = asyncio.create_task(room.run(pool, work))
            await asyncio.sleep(0)
            begun.wait(30)
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


def test_work_that_nobody_waits_for_any_more_is_not_begun() -> None:
    begun, end = threading.Event(), threading.Event()
    done: list[str] = []

    def work() -> None:
        begun.set()
        end.wait(30)

    async def leave() -> None:
        with ThreadPoolExecutor(1) as pool:
            room = Room(2)
            first = asyncio.create_task(room.run(pool, work))
            second = asyncio.create_task(room.run(pool, lambda: done.append("second")))
            await asyncio.sleep(0)
            begun.wait(30)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            third = asyncio.create_task(room.run(pool, lambda: done.append("third")))
            await asyncio.sleep(0)
            end.set()
            await asyncio.gather(first, third)
            assert done == ["third"]

    asyncio.run(leave())


def test_a_call_with_too_few_results_fails_each() -> None:
    async def ask_twice() -> None:
        with ThreadPoolExecutor(1) as pool:
            ask = Batcher[int, int](lambda some: some[1:], pool, most_waiting=9, most_together=9)
            async with asyncio.timeout(30):
                answers = await asyncio.gather(ask(1), ask(2), return_exceptions=True)
            assert all(isinstance(answer, ValueError) for answer in answers)

    asyncio.run(ask_twice())
