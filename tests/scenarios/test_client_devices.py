"""``client:`` addresses: one rule for ``<Dial><Client>``, REST and workers; on the simulated carrier the phone book."""

from __future__ import annotations

import pytest

from ringback.testing.world import World

TALK = [{"say": "Alice speaking"}, {"wait": 1}, {"hangup": True}]


async def test_dial_client_and_rest_reach_the_same_device(ringback: World) -> None:
    await ringback.sim("PUT", "Numbers/client:alice", {"answers": "answer", "script": TALK})
    document = '<Response><Dial action="/after"><Client><Identity>alice</Identity></Client></Dial></Response>'
    ringback.app("/voice", document)
    ringback.app("/after", "<Response/>")
    await ringback.number("+15550123", voice="/voice")
    caller = await ringback.call("+15550123", script=[{"expect": "Alice speaking"}, {"wait": 30}])
    await caller.ends()
    await ringback.settled()
    assert ringback.requests("/after")[0]["DialCallStatus"] == "completed"
    made = await ringback.post(
        "Calls", To="client:alice", From="+15550123", Twiml="<Response><Pause/></Response>"
    )
    assert (await ringback.final(made["sid"]))["status"] == "completed"


async def test_nobody_there(ringback: World) -> None:
    """404 and 32009, as the sheets say of a user who is not registered."""
    await ringback.number("+15550123", voice="/voice")
    made = await ringback.post("Calls", To="client:bob", From="+15550123", Twiml="<Response/>")
    ended = await ringback.final(made["sid"])
    assert ended["status"] == "failed"
    entries = (await ringback.get(f"Calls/{made['sid']}/Notifications"))["notifications"]
    assert [one["error_code"] for one in entries] == ["32009"]


async def test_custom_parameters_of_rest_accompany_every_request(ringback: World) -> None:
    await ringback.sim("PUT", "Numbers/client:alice", {"answers": "answer", "script": [{"wait": 30}]})
    ringback.app("/voice", "<Response><Hangup/></Response>")
    made = await ringback.post(
        "Calls",
        To="client:alice?Colour=dark%20red&CallSid=CA0",
        From="client:alice",
        Url=ringback.app_url + "/voice",
    )
    assert made["to"] == "client:alice"
    await ringback.final(made["sid"])
    (asked,) = ringback.requests("/voice")
    assert asked["Colour"] == "dark red"
    assert asked["CallSid"] == made["sid"]  # what the platform says cannot be said by others


@pytest.mark.parametrize(
    "body",
    [
        {"from": "+15551230001", "to": "+15550100", "parameters": {"A": "b"}},
        {"from": "client:alice", "to": "+15550100", "parameters": ["A"]},
        {"from": "client:alice", "to": "+15550100", "parameters": {"A": 1}},
        {"from": "client:alice", "to": "+15550100", "parameters": {"A": "b" * 2000}},
    ],
)
async def test_parameters_come_from_an_app_and_are_short_texts(ringback: World, body: object) -> None:
    with pytest.raises(AssertionError, match="400"):
        await ringback.sim("POST", "Calls", body)
