"""Who gets in at ``/webchat/v1``, from where, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from ringback.effects import Save
from ringback.kernel.origins import cors, read_origins
from ringback.kernel.setting import SettingsError
from ringback.resources.api.account import Account
from ringback.resources.conversations.participant import Participant
from ringback.testing.world import world
from ringback.web.routes import Rule
from ringback.web.webchat import waiting
from ringback.web.webchat.pace import Pace
from tests.web.webchat.chatting import Chat

PAGE = "https://shop.example"


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with world(tmp_path, web_chat_origins=f"{PAGE}, http://localhost:8000") as running:
        chat = await Chat(running).open()
        assert (await chat.begin())[0] == 201
        yield chat


async def test_whose_token_is_good(chat: Chat) -> None:
    """Every route, every odd token; what is good is good for one conversation."""
    product, now = chat.product, chat.product.clock.now()
    child = Account(
        sid=product.new_sid("AC"), account_sid=product.account_sid, auth_token="c" * 32, friendly_name="c",
        status="suspended",
    )  # fmt: skip
    await product.store.commit([Save(child)])
    mine, service = chat.token, {"chat": {"service_sid": chat.service}}
    other = chat.other_token
    await chat.begin(Identity="else")
    foreign, chat.identity, sid = chat.token, "x", chat.sid
    routes = [each for each in product.front.routes() if each.rule is Rule.VISITOR]
    assert {each.method for each in routes} == {"GET", "HEAD", "POST"}
    refused = {
        "": 401, "nonsense": 401, other(secret="x" * 32): 401, other(now=now - 9999): 401,
        other(grants={}): 403, other(grants={"chat": {}}): 403, other(grants={"voice": {}}): 403,
        other(identity=""): 403, other(grants=service | {"web_chat": {}}): 403,
        other(grants=service | {"web_chat": 7}): 403,
        other(account_sid=child.sid, key_sid=child.sid, secret=child.auth_token): 403,
        mine: 404, other(identity="nobody"): 404,
        other(identity="else", grants={"chat": {"service_sid": "IS" + "0" * 32}}): 404,
        other(identity="else", grants=service | {"web_chat": {"conversation_sid": "CH" + "0" * 32}}): 404,
    }  # fmt: skip
    for route in routes:
        if route.method == "HEAD":
            continue
        path = route.path.removeprefix("/webchat/v1/Conversations/{ConversationSid}")
        for token, status in refused.items():
            got, body = await chat.ask(route.method, path, token, sid=sid, Body="x")
            assert got == status, (route, token, body)
        for token in (foreign, other(identity="else")):  # the official library's is as good
            got, body = await chat.ask(route.method, path, token, sid=sid, Body="x")
            assert got in (200, 201), (route, body)
        got, _ = await chat.ask(route.method, path, foreign, sid="CH" + "0" * 32, Body="x")
        assert got == 404
    assert {body for _, body, _ in await chat.heard()} == {"x"}
    await product.clock.advance(6 * 3600 + 1)
    assert (await chat.ask("GET", token=foreign))[1]["code"] == 20104


async def test_a_visitor_is_no_worker(chat: Chat) -> None:
    """Neither with their token nor with one that the back end has made for the same identity."""
    for token in (chat.token, chat.other_token()):
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{chat.world.url}/frontline/v1/Worker") as answer,
        ):
            assert answer.status == 403


async def test_a_role_that_allows_no_writing(chat: Chat) -> None:
    """It is asked in the conversation's lane, as for any identity; who is removed is out."""
    role = (await chat.rest(
        f"Services/{chat.service}/Roles", FriendlyName="reader", Type="conversation", Permission="leaveConversation"
    ))["sid"]  # fmt: skip
    (person,) = await chat.product.store.find(Participant, conversation_sid=chat.sid)
    path = f"Services/{chat.service}/Conversations/{chat.sid}/Participants/{person.sid}"
    await chat.rest(path, RoleSid=role)
    status, refused = await chat.ask("POST", Body="hello")
    assert (status, refused["code"]) == (403, 50107)
    tab = asyncio.create_task(chat.ask("GET", Wait=25))
    async with asyncio.timeout(5):
        while not len(chat.product.web_chats):
            await asyncio.sleep(0.005)
        await chat.rest(path, "DELETE")
        assert (await tab)[0] == 404


async def test_bad_parameters(chat: Chat) -> None:
    for fields in (
        {"After": "x"},
        {"After": -2},
        {"PageSize": 0},
        {"PageSize": 101},
        {"Wait": 26},
        {"Wait": "²"},
    ):
        status, refused = await chat.ask("GET", **fields)  # type: ignore[arg-type]
        assert (status, refused["code"]) == (400, 20001), fields
    for fields, code in (
        ({}, 20001), ({"Body": "x" * 1601}, 50504), ({"MediaSid": "ME" + "0" * 32}, 20404), ({"MediaSid": "?"}, 20404),
    ):  # fmt: skip
        assert (await chat.ask("POST", **fields))[1]["code"] == code
    assert (await chat.ask("DELETE"))[0] == 405
    assert (await chat.ask("GET", "/Nothing"))[0] == 404


