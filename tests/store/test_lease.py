"""PostgreSQL: one owner, who is fenced off when another has taken over; connections that are lost."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from ringback.effects import Save
from ringback.resources.api.call import Call
from ringback.resources.voice.registration import Registration
from ringback.store import SaveIf, Store, Unavailable, backlog, lease, migrate, postgresql
from ringback.store.engine import Holder
from ringback.store.lease import LeaseHeld
from ringback.store.postgresql import PostgresqlEngine
from ringback.store.writes import OwnershipLost

AC = "AC" + "1" * 32
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def call(number: int, **values: object) -> Call:
    return Call(sid=f"CA{number:032x}", account_sid=AC, **values)  # type: ignore[arg-type]


def engine_of(store: Store) -> PostgresqlEngine:
    assert isinstance(store._engine, PostgresqlEngine)
    return store._engine


@pytest.fixture
async def admin(database_url: str) -> AsyncIterator[Any]:
    """A connection beside the stores."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def expire(admin: Any) -> None:
    """As if the owner had renewed nothing for longer than its lease lasts."""
    await admin.execute("UPDATE leases SET expires = 0")


async def test_a_second_process_is_refused_and_told_who_owns_the_database(
    store: Store, database_url: str
) -> None:
    told: list[Holder] = []
    with pytest.raises(LeaseHeld, match=rf"owned by process {os.getpid()} on \S+ since 20\d\d-.*--standby"):
        await Store.open(database_url, patience=0.3, waiting=told.append)
    assert {one.pid for one in told} == {os.getpid()}
    assert 0 < told[0].left <= lease.TTL
    await store.commit([Save(call(1))])


async def test_who_waits_takes_over_when_the_owner_stops(database_url: str) -> None:
    first = await Store.open(database_url)
    asked = asyncio.Event()
    second = asyncio.create_task(Store.open(database_url, patience=60, waiting=lambda _: asked.set()))
    await asked.wait()
    await first.commit([Save(call(1))])
    await first.close()
    taken = await second
    assert await taken.find(Call) == [call(1)]
    assert not first.broken, "it has given the lease back, and lost nothing"
    await taken.close()


