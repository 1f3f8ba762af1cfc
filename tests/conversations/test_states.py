"""States and timers at their edges, on the virtual clock (conversations.md §1.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.conversations import machine
from ringback.kernel.errors import Refused
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.participant import Participant
from ringback.testing.world import world
from tests.conversations.thread_kit import Threads, customer, listening, threads


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Threads]:
    async with threads(tmp_path) as running:
        yield running


async def state(here: Threads, sid: str) -> str:
    found = await here.store.get(Conversation, sid)
    assert found is not None
    return found.state


async def passes(here: Threads, seconds: float) -> None:
    await here.world.advance(seconds)
    await here.world.settled()


def test_nothing_leads_out_of_closed() -> None:
    events = {event for _, event in machine.CONVERSATION}
    assert {"closed", "active", "inactive"} == set(machine.CONVERSATION.values())
    for event in events:
        with pytest.raises(Refused) as caught:
            machine.step("closed", event)
        assert caught.value.code == 50377


async def test_the_inactive_timer(here: Threads) -> None:
    sid = await here.made(state="active", timers_inactive="PT1M")
    await passes(here, 59.9)
    assert await state(here, sid) == "active"
    await here.said(sid, "still here")  # restarts it
    await passes(here, 59.9)
    assert await state(here, sid) == "active"
    await passes(here, 0.2)
    assert await state(here, sid) == "inactive"
    await here.said(sid, "back again")
    assert await state(here, sid) == "active"
    shown = await here.v1(lambda v1: v1.conversations(sid).fetch())
    assert set(shown.timers) == {"date_inactive", "date_closed"}
    assert shown.timers["date_inactive"].endswith("Z")
    assert shown.timers["date_closed"] is None
    await here.v1(lambda v1: v1.conversations(sid).update(timers_inactive="PT0S"))
    await passes(here, 86_400)
    assert await state(here, sid) == "active"


async def test_the_closed_timer_lets_the_addresses_go(here: Threads) -> None:
    sid = await here.made(customer(), state="active", timers_inactive="PT1M", timers_closed="PT10M")
    await passes(here, 599.9)
    assert await state(here, sid) == "inactive"
    with pytest.raises(Refused):
        await here.made(customer())
    await passes(here, 0.2)
    assert await state(here, sid) == "closed"
    (gone,) = await here.store.find(Participant, conversation_sid=sid)
    assert (gone.pair, gone.address) == (None, customer()["address"])
    await here.made(customer())
    assert await here.store.deadlines() == []


async def test_a_restart_keeps_the_timers(tmp_path: Path) -> None:
    async with threads(tmp_path) as here:
        sid = await here.made(state="active", timers_inactive="PT1M", timers_closed="PT20M")
        assert len(await here.store.deadlines()) == 2
    with listening():
        async with world(tmp_path) as running:
            await running.advance(1201.0)
            await running.settled()
            found = await running.product.store.get(Conversation, sid)
            assert found is not None
            assert found.state == "closed"


async def test_steps_by_the_api(here: Threads) -> None:
    sid = await here.made(state="inactive")
    for wanted in ("inactive", "active", "active", "inactive", "closed"):
        await here.v1(lambda v1, wanted=wanted: v1.conversations(sid).update(state=wanted))
        assert await state(here, sid) == wanted
