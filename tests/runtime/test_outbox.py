"""The outbox: order within a key, bounded parallelism, rows removed only after the delivery."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec import structs

from ringback.effects import SendWebhook
from ringback.runtime.outbox import Outbox
from ringback.runtime.real_clock import RealClock
from ringback.runtime.virtual_clock import VirtualClock
from ringback.store.writes import Owed


def owed(number: int, key: str, account: str = "AC") -> Owed:
    return Owed(
        str(number),
        SendWebhook(
            key=key, account_sid=account, url="http://a.test", method="POST", params=[], token=str(number)
        ),
    )


async def test_one_key_is_delivered_in_order_and_never_overlaps() -> None:
    running: dict[str, int] = {}
    log: list[Any] = []

    async def deliver(hook: SendWebhook) -> list[Any]:
        running[hook.key] = running.get(hook.key, 0) + 1
        assert running[hook.key] == 1
        await asyncio.sleep(0)
        running[hook.key] -= 1
        log.append(hook.token)
        return ["alert"] if hook.token == "2" else []

    async def done(row: str, records: Any) -> None:
        log.append(("done", row, list(records)))

    outbox = Outbox(RealClock(), deliver, done)
    outbox.add([owed(1, "CA1"), owed(2, "CA1")])
    outbox.add([owed(3, "CA1")])
    await outbox.settle(5)
    assert log == ["1", ("done", "1", []), "2", ("done", "2", ["alert"]), "3", ("done", "3", [])]
    assert outbox.waiting == 0
    assert outbox.delivered == 3


async def test_a_slow_key_does_not_hold_up_the_others_and_parallelism_is_bounded() -> None:
    gate, most, now = asyncio.Event(), 0, 0
    finished: list[str] = []

    async def deliver(hook: SendWebhook) -> list[Any]:
        nonlocal most, now
        now += 1
        most = max(most, now)
        if hook.key == "slow":
            await gate.wait()
        await asyncio.sleep(0)
        now -= 1
        finished.append(hook.key)
        return []

    async def done(row: str, records: Any) -> None:
        return None

    outbox = Outbox(RealClock(), deliver, done, parallel=3)
    outbox.add([owed(0, "slow"), *(owed(number, f"CA{number}") for number in range(1, 20))])
    while len(finished) < 19:
        await asyncio.sleep(0)
    assert "slow" not in finished
    assert most <= 3
    gate.set()
    await outbox.settle(5)
    assert finished[-1] == "slow"


async def test_closing_leaves_the_rows_that_are_not_done() -> None:
    removed: list[str] = []

    async def deliver(hook: SendWebhook) -> list[Any]:
        await asyncio.Event().wait()
        return []

    async def done(row: str, records: Any) -> None:
        removed.append(row)

    outbox = Outbox(RealClock(), deliver, done)
    outbox.add([owed(1, "CA1"), owed(2, "CA1")])
    await asyncio.sleep(0)
    await outbox.close()
    assert removed == []


async def test_what_waits_for_its_time_is_sent_then_or_on_demand_and_once() -> None:
    clock, sent, gone = VirtualClock(), [], []

    async def deliver(hook: SendWebhook) -> list[Any]:
        sent.append(hook.token)
        return []

    async def done(row: str, records: Any) -> None:
        gone.append(row)

    outbox = Outbox(clock, deliver, done)
    rows = [owed(number, f"CA{number}") for number in (1, 2, 3)]
    outbox.add([Owed(row.sid, structs.replace(row.what, not_before=clock.now() + 60)) for row in rows[:2]])
    outbox.add(rows[2:])
    await outbox.settle(5)
    assert (sent, outbox.parked, outbox.waiting) == (["3"], 2, 0)
    await clock.advance(61)
    await outbox.settle(5)
    assert (sent, gone, outbox.parked, outbox.repeated) == (["3", "1", "2"], ["3", "1", "2"], 0, 2)
    outbox.add([Owed("4", structs.replace(rows[0].what, not_before=clock.now() + 60, token="4"))])
    assert outbox.send_parked() == 1
    await outbox.settle(5)
    await clock.advance(61)
    assert sent[3:] == ["4"]
    clock.close()


async def test_what_is_put_off_keeps_its_row_until_it_is_finished() -> None:
    gone: list[str] = []

    async def deliver(hook: SendWebhook) -> list[Any] | None:
        return None if hook.token == "1" else []

    async def done(row: str, records: Any) -> None:
        gone.append(row)

    outbox = Outbox(RealClock(), deliver, done)
    outbox.add([owed(1, "CA1"), owed(2, "CA1")])
    await outbox.settle(5)
    assert gone == ["2"]
    await outbox.finish("1", [])
    await outbox.finish("1", [])
    assert (gone, outbox.delivered) == (["2", "1"], 2)


async def test_an_account_whose_server_is_slow_does_not_hold_up_the_others() -> None:
    """It has all but a quarter of the slots; another one's webhooks go out while its own hang."""
    gate, finished = asyncio.Event(), []

    async def deliver(hook: SendWebhook) -> list[Any]:
        if hook.account_sid == "A":
            await gate.wait()
        finished.append(hook.account_sid)
        return []

    async def done(row: str, records: Any) -> None:
        await asyncio.sleep(0)

    outbox = Outbox(RealClock(), deliver, done, parallel=8)
    outbox.add([owed(each, f"CA{each}", "A") for each in range(100)])
    outbox.add([owed(200 + each, f"CB{each}", "B") for each in range(10)])
    async with asyncio.timeout(5):
        while len(finished) < 10:
            await asyncio.sleep(0)
    assert finished == ["B"] * 10
    gate.set()
    await outbox.settle(5)
    assert (outbox.waiting, outbox.delivered) == (0, 110)
