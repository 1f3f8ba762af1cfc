"""Old rows go, in pieces; younger ones and other nouns stay."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ringback.effects import Save
from ringback.kernel.sid import SidMaker, sid_at
from ringback.resources.api.application import Application
from ringback.resources.taskrouter.event import Event
from ringback.runtime.retention import DAY, SLICE, Retention
from ringback.runtime.virtual_clock import VirtualClock
from ringback.store import Store


async def test_rows_older_than_their_time_are_removed(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/test.db")
    clock = VirtualClock()
    start = clock.now()
    moment = start
    new_sid = SidMaker(lambda: moment, lambda bits: 7)
    account = "AC" + "1" * 32

    def event() -> Save:
        return Save(Event(sid=new_sid("EV"), account_sid=account, date_created=moment))

    moment = start - 31 * DAY
    await store.commit([event() for _ in range(2 * SLICE + 3)])
    await store.commit([Save(Application(sid=new_sid("AP"), account_sid=account))])
    moment = start - 29 * DAY
    await store.commit([event() for _ in range(5)])
    retention = Retention(store, clock, sid_at, {Event: 30})
    retention.start()
    while retention.removed < 2 * SLICE + 3:
        await asyncio.sleep(0)
    await retention.close()
    assert (await store.count(Event), await store.count(Application)) == (5, 1)
    await store.close()
    clock.close()
