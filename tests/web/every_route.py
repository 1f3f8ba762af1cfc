"""The whole product with several accounts, and requests to it without a socket, for ``test_every_route.py``."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ringback.effects import Save
from ringback.resources import all_nouns
from ringback.resources.api.account import Account
from ringback.resources.api.call import Call
from ringback.resources.api.key import Key
from ringback.resources.api.recording import Recording
from ringback.testing.world import World
from ringback.web.auth import make_token
from ringback.web.routes import SOCKET, Route

FORM = b"application/x-www-form-urlencoded"


@dataclass
class Reply:
    """What came back."""

    status: int
    body: bytes

    @property
    def code(self) -> int | None:
        """Of an error."""
        found = json.loads(self.body) if self.body[:1] == b"{" else {}
        return found.get("code") or found.get("twilioErrorCode")


def basic(user: str, password: str) -> bytes:
    """An ``Authorization`` header."""
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())


class Town:
    """Accounts of every kind, and things of the first one."""

    def __init__(self, world: World) -> None:
        self.world, self.product = world, world.product
        self.main = self.product.account_sid
        self.headers: dict[str, bytes] = {}
        """Kind of credentials → header."""
        self.accounts: dict[str, Account] = {}
        self.keys: dict[str, Key] = {}
        self.sids: dict[str, str] = {}
        """Last fixed word of a path → SID of a thing of the first account."""
        self.workspaces: dict[str, tuple[str, str]] = {}
        """Account → its workspace and worker."""

    async def open(self) -> Town:
        """Make everything."""
        store, known = self.product.store, self.product.credentials
        main = await store.get(Account, self.main)
        assert main is not None
        self.accounts["main"] = main
        for name, owner, status in (
            ("stranger", "stranger", "active"), ("child", "main", "active"), ("suspended", "main", "active"),
            ("closed", "main", "active"), ("dormant", "main", "active"), ("orphan", "dormant", "active"),
        ):  # fmt: skip
            sid = self.product.new_sid("AC")
            owner_sid = sid if owner == name else self.accounts[owner].sid
            made = Account(
                sid=sid, account_sid=owner_sid, auth_token=(name * 32)[:32], friendly_name=name, status=status
            )
            self.accounts[name] = made
            await store.commit([Save(made)])
        for name, owner, is_main in (
            ("standard", "main", False), ("mainkey", "main", True), ("revoked", "main", True),
            ("childkey", "child", True), ("suspendedkey", "suspended", True),
        ):  # fmt: skip
            sid, owner_sid = self.product.new_sid("SK"), self.accounts[owner].sid
            self.keys[name] = Key(sid=sid, account_sid=owner_sid, secret=(name * 32)[:32], main=is_main)
            await store.commit([Save(self.keys[name])])
        for name, account in self.accounts.items():
            self.headers[name] = basic(account.sid, account.auth_token)
        for name, key in self.keys.items():
            self.headers[name] = basic(key.sid, key.secret)
        self.headers |= {
            "none": b"", "wrong": basic(self.main, "wrong"), "garbage": b"Basic \xff\xfe",
            "empty": basic(self.main, ""),
            "test": basic(known.test_account_sid, known.test_auth_token), "nobody": basic("AC" + "9" * 32, ""),
        }  # fmt: skip
        for name in ("main", "child", "stranger", "suspended", "closed", "orphan"):
            await self._office(name)
        self.headers["token"] = b"Bearer " + self.token("main").encode()
        await self._things()
        await self._end_some()
        return self

    async def _office(self, name: str) -> None:
        header = self.headers[name]
        reply = await self.ask("POST", "/taskrouter/v1/Workspaces", header, {"FriendlyName": name})
        workspace = json.loads(reply.body)["sid"]
        reply = await self.ask(
            "POST", f"/taskrouter/v1/Workspaces/{workspace}/Workers", header, {"FriendlyName": "alice"}
        )
        self.workspaces[name] = (workspace, json.loads(reply.body)["sid"])

    async def _things(self) -> None:
        """One of everything that can be made at once."""
        store, new_sid = self.product.store, self.product.new_sid
        call = Call(sid=new_sid("CA"), account_sid=self.main, status="completed", to="+15550100")
        recording = Recording(sid=new_sid("RE"), account_sid=self.main, call_sid=call.sid, status="completed")
        await store.commit([Save(call), Save(recording)])
        party = self.product.simulator.place("+15551230001", "+15559990000", account_sid=self.main)
        workspace, worker = self.workspaces["main"]
        made = await self.ask(
            "POST", "/conversations/v1/Services", self.headers["main"], {"FriendlyName": "s"}
        )
        service = json.loads(made.body)["sid"]
        path = f"/mcs/v1/Services/{service}/Media"
        media = json.loads((await self.ask("POST", path, self.headers["main"], raw=b"secret")).body)
        self.sids = {
            "Services": service, "Media": media["sid"], "Content": media["sid"],
            "Accounts": self.main, "Calls": call.sid, "Recordings": recording.sid, "Workspaces": workspace,
            "Workers": worker, "Keys": self.keys["standard"].sid, "sim": party, "Numbers": "+15551110000",
            "Countries": "US", "PhoneNumbers": "+14155550100",
        }  # fmt: skip
        below = f"/taskrouter/v1/Workspaces/{workspace}"
        for word, path, fields in (
            ("TaskQueues", f"{below}/TaskQueues", {"FriendlyName": "q"}),
            ("Activities", f"{below}/Activities", {"FriendlyName": "a"}),
            ("Applications", f"/2010-04-01/Accounts/{self.main}/Applications.json", {"FriendlyName": "a"}),
            ("Queues", f"/2010-04-01/Accounts/{self.main}/Queues.json", {"FriendlyName": "q"}),
            (
                "IncomingPhoneNumbers", f"/2010-04-01/Accounts/{self.main}/IncomingPhoneNumbers.json",
                {"PhoneNumber": "+15550177"},
            ),
        ):  # fmt: skip
            reply = await self.ask("POST", path, self.headers["main"], fields)
            assert reply.status in (200, 201), (path, reply)
            self.sids[word] = json.loads(reply.body)["sid"]

    async def _end_some(self) -> None:
        """Suspend, close, withdraw; by the API where it goes by the API."""
        for name, status in (("suspended", "suspended"), ("closed", "closed"), ("dormant", "suspended")):
            path = f"/2010-04-01/Accounts/{self.accounts[name].sid}.json"
            assert (await self.ask("POST", path, self.headers["main"], {"Status": status})).status == 200
        path = f"/2010-04-01/Accounts/{self.main}/Keys/{self.keys['revoked'].sid}.json"
        assert (await self.ask("GET", path, self.headers["revoked"])).status == 200
        assert (await self.ask("DELETE", path, self.headers["main"])).status == 204

    # --- credentials -----------------------------------------------------------------------------------

    def token(self, account: str, *, signer: str = "", office: str = "", **changes: Any) -> str:
        """An access token of an account for the worker of ``office``; ``signer``: by which key, or by itself."""
        owner = self.accounts[account]
        workspace, worker = self.workspaces[office or account]
        key = self.keys.get(signer)
        grant = {"workspace_sid": workspace, "worker_sid": worker, "role": "worker"} | changes.pop(
            "grant", {}
        )
        options: dict[str, Any] = {
            "account_sid": owner.sid, "key_sid": key.sid if key else owner.sid,
            "secret": key.secret if key else owner.auth_token, "identity": "alice", "grants": {"task_router": grant},
            "now": self.product.clock.now(),
        }  # fmt: skip
        return make_token(**(options | changes))

    # --- requests --------------------------------------------------------------------------------------

    def path(self, route: Route, account: str = "main") -> str:
        """The route's path with things of the first account; what it has none of is well formed at least."""
        parts = route.path.split("/")
        for index, part in enumerate(parts):
            name, suffix = re.fullmatch(r"(\{\w+\})?(.*)", part).groups()  # type: ignore[union-attr]
            if name == "{AccountSid}":
                parts[index] = self.accounts[account].sid
            elif name is not None:
                word = "sim" if parts[1] == "sim" and parts[index - 1] == "Calls" else parts[index - 1]
                parts[index] = self.sids.get(word, "XX" + "0" * 32) + suffix
        if account != "main" and parts[-2] == "Accounts":
            parts[-1] = self.accounts[account].sid
        path = "/".join(parts)
        return path + ".json" if path.startswith("/2010-04-01") and "." not in parts[-1] else path

    async def ask(
        self, method: str, path: str, header: bytes = b"", fields: Any = (), raw: bytes | None = None,
        **more: bytes,
    ) -> Reply:  # fmt: skip
        """One request; ``raw`` in place of a form."""
        body = urlencode(dict(fields)).encode() if raw is None else raw
        query, body = (body, b"") if method in ("GET", "HEAD", "DELETE") else (b"", body)
        found = {b"host": b"localhost", b"content-type": FORM, b"content-length": str(len(body)).encode()}
        found |= {name.replace("_", "-").encode(): value for name, value in more.items()}
        if header:
            found[b"authorization"] = header
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": query, "headers": list(found.items()), "root_path": "",
            "client": ("192.0.2.9", 4711), "server": ("127.0.0.1", 8080),
        }  # fmt: skip
        sent: list[Any] = []

        given: list[bytes] = [body]

        async def receive() -> dict[str, Any]:
            if not given:  # the client waits for its answer
                await asyncio.Event().wait()
            return {"type": "http.request", "body": given.pop(), "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.product.front(scope, receive, send)
        return Reply(sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:]))

    async def socket(self, path: str, token: str) -> int:
        """The HTTP status of an upgrade; 101 when it is taken."""
        scope = {
            "type": "websocket", "path": path, "query_string": urlencode({"token": token}).encode(),
            "headers": [(b"host", b"localhost")], "extensions": {"websocket.http.response": {}},
        }  # fmt: skip
        to_server: asyncio.Queue[Any] = asyncio.Queue()
        to_server.put_nowait({"type": "websocket.connect"})
        status: list[int] = []

        async def send(message: Any) -> None:
            if message["type"] == "websocket.accept":
                status.append(101)
            elif message["type"] == "websocket.http.response.start":
                status.append(message["status"])
            elif message["type"] == "websocket.close":
                status.append(403)
            for _ in range(2):
                to_server.put_nowait({"type": "websocket.disconnect", "code": 1006})

        await self.product.front(scope, to_server.get, send)
        return status[0]

    async def as_agent(self, route: Route, token: str) -> int:
        """Status of a request to a route for agents."""
        path = route.path
        if route.method == SOCKET:
            return await self.socket(path, token)
        if path.endswith("wschannels"):
            workspace = self.workspaces["main"][0]
            asked = {
                "url": f"Workspaces/{workspace}/Activities",
                "method": "GET",
                "params": {},
                "token": token,
            }
            more = {} if path.startswith("/event-bridge") else {"host": b"event-bridge.test"}
            return (await self.ask(route.method, path, raw=json.dumps(asked).encode(), **more)).status
        fields = {"Token": token, "recordingSid": self.sids["Recordings"]}
        return (await self.ask(route.method, path, b"", fields)).status

    async def belongings(self) -> dict[str, list[Any]]:
        """Everything that the first account has in the store, but for what is only told of requests."""
        found = {}
        stored = self.product.store.metadata.tables
        for noun in (each for each in all_nouns() if each.__noun__.table in stored):
            found[noun.__name__] = await self.product.store.find(noun, account_sid=self.main)
        return found
