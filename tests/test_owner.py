"""What the other commands say of a database that a server has open."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from ringback import doctor, reconcile, serve
from ringback.settings import Settings
from ringback.store import Store


def settings(url: str, folder: Path) -> Settings:
    return Settings(data_dir=folder, database_url=url, http="127.0.0.1:9", sip="off")


async def owner(given: Settings) -> doctor.Finding:
    (found,) = await asyncio.to_thread(lambda: list(doctor.check_owner(given)))
    return found


async def test_the_doctor_says_who_owns_the_database(database_url: str, tmp_path: Path) -> None:
    given = settings(database_url, tmp_path)
    assert (await owner(given)).level == "ok"
    store = await Store.open(database_url)
    found = await owner(given)
    expected = "error" if database_url.startswith("sqlite") else "warning"  # here a standby may be meant
    assert found.level == expected, "no server of ours answers at the address of the settings"
    who = "a Ringback on this machine" if "sqlite" in database_url else f"process {os.getpid()} on "
    assert f"owned by {who}" in found.text
    await store.close()
    assert (await owner(given)).text == "the database is free"


async def test_reconcile_leaves_a_database_alone_that_a_server_owns(
    store: Store, database_url: str, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match=r"another Ringback is running|owned by process"):
        await reconcile.offline(settings(database_url, tmp_path), 0.0, None)


def test_sqlite_has_no_standby(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert serve.main(["--standby"]) == 2
    assert "needs PostgreSQL" in capsys.readouterr().err
