"""A message's way, killed after each of its commits: nothing is lost, and nothing is sent twice.

Both kinds: what a lane posts is handled in the sender's own transaction, or is a row between two commits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from aiohttp import web

from ringback.edges.channels.simulated import SimulatedChannel
from ringback.effects.messaging import SendText
from ringback.resources.api.message import Message
from ringback.runtime.runtime import Runtime
from ringback.testing.world import World, world
from tests.scenarios.test_lost_messages import Kills

OURS, CUSTOMER = "+15550100", "+15551230001"
PATIENCE = 20.0
"""Real seconds for one restart."""
OVER = {"received", "delivered", "undelivered", "failed", "canceled", "sent"}


@contextmanager
def handed_over() -> Iterator[list[tuple[int, str]]]:
    """Every text that the network is given: how many commits there were by then, and its body."""
    texts: list[tuple[int, str]] = []
    send = SimulatedChannel.send

    async def noted(self: SimulatedChannel, text: SendText) -> Any:
        texts.append((noted.commits(), text.body))  # type: ignore[attr-defined]
        return await send(self, text)

    noted.commits = lambda: 0  # type: ignore[attr-defined]
    with patch.object(SimulatedChannel, "send", noted):
        yield texts


@asynccontextmanager
async def application() -> AsyncIterator[str]:
    """An application that outlives every run of the product, and answers with two messages; gives its URL."""

    async def answer(request: web.Request) -> web.Response:
        text = "<Response><Message statusCallback='/status'>one</Message><Message>two</Message></Response>"
        return web.Response(text=text if request.path == "/sms" else "", content_type="text/xml")

    runner = web.AppRunner(_routed(answer), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/sms"
    finally:
        await runner.cleanup()


def _routed(answer: Any) -> web.Application:
    made = web.Application()
    made.router.add_route("*", "/{path:.*}", answer)
    return made


async def undecided(ringback: World) -> list[str]:
    """What nobody would ever end."""
    store = ringback.product.store
    left = [f"{one.body} is {one.status}" for one in await store.find(Message) if one.status not in OVER]
    left += [f"message {type(one.event).__name__}" for one in await store.messages()]
    left += [f"owed {type(one.what).__name__}" for one in await store.owed()]
    left += [f"deadline {name}" for _, name, _ in await store.deadlines()]
    return left + ["a bug"] * ringback.product.runtime.mending.bugs


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rows", [False, True], ids=["joined", "rows"])
async def test_a_kill_after_any_commit_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path, rows: bool
) -> None:
    joins = Runtime._joins

    def or_never(self: Runtime, turn: Any, lane: Any, event: Any) -> bool:
        return not rows and joins(self, turn, lane, event)

    async with application() as url:
        with patch.object(Runtime, "_joins", or_never):
            copies, first = await killed(tmp_path, url)
            assert [body for _, body in first] == ["one", "two"]
            assert len(copies) > 8
            unclear = 0
            for number, copy in enumerate(copies):
                certainly = [body for commits, body in first if commits <= number]
                perhaps = [body for commits, body in first if commits <= number + 1]
                failed, after = await restarted(copy)
                for body in ("one", "two"):
                    sent = perhaps.count(body) + after.count(body)
                    assert sent <= 1, f"{copy.name}: {body!r} was sent {sent} times"
                    known = certainly.count(body) + after.count(body) + failed.count(body)
                    assert known >= 1, f"{copy.name}: {body!r} was lost without a word"
                unclear += len(failed)
            assert unclear > 0, "no kill was between the claim and the outcome"


async def killed(folder: Path, url: str) -> tuple[list[Path], list[tuple[int, str]]]:
    """The first run: a copy of the disk after each commit, and what was handed over after how many of them."""
    with handed_over() as first:
        async with world(folder / "first") as ringback:
            await ringback.post("IncomingPhoneNumbers", PhoneNumber=OURS, SmsUrl=url)
            kills = Kills(ringback, folder / "first", folder)
            SimulatedChannel.send.commits = lambda: len(kills.copies)  # type: ignore[attr-defined]
            await ringback.sim("POST", "Messages", {"from": CUSTOMER, "to": OURS, "body": "hi", "id": "c1"})
            await ringback.settled()
            assert await undecided(ringback) == []
            return list(kills.copies), first


async def restarted(copy: Path) -> tuple[list[str], list[str]]:
    """What of the messages is failed as unclear, and what was handed over, an hour after the restart; the carrier
    brings again what it has no answer for."""
    with handed_over() as texts:
        async with world(copy) as ringback:
            async with asyncio.timeout(PATIENCE):
                await ringback.settled()
                await ringback.sim(
                    "POST", "Messages", {"from": CUSTOMER, "to": OURS, "body": "hi", "id": "c1"}
                )
                await ringback.settled()
                await ringback.advance(3600.0)
                await ringback.settled()
            assert await undecided(ringback) == [], copy.name
            found = await ringback.product.store.find(Message)
            assert [one.direction for one in found].count("inbound") == 1, copy.name
            failed = [one for one in found if one.status == "failed"]
            assert all(one.error_code == 30008 for one in failed), copy.name
            return [one.body for one in failed], [body for _, body in texts]
