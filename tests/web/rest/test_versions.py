"""ETag and If-Match (rest-conventions.md §8), with a noun declared here."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

from ringback.effects import Save
from ringback.kernel.resource import CRUD, Record, field, resource
from ringback.kernel.sid import SidMaker
from ringback.resources.api.account import Account
from ringback.store import Store
from ringback.store.engine import metadata_ddl
from ringback.store.sqlite import SqliteEngine
from ringback.web.rest import RestSettings, build_rest
from tests.web.rest.test_fuzz import AC, ask


@resource(
    "/v1/Tasks", product="taskrouter", sid="WT", key="tasks", can=CRUD, etag=True, links=("reservations",)
)
class Task(Record):
    """A piece of work."""

    attributes: dict[str, Any] = field(dict, write=True, wire="text")
    """Free JSON."""


async def test_a_stale_version_changes_nothing(tmp_path: Path) -> None:
    engine = SqliteEngine(str(tmp_path / "db"))
    store = Store(engine, (Task, Account))
    await engine.open()
    await engine.script(metadata_ddl(store.metadata, engine.dialect))
    await store.commit([Save(Account(sid=AC, account_sid=AC, auth_token="secret"))])
    app = build_rest(
        store,
        (Task, Account),
        {},
        RestSettings(
            public_url="http://h",
            now=time.time,
            make_sid=SidMaker(time.time, random.getrandbits),
            make_secret=str,
        ),
    )
    status, headers, body = await ask(app, "POST", "/taskrouter/v1/Tasks", b"Attributes=%7B%22a%22%3A1%7D")
    task = json.loads(body)
    assert (status, task["attributes"]) == (201, '{"a":1}')
    path = f"/taskrouter/v1/Tasks/{task['sid']}"
    assert task["url"] == "http://h" + path
    assert task["links"] == {"reservations": f"http://h{path}/Reservations"}
    assert task["date_created"].endswith("Z")
    first = headers[b"etag"]
    status, headers, _ = await ask(app, "POST", path, b"Attributes={}", if_match=first)
    assert status == 200
    assert headers[b"etag"] != first
    status, _, body = await ask(app, "POST", path, b"Attributes=%7B%22a%22%3A3%7D", if_match=first)
    assert (status, json.loads(body)["code"]) == (412, 20412)
    assert json.loads((await ask(app, "GET", path))[2])["attributes"] == "{}"
    assert (await ask(app, "DELETE", path, if_match=first))[0] == 412
    assert (await ask(app, "DELETE", path, if_match=headers[b"etag"]))[0] == 204
    await store.close()
