"""What is too old or too much goes, in pieces; younger, unfinished and other rows stay. A year leaves little."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ringback.effects import Delete, Save
from ringback.kept import kept
from ringback.kernel.sid import SidMaker, sid_at
from ringback.resources.api.account import Account
from ringback.resources.api.alert import Alert
from ringback.resources.api.application import Application
from ringback.resources.api.call import Call
from ringback.resources.api.conference import Conference
from ringback.resources.api.message import Message
from ringback.resources.api.recording import Recording
from ringback.resources.api.transcription import Transcription
from ringback.resources.mcs.media_file import MediaFile
from ringback.resources.taskrouter.event import Event
from ringback.runtime import retention
from ringback.runtime.retention import DAY, SLICE, Retention, Rule
from ringback.runtime.virtual_clock import VirtualClock
from ringback.settings import Settings
from ringback.store import LogHttp, Store

AC = "AC" + "1" * 32
OTHER = "AC" + "2" * 32


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path}/test.db")
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAUSE", 0.0)


class Past:
    """Makes records of another time."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.ago = clock, 0.0
        self._sid = SidMaker(lambda: clock.now() - self.ago, lambda bits: 7)

    def __call__(self, record: type[Any], account: str = AC, **values: Any) -> Any:
        at = self.clock.now() - self.ago
        return record(sid=self._sid(record.__noun__.prefix), account_sid=account, date_created=at, **values)


async def test_rows_older_than_their_time_are_removed(store: Store) -> None:
    clock = VirtualClock()
    made = Past(clock)
    made.ago = 31 * DAY
    await store.commit([Save(made(Event)) for _ in range(2 * SLICE + 3)])
    await store.commit([Save(made(Application))])
    made.ago = 29 * DAY
    await store.commit([Save(made(Event)) for _ in range(5)])
    keeper = Retention(store, clock, sid_at, [Rule(record=Event, days=30)])
    keeper.start()
    while keeper.removed < 2 * SLICE + 3:
        await asyncio.sleep(0)
    await keeper.close()
    assert (await store.count(Event), await store.count(Application)) == (5, 1)
    clock.close()


async def test_a_year_leaves_a_bounded_rest(store: Store) -> None:
    """Fifty-two weeks of work with the default settings: what is over and old is gone, what is not is there."""
    clock = VirtualClock()
    made = Past(clock)
    settings = Settings(
        keep_calls_days=60, keep_recordings_days=60, keep_transcriptions_days=60, keep_messages_days=60,
        keep_media_days=60,
    )  # fmt: skip
    forgotten: list[str] = []

    async def forget(record: Recording) -> None:
        forgotten.append(record.sid)
        record.status, record.deleted_at = "deleted", clock.now()
        await store.commit([Save(record)])

    async def forget_media(record: MediaFile) -> None:
        await store.commit([Delete(record)])

    rules = kept(settings, forget, forget_media)
    keeper = Retention(store, clock, sid_at, rules, ledger_days=30, ledger_bytes=40_000)
    live = made(Call, status="in-progress")
    await store.commit([Save(live), Save(Account(sid=AC, account_sid=AC))])
    most: dict[str, int] = {}
    for _ in range(52):
        await store.commit(
            [
                Save(made(record, **values))
                for _ in range(10)
                for record, values in (
                    (Call, {"status": "completed"}), (Conference, {"status": "completed"}), (Alert, {}), (Event, {}),
                    (Recording, {"status": "completed"}), (Transcription, {"status": "completed"}),
                    (Message, {"status": "delivered"}), (MediaFile, {}),
                )
            ]
            + [LogHttp(account_sid=AC, resource_sid=live.sid, at=clock.now(), method="POST", url=f"http://a.test/{n}",
                       parameters="x=" + "y" * 50, body="z") for n in range(100)]
        )  # fmt: skip
        await keeper.look()
        for record in (Call, Conference, Alert, Event, Transcription, Message, MediaFile):
            most[record.__name__] = max(most.get(record.__name__, 0), await store.count(record))
        _, size = await store.pruning.ledger()
        most["requests"] = max(most.get("requests", 0), size)
        await clock.advance(7 * DAY)
    assert most.pop("requests") <= 41_000
    assert most == {
        "Call": 91, "Conference": 90, "Alert": 130, "Event": 50, "Transcription": 90, "Message": 90, "MediaFile": 90,
    }  # fmt: skip
    assert await store.get(Call, live.sid) == live
    assert len(forgotten) == 520 - 90
    assert keeper.done.longest < 1.0
    clock.close()


async def test_an_account_with_too_much_loses_its_oldest_and_nobody_elses(store: Store) -> None:
    clock = VirtualClock()
    made = Past(clock)
    await store.commit([Save(Account(sid=each, account_sid=each)) for each in (AC, OTHER)])
    calls = [made(Call, AC, status="completed") for _ in range(250)]
    others = [made(Call, OTHER, status="completed") for _ in range(20)]
    sounds = [made(Recording, AC, status="completed", size=1000) for _ in range(10)]
    await store.commit([Save(each) for each in (*calls, *others, *sounds)])
    gone: list[str] = []

    async def forget(record: Recording) -> None:
        gone.append(record.sid)
        record.size = 0
        await store.commit([Save(record)])

    rules = [
        Rule(record=Call, days=0, most=30),
        Rule(record=Recording, days=0, size="size", most_bytes=4500, remove=forget),
    ]
    keeper = Retention(store, clock, sid_at, rules)
    await keeper.look()
    left = {each.sid for each in await store.find(Call, account_sid=AC)}
    assert left == {each.sid for each in calls[-30:]}
    assert await store.count(Call, account_sid=OTHER) == 20
    assert gone == [each.sid for each in sounds[:6]]
    await keeper.look()
    assert len(gone) == 6
    clock.close()


async def test_the_file_shrinks_and_its_pages_are_used_again(store: Store) -> None:
    clock = VirtualClock()
    made = Past(clock)
    made.ago = 40 * DAY
    for _ in range(5):
        await store.commit([Save(made(Event, description="d" * 20_000)) for _ in range(100)])
    before = await store.pruning.bytes()
    keeper = Retention(store, clock, sid_at, [Rule(record=Event, days=30)])
    await keeper.look()
    assert await store.pruning.bytes() < before / 2
    clock.close()
