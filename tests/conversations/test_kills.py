"""A conversation's whole life, killed after each of its commits: nothing lost, nothing done twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ringback.events.conversations import WorkerJoined
from ringback.events.messaging import MessageRequested
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant
from ringback.runtime.runtime import Runtime
from ringback.testing.world import world
from tests.conversations.thread_kit import CUSTOMER, Threads, customer, listening, threads
from tests.scenarios.test_lost_messages import Kills

PATIENCE = 20.0
TEXT = "SM" + "5" * 32
CALL = "CA" + "7" * 32


async def life(here: Threads) -> None:
    """Made for a text and a call, a worker comes, an answer goes out, it falls asleep and is closed by its timer."""
    sid = here.sid("CH")
    values: dict[str, Any] = {
        "state": "active",
        "timers_inactive": "PT1M",
        "timers_closed": "PT10M",
        "participants": [{"sid": here.sid("MB"), **customer()}],
        "message": {"sid": here.sid("IM"), "body": "Hi", "author": CUSTOMER, "carrier_key": TEXT},
        "waiting_call": {"call_sid": CALL, "request": "r"},
    }
    await here.product.ask(here.write("Conversation", "create", sid, values=values, source="SMS"))
    await here.product.ask(here.write("Participant", "create", sid, values={"identity": "bob"}))
    answer = await here.said(sid, "Hello", author="bob")
    (person,) = await here.store.find(Participant, address=CUSTOMER)
    await here.told(answer, person, "delivered")
    await here.world.settled()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rows", [False, True], ids=["joined", "rows"])
async def test_a_kill_after_any_commit(tmp_path: Path, rows: bool) -> None:
    joins = Runtime._joins

    def or_never(self: Runtime, turn: Any, lane: Any, event: Any) -> bool:
        return not rows and joins(self, turn, lane, event)

    with patch.object(Runtime, "_joins", or_never):
        async with threads(tmp_path / "before") as here:
            kills = Kills(here.world, tmp_path / "before", tmp_path)
            await life(here)
            heard = {type(each) for each in here.heard.events}
            assert {MessageRequested, WorkerJoined} <= heard
    assert len(kills.copies) > 3
    wrong = {copy.name: await after_a_restart(copy) for copy in kills.copies}
    assert {name: what for name, what in wrong.items() if what} == {}


async def after_a_restart(copy: Path) -> list[str]:
    """What does not hold an hour later."""
    with listening() as heard:
        async with world(copy) as running, asyncio.timeout(PATIENCE):
            await running.settled()
            await running.advance(3600.0)
            await running.settled()
            store = running.product.store
            found = await store.find(Conversation)
            wrong = [f"{each.state}, not closed" for each in found if each.state != "closed"]
            texts = await store.find(Message, carrier_key=TEXT)
            if len(texts) != len(found):
                wrong.append(f"{len(texts)} texts in {len(found)} conversations")
            indexes = sorted(each.index for each in await store.find(Message))
            if indexes != list(range(len(indexes))):
                wrong.append(f"indexes {indexes}")
            wrong += [f"message {type(each.event).__name__}" for each in await store.messages()]
            wrong += ["a deadline"] * len(await store.deadlines())
            wrong += [f"pair of {each.sid}" for each in await store.find(Participant) if each.pair]
            wrong += ["a bug"] * running.product.runtime.mending.bugs
            sent = [each.message_sid for each in heard.of(MessageRequested)]
            wrong += ["sent twice"] * (len(sent) - len(set(sent)))
            return wrong
