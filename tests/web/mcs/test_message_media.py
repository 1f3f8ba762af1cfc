"""Files of conversations' messages: taken, told, given to participants, gone with their message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ringback.resources.mcs.media_file import MediaFile
from ringback.testing.world import World, world

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 500


class Thread:
    """A conversation of the default service."""

    def __init__(self, town: World, session: aiohttp.ClientSession) -> None:
        self.world, self.product, self.session = town, town.product, session
        self.sid = self.service = ""

    async def ask(self, method: str, path: str, wanted: int = 201, **more: Any) -> Any:
        """A request with the account's credentials."""
        known = self.product
        headers = {
            "Authorization": aiohttp.encode_basic_auth(known.account_sid, known.auth_token),
            "X-Twilio-Webhook-Enabled": "true",
        }
        async with self.session.request(method, self.world.url + path, headers=headers, **more) as answer:
            body = await answer.read()
            assert answer.status == wanted, (path, answer.status, body)
            return json.loads(body) if body else None

    async def open(self) -> Thread:
        """Make it, with a webhook for messages."""
        made = await self.ask("POST", "/conversations/v1/Conversations", data={"FriendlyName": "x"})
        self.sid, self.service = made["sid"], made["chat_service_sid"]
        url = self.world.app("/heard", "<Response/>")
        await self.ask(
            "POST", f"/conversations/v1/Conversations/{self.sid}/Webhooks",
            data={"Target": "webhook", "Configuration.Url": url, "Configuration.Filters": "onMessageAdded"},
        )  # fmt: skip
        return self

    async def upload(self) -> str:
        """A picture."""
        made = await self.ask("POST", f"/mcs/v1/Services/{self.service}/Media?Filename=a.png", data=PNG)
        return str(made["sid"])

    async def write(self, wanted: int = 201, **fields: str) -> Any:
        """A message."""
        path = f"/conversations/v1/Services/{self.service}/Conversations/{self.sid}/Messages"
        return await self.ask("POST", path, wanted, data=fields)

    def files(self) -> list[str]:
        """In the data directory."""
        return sorted(
            each.name for each in (self.product.settings.data_dir / "media").rglob("*") if each.is_file()
        )

    async def gone(self) -> None:
        """Wait until nothing is left."""
        await self.world.settled()
        await self.product.media.close()
        assert self.files() == []
        assert await self.product.store.count(MediaFile, account_sid=self.product.account_sid) == 0


@pytest.fixture
async def thread(tmp_path: Path) -> AsyncIterator[Thread]:
    async with world(tmp_path) as town, aiohttp.ClientSession() as session:
        yield await Thread(town, session).open()


async def test_a_message_with_a_file(thread: Thread) -> None:
    """Its facts in the message and in the webhook; a second message cannot take it; it goes with its message."""
    sid = await thread.upload()
    made = await thread.write(MediaSid=sid)
    facts = {
        "sid": sid,
        "category": "media",
        "content_type": "image/png",
        "filename": "a.png",
        "size": len(PNG),
    }
    assert made["media"] == [facts]
    await thread.world.settled()
    (heard,) = thread.world.requests("/heard")
    told = json.loads(heard["Media"])
    assert [{name: each.get(name, each.get("".join(p.title() for p in name.split("_")))) for name in facts}
            for each in told] == [facts]  # fmt: skip
    record = await thread.product.store.get(MediaFile, sid)
    assert record is not None
    assert (record.message_sid, record.conversation_sid) == (made["sid"], thread.sid)
    await thread.write(400, MediaSid=sid)
    await thread.write(404, MediaSid="ME" + "0" * 32)
    path = f"/conversations/v1/Conversations/{thread.sid}/Messages/{made['sid']}"
    await thread.ask("DELETE", path, 204)
    await thread.gone()


async def test_files_go_with_the_conversation(thread: Thread) -> None:
    for _ in range(3):
        await thread.write(MediaSid=await thread.upload())
    await thread.ask("DELETE", f"/conversations/v1/Conversations/{thread.sid}", 204)
    await thread.gone()


async def test_two_messages_want_the_same_file_at_once(thread: Thread) -> None:
    """One of them at least has it; the file is the first one's."""
    sid = await thread.upload()
    answers = await asyncio.gather(
        *(thread.write(MediaSid=sid, Body=str(n)) for n in range(2)), return_exceptions=True
    )
    made = [each for each in answers if isinstance(each, dict)]
    assert made
    record = await thread.product.store.get(MediaFile, sid)
    assert record is not None
    assert record.message_sid == made[0]["sid"] or len(made) == 2
