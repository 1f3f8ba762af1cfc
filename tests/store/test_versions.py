"""Every record's row counts its writes; who read a version may write only over that one."""

from __future__ import annotations

import asyncio

import pytest

from ringback.effects import Delete, Save
from ringback.resources.api.call import Call
from ringback.store import DeleteIf, SaveIf, Stale, Store

AC = "AC" + "1" * 32
SID = "CA" + "1" * 32


def call(**values: object) -> Call:
    return Call(sid=SID, account_sid=AC, **values)  # type: ignore[arg-type]


async def test_every_write_counts(store: Store) -> None:
    assert await store.get_versioned(Call, SID) is None
    for version, status in enumerate(("queued", "ringing", "ringing", "completed"), 1):
        await store.commit([Save(call(status=status, plan={"a": [1]}))])
        assert await store.get_versioned(Call, SID) == (call(status=status, plan={"a": [1]}), version)
    assert await store.get_versioned(Call, SID, "AC" + "2" * 32) is None
    await store.commit([Delete(call())])
    await store.commit([Save(call())])
    assert await store.get_versioned(Call, SID) == (call(), 1)


async def test_a_write_over_another_version_is_refused(store: Store) -> None:
    await store.commit([Save(call(status="queued"))])
    await store.commit([SaveIf(call(status="ringing", duration=5), 1)])
    assert await store.get_versioned(Call, SID) == (call(status="ringing", duration=5), 2)
    for write in (SaveIf(call(status="failed"), 1), DeleteIf(call(), 1)):
        with pytest.raises(Stale):
            await store.commit([Save(Call(sid="CA" + "2" * 32, account_sid=AC)), write])
    assert await store.find(Call) == [call(status="ringing", duration=5)], "all or nothing"
    await store.commit([DeleteIf(call(), 2)])
    for write in (SaveIf(call(), 2), DeleteIf(call(), 2)):
        with pytest.raises(Stale):
            await store.commit([write])
    assert await store.find(Call) == []


async def test_of_many_who_read_the_same_one_wins_and_fails_nobody_else(store: Store) -> None:
    await store.commit([Save(call(duration=0))])
    writes = [store.commit([SaveIf(call(duration=number), 1)]) for number in range(1, 6)]
    others = [store.commit([Save(Call(sid=f"CA{number:032x}", account_sid=AC))]) for number in range(5)]
    results = await asyncio.gather(*writes, *others, return_exceptions=True)
    assert [result if isinstance(result, list) else type(result) for result in results] == [
        [], Stale, Stale, Stale, Stale, [], [], [], [], [],
    ]  # fmt: skip
    assert await store.get_versioned(Call, SID) == (call(duration=1), 2)
    assert await store.count(Call) == 6
