"""A number of ours can be called, whatever the numbering plan says of it: the first start provisions +15550100."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.testing.world import World, world

OURS, OTHER = "+15550100", "+15550199"


@pytest.fixture
async def first_start(tmp_path: Path) -> AsyncIterator[World]:
    """As after ``make run``: nobody has provisioned anything."""
    async with world(tmp_path, default_number=OURS) as running:
        yield running


async def test_rest_calls_the_number_of_the_first_start(first_start: World) -> None:
    call = await first_start.post("Calls", To=OURS, From=OURS, Twiml="<Response><Say>hello</Say></Response>")
    assert (await first_start.final(call["sid"]))["status"] == "completed"
    calls = (await first_start.get("Calls"))["calls"]
    assert {one["direction"] for one in calls} == {"outbound-api", "inbound"}  # it arrived at our own number


async def test_documents_participants_and_restarts_know_it_too(tmp_path: Path) -> None:
    async with world(tmp_path) as ringback:
        await ringback.number(OURS, voice="/ours")
        await ringback.number("+15005550100", voice="/voice")
        ringback.app("/ours", "<Response><Say>you have reached us</Say></Response>")
        ringback.app("/voice", f"<Response><Dial>{OURS}</Dial></Response>")
        caller = await ringback.call("+15005550100")
        await caller.hears("you have reached us")
        await caller.ends()
        await ringback.post("Conferences/room/Participants", From=OURS, To=OURS)
        await ringback.settled()
    async with world(tmp_path) as again:
        call = await again.post("Calls", To=OURS, From=OURS, Twiml="<Response/>")
        assert call["to"] == OURS


async def test_other_impossible_numbers_stay_refused(first_start: World) -> None:
    with pytest.raises(AssertionError, match="21217"):
        await first_start.post("Calls", To=OTHER, From=OURS, Twiml="<Response/>")
    sid = (await first_start.get("IncomingPhoneNumbers"))["incoming_phone_numbers"][0]["sid"]
    await asyncio.to_thread(first_start.client.incoming_phone_numbers(sid).delete)
    await first_start.number("+15005550100", voice="/x")
    with pytest.raises(AssertionError, match="21217"):  # given back
        await first_start.post("Calls", To=OURS, From="+15005550100", Twiml="<Response/>")
