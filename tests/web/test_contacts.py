"""Registrations in the store, on both databases; a data directory of the revision before them is brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ringback.effects import Save
from ringback.resources.api.application import Application
from ringback.resources.voice.registration import Registration
from ringback.store import Store, migrate
from ringback.web.contacts import Contacts

AC = "AC" + "1" * 32


def contact(port: int = 5060, **values: Any) -> dict[str, Any]:
    return {
        "phone": "alice", "contact": f"sip:alice@10.0.0.4:{port}", "next_hop": f"198.51.100.7:{port}",
        "transport": "udp", "quality": 0.5, "expires": 1234.5, "sip_call_id": "x@y", "cseq": 7,
    } | values  # fmt: skip


async def test_contacts_come_back_and_go(store: Store) -> None:
    times = iter((10.0, 10.0, 20.0, 30.0))
    kept = Contacts(store, AC, lambda: next(times))
    await kept.keep([contact(), contact(5070)], [])
    assert sorted(await kept.load(), key=str) == sorted([contact(), contact(5070)], key=str)
    again = Contacts(store, AC, lambda: next(times))
    await again.load()
    await again.keep([contact(expires=2000.0)], [contact(5070)])
    (record,) = await store.find(Registration)
    assert (record.expires, record.account_sid, record.sid[:2]) == (2000.0, AC, "RP")
    assert (record.date_created, record.date_updated) == (10.0, 20.0)
    await again.keep([], [])


async def test_a_data_directory_of_the_revision_before_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ringback.db"
    monkeypatch.setattr(migrate, "HEAD", "0003")
    script = migrate.upgrade_sql(sa.create_engine("sqlite://").dialect, "")
    monkeypatch.undo()
    with sqlite3.connect(path) as old:
        old.executescript(script)
        assert not old.execute("SELECT 1 FROM sqlite_master WHERE name = 'voice_registrations'").fetchall()
    old.close()
    store = await Store.open(f"sqlite:///{path}")
    try:
        await Contacts(store, AC, lambda: 1.0).keep([contact()], [])
        await store.commit([Save(Application(sid="AP" + "1" * 32, account_sid=AC))])
    finally:
        await store.close()
    again = await Store.open(f"sqlite:///{path}")
    assert await Contacts(again, AC, lambda: 1.0).load() == [contact()]
    await again.close()
