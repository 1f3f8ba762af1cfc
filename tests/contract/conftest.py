"""A real server on a loopback port, with an account, for the official client."""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from twilio.rest import Client

from ringback.effects import Save
from ringback.kernel.errors import Refused
from ringback.kernel.sid import SidMaker
from ringback.resources import all_nouns
from ringback.resources.api.account import Account
from ringback.resources.api.call import Call
from ringback.resources.api.recording import Recording
from ringback.runtime.stored import on
from ringback.store import Store
from ringback.voice.recording import retention
from ringback.web import audit
from ringback.web.nouns import collect
from ringback.web.nouns.api.call import CallRules
from ringback.web.rest import Context, RestApplication, RestSettings, build_rest
from tests.contract.hook import RingbackClient
from tests.web.ports import ports

TOKEN = "f" * 32
TEST_TOKEN = "e" * 32
TEST_SID = "AC" + "e" * 32


class StoringCalls(CallRules):
    """Stands for the voice core: keeps the call and does nothing else."""

    async def create(self, ctx: Context, params: dict[str, list[str]]) -> Call:
        if "To" not in params:
            raise Refused(21201, "No 'To' number is specified")
        call = Call(
            sid=ctx.services.settings.make_sid("CA"),
            account_sid=ctx.account.sid,
            to=params["To"][-1],
            from_=params.get("From", [""])[-1],
            direction="outbound-api",
            date_created=ctx.now,
            date_updated=ctx.now,
        )
        await ctx.store.commit([Save(call)])
        return call

    async def update(self, ctx: Context, params: dict[str, list[str]]) -> Any:
        ctx.record.status = params["Status"][-1]
        await ctx.store.commit([Save(ctx.record)])
        return ctx.record

    async def delete(self, ctx: Context, params: dict[str, list[str]]) -> None:
        raise Refused(20009, "Cannot delete a call that has not ended")


@dataclass
class Site:
    """The running server."""

    base: str
    client: Client
    store: Store
    account: Account
    app: RestApplication
    recordings: Path
    make_sid: SidMaker

    async def do(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the (blocking) client in a thread."""
        return await asyncio.to_thread(function, *args, **kwargs)

    def client_of(self, sid: str, token: str, account: str | None = None) -> Client:
        return Client(sid, token, account, http_client=RingbackClient(self.base))


@pytest.fixture
async def site(store: Store, tmp_path: Path) -> AsyncIterator[Site]:
    """Everything, on a port that the system chose."""
    make_sid = SidMaker(time.time, random.getrandbits)
    account = Account(
        sid=make_sid("AC"),
        account_sid="",
        friendly_name="First",
        auth_token=TOKEN,
        date_created=time.time(),
        date_updated=time.time(),
    )
    account.account_sid = account.sid
    await store.commit([Save(account)])
    listener = socket.socket(proto=socket.IPPROTO_TCP)  # see web/server.py
    listener.bind(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    counter = itertools.count(1)
    settings = RestSettings(
        public_url=base,
        now=time.time,
        make_sid=make_sid,
        make_secret=lambda: f"{next(counter):032x}",
        audit=audit.entry,
        test_account_sid=TEST_SID,
        test_auth_token=TEST_TOKEN,
    )

    async def remove(event: Any) -> None:
        record = await store.get(Recording, event.sid)
        _, effects = on(Recording)(retention.step).handle(record, event, time.time())
        await store.commit([effect for effect in effects if effect.committed])

    asked = ports(store, tmp_path, make_sid, time.time, ask=remove)
    rules = collect(asked) | {Call: StoringCalls(asked)}
    app = build_rest(store, all_nouns(), rules, settings)
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    client = Client(account.sid, TOKEN, http_client=RingbackClient(base))
    yield Site(base, client, store, account, app, tmp_path, make_sid)
    client.http_client.session.close()
    server.should_exit = True
    await task
    listener.close()
