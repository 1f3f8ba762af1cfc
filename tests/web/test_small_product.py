"""A product that no code knows, declared here: what a declaration and one class of rules are enough for.

It stands beside all real nouns, two of which (Participant, Recording) have names that it uses as well.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict
from urllib.parse import urlencode, urlsplit

import pytest

from ringback.effects import Save
from ringback.events import Event
from ringback.kernel.resource import CRUD, Record, field, resource
from ringback.kernel.sid import SidMaker
from ringback.resources import all_nouns
from ringback.resources.api.account import Account
from ringback.store import Store
from ringback.store.engine import metadata_ddl
from ringback.store.sqlite import SqliteEngine
from ringback.web.nouns import collect
from ringback.web.rest import Context, RestApplication, RestSettings, Rules, build_rest
from ringback.web.rest.openapi import openapi
from tests.web.docs.kit import docs_of
from tests.web.docs.kit import page as docs_page
from tests.web.ports import ports
from tests.web.rest.test_fuzz import AC, ask

BASE = "/rooms/v1/Rooms"
OTHER = "AC" + "2" * 32


def duration(text: str) -> str:
    """An ISO 8601 duration in minutes."""
    if not (text.startswith("PT") and text.endswith("M") and text[2:-1].isdigit()):
        raise ValueError("is not a duration")
    return text


class Quiet(TypedDict, total=False):
    """When nobody is to be disturbed."""

    enabled: Annotated[bool, field(False)]
    reason: str | None


class Timers(TypedDict, total=False):
    """When a room falls asleep."""

    inactive: Annotated[str | None, field(None, check=duration, code=50381)]
    closed: Annotated[str | None, field(None, check=duration, code=50382)]
    quiet: Quiet


@resource(
    "/v1/Rooms", product="rooms", sid="RM", key="rooms", can=CRUD, names="unique_name", sort="floor desc",
    links={"lobby": "/v1/Lobbies/{lobby}"},
)  # fmt: skip
class Room(Record):
    """A place to talk."""

    unique_name: str | None = field(None, write=True, unique="account")
    """Stands for the SID in a path."""
    floor: int = field(0, write=True)
    lobby: str | None = field(None, write=True)
    state: Literal["open", "closed"] = field("open", write=True, code=50377)
    timers: Timers = field(Timers, write=True)
    """When it falls asleep."""


@resource(
    "/v1/Rooms/{RoomSid}/Participants", product="rooms", sid="MB", key="participants", can=CRUD, names="identity"
)  # fmt: skip
class Participant(Record):
    """Who is in a room."""

    room_sid: str = field("", index=True)
    identity: str = field(required=True, unique="room_sid")
    messages: dict[str, Any] = field(dict, hidden=True)


@resource(
    "/v1/Rooms/{RoomSid}/Messages", product="rooms", sid="IM", key="messages", can=CRUD, live=("create",),
    sort="index asc|desc", takes={"create": {"Body": "What is said."}},
)  # fmt: skip
class Message(Record):
    """What is said in a room."""

    room_sid: str = field("", index=True)
    index: int = field(0)
    body: str = field("", write="update", filter=True)


@resource(
    "/v1/Rooms/{RoomSid}/Participants/{ParticipantSid}/Recordings", product="rooms", sid="RE", key="recordings",
    can=("list", "create", "fetch"),
)  # fmt: skip
class Recording(Record):
    """What a participant has kept: two parents above it."""

    room_sid: str = field("")
    participant_sid: str = field("")
    length: int = field(0, write=True)


NOUNS = (Room, Participant, Message, Recording)


class MessageRequested(Event, frozen=True, kw_only=True):
    """Somebody wants to say something."""

    message_sid: str
    room: Room
    body: str


class MessageRules(Rules):
    """A message is said by an event; the room counts."""

    noun = Message

    def __init__(self, hand_in: Any) -> None:
        self._ask = hand_in

    async def create(self, ctx: Context, params: dict[str, list[str]]) -> Any:
        """The core answers with the message."""
        room = await ctx.store.get(Room, ctx.args["RoomSid"])
        assert room is not None
        sid = ctx.services.settings.make_sid("IM")
        return await self._ask(MessageRequested(message_sid=sid, room=room, body=params["Body"][-1]))


class Site:
    """The product with its core."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.now, self.said = store, 1_800_000_000.0, 0
        make_sid = SidMaker(lambda: self.now, random.Random(1).getrandbits)
        self.nouns = (*all_nouns(), *NOUNS)
        settings = RestSettings(
            public_url="http://h", now=lambda: self.now, make_sid=make_sid, make_secret=str
        )
        rules = collect(ports(store, folder, make_sid, lambda: self.now)) | {Message: MessageRules(self.say)}
        self.app: RestApplication = build_rest(store, self.nouns, rules, settings)

    async def say(self, event: MessageRequested) -> Message:
        """The core: it numbers messages, in steps of ten."""
        self.said += 10
        made = Message(
            sid=event.message_sid, account_sid=event.room.account_sid, room_sid=event.room.sid,
            index=self.said, body=event.body, date_created=self.now, date_updated=self.now,
        )  # fmt: skip
        await self.store.commit([Save(made)])
        return made

    async def call(self, method: str, path: str, /, **params: Any) -> tuple[int, Any]:
        """Status and body; ``Timers__Inactive`` for ``Timers.Inactive``."""
        pairs = [(name.replace("__", "."), value) for name, value in params.items()]
        text = urlencode(pairs).encode()
        body, query = (text, b"") if method == "POST" else (b"", text)
        status, _, found = await ask(self.app, method, path, body, query)
        return status, json.loads(found) if found else None

    async def made(self, path: str, /, **params: Any) -> Any:
        """A create that must succeed."""
        status, body = await self.call("POST", path, **params)
        assert status == 201, body
        return body

    async def code(self, method: str, path: str, /, **params: Any) -> tuple[int, int]:
        """Status and code of a refusal."""
        status, body = await self.call(method, path, **params)
        return status, body["code"]

    async def pages(
        self, path: str, show: str, way: str = "next_page_url", /, **params: Any
    ) -> list[list[Any]]:
        """One key of the records of every page, as the links lead."""
        status, body = await self.call("GET", path, **params)
        found = []
        while True:
            assert status == 200, body
            found.append([each[show] for each in body[body["meta"]["key"]]])
            self.last = body
            url = body["meta"][way]
            if url is None:
                return found
            parts = urlsplit(url)
            status, _, text = await ask(self.app, "GET", parts.path, b"", parts.query.encode())
            body = json.loads(text)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """An account with nothing in it."""
    engine = SqliteEngine(str(tmp_path / "db"))
    store = Store(engine, (*all_nouns(), *NOUNS))
    await engine.open()
    await engine.script(metadata_ddl(store.metadata, engine.dialect))
    await store.commit([Save(Account(sid=AC, account_sid=AC, auth_token="secret"))])
    yield Site(store, tmp_path)
    await store.close()


