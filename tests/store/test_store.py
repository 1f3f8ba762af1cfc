"""The store on both databases."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from tests.conftest import DATABASES

from ringback.effects import ClearDeadline, Delete, Save, SendWebhook, SetDeadline
from ringback.events import HangUpRequested
from ringback.kernel.lane import Lane
from ringback.resources import all_nouns
from ringback.resources.api.application import Application
from ringback.resources.api.call import Call
from ringback.store import Condition, LogHttp, Message, MessageDone, OutboxDone, Query, Store, migrate
from ringback.store.engine import metadata_ddl
from ringback.store.sql import Statement
from ringback.store.tables import tables

AC = "AC" + "1" * 32


def call(number: int, **values: object) -> Call:
    return Call(sid=f"CA{number:032x}", account_sid=AC, **values)  # type: ignore[arg-type]


def hook(key: str) -> SendWebhook:
    return SendWebhook(
        key=key,
        account_sid=AC,
        url="http://h/#rc=2",
        method="POST",
        params=[("A", "1"), ("A", "ü")],
        token="t",
    )


async def test_a_record_comes_back_as_it_was(store: Store) -> None:
    one = call(1, plan={"urls": ["ü", None, 1.5]}, duration=None, start_time=1.25, status="ringing")
    await store.commit([Save(one)])
    assert await store.get(Call, one.sid) == one
    assert await store.get(Call, one.sid, "AC" + "2" * 32) is None
    application = Application(sid="AP" + "1" * 32, account_sid=AC, voice_caller_id_lookup=True)
    await store.commit([Save(application)])
    again = await store.get(Application, application.sid)
    assert again == application
    assert again.voice_caller_id_lookup is True
    one.status = "completed"
    await store.commit([Save(one)])
    assert (await store.find(Call, status="completed")) == [one]
    await store.commit([Delete(one)])
    assert await store.get(Call, one.sid) is None


async def test_indexed_values_change_too(store: Store) -> None:
    """Alone, with others, back to nothing, and by a second record that keeps its own."""
    one, two = call(1, status="queued", to="+1", direction="inbound"), call(2, status="queued", to="+1")
    await store.commit([Save(one), Save(two)])
    for values in (
        {"status": "ringing"},
        {"to": "+2", "duration": 5},
        {"start_time": 2.5},
        {"start_time": None},
    ):
        for name, value in values.items():
            setattr(one, name, value)
        await store.commit([Save(one)])
        assert await store.get(Call, one.sid) == one
        assert [each.sid for each in await store.find(Call, status="queued")] == (
            [two.sid] if one.status != "queued" else [two.sid, one.sid]
        )
    assert await store.find(Call, to="+2") == [one]
    assert await store.find(Call, to="+1") == [two] == [await store.get(Call, two.sid)]


async def test_the_last_of_several_writes_in_one_commit_holds(store: Store) -> None:
    first, second, other = call(1, status="queued"), call(1, status="ringing"), call(2, status="queued")
    await store.commit([Save(first), hook("a"), Save(other), Save(second)])
    assert await store.find(Call) == [other, second]
    await store.commit([Save(second), Delete(second), Save(other)])
    assert await store.find(Call) == [other]
    await store.commit([Delete(other), Save(other), Save(first)])
    assert await store.find(Call) == [other, first]


async def test_what_is_written_is_what_it_was_at_the_commit(store: Store) -> None:
    one = call(1, status="queued")
    written = asyncio.ensure_future(store.commit([Save(one)]))
    await asyncio.sleep(0)
    one.status = "changed"
    await written
    assert (await store.get(Call, one.sid)).status == "queued"  # type: ignore[union-attr]


async def test_pages_in_both_directions(store: Store) -> None:
    await store.commit([Save(call(number, status="a" if number % 2 else "b")) for number in range(10)])
    only = [Condition("status", "=", "a")]
    first = await store.page(Call, Query(conditions=only, limit=2))
    assert [one.sid[-1] for one in first.records] == ["9", "7"]
    assert (first.more_after, first.more_before) == (True, False)
    second = await store.page(Call, Query(conditions=only, limit=2, after=first.records[-1].sid))
    assert [one.sid[-1] for one in second.records] == ["5", "3"]
    back = await store.page(Call, Query(conditions=only, limit=2, before=second.records[0].sid))
    assert back.records == first.records
    assert back.more_before is False
    last = await store.page(Call, Query(conditions=only, limit=2, after=second.records[-1].sid))
    assert ([one.sid[-1] for one in last.records], last.more_after) == (["1"], False)
    assert await store.count(Call, status=("a", "b")) == 10
    assert await store.find(Call, status=()) == []


async def test_a_failing_commit_fails_alone(store: Store) -> None:
    bad = call(500)
    bad.to = None  # type: ignore[assignment]
    tasks = [store.commit([Save(call(number)), hook(f"k{number}")]) for number in range(20)]
    results = await asyncio.gather(*tasks, store.commit([Save(call(501)), Save(bad)]), return_exceptions=True)
    assert isinstance(results[-1], Exception)
    assert not any(isinstance(result, BaseException) for result in results[:-1])
    assert await store.count(Call) == 20
    assert await store.get(Call, call(501).sid) is None
    assert len(await store.owed()) == 20


async def test_outbox_timers_and_log(database_url: str) -> None:
    store = await Store.open(database_url)
    owed = await store.commit([hook("a"), hook("b")])
    assert [row.what.key for row in owed] == ["a", "b"]
    await store.commit(
        [
            OutboxDone(owed[0].sid),
            SetDeadline(lane=Lane("call", "x"), name="n", at=2.0),
            SetDeadline(lane=Lane("call", "x"), name="n", at=3.0),
            SetDeadline(lane=Lane("call", "y"), name="n", at=1.0),
        ]
    )
    await store.commit([ClearDeadline(lane=Lane("call", "y"), name="n")])
    for number in range(3):
        store.commit_soon([LogHttp(account_sid=AC, resource_sid="CA", at=number, method="GET", url="u")])
    await store.close()
    again = await Store.open(database_url)
    try:
        assert await again.owed() == [owed[1]]
        assert await again.deadlines() == [(Lane("call", "x"), "n", 3.0)]
        assert (await again.commit([hook("c")]))[0].sid > owed[1].sid
        entries = await again.requests_of("CA")
        assert [entry.request.at for entry in entries] == [0.0, 1.0, 2.0]
        assert len(await again.requests_of("CA", after=entries[0].id)) == 2
    finally:
        await again.close()


async def test_nul_characters_are_taken_out(store: Store) -> None:
    one = call(1, to="a\0b")
    await store.commit([Save(one)])
    assert (await store.get(Call, one.sid)).to == "ab"  # type: ignore[union-attr]


async def test_an_up_to_date_database_is_opened_again(database_url: str) -> None:
    for _ in range(2):
        store = await Store.open(database_url)
        await store.close()


def test_the_migrations_make_exactly_the_declared_tables() -> None:
    engine = sa.create_engine("sqlite://")
    metadata = tables(all_nouns())
    with engine.connect() as connection:
        connection.connection.executescript(migrate.upgrade_sql(engine.dialect, ""))  # type: ignore[attr-defined]
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    assert ScriptDirectory(str(migrate._SCRIPTS)).get_current_head() == migrate.HEAD


@pytest.mark.skipif("postgresql" not in DATABASES, reason="SQLite alone was asked for")
async def test_the_migrations_make_the_declared_tables_on_postgresql_too(postgresql_server: str) -> None:
    """Both descriptions side by side, each in its own schema."""
    shapes = []
    dialect = postgresql.dialect()
    for script in (migrate.upgrade_sql(dialect, ""), metadata_ddl(tables(all_nouns()), dialect)):
        connection = await asyncpg.connect(postgresql_server)
        try:
            await connection.execute("BEGIN; CREATE SCHEMA shape; SET LOCAL search_path TO shape")
            await connection.execute(script)
            columns = await connection.fetch(
                "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
                "WHERE table_schema = 'shape' AND table_name <> 'alembic_version'"
            )
            indexes = await connection.fetch(
                "SELECT regexp_replace(indexdef, '_pkey[0-9]+', '_pkey') FROM pg_indexes "
                "WHERE schemaname = 'shape' AND tablename <> 'alembic_version'"
            )
            shapes.append({tuple(row) for row in [*columns, *indexes]})
        finally:
            await connection.close()  # and nothing of it is kept
    assert shapes[0] ^ shapes[1] == set()
    assert len(shapes[0]) > 500


async def test_the_migrated_columns_are_those_of_the_declarations(store: Store) -> None:
    """On this very database: every table of the declarations answers with exactly their columns."""
    for table in store.metadata.tables.values():
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        assert list(await store._engine.rows(f"SELECT {names} FROM {table.name} WHERE 1 = 0", ())) == []
    assert metadata_ddl(store.metadata, store._engine.dialect).count("CREATE TABLE") == len(
        store.metadata.tables
    )


def test_urls_of_other_databases_are_refused() -> None:
    from ringback.store.store import make_engine

    with pytest.raises(ValueError, match="sqlite:///path"):
        make_engine("mysql://x")


async def test_messages_come_back_in_order_and_one_that_cannot_be_read_stops_nothing(store: Store) -> None:
    sent = [Message(store.new_sid("MG"), HangUpRequested(call_sid=f"CA{n}", reason="api")) for n in range(3)]
    await store.commit(sent)
    alien = Statement(store._sql.upsert("messages"), ("MG0", "EventOfTomorrow", "{}", None), "messages")
    await store._engine.write([alien])
    assert await store.messages() == sent
    rows = await store._engine.rows("SELECT sid, failed FROM messages WHERE failed IS NOT NULL", ())
    assert [(row[0], "EventOfTomorrow" in row[1]) for row in rows] == [("MG0", True)]
    await store.commit([MessageDone(sent[1].sid)])
    assert await store.messages() == [sent[0], sent[2]]
