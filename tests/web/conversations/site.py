"""The REST side of Conversations without a socket: two accounts, and what is asked of the lanes."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ringback.effects import Save
from ringback.kernel.sid import SidMaker
from ringback.resources import all_nouns
from ringback.resources.api.account import Account
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.participant import Participant
from ringback.store import Store
from ringback.web import audit
from ringback.web.nouns import collect
from ringback.web.rest import RestApplication, RestSettings, build_rest
from tests.web.ports import ports
from tests.web.rest.test_fuzz import AC, ask

OTHER = "AC" + "2" * 32
BASE = "/conversations/v1"
make_sid = SidMaker(time.time, random.getrandbits)


class Site:
    """One running REST side."""

    def __init__(self, app: RestApplication, store: Store) -> None:
        self.app, self.store = app, store
        self.told: list[Any] = []
        """Events that were handed in."""
        self.removed = 0
        """How often a service was removed."""

    async def __call__(
        self, method: str, path: str, account: str = AC, **form: str | list[str]
    ) -> tuple[int, Any]:
        """One request; parameters with dots are written with two underscores. Gives status and body."""
        pairs = {name.replace("__", "."): value for name, value in form.items()}
        coded = urlencode(pairs, doseq=True).encode()
        token = b"Basic " + base64.b64encode(f"{account}:secret".encode())
        body, query = (coded, b"") if method == "POST" else (b"", coded)
        path, _, more = path.partition("?")
        status, _, answer = await ask(
            self.app, method, BASE + path, body, query or more.encode(), authorization=token
        )
        return status, json.loads(answer) if answer else None

    async def service(self, account: str = AC) -> str:
        """SID of a new service."""
        status, made = await self("POST", "/Services", account, FriendlyName="One")
        assert status == 201
        return str(made["sid"])

    async def conversation(self, service: str, **values: Any) -> Conversation:
        """A stored conversation."""
        now = time.time()
        made = Conversation(
            sid=make_sid("CH"), account_sid=AC, chat_service_sid=service, date_created=now, date_updated=now,
            **values,
        )  # fmt: skip
        await self.store.commit([Save(made)])
        return made

    async def participant(self, conversation: Conversation, **values: Any) -> Participant:
        """A stored participant."""
        now = time.time()
        made = Participant(
            sid=make_sid("MB"), account_sid=AC, chat_service_sid=conversation.chat_service_sid,
            conversation_sid=conversation.sid, date_created=now, date_updated=now, **values,
        )  # fmt: skip
        await self.store.commit([Save(made)])
        return made


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Site]:
    """A site in a folder; events are noted, and nobody carries them out."""
    store = await Store.open(f"sqlite:///{folder / 'db'}")
    await store.commit([Save(Account(sid=sid, account_sid=sid, auth_token="secret")) for sid in (AC, OTHER)])
    site: Site

    async def note(event: Any) -> Any:
        site.told.append(event)

    def removed() -> None:
        site.removed += 1

    given = ports(store, folder, make_sid, time.time, ask=note, service_removed=removed)
    settings = RestSettings(
        public_url="http://h",
        now=time.time,
        make_sid=make_sid,
        make_secret=lambda: "0" * 32,
        audit=audit.entry,
    )
    site = Site(build_rest(store, all_nouns(), collect(given), settings), store)
    yield site
    await store.close()