async def test_a_name_stands_for_the_sid(site: Site) -> None:
    room = await site.made(BASE, UniqueName="blue", Lobby="east")
    assert room["links"] == {"lobby": "http://h/rooms/v1/Lobbies/east"}
    for word in ("blue", room["sid"], "RM" + room["sid"][2:].upper()):
        assert (await site.call("GET", f"{BASE}/{word}"))[1]["sid"] == room["sid"]
    assert await site.code("GET", f"{BASE}/green") == (404, 20404)
    assert await site.code("POST", BASE, UniqueName="blue") == (409, 20409)
    await site.store.commit([Save(Room(sid="RM" + "f" * 32, account_sid=OTHER, unique_name="green"))])
    assert await site.code("GET", f"{BASE}/green") == (404, 20404)  # another account's
    await site.made(BASE)
    await site.made(BASE)  # no name is no name twice
    status, renamed = await site.call("POST", f"{BASE}/blue", UniqueName="red")
    assert (status, renamed["unique_name"], renamed["links"]["lobby"][-4:]) == (200, "red", "east")
    assert (await site.call("DELETE", f"{BASE}/red"))[0] == 204


async def test_names_below_a_parent(site: Site) -> None:
    for name in ("blue", "red"):
        room = await site.made(BASE, UniqueName=name)
        bob = await site.made(f"{BASE}/{name}/Participants", Identity="bob")
        assert bob["room_sid"] == room["sid"]
        assert (await site.call("GET", f"{BASE}/{name}/Participants/bob"))[1]["sid"] == bob["sid"]
        assert await site.code("POST", f"{BASE}/{name}/Participants", Identity="bob") == (409, 20409)
    assert await site.code("GET", f"{BASE}/blue/Participants/{bob['sid']}") == (404, 20404)
    assert await site.code("POST", f"{BASE}/blue/Participants") == (400, 20001)


