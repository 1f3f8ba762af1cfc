"""A removed service goes in pieces, the service last; a stop in the middle loses nothing (conversations.md §1)."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest

from ringback.effects import Delete, Save
from ringback.kernel.errors import Refused
from ringback.kernel.resource import Record
from ringback.kernel.sid import SidMaker
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.role import Role
from ringback.resources.conversations.service_configuration import ServiceConfiguration
from ringback.resources.conversations.user import User
from ringback.runtime import emptying
from ringback.runtime.emptying import SLICE, Emptying
from ringback.store import Store
from ringback.web.conversations.service import beginnings

AC = "AC" + "1" * 32
make_sid = SidMaker(time.time, random.getrandbits)


class Lanes:
    """Stands for the runtime: a conversation that is to be deleted is gone when it is answered."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[str] = []
        self.refuse_after = 10_000

    async def __call__(self, event: Any) -> None:
        if len(self.asked) >= self.refuse_after:
            raise Refused(20503, "full", 503)
        assert (event.noun, event.operation) == ("Conversation", "delete")
        self.asked.append(event.sid)
        found = await self.store.get(Conversation, event.sid)
        await self.store.commit([Delete(found)])


async def filled(store: Store, *, removed: bool, users: int, conversations: int) -> ChatService:
    """A service with things in it."""
    service = ChatService(sid=make_sid("IS"), account_sid=AC, friendly_name="x", removed=removed)
    inside: list[Record] = [
        *(
            User(sid=make_sid("US"), account_sid=AC, chat_service_sid=service.sid, identity=f"u{n}")
            for n in range(users)
        ),
        *(
            Conversation(sid=make_sid("CH"), account_sid=AC, chat_service_sid=service.sid)
            for _ in range(conversations)
        ),
    ]
    await store.commit([Save(service), *beginnings(service, make_sid, 1.0), *map(Save, inside)])
    return service


async def left(store: Store, service: ChatService) -> list[int]:
    kinds: tuple[type[Record], ...] = (User, Conversation, Role, ServiceConfiguration)
    return [await store.count(kind, chat_service_sid=service.sid) for kind in kinds]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emptying, "PAUSE", 0.0)
    monkeypatch.setattr(emptying, "AGAIN", 0.01)


async def test_all_of_it_goes_and_nothing_else(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = await filled(store, removed=True, users=230, conversations=120)
    stays = await filled(store, removed=False, users=3, conversations=2)
    pieces: list[int] = []
    commit = store.commit

    async def noting(writes: Any) -> Any:
        pieces.append(len(writes))
        return await commit(writes)

    monkeypatch.setattr(store, "commit", noting)
    lanes = Lanes(store)
    await Emptying(store, lanes).look()
    assert len(lanes.asked) == 120
    assert max(pieces) <= SLICE
    assert await left(store, gone) == [0, 0, 0, 0]
    assert await store.get(ChatService, gone.sid) is None
    assert await left(store, stays) == [3, 2, 4, 1]


async def test_a_stop_in_the_middle_goes_on_at_the_next_start(store: Store) -> None:
    gone = await filled(store, removed=True, users=5, conversations=8)
    lanes = Lanes(store)
    lanes.refuse_after = 3
    with pytest.raises(Refused):
        await Emptying(store, lanes).look()
    assert await store.get(ChatService, gone.sid) is not None
    assert (await left(store, gone))[1] == 5
    lanes.refuse_after = 10_000
    await Emptying(store, lanes).look()
    assert await store.get(ChatService, gone.sid) is None


async def test_a_full_lane_is_asked_again(store: Store) -> None:
    gone = await filled(store, removed=True, users=1, conversations=4)
    lanes = Lanes(store)
    lanes.refuse_after = 2
    one = Emptying(store, lanes)
    one.start()
    await asyncio.sleep(0.005)
    lanes.refuse_after = 10_000
    async with asyncio.timeout(5):
        while await store.get(ChatService, gone.sid) is not None:
            await asyncio.sleep(0.005)
    await one.close()
