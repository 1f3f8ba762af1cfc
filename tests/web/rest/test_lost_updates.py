"""Two who read the same record and then write it: no change of either is lost (rest-conventions.md §8)."""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ringback.effects import Delete, Save
from ringback.kernel.sid import SidMaker
from ringback.resources import all_nouns
from ringback.resources.api.account import Account
from ringback.resources.api.application import Application
from ringback.store import Store
from ringback.web.rest import RestSettings, build_rest
from ringback.web.rest.generic import TRIES
from tests.web.rest.test_fuzz import AC, ask

AP = "AP" + "1" * 32
PATH = f"/2010-04-01/Accounts/{AC}/Applications/{AP}.json"


class Rival:
    """Another process: it writes each time after the REST side has read, as often as it is told."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = store
        self.times = 0
        self.spared = 0
        """Reads before the first write."""
        self.deletes = False
        read = store.get_versioned

        async def get_versioned(record: Any, sid: str, account_sid: str | None = None) -> Any:
            found = await read(record, sid, account_sid)
            self.spared -= 1
            if self.times and self.spared < 0:
                self.times -= 1
                await self.write()
            return found

        monkeypatch.setattr(store, "get_versioned", get_versioned)

    async def write(self) -> None:
        one = await self.store.get(Application, AP)
        assert one is not None
        if self.deletes:
            await self.store.commit([Delete(one)])
        else:
            one.voice_url = (one.voice_url or "http://rival/") + "+"
            await self.store.commit([Save(one)])


@pytest.fixture
async def rival(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rival]:
    store = await Store.open(f"sqlite:///{tmp_path / 'db'}")
    await store.commit(
        [
            Save(Account(sid=AC, account_sid=AC, auth_token="secret")),
            Save(Application(sid=AP, account_sid=AC, friendly_name="old")),
        ]
    )
    yield Rival(store, monkeypatch)
    await store.close()


@pytest.fixture
def app(rival: Rival) -> Any:
    settings = RestSettings(
        public_url="http://h", now=time.time, make_sid=SidMaker(time.time, random.getrandbits), make_secret=str
    )  # fmt: skip
    return build_rest(rival.store, all_nouns(), {}, settings)


async def test_an_update_keeps_what_another_wrote_meanwhile(app: Any, rival: Rival) -> None:
    rival.times = 3  # the first look for the record, and two tries
    status, _, body = await ask(app, "POST", PATH, b"FriendlyName=new")
    assert status == 200
    shown = json.loads(body)
    assert (shown["friendly_name"], shown["voice_url"]) == ("new", "http://rival/+++")
    assert "row_version" not in shown
    kept = await rival.store.get(Application, AP)
    assert kept is not None
    assert (kept.friendly_name, kept.voice_url) == ("new", "http://rival/+++")


async def test_a_record_that_others_keep_writing_is_given_up(app: Any, rival: Rival) -> None:
    for method in ("POST", "DELETE"):
        rival.times = 1 + TRIES
        status, _, body = await ask(app, method, PATH, b"FriendlyName=new" if method == "POST" else b"")
        assert (status, json.loads(body)["code"]) == (409, 20409)
        assert rival.times == 0
    kept = await rival.store.get(Application, AP)
    assert kept is not None
    assert kept.friendly_name == "old"


async def test_a_delete_is_tried_again(app: Any, rival: Rival) -> None:
    rival.times = 2
    assert (await ask(app, "DELETE", PATH))[0] == 204


async def test_an_update_does_not_bring_back_what_another_removed(app: Any, rival: Rival) -> None:
    rival.spared, rival.times, rival.deletes = 1, 1, True  # between the reading and the writing
    assert (await ask(app, "POST", PATH, b"FriendlyName=new"))[0] == 404
    assert await rival.store.get(Application, AP) is None
