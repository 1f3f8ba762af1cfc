"""TaskRouter behind the real REST application, with its memory and a store; no socket."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ringback.effects import Answer, Save
from ringback.events import Event
from ringback.kernel.sid import SidMaker
from ringback.resources import all_nouns
from ringback.resources.api.account import Account
from ringback.store import Store
from ringback.taskrouter.expression import Expression, compile_expression
from ringback.taskrouter.router import TaskRouter
from ringback.web.nouns import collect
from ringback.web.rest import RestApplication, RestSettings, build_rest
from tests.web.ports import ports
from tests.web.rest.test_fuzz import AC, ask


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[bytes, bytes]
    body: Any

    @property
    def refusal(self) -> tuple[int, int]:
        """Status and code."""
        return self.status, self.body["code"]


class Counted:
    """An expression whose uses are counted."""

    def __init__(self, expression: Expression, kit: Kit) -> None:
        self._expression, self._kit = expression, kit
        self.constants = expression.constants

    def __call__(
        self, worker: Mapping[str, Any], task: Mapping[str, Any], counts: Mapping[str, int], /
    ) -> bool:
        self._kit.evaluated += 1
        return self._expression(worker, task, counts)


class Kit:
    """One account, one workspace."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.now = 1_800_000_000.0
        self.new_sid = SidMaker(lambda: self.now, random.Random(1).getrandbits)
        self.store = store
        self.taskrouter = TaskRouter(self.new_sid)
        self.events: list[Any] = []
        self.folder = folder
        self.app: RestApplication
        self.build(compile_expression=self.compile)
        self.ws = ""
        self.evaluated = 0
        """How often expressions of readers were asked."""

    def build(self, test_account_sid: str = "", test_auth_token: str = "", **given: Any) -> None:
        """Make the application; ``given`` replaces ports."""
        asked = ports(
            self.store,
            self.folder,
            self.new_sid,
            lambda: self.now,
            **{"ask": self.ask, "taskrouter": self.taskrouter} | given,
        )
        settings = RestSettings(
            public_url="http://h", now=lambda: self.now, make_sid=self.new_sid, make_secret=str,
            test_account_sid=test_account_sid, test_auth_token=test_auth_token,
        )  # fmt: skip
        self.app = build_rest(self.store, all_nouns(), collect(asked), settings)

    def compile(self, text: str, scope: Any) -> Counted:
        """An expression that counts its uses."""
        return Counted(compile_expression(text, scope), self)

    async def ask(self, event: Event) -> Any:
        """Stands for the runtime."""
        self.events.append(event)
        effects = list(self.taskrouter.handle(event, self.now))
        await self.store.commit([each for each in effects if each.committed])
        return next((each.value for each in effects if isinstance(each, Answer)), None)

    async def call(self, method: str, path: str, params: Any = None, **headers: bytes) -> Reply:
        """A request; ``path`` below the workspace unless it begins with a slash."""
        at = (
            f"/taskrouter/v1{path}" if path.startswith("/") else f"/taskrouter/v1/Workspaces/{self.ws}/{path}"
        )
        at = at.rstrip("/")
        text = urlencode(params or {}, doseq=True).encode()
        body, query = (text, b"") if method == "POST" else (b"", text)
        status, answered, content = await ask(self.app, method, at, body, query, **headers)
        return Reply(status, answered, json.loads(content) if content else None)

    async def post(self, path: str, /, **params: Any) -> Any:
        """A write that must succeed: the record."""
        reply = await self.call("POST", path, params)
        assert reply.status in (200, 201), reply.body
        return reply.body

    async def get(self, path: str, /, **params: Any) -> Any:
        """A read that must succeed."""
        reply = await self.call("GET", path, params)
        assert reply.status == 200, reply.body
        return reply.body

    async def list(self, path: str, show: str = "friendly_name", /, **params: Any) -> list[Any]:
        """One key of each record of the first page."""
        body = await self.get(path, **params)
        return [each[show] for each in body[body["meta"]["key"]]]

    async def activity(self, name: str) -> str:
        """SID of an activity."""
        return str((await self.get("Activities", FriendlyName=name))["activities"][0]["sid"])

    async def worker(self, name: str, activity: str = "Offline", **attributes: Any) -> dict[str, Any]:
        """A new worker."""
        found: dict[str, Any] = await self.post(
            "Workers",
            FriendlyName=name,
            ActivitySid=await self.activity(activity),
            Attributes=json.dumps(attributes),
        )
        return found

    async def routed(self, target_workers: str = "1==1") -> tuple[str, str]:
        """A queue, and a workflow that sends everything there: their SIDs."""
        queue = (await self.post("TaskQueues", FriendlyName="Everyone", TargetWorkers=target_workers))["sid"]
        rules = {"task_routing": {"default_filter": {"queue": queue}}}
        workflow = await self.post("Workflows", FriendlyName="Rules", Configuration=json.dumps(rules))
        return queue, workflow["sid"]


@asynccontextmanager
async def kit_in(folder: Path) -> AsyncIterator[Kit]:
    """A kit with a workspace."""
    store = await Store.open(f"sqlite:///{folder / 'db'}")
    await store.commit([Save(Account(sid=AC, account_sid=AC, auth_token="secret"))])
    kit = Kit(store, folder)
    kit.ws = (await kit.post("/Workspaces", FriendlyName="Desk"))["sid"]
    yield kit
    await store.close()
