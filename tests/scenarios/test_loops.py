"""Journey: applications that send a call round in circles (issue 11, C 14)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringback.testing.world import World, world

REDIRECT = "<Response><Redirect>/voice</Redirect></Response>"


@pytest.mark.parametrize("clock", ["virtual", "real"])
async def test_a_redirect_loop_ends_with_an_entry_in_the_log(tmp_path: Path, clock: str) -> None:
    async with world(tmp_path, clock=clock) as ringback:
        ringback.app("/voice", REDIRECT)
        ringback.app("/status", "")
        await ringback.number("+15550123", voice="/voice")
        caller = await ringback.call("+15550123")
        await caller.ends(within=60)
        await ringback.settled()
        assert caller.status == "failed"
        assert len(ringback.requests("/voice")) == 100
        entries = (await ringback.get("Notifications"))["notifications"]
        assert [entry["error_code"] for entry in entries] == ["11215"]
        assert "documents within a minute" in entries[0]["message_text"]
        assert entries[0]["request_url"] == ringback.app_url + "/voice"
        (call,) = (await ringback.get("Calls"))["calls"]
        assert call["status"] == "failed"


async def test_an_answered_caller_hears_why(ringback: World) -> None:
    ringback.app("/voice", "<Response><Say>Hello</Say><Redirect>/loop</Redirect></Response>")
    ringback.app("/loop", "<Response><Redirect/></Response>")
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.hears("application error")
    await caller.ends()
    await ringback.settled()
    assert (await ringback.get(f"Calls/{caller.sid}"))["status"] == "completed"


@pytest.mark.parametrize(
    ("verb", "count"),
    [
        ("<Pause length='2'/>", 1800),
        ("<Gather timeout='2' actionOnEmptyResult='true' action='/voice'/>", 1800),
    ],
)
async def test_a_loop_that_takes_time_lasts_as_long_as_the_caller(
    ringback: World, verb: str, count: int
) -> None:
    ringback.app("/voice", f"<Response>{verb}<Redirect>/voice</Redirect></Response>")
    caller = await ringback.call(
        await ringback.number("+15550123", voice="/voice"), script=[{"wait": 3600}, {"hangup": True}]
    )
    await caller.ends(within=4000)
    await ringback.settled()
    assert abs(len(ringback.requests("/voice")) - count) < 20
    assert (await ringback.get("Notifications"))["notifications"] == []


@pytest.mark.parametrize(
    "waiting",
    [
        "<Enqueue waitUrl='/wait'>support</Enqueue>",
        "<Dial><Conference waitUrl='/wait'>room</Conference></Dial>",
    ],
)
@pytest.mark.parametrize("page", ["<Response/>", "<Response><Redirect>/wait</Redirect></Response>"])
async def test_wait_documents_that_return_at_once_are_asked_for_ever_more_rarely(
    ringback: World, waiting: str, page: str
) -> None:
    ringback.app("/voice", f"<Response>{waiting}</Response>")
    ringback.app("/wait", page)
    caller = await ringback.call(
        await ringback.number("+15550123", voice="/voice"), script=[{"wait": 600}, {"hangup": True}]
    )
    await caller.ends(within=700)
    await ringback.settled()
    assert 60 <= len(ringback.requests("/wait")) <= 90, "every eight seconds in the end, for ever"


@pytest.mark.parametrize("through", ["number", "application"])
async def test_a_number_whose_document_dials_itself(ringback: World, through: str) -> None:
    """Each call makes the next one, for ever: the network ends it after so many hops (483)."""
    number = await ringback.number("+14155550123", voice="/voice" if through == "number" else "/through")
    ringback.app("/voice", f"<Response><Dial>{number}</Dial></Response>")
    application = await ringback.post("Applications", FriendlyName="a", VoiceUrl=ringback.app_url + "/voice")
    ringback.app(
        "/through", f"<Response><Dial><Application>{application['sid']}</Application></Dial></Response>"
    )
    caller = await ringback.call(number)
    await caller.ends(within=300)
    await ringback.settled()
    assert len(ringback.requests("/voice")) == 21
    assert not ringback.product.exchange.legs
