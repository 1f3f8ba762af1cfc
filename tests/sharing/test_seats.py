"""Seats for tasks: numbers, turns, and tasks that are canceled at any moment."""

from __future__ import annotations

import asyncio

import pytest

from ringback.sharing.seats import Full, Seats


async def test_so_many_at_a_time_and_fairly() -> None:
    """One account floods; another one's first job has the next turn."""
    seats, order, gate = Seats(1), [], asyncio.Semaphore(0)

    async def work(account: str) -> None:
        async with seats.of(account) as number:
            assert number == 0
            order.append(account)
            await gate.acquire()

    tasks = [asyncio.create_task(work("A")) for _ in range(5)]
    await asyncio.sleep(0)
    tasks.append(asyncio.create_task(work("B")))
    await asyncio.sleep(0)
    assert (order, seats.busy, seats.waiting) == (["A"], 1, 5)
    for _ in range(6):
        gate.release()
    await asyncio.gather(*tasks)
    assert order == ["A", "B", "A", "A", "A", "A"]
    assert (seats.busy, seats.waiting) == (0, 0)


async def test_the_lowest_number_is_given() -> None:
    """So that the first process does the work while it can."""
    seats = Seats(3)
    async with seats.of("A") as first, seats.of("A") as second, seats.of("B") as third:
        assert (first, second, third) == (0, 1, 2)
    async with seats.of("C") as again:
        assert again == 0


async def test_canceled_tasks_leave_nothing_behind() -> None:
    """While they wait, while they work, and just when they are given a seat."""
    seats = Seats(1, longest=2)

    async def work() -> None:
        async with seats.of("A"):
            await asyncio.sleep(60)

    holding, waiting, next_one = (asyncio.create_task(work()) for _ in range(3))
    await asyncio.sleep(0)
    with pytest.raises(Full):
        async with seats.of("A"):
            raise AssertionError
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (seats.busy, seats.waiting) == (1, 1)
    holding.cancel()
    next_one.cancel()  # its seat comes in the same turn of the loop, or not at all
    await asyncio.gather(holding, next_one, return_exceptions=True)
    assert (seats.busy, seats.waiting) == (0, 0)
    async with seats.of("B") as number:
        assert number == 0
