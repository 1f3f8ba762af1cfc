"""Files of texts: fetched from the carrier and kept; a conversation's file goes out by a signed URL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from tests.web.mcs.test_message_media import PNG, Thread

from ringback.resources.mcs.media_file import MediaFile
from ringback.testing.world import world

NUMBER, CUSTOMER = "+15550100", "+15551230001"


@pytest.fixture
async def thread(tmp_path: Path) -> AsyncIterator[Thread]:
    async with world(tmp_path) as town, aiohttp.ClientSession() as session:
        await town.post("IncomingPhoneNumbers", PhoneNumber=NUMBER, SmsUrl=town.app("/sms", "<Response/>"))
        yield await Thread(town, session).open()


async def test_a_picture_comes_in(thread: Thread) -> None:
    """The SMS URL is told our own URL, which leads to the file although the carrier's has gone."""
    town = thread.world
    url = town.app("/carrier/cat.jpg", lambda _: web.Response(body=PNG, content_type="image/jpeg"))
    asked = {"from": CUSTOMER, "to": NUMBER, "body": "look", "media": [url]}
    sid = (await town.sim("POST", "Messages", asked))["sid"]
    await town.settled()
    for _ in range(100):
        if town.requests("/sms"):
            break
        await asyncio.sleep(0.01)
    (told,) = town.requests("/sms")
    assert (told["NumMedia"], told["MediaContentType0"]) == ("1", "image/png")
    assert told["MediaUrl0"].startswith(
        f"{town.url}/2010-04-01/Accounts/{town.product.account_sid}/Messages/{sid}/Media/ME"
    )
    town.app("/carrier/cat.jpg", lambda _: web.Response(status=404))
    assert await town.download(told["MediaUrl0"]) == PNG  # follows the 307
    assert len(town.requests("/carrier/cat.jpg")) == 1
    listed = await town.get(f"Messages/{sid}/Media")
    assert [each["parent_sid"] for each in listed["media_list"]] == [sid]
    (file,) = await town.product.store.find(MediaFile, message_sid=sid)
    assert file.size == len(PNG)
    async with thread.session.get(told["MediaUrl0"], allow_redirects=False) as answer:
        assert answer.status == 401


async def test_a_conversations_picture_goes_out(thread: Thread) -> None:
    """As MediaUrl, for a day, to whoever has the URL."""
    town = thread.world
    await thread.ask(
        "POST", f"/conversations/v1/Conversations/{thread.sid}/Participants",
        data={"MessagingBinding.Address": CUSTOMER, "MessagingBinding.ProxyAddress": NUMBER},
    )  # fmt: skip
    await thread.write(MediaSid=await thread.upload(), Author="alice")
    await town.settled()
    for _ in range(200):
        got = (await town.sim("GET", f"Messages?address={CUSTOMER.replace('+', '%2B')}"))["messages"]
        if got:
            break
        await asyncio.sleep(0.01)
    ((url,),) = [each["media"] for each in got]
    async with thread.session.get(url) as answer:
        assert (answer.status, await answer.read()) == (200, PNG)
    await town.advance(86_401)
    async with thread.session.get(url) as answer:
        assert answer.status == 403


async def test_a_picture_comes_into_a_conversation(thread: Thread) -> None:
    """The conversation takes the file over: those who are in it may fetch it, and it goes with their message."""
    town = thread.world
    await thread.ask(
        "POST", f"/conversations/v1/Conversations/{thread.sid}/Participants",
        data={"MessagingBinding.Address": CUSTOMER, "MessagingBinding.ProxyAddress": NUMBER},
    )  # fmt: skip
    url = town.app("/carrier/cat.jpg", lambda _: web.Response(body=PNG, content_type="image/jpeg"))
    await town.sim("POST", "Messages", {"from": CUSTOMER, "to": NUMBER, "body": "", "media": [url]})
    await town.settled()
    path = f"/conversations/v1/Conversations/{thread.sid}/Messages"
    for _ in range(200):
        listed = (await thread.ask("GET", path, 200))["messages"]
        if listed:
            break
        await asyncio.sleep(0.01)
    (message,) = listed
    (file,) = message["media"]
    assert (file["content_type"], file["size"], file["filename"]) == ("image/png", len(PNG), "cat.jpg")
    shown = await thread.ask("GET", f"/mcs/v1/Services/{thread.service}/Media/{file['sid']}", 200)
    assert (shown["channel_sid"], shown["message_sid"]) == (thread.sid, message["sid"])
    await thread.ask("DELETE", f"{path}/{message['sid']}", 204)
    await thread.gone()
