"""The ledger of requests: packed, read back as it was, rows of before too, and pruned from its oldest end."""

from __future__ import annotations

import msgspec

from ringback.store import LogHttp, Store
from ringback.store.packing import pack
from ringback.store.sql import Statement

AC = "AC" + "1" * 32
FORM = (
    "CallSid=CA0123456789abcdef0123456789abcdef&AccountSid=AC0123456789abcdef0123456789abcdef&From=%2B15551230001"
    "&To=%2B15550101&Caller=%2B15551230001&Called=%2B15550101&CallStatus=in-progress&Direction=inbound"
    "&ApiVersion=2010-04-01&FromCity=&FromState=&FromZip=&FromCountry=US&ToCity=&ToState=&ToZip=&ToCountry=US"
    "&CalledCity=&CalledState=&CalledZip=&CalledCountry=US&CallerCity=&CallerState=&CallerZip=&CallerCountry=US"
    "&QueueSid=QU0123456789abcdef0123456789abcdef&QueueTime=17&AvgQueueTime=9&CurrentQueueSize=4"
)


def entry(number: int, at: float = 0.0) -> LogHttp:
    return LogHttp(
        account_sid=AC, resource_sid="CA1", at=at, method="POST", url=f"https://example.test/voice/{number}?a=ü",
        parameters=FORM, status=200, seconds=0.0123, content_type="text/xml",
        body='<?xml version="1.0" encoding="UTF-8"?><Response><Say>Grüezi</Say></Response>',
    )  # fmt: skip


async def test_what_is_packed_is_read_as_it_was(store: Store) -> None:
    entries = [entry(number) for number in range(50)]
    await store.commit(entries)
    assert [each.request for each in await store.requests_of("CA1")] == entries
    assert len(pack(msgspec.json.encode(entries[0]))) < len(msgspec.json.encode(entries[0])) / 3


async def test_rows_of_before_are_still_read(store: Store) -> None:
    old = entry(1)
    mark = "?" if store._engine.dialect.name == "sqlite" else "$1"
    sql = f"INSERT INTO http_events (id, resource_sid, at, entry) VALUES (900, 'CA1', 0, {mark})"
    await store._engine.write([Statement(sql, (msgspec.json.encode(old).decode(),), "http_events")])
    await store.commit([entry(2)])
    assert {each.request.url for each in await store.requests_of("CA1")} == {old.url, entry(2).url}
    entries, size = await store.pruning.ledger()
    assert entries >= 2
    assert size > 0


async def test_the_oldest_go_by_age_and_by_number(store: Store) -> None:
    await store.commit([entry(number, at=float(number)) for number in range(100)])
    assert await store.pruning.forget_requests(10.0, 0, 500) == 10
    assert await store.pruning.forget_requests(0.0, 25, 500) == 25
    assert await store.pruning.forget_requests(1000.0, 0, 7) == 7
    left = await store.requests_of("CA1")
    assert [each.request.at for each in left] == [float(number) for number in range(42, 100)]
