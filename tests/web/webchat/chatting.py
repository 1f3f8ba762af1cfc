"""A page with a web chat, and what the customer's browser asks in it."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
from aiohttp import web

from ringback.testing.world import World
from ringback.web.auth import make_token


class Chat:
    """A service with an address configuration; one customer at a time writes, others come with their token."""

    def __init__(self, running: World) -> None:
        self.world, self.product = running, running.product
        self.service = self.address = self.sid = self.identity = self.token = ""
        self.status = 200
        """Of the answers to pre-event webhooks."""
        self.changes: dict[str, Any] = {}
        """What they change: event → JSON."""

    async def open(self, **auto: str) -> Chat:
        """Make the configuration (``AutoCreation.…``), and the webhooks of the service."""
        self.service = (await self.rest("Services", FriendlyName="Shop"))["sid"]
        values = {"AutoCreation.Enabled": "true", "AutoCreation.ConversationServiceSid": self.service, **auto}
        made = await self.rest("Configuration/Addresses", Type="chat", Address="the shop's page", **values)
        self.address = made["sid"]
        pre, post = self.world.app("/pre", self._pre), self.world.app("/post", "")
        path = f"{self.world.url}/conversations/v1/Services/{self.service}/Configuration/Webhooks"
        kinds = (
            "onConversationAdd",
            "onMessageAdd",
            "onConversationAdded",
            "onParticipantAdded",
            "onMessageAdded",
        )
        form = [("PreWebhookUrl", pre), ("PostWebhookUrl", post), *(("Filters", kind) for kind in kinds)]
        async with (
            aiohttp.ClientSession(headers=self.known) as session,
            session.post(path, data=form) as answer,
        ):
            assert answer.status == 200, await answer.text()
        return self

    @property
    def known(self) -> dict[str, str]:
        """The account's credentials."""
        product = self.product
        return {"Authorization": aiohttp.encode_basic_auth(product.account_sid, product.auth_token)}

    def _pre(self, form: dict[str, str]) -> web.Response:
        changed = self.changes.get(form["EventType"], {})
        return web.Response(status=self.status, text=json.dumps(changed), content_type="application/json")

    async def rest(self, path: str, method: str = "POST", **fields: str) -> Any:
        """The Conversations API, as the account."""
        return await self.world._ask(method, f"/conversations/v1/{path}", data=fields or None)

    async def begin(self, host: str = "", **fields: str) -> tuple[int, Any]:
        """What the page's back end does; remembers the customer's token."""
        path = "/v2/WebChats" if host else "/flex-api/v2/WebChats"
        headers = self.known | ({"Host": host} if host else {})
        form = {"AddressSid": self.address, **fields}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(self.world.url + path, data=form) as answer,
        ):
            found = await answer.json()
            if answer.status == 201:
                self.sid, self.identity, self.token = (
                    found["conversation_sid"], found["identity"], found["token"],
                )  # fmt: skip
            return answer.status, found

    async def ask(
        self, method: str, path: str = "/Messages", token: str | None = None, sid: str = "", **fields: Any
    ) -> tuple[int, Any]:
        """What the browser does."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        url = f"{self.world.url}/webchat/v1/Conversations/{sid or self.sid}{path}"
        query, body = (fields, None) if method == "GET" else (None, fields)
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, url, params=query, json=body) as answer,
        ):
            return answer.status, await answer.json()

    async def says(self, body: str, **fields: str) -> Any:
        """The customer writes."""
        status, found = await self.ask("POST", Body=body, **fields)
        assert status in (200, 201), found
        return found

    async def answers(self, body: str, author: str = "alice") -> Any:
        """The worker writes, by REST."""
        path = f"Services/{self.service}/Conversations/{self.sid}/Messages"
        return await self.rest(path, Author=author, Body=body)

    async def heard(self, **fields: Any) -> list[tuple[int, str, bool]]:
        """Index, body and whose, of what the browser is shown."""
        status, found = await self.ask("GET", **fields)
        assert status == 200, found
        return [(each["index"], each["body"], each["own"]) for each in found["messages"]]

    def other_token(self, **changes: Any) -> str:
        """As the official library makes it."""
        product = self.product
        options: dict[str, Any] = {
            "account_sid": product.account_sid, "key_sid": product.account_sid, "secret": product.auth_token,
            "identity": self.identity, "grants": {"chat": {"service_sid": self.service}},
            "now": product.clock.now(),
        }  # fmt: skip
        return make_token(**(options | changes))