async def test_a_file(chat: Chat) -> None:
    """Put into the media store by the browser, shown to everybody; nobody attaches another's upload."""
    url = f"{chat.world.url}/mcs/v1/Services/{chat.service}/Media?Filename=note.txt"
    uploads = []
    for headers in ({"X-Twilio-Token": chat.token}, chat.known):
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(url, data=b"see attached", headers={"Content-Type": "text/plain"}) as answer,
        ):
            assert answer.status == 201
            uploads.append((await answer.json())["sid"])
    assert (await chat.ask("POST", MediaSid=uploads[1]))[1]["code"] == 20404
    status, made = await chat.ask("POST", MediaSid=uploads[0], Body="look")
    assert status == 201, made
    (file,) = made["media"]
    assert (file["content_type"], file["filename"], file["size"]) == ("text/plain", "note.txt", 12)
    assert await chat.world.download(file["url"]) == b"see attached"


async def test_pages_of_other_origins(chat: Chat) -> None:
    """Those of the settings alone; refusals are theirs to read, too."""
    url = f"{chat.world.url}/webchat/v1/Conversations/{chat.sid}/Messages"
    async with aiohttp.ClientSession() as session:
        for origin, allowed in (
            (PAGE, PAGE),
            ("http://localhost:8000", "http://localhost:8000"),
            ("https://evil.example", None),
        ):
            for method in ("OPTIONS", "GET"):
                async with session.request(method, url, headers={"Origin": origin}) as answer:
                    assert answer.headers.get("Access-Control-Allow-Origin") == allowed
                    assert "Access-Control-Allow-Credentials" not in answer.headers
                    assert answer.headers["Vary"] == "Origin"
                    assert answer.status == (204 if method == "OPTIONS" else 401)


def test_no_origin_is_allowed_by_default() -> None:
    assert cors(read_origins(""), PAGE) == {}
    for text in (
        "*",
        "shop.example",
        "https://shop.example/",
        "https://a.example,*",
        "null",
        "https://*.example",
    ):
        with pytest.raises(SettingsError, match="RINGBACK_WEB_CHAT_ORIGINS"):
            read_origins(text)
    assert read_origins("http://[::1]:8000, https://a.b") == {"http://[::1]:8000", "https://a.b"}


async def test_too_many_messages(chat: Chat) -> None:
    """One customer's pace; what was refused was not written, and time heals."""
    codes = [(await chat.ask("POST", Body=str(each)))[1].get("code") for each in range(22)]
    assert codes[:20] == [None] * 20
    assert codes[-1] == 45719
    await chat.product.clock.advance(2)
    assert (await chat.ask("POST", Body="again"))[0] == 201
    assert len(await chat.heard()) == codes.count(None) + 1


async def test_too_many_new_chats(chat: Chat) -> None:
    found = [await chat.begin() for _ in range(61)]
    assert (found[-1][0], found[-1][1]["code"]) == (429, 45719)


async def test_too_many_wait(chat: Chat) -> None:
    """Of one customer, and in all; a stop lets everybody go with an answer."""
    tabs = [asyncio.create_task(chat.ask("GET", Wait=25)) for _ in range(waiting.MOST_OF_IDENTITY)]
    async with asyncio.timeout(5):
        while len(chat.product.web_chats) < waiting.MOST_OF_IDENTITY:
            await asyncio.sleep(0.005)
        status, refused = await chat.ask("GET", Wait=25)
        assert (status, refused["code"]) == (429, 20429)
        assert (await chat.ask("GET"))[0] == 200
        chat.product.web_chats.close()
        assert [status for status, _ in await asyncio.gather(*tabs)] == [200] * waiting.MOST_OF_IDENTITY
        assert (await chat.ask("GET", Wait=25))[0] == 200
    assert len(chat.product.web_chats) == 0


async def test_a_wait_ends_by_itself(chat: Chat) -> None:
    async with asyncio.timeout(5):
        assert await chat.ask("GET", Wait=1) == (200, {"messages": [], "state": "active", "more": False})


def test_waiting_is_bounded_for_accounts_and_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST", 3)
    monkeypatch.setattr(waiting, "MOST_OF_ACCOUNT", 2)
    there = waiting.Waiting()
    with there.place("CH1", "AC1", "a"), there.place("CH2", "AC1", "b"):
        with pytest.raises(waiting.Refused), there.place("CH3", "AC1", "c"):
            pass
        with there.place("CH3", "AC2", "c"), pytest.raises(waiting.Refused), there.place("CH4", "AC3", "d"):
            pass
    assert len(there) == 0
    assert not there._there
    assert not there._counts


def test_a_pace() -> None:
    now = [0.0]
    pace = Pace(60, 2, lambda: now[0])
    assert [pace.take("a") for _ in range(3)] == [True, True, False]
    assert pace.take("b")
    now[0] = 1.0
    assert [pace.take("a") for _ in range(2)] == [True, False]
    now[0] = 0.0  # a clock that goes back gives nothing
    assert not pace.take("a")
