"""A customer's first message, killed after each commit on its way to a worker: one conversation, one message in it, one
worker, and nothing that waits for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ringback.resources.api.message import Message as Text
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant
from ringback.runtime.runtime import Runtime
from ringback.testing.world import World, world
from tests.scenarios.test_lost_messages import Kills
from tests.scenarios.test_personal_worker import CUSTOMER, OURS, Shop

PATIENCE = 20.0
"""Real seconds for one restart."""


async def write(running: World) -> None:
    """The carrier brings the message; it brings it again while it has no answer."""
    await running.sim("POST", "Messages", {"from": CUSTOMER, "to": OURS, "body": "hi", "id": "c1"})
    await running.settled()


async def wrong(running: World) -> list[str]:
    """What is not as it would be without the kill."""
    store = running.product.store
    threads, texts = await store.find(Conversation), await store.find(Text)
    people = sorted(str(each.identity or each.address) for each in await store.find(Participant))
    bodies = [each.body for each in await store.find(Message)]
    found = [] if len(threads) == 1 else [f"{len(threads)} conversations"]
    found += [] if len(texts) == 1 else [f"{len(texts)} messages from the carrier"]
    found += [] if people == [CUSTOMER, "ann"] else [f"participants {people}"]
    found += [] if bodies == ["hi"] else [f"messages {bodies}"]
    found += [f"on its way: {type(each.event).__name__}" for each in await store.messages()]
    found += [f"owed: {type(each.what).__name__}" for each in await store.owed()]
    return found + ["a bug"] * running.product.runtime.mending.bugs


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rows", [False, True], ids=["joined", "rows"])
async def test_a_kill_after_any_commit_of_a_first_message(tmp_path: Path, rows: bool) -> None:
    joins = Runtime._joins

    def or_never(self: Runtime, turn: Any, lane: Any, event: Any) -> bool:
        return not rows and joins(self, turn, lane, event)

    with patch.object(Runtime, "_joins", or_never):
        async with world(tmp_path / "first") as running:
            shop = await Shop(running).open()
            await shop.creates()
            kills = Kills(running, tmp_path / "first", tmp_path)
            await write(running)
            assert await wrong(running) == []
        assert len(kills.copies) >= 4  # the message, the pair, the conversation, the worker
        left: dict[str, list[str]] = {}
        for copy in kills.copies:
            async with world(copy) as running:
                async with asyncio.timeout(PATIENCE):
                    await running.settled()
                    await write(running)
                left[copy.name] = await wrong(running)
        assert {name: what for name, what in left.items() if what} == {}, f"of {len(kills.copies)} kills"
