"""While a SQLite file is locked, or its disk is full, nothing is lost, and everybody hears what is true."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.outage import fill, small_disk

from ringback.effects import Save
from ringback.resources.api.call import Call
from ringback.store import Store, Unavailable, backlog

AC = "AC" + "1" * 32


def call(number: int, **values: object) -> Call:
    return Call(sid=f"CA{number:032x}", account_sid=AC, **values)  # type: ignore[arg-type]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path}/ringback.db")
    yield opened
    await opened.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.execute("ROLLBACK")
    other.close()


async def until(what: Any) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.01)


async def test_a_locked_file_keeps_every_write_in_its_order(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(backlog, "HURRY", 1.2)
    heard: list[tuple[str, bool]] = []
    store.watch(lambda why, seconds, said: heard.append((why, said)))
    told: list[Any] = []
    with locked(tmp_path / "ringback.db"):
        began = asyncio.get_running_loop().time()
        await until(lambda: store.broken)  # nobody writes: it looks by itself
        assert asyncio.get_running_loop().time() - began < 2
        waiting = [
            asyncio.ensure_future(store.commit([Save(call(1, duration=number))])) for number in range(700)
        ]
        await asyncio.sleep(0)
        assert await store.commit_or_keep([Save(call(1, duration=1000))], told.append) is None
        store.commit_soon([Save(call(2))])
        hurried = store.hurried()
        with pytest.raises(Unavailable, match="locked"):
            await hurried.commit([Save(call(3))])
        with pytest.raises(Unavailable, match="locked"):
            await hurried.commit([Save(call(3))])
        assert (await hurried.find(Call), store.refusing, store.figures()["store_waiting"] >= 700) == (
            [],
            True,
            True,
        )
        assert not any(each.done() for each in waiting)
    await asyncio.gather(*waiting)
    await until(lambda: told and not store.broken)
    assert told == [[]]
    assert {one.sid: one.duration for one in await store.find(Call)} == {call(1).sid: 1000, call(2).sid: None}
    assert [said for _, said in heard] == [True, True]
    assert [one.levelname for one in caplog.records] == ["ERROR", "WARNING"], "two lines for 700 writes"
    assert store.figures()["store_kept_bytes"] == 0


async def test_memory_is_bounded(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "KEPT_BYTES", 100_000)
    with locked(tmp_path / "ringback.db"):
        await until(lambda: store.broken)
        kept = 0
        why = ""
        while not why:
            try:
                await store.commit_or_keep([Save(call(kept))], lambda result: None)
                kept += 1
            except Unavailable as error:
                why = error.message
        assert "no more is taken" in why
        store.commit_soon([Save(call(5000))])
    await until(lambda: not store.broken)
    assert await store.count(Call) == kept
    assert store.figures()["store_refused_writes_total"] == 2


async def test_a_writer_that_dies_meanwhile_changes_nothing(store: Store, tmp_path: Path) -> None:
    with locked(tmp_path / "ringback.db"):
        await until(lambda: store.broken)
        waiting = [asyncio.ensure_future(store.commit([Save(call(number))])) for number in range(50)]
        await asyncio.sleep(0)
        link = store._engine._writer.keeper.link  # type: ignore[attr-defined]
        link.kill()
        await asyncio.sleep(0.3)
    await asyncio.gather(*waiting)
    assert await store.count(Call) == 50


async def test_a_stop_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ringback.store.sqlite_process._STOP", 0.2)
    store = await Store.open(f"sqlite:///{tmp_path}/ringback.db")
    with locked(tmp_path / "ringback.db"):
        await until(lambda: store.broken)
        waiting = asyncio.ensure_future(store.commit([Save(call(1))]))
        await asyncio.sleep(0)
        await store.close()
    with pytest.raises(Exception, match="stopped before"):
        await waiting
    assert "writes are lost" in caplog.text


async def test_a_file_that_is_taken_away_is_told(store: Store, tmp_path: Path) -> None:
    (tmp_path / "ringback.db").rename(tmp_path / "elsewhere.db")
    await until(lambda: store.broken)
    assert "removed or replaced" in store.broken


async def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "HURRY", 0.5)
    with small_disk(tmp_path / "disk", 16) as disk:
        store = await Store.open(f"sqlite:///{disk}/ringback.db")
        await store.commit([Save(call(1))])
        filler = fill(disk)
        big = "x" * 100_000
        waiting = [
            asyncio.ensure_future(store.commit([Save(call(number, caller_name=big))]))
            for number in range(2, 60)
        ]
        await until(lambda: store.broken)
        assert "full" in store.broken
        with pytest.raises(Unavailable, match="full"):
            await store.hurried().commit([Save(call(100))])
        filler.unlink()
        await asyncio.gather(*waiting)
        assert await store.count(Call) == 59
        await store.close()