async def test_who_was_taken_over_writes_nothing_more(
    store: Store, database_url: str, admin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """As after SIGSTOP and SIGCONT: nothing has told the old owner before its next commit."""
    await store.commit([Save(call(1, status="in-progress"))])
    await expire(admin)
    second = await Store.open(database_url)
    await second.commit([Save(call(1, status="completed"))])
    results = await asyncio.gather(
        *(store.commit([Save(call(number, status="in-progress"))]) for number in range(1, 9)),
        return_exceptions=True,
    )
    assert {type(one) for one in results} == {OwnershipLost}
    assert await second.find(Call) == [call(1, status="completed")]
    assert "no longer owns the database" in await store.lost()
    assert store.broken
    assert [one.levelname for one in caplog.records] == ["CRITICAL"]
    with pytest.raises(OwnershipLost):
        await store.commit([Save(call(2))])
    await second.close()
    with pytest.raises(OwnershipLost):  # free again: but it has missed what the other did
        await store.commit([Save(call(2))])


async def test_a_lease_that_ran_out_and_is_still_free_is_taken_again(
    database_url: str, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEW_EVERY", 0.02)
    store = await Store.open(database_url)
    await expire(admin)
    while not await admin.fetchval("SELECT expires > 0 FROM leases"):
        await asyncio.sleep(0)
    await store.commit([Save(call(1))])
    await store.close()


async def test_an_idle_owner_finds_out_when_it_renews(
    database_url: str, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await Store.open(database_url)
    await expire(admin)
    monkeypatch.setattr(lease, "RENEW_EVERY", 0.02)
    second = await Store.open(database_url)
    third = asyncio.create_task(engine_of(first)._lease.keep(engine_of(first)._connect))
    assert "taken over by process" in await first.lost()
    await third
    await first.close()
    await second.commit([Save(call(1))])
    await second.close()


async def test_an_owner_that_stops_in_the_middle_of_a_transaction_is_ended_by_the_server(
    database_url: str, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has locked the row of the lease: nobody could take over."""
    monkeypatch.setattr(postgresql, "IDLE", 200)
    first = await Store.open(database_url)
    await engine_of(first)._begin()
    await expire(admin)  # waits for that row
    second = await Store.open(database_url)
    with pytest.raises(OwnershipLost):
        await first.commit([Save(call(1))])
    await first.close()
    await second.close()


async def test_connections_that_the_server_ends_lose_and_double_nothing(
    store: Store, database_url: str, admin: Any
) -> None:
    name = await admin.fetchval("SELECT current_database()")
    writes = []
    for number in range(300):
        writes.append(asyncio.ensure_future(store.commit([Save(call(number, duration=number))])))
        if number % 100 == 50:
            await asyncio.wait(writes[:1])
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> "
                "pg_backend_pid()",
                name,
            )
            assert await store.get(Call, call(0).sid) == call(0, duration=0), "reads go on, too"
    await asyncio.gather(*writes)
    assert await store.count(Call) == 300
    versions = await admin.fetch("SELECT DISTINCT row_version FROM calls")
    assert [one[0] for one in versions] == [1], "each exactly once"


class Cut:
    """A connection that is lost at ``COMMIT``: before it reached the server, or with its answer."""

    def __init__(self, connection: Any, *, arrives: bool) -> None:
        self._connection = connection
        self._arrives = arrives

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, sql: str, *params: Any) -> Any:
        if sql == "COMMIT":
            if self._arrives:
                await self._connection.execute(sql)
            self._connection.terminate()
            raise ConnectionResetError
        return await self._connection.execute(sql, *params)


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_commit_without_an_answer_is_looked_up(store: Store, arrives: bool) -> None:
    """Written or not, it ends as written exactly once; a write over a version does not take itself for another's."""
    engine = engine_of(store)
    await store.commit([Save(call(1))])
    engine._writer = Cut(engine._writer, arrives=arrives)
    await asyncio.gather(store.commit([SaveIf(call(1, duration=2), 1)]), store.commit([Save(call(2))]))
    assert await store.get_versioned(Call, call(1).sid) == (call(1, duration=2), 2)
    assert await store.get_versioned(Call, call(2).sid) == (call(2), 1)
    await store.commit([Save(call(2))])
    assert await store.get_versioned(Call, call(2).sid) == (call(2), 2)


@pytest.mark.parametrize("unclear", [True, False])
async def test_a_database_that_stays_away(
    store: Store, monkeypatch: pytest.MonkeyPatch, unclear: bool
) -> None:
    """Who waits is served when it is back; who is in a hurry hears that nothing was written, or that it is unclear."""
    engine = engine_of(store)
    monkeypatch.setattr(backlog, "HURRY", 0.3)
    connect, away = engine._connect, asyncio.Event()

    async def refused() -> Any:
        if away.is_set():
            return await connect()
        raise ConnectionRefusedError

    monkeypatch.setattr(engine, "_connect", refused)
    if unclear:
        engine._writer = Cut(engine._writer, arrives=True)
    else:
        engine._writer.terminate()
    waiting = asyncio.create_task(store.commit([Save(call(1))]))
    hurried = store.hurried()
    with pytest.raises(Unavailable, match="not known yet" if unclear else "cannot be reached"):
        await hurried.commit([Save(call(2))])
    with pytest.raises(Unavailable, match="cannot be reached"):
        await hurried.commit([Save(call(3))])
    told: list[Any] = []
    assert await store.commit_or_keep([Save(call(4))], told.append) is None
    assert "cannot be reached" in store.broken
    assert not waiting.done()
    away.set()
    await waiting
    while not told:
        await asyncio.sleep(0.01)
    assert told == [[]]
    written = {one.sid for one in await store.find(Call)}
    assert written == {call(number).sid for number in ((1, 2, 4) if unclear else (1, 4))}
    while store.broken:
        await asyncio.sleep(0.01)


@pytest.fixture
async def fresh_url(database_url: str, admin: Any) -> AsyncIterator[str]:
    """A database without any tables."""
    name = f"t{uuid.uuid4().hex}"
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    head, _, query = database_url.partition("?")
    yield f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def test_of_many_that_start_on_an_empty_database_one_makes_the_tables(fresh_url: str) -> None:
    stores = await asyncio.gather(
        *(Store.open(fresh_url, patience=0.5) for _ in range(5)), return_exceptions=True
    )
    assert [type(one) for one in stores].count(LeaseHeld) == 4
    (owner,) = [one for one in stores if isinstance(one, Store)]
    await owner.commit([Save(call(1))])
    await owner.close()


async def test_records_of_the_version_before_are_at_their_first_version(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await asyncpg.connect(fresh_url)
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "HEAD", "0004")
        await old.execute(migrate.upgrade_sql(PostgresqlEngine(fresh_url).dialect, ""))
    await old.execute(
        "INSERT INTO voice_registrations VALUES ('SR1', 'AC', 0, 0, '', '', '', '', 0, 0, '', 0)"
    )
    await old.close()
    store = await Store.open(fresh_url)
    found = await store.get_versioned(Registration, "SR1")
    assert found is not None
    assert found[1] == 1
    await store.close()
