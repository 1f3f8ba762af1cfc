"""Requests to the REST API are carried out so many at a time, and the accounts take turns."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from ringback.effects import Save
from ringback.kernel.sid import SidMaker
from ringback.resources import all_nouns
from ringback.resources.api.account import Account
from ringback.store import Store
from ringback.web.nouns import collect
from ringback.web.rest import RestSettings, application, build_rest
from tests.web.ports import ports
from tests.web.rest.test_fuzz import ask

A, B = "AC" + "a" * 32, "AC" + "b" * 32


def credentials(sid: str) -> bytes:
    """An Authorization header."""
    return b"Basic " + base64.b64encode(f"{sid}:secret".encode())


async def test_a_flood_of_one_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A's requests hang: B's is answered at once; A's line has an end, and then it is told 429."""
    store = await Store.open(f"sqlite:///{tmp_path / 'db'}")
    await store.commit([Save(Account(sid=sid, account_sid=sid, auth_token="secret")) for sid in (A, B)])
    make_sid, gate, began = SidMaker(time.time, random.getrandbits), asyncio.Event(), 0
    monkeypatch.setattr(application, "LONGEST_LINE", 5)
    app = build_rest(
        store, all_nouns(), collect(ports(store, tmp_path, make_sid, time.time)),
        RestSettings(
            public_url="http://localhost", now=time.time, make_sid=make_sid, make_secret=lambda: "0" * 32, at_once=4
        ),
    )  # fmt: skip
    run = application.generic.run

    async def slowly(ctx: Any, target: Any, operation: str) -> Any:
        nonlocal began
        if ctx.account.sid == A:
            began += 1
            await gate.wait()
        return await run(ctx, target, operation)

    monkeypatch.setattr(application.generic, "run", slowly)

    async def calls(sid: str) -> tuple[int, Any]:
        status, _, body = await ask(
            app, "GET", f"/2010-04-01/Accounts/{sid}/Calls.json", authorization=credentials(sid)
        )
        return status, json.loads(body)

    flood = [asyncio.create_task(calls(A)) for _ in range(10)]
    async with asyncio.timeout(5):
        while began < 3 or app.figures()["api_requests_waiting"] < 5:
            await asyncio.sleep(0)
        assert (await calls(B))[0] == 200
    assert app.figures() == {"api_requests": 3, "api_requests_waiting": 5}
    gate.set()
    answers = await asyncio.gather(*flood)
    assert sorted(status for status, _ in answers) == [200] * 8 + [429] * 2
    assert next(body["code"] for status, body in answers if status == 429) == 20429
    assert app.figures() == {"api_requests": 0, "api_requests_waiting": 0}
    await store.close()