async def test_two_parents_and_a_name_that_two_products_have(site: Site) -> None:
    for name in ("blue", "red"):
        await site.made(BASE, UniqueName=name)
        bob = await site.made(f"{BASE}/{name}/Participants", Identity="bob")
        path = f"{BASE}/{name}/Participants/bob/Recordings"
        kept = await site.made(path, Length=3)
        assert (kept["participant_sid"], kept["room_sid"]) == (bob["sid"], bob["room_sid"])
        assert await site.pages(path, "sid") == [[kept["sid"]]]
        assert (await site.call("GET", f"{path}/{kept['sid']}"))[1] == kept
    # whose participant it is counts, and what is below whom
    assert await site.code("GET", f"{BASE}/blue/Participants/{bob['sid']}/Recordings") == (404, 20404)
    assert await site.code("GET", f"{BASE}/blue/Participants/bob/Recordings/{kept['sid']}") == (404, 20404)
    # the other product's are as they were
    assert (await site.call("GET", f"/2010-04-01/Accounts/{AC}/Recordings.json"))[1]["recordings"] == []


async def test_a_write_becomes_an_event(site: Site) -> None:
    await site.made(BASE, UniqueName="blue")
    said = await site.made(f"{BASE}/blue/Messages", Body="hello")
    assert (said["index"], said["body"]) == (10, "hello")
    status, changed = await site.call("POST", f"{BASE}/blue/Messages/{said['sid']}", Body="goodbye")
    assert (status, changed["body"], changed["index"]) == (200, "goodbye", 10)


async def test_both_ways_and_pages(site: Site) -> None:
    path = f"{BASE}/blue/Messages"
    await site.made(BASE, UniqueName="blue")
    for number in range(5):
        site.now -= 100  # the newest SID is the smallest: an order of its own is none of SIDs
        await site.made(path, Body=f"m{number}")
    upwards = [[10, 20], [30, 40], [50]]
    assert await site.pages(path, "index", PageSize=2) == upwards
    assert await site.pages(path, "index", PageSize=2, Order="ASC") == upwards
    assert await site.pages(path, "index", PageSize=2, Order="desc") == [[50, 40], [30, 20], [10]]
    assert "Order=desc" in site.last["meta"]["url"]
    back = urlsplit(site.last["meta"]["previous_page_url"])
    _, _, text = await ask(site.app, "GET", back.path, b"", back.query.encode())
    assert [each["index"] for each in json.loads(text)["messages"]] == [30, 20]
    assert await site.code("GET", path, Order="sideways") == (400, 20001)
    # a page goes on where it was when the record that its token names has gone
    _, body = await site.call("GET", path, PageSize=2)
    following = urlsplit(body["meta"]["next_page_url"])
    await site.call("DELETE", f"{path}/{body['messages'][-1]['sid']}")
    _, _, text = await ask(site.app, "GET", following.path, b"", following.query.encode())
    assert [each["index"] for each in json.loads(text)["messages"]] == [30, 40]


async def test_equal_values_are_in_the_order_of_the_sids(site: Site) -> None:
    for floor in (1, 2, 2, 2, 3):
        await site.made(BASE, Floor=floor)
    assert await site.pages(BASE, "floor", PageSize=2) == [[3, 2], [2, 2], [1]]
    found = [sid for page in await site.pages(BASE, "sid", PageSize=1) for sid in page]
    assert len(set(found)) == 5
    # this order has one direction: the parameter is one of the unknown, which are ignored
    assert await site.pages(BASE, "floor", PageSize=5, Order="asc") == [[3, 2, 2, 2, 1]]


@pytest.mark.parametrize(
    "token", ["", ".", ".x", '."a"', ".true", ".1.5", ".null", "." + "9" * 30, "." + "[" * 5000, "/1"]
)  # fmt: skip
async def test_a_token_that_cannot_be(site: Site, token: str) -> None:
    await site.made(BASE, UniqueName="blue")
    given = f"PAIM{'0' * 32}{token}"
    assert await site.code("GET", f"{BASE}/blue/Messages", PageToken=given) == (400, 20001)
    assert await site.code("GET", f"{BASE}/blue/Participants", PageToken=f"PAMB{'0' * 32}.1") == (400, 20001)


async def test_nested_objects(site: Site) -> None:
    nothing = {"inactive": None, "closed": None, "quiet": {"enabled": False, "reason": None}}
    assert (await site.made(BASE))["timers"] == nothing
    room = await site.made(BASE, UniqueName="blue", Timers__Inactive="PT5M", Timers__Quiet__Reason="night")
    assert room["timers"] == nothing | {"inactive": "PT5M", "quiet": {"enabled": False, "reason": "night"}}
    _, room = await site.call(
        "POST", f"{BASE}/blue", Timers__Closed="PT9M", Timers__Quiet__Enabled="true", Timers="{}"
    )
    assert room["timers"] == {
        "inactive": "PT5M", "closed": "PT9M", "quiet": {"enabled": True, "reason": "night"},
    }  # fmt: skip
    _, room = await site.call("POST", f"{BASE}/blue", Timers__Inactive="")
    assert (room["timers"]["inactive"], room["timers"]["closed"]) == (None, "PT9M")
    for param, code in (
        ("Timers__Inactive", 50381),
        ("Timers__Closed", 50382),
        ("Timers__Quiet__Enabled", 20001),
    ):
        assert await site.code("POST", BASE, **{param: "soon"}) == (400, code)


async def test_an_enum_has_its_own_code(site: Site) -> None:
    assert (await site.made(BASE, State="closed"))["state"] == "closed"
    assert await site.code("POST", BASE, State="ajar") == (400, 50377)


async def test_the_documentation(site: Site) -> None:
    described = json.loads((await ask(site.app, "GET", "/openapi.json"))[2])
    assert described == json.loads(json.dumps(openapi(site.nouns, "http://h")))
    create = described["paths"][BASE]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
    params = create["schema"]["properties"]
    assert {"Timers.Inactive", "Timers.Quiet.Enabled"} <= set(params)
    assert params["State"]["enum"] == ["open", "closed"]
    timers = described["components"]["schemas"]["Room"]["properties"]["timers"]
    assert timers["properties"]["quiet"]["properties"]["enabled"] == {"type": "boolean"}
    listed = described["paths"][f"{BASE}/{{RoomSid}}/Messages"]["get"]["parameters"]
    assert [each["name"] for each in listed] == ["RoomSid", "Body", "Order", "PageSize", "Page", "PageToken"]
    # two nouns of one name have a schema each
    answers = described["paths"][f"{BASE}/{{RoomSid}}/Participants"]["get"]["responses"]["200"]["content"]
    schema = answers["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert "identity" in described["components"]["schemas"][schema]["properties"]
    assert "call_sid" in described["components"]["schemas"]["Participant"]["properties"]
    site_docs = docs_of(site.app)
    page = await docs_page(site_docs, "/docs/api/rooms/message")
    for text in ("Sorted by <code>index</code>, asc or desc", 'id="create.Body"', "What is said."):
        assert text in page
    page = await docs_page(site_docs, "/docs/api/rooms/room")
    for text in ('id="create.Timers.Closed"', 'href="/docs/api/rooms/participant"', "A place to talk."):
        assert text in page
    assert "may stand for the SID" in await docs_page(site_docs, "/docs/api/rooms/participant")


def test_declarations_that_cannot_be() -> None:
    def declare(**options: Any) -> None:
        @resource("/v1/Things", product="things", sid="TH", key="things", **options)
        class Thing(Record):
            """A thing."""

            name: str = field("")
            size: int | None = field(None)
            tags: list[str] = field(list)

    declare(sort="name asc")
    for options, problem in (
        ({"names": "name"}, "name stands in paths and is not unique"),
        ({"sort": "size asc"}, "lists cannot be sorted by size"),
        ({"sort": "tags asc"}, "lists cannot be sorted by tags"),
        ({"sort": "name"}, "write asc, desc or both"),
    ):
        with pytest.raises(TypeError, match=problem):
            declare(**options)


def test_a_part_that_two_other_products_know(tmp_path: Path) -> None:
    """Nobody guesses which is meant."""

    @resource("/v1/Halls/{ParticipantSid}/Doors", product="halls", sid="DO", key="doors", can=("list",))
    class Door(Record):
        """A door."""

    store: Any = None
    settings = RestSettings(public_url="", now=float, make_sid=str, make_secret=str)
    with pytest.raises(TypeError, match=r"ParticipantSid.* of halls may be a noun of several products"):
        build_rest(store, (*all_nouns(), *NOUNS, Door), {}, settings)
