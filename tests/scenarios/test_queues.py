"""Journeys through voice queues: callers wait, agents take them, REST looks on and takes a hand (twiml.md §6, §10)."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]

from ringback.events.queues import QueueTaken
from ringback.resources.api.queue import Queue
from ringback.testing.world import Caller, World, world
from ringback.voice.dial.conference_noun import ATTRIBUTES
from tests.scenarios.test_restart import copy_of_the_disk

CUSTOMER, AGENT = "+15550123", "+15550124"
SAY = "<Response><Say>Goodbye</Say></Response>"
STAY = "<Response><Say>You were moved</Say><Pause length='600'/></Response>"


async def site(
    ringback: World, enqueue: str, dial: str = "<Dial action='/dialled'><Queue>support</Queue></Dial>"
) -> None:
    """A number for customers, a number for agents, and their documents."""
    ringback.app("/voice", f"<Response>{enqueue}</Response>")
    ringback.app("/agent", f"<Response>{dial}<Say>The queue let you go</Say></Response>")
    ringback.app("/after", SAY)
    ringback.app("/dialled", SAY)
    ringback.app("/moved", STAY)
    await ringback.number(CUSTOMER, voice="/voice")
    await ringback.number(AGENT, voice="/agent")


async def queue_of(ringback: World, name: str = "support") -> dict[str, Any]:
    queues = (await ringback.get("Queues"))["queues"]
    return next(one for one in queues if one["friendly_name"] == name)


async def members(ringback: World, queue: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await ringback.get(f"Queues/{queue['sid']}/Members"))["queue_members"]
    return found


async def asked(ringback: World, path: str, times: int) -> None:
    """Until a document has been asked for so many times."""
    for _ in range(60):
        if len(ringback.asked(path)) >= times:
            return
        await ringback.advance(1)
    raise AssertionError(f"{path} was asked for {len(ringback.asked(path))} times only")


async def waits(ringback: World, number: int = 1) -> Caller:
    caller = await ringback.call(CUSTOMER, from_=f"+1555123{number:04d}")
    await caller.hears("hold-music")
    return caller


async def test_leave_in_the_wait_document_is_told_at_once(ringback: World) -> None:
    await site(ringback, "<Enqueue action='/after' waitUrl='/wait'>support</Enqueue>")
    ringback.app("/wait", "<Response><Say>Nobody is here today</Say><Leave/></Response>")
    caller = await ringback.call(CUSTOMER)
    await caller.hears("goodbye")
    await caller.ends()
    (facts,) = ringback.requests("/after")
    assert facts["QueueResult"] == "leave"
    assert int(facts["QueueTime"]) >= 1
    assert facts["QueueSid"] == (await queue_of(ringback))["sid"]


async def test_a_wait_document_of_two_seconds_is_asked_again_and_again_and_queue_time_grows(
    ringback: World,
) -> None:
    await site(ringback, "<Enqueue waitUrl='/wait' waitUrlMethod='GET'>support</Enqueue>")
    ringback.app("/wait", "<Response><Pause length='2'/></Response>")
    caller = await ringback.call(CUSTOMER)
    await asked(ringback, "/wait", 6)
    times = [int(one["QueueTime"]) for one in ringback.requests("/wait")[:6]]
    assert times == [0, 2, 4, 6, 8, 10]
    first = ringback.asked("/wait")[0]
    assert (first.method, first.params["QueuePosition"], first.params["CurrentQueueSize"]) == (
        "GET",
        "1",
        "1",
    )
    await ringback.post(f"Calls/{caller.sid}", Status="completed")


async def test_dequeued_by_an_agent_they_hear_each_other_and_the_action_comes_once_after_it(
    ringback: World,
) -> None:
    await site(
        ringback,
        "<Enqueue action='/after'>support</Enqueue>",
        "<Dial><Queue url='/whisper'>support</Queue></Dial>",
    )
    ringback.app("/whisper", "<Response><Say>You are being connected</Say></Response>")
    customer = await waits(ringback)
    await ringback.advance(20)
    agent = await ringback.call(
        AGENT, script=[{"expect": "i need help"}, {"say": "how can i help"}, {"wait": 2}, {"hangup": True}]
    )
    await customer.hears("being connected")
    assert any(one["kind"] == "ringback" for one in agent.heard)
    customer.does({"wait": 4}, {"say": "i need help"})
    await customer.hears("how can i help")
    assert ringback.requests("/after") == []
    await agent.ends()
    await customer.ends()
    await ringback.settled()
    (facts,) = ringback.requests("/after")
    assert facts["QueueResult"] == "bridged"
    assert 20 <= int(facts["QueueTime"]) <= 22
    (whisper,) = ringback.requests("/whisper")
    assert (whisper["CallSid"], whisper["DequeingCallSid"]) == (customer.sid, agent.sid)
    assert not any(one["text"] == "You are being connected" for one in agent.heard)
    assert (agent.failed, customer.failed) == ("", "")


async def test_an_agent_waits_for_a_customer_to_come(ringback: World) -> None:
    await site(
        ringback,
        "<Enqueue>support</Enqueue><Say>back again</Say>",
        "<Dial timeout='60' hangupOnStar='true' action='/dialled'><Queue>support</Queue></Dial>",
    )
    await ringback.post("Queues", FriendlyName="support")
    agent = await ringback.call(AGENT)
    await agent.hears("ringback")
    await ringback.advance(10)
    customer = await ringback.call(CUSTOMER, script=[{"wait": 1}, {"say": "is anybody there"}])
    await agent.hears("is anybody there")
    agent.does({"press": "*"})
    await customer.hears("back again")
    await agent.ends()
    (facts,) = ringback.requests("/dialled")
    assert (facts["DialCallStatus"], facts["DialBridged"], facts["DialCallSid"]) == (
        "completed",
        "true",
        customer.sid,
    )


async def test_an_agent_who_waits_in_vain_gets_no_answer(ringback: World) -> None:
    await site(
        ringback,
        "<Enqueue>support</Enqueue>",
        "<Dial timeout='15' action='/dialled'><Queue>support</Queue></Dial>",
    )
    await ringback.post("Queues", FriendlyName="support")
    agent = await ringback.call(AGENT)
    await agent.ends()
    assert [one["DialCallStatus"] for one in ringback.requests("/dialled")] == ["no-answer"]


async def test_rest_shows_the_queue_and_dequeues_its_front(ringback: World) -> None:
    await site(ringback, "<Enqueue action='/after'>support</Enqueue>")
    first = await waits(ringback, 1)
    await ringback.advance(10)
    second = await waits(ringback, 2)
    await ringback.advance(4)
    queue = await queue_of(ringback)
    assert (queue["current_size"], queue["max_size"]) == (2, 1000)
    assert queue["average_wait_time"] in (9, 10)
    assert queue["subresource_uris"]["members"].endswith(f"/Queues/{queue['sid']}/Members.json")
    shown = await members(ringback, queue)
    assert [(one["call_sid"], one["position"]) for one in shown] == [(first.sid, 1), (second.sid, 2)]
    assert set(shown[0]) == {"call_sid", "date_enqueued", "position", "queue_sid", "uri", "wait_time"}
    assert shown[0]["wait_time"] - shown[1]["wait_time"] in (10, 11)
    assert (await ringback.get(f"Queues/{queue['sid']}/Members/{second.sid}"))["position"] == 2
    assert (await ringback.get(f"Queues/{queue['sid']}/Members/Front"))["call_sid"] == first.sid
    dequeued = await ringback.post(f"Queues/{queue['sid']}/Members/Front", Url=ringback.app_url + "/moved")
    assert dequeued["call_sid"] == first.sid
    await first.hears("you were moved")
    await asked(ringback, "/after", 1)
    assert [one["QueueResult"] for one in ringback.requests("/after")] == ["redirected"]
    assert [one["call_sid"] for one in await members(ringback, queue)] == [second.sid]
    await ringback.post(f"Calls/{second.sid}", Status="completed")
    await second.ends()
    await asked(ringback, "/after", 2)
    assert [one["QueueResult"] for one in ringback.requests("/after")] == ["redirected", "hangup"]
    assert (await ringback.get(f"Queues/{queue['sid']}"))["current_size"] == 0


async def test_the_official_client_walks_queues_and_members(ringback: World) -> None:
    await site(ringback, "<Enqueue>support</Enqueue>")
    client = ringback.client

    def use() -> None:
        made = client.queues.create(friendly_name="support", max_size=3)
        assert (made.friendly_name, made.max_size, made.current_size) == ("support", 3, 0)
        for name, status in (("support", 409), ("x" * 65, 400)):
            with pytest.raises(TwilioRestException) as refused:
                client.queues.create(friendly_name=name)
            assert refused.value.status == status
        assert client.queues(made.sid).update(max_size=5).max_size == 5
        other = client.queues.create(friendly_name="other")
        assert [one.sid for one in client.queues.stream(page_size=1)] == [other.sid, made.sid]
        assert client.queues(other.sid).delete()
        with pytest.raises(TwilioRestException):
            client.queues(other.sid).fetch()

    await asyncio.to_thread(use)
    callers = [await waits(ringback, number) for number in range(4)]
    sid = (await queue_of(ringback))["sid"]

    def look() -> None:
        found = list(client.queues(sid).members.stream(page_size=2))
        assert [one.call_sid for one in found] == [one.sid for one in callers]
        with pytest.raises(TwilioRestException) as refused:
            client.queues(sid).delete()
        assert refused.value.status == 409
        member = client.queues(sid).members(callers[1].sid).update(url=ringback.app_url + "/moved")
        assert member.position == 2
        with pytest.raises(TwilioRestException) as gone:
            client.queues(sid).members(callers[1].sid).fetch()
        assert gone.value.status == 404

    await asyncio.to_thread(look)
    await callers[1].hears("you were moved")


async def test_a_full_queue_turns_callers_away(ringback: World) -> None:
    await site(ringback, "<Enqueue action='/after'>support</Enqueue>")
    await ringback.post("Queues", FriendlyName="support", MaxSize="1")
    await waits(ringback, 1)
    late = await ringback.call(CUSTOMER)
    await late.hears("goodbye")
    assert [one["QueueResult"] for one in ringback.requests("/after")] == ["queue-full"]


async def test_twenty_callers_are_served_in_the_order_in_which_they_came(ringback: World) -> None:
    """Some give up, at random, before they are served; nobody is served before somebody who came earlier."""
    await site(
        ringback, "<Enqueue>support</Enqueue>", "<Dial hangupOnStar='true'><Queue>support</Queue></Dial>"
    )
    dice = random.Random(7)
    callers = [await waits(ringback, number) for number in range(20)]
    left = set(dice.sample(range(20), 7))
    for number in left:
        callers[number].does({"hangup": True})
        await callers[number].ends()
    expected = [one.sid for number, one in enumerate(callers) if number not in left]
    queue = await queue_of(ringback)
    assert [one["call_sid"] for one in await members(ringback, queue)] == expected
    served: list[str] = []
    while expected[len(served) :]:
        agents = [
            await ringback.call(AGENT, from_=f"+1555999{len(served):04d}")
            for _ in range(min(3, len(expected) - len(served)))
        ]
        gone = 0
        while gone < len(agents):
            waiting = {one["call_sid"] for one in await members(ringback, queue)}
            gone = len(expected) - len(served) - len(waiting)
        waiting_now = [sid for sid in expected if sid in waiting]
        served += [sid for sid in expected[len(served) :] if sid not in waiting]
        assert served + waiting_now == expected
    for caller in callers:
        if caller.status != "completed":
            caller.does({"hangup": True})


async def test_an_empty_answer_is_fine_when_the_application_redirects_the_call(ringback: World) -> None:
    """As the callback feature does it: the answer may overtake the redirection, or follow it."""
    await site(ringback, "<Enqueue action='/after' waitUrl='/wait'>support</Enqueue>")

    async def redirect(params: dict[str, str]) -> str:
        await ringback.post(f"Calls/{params['CallSid']}", Url=ringback.app_url + "/moved")
        return ""

    ringback.app("/wait", redirect)
    caller = await ringback.call(CUSTOMER)
    await caller.hears("you were moved")
    await ringback.advance(30)
    assert len(ringback.requests("/wait")) == 1
    assert [one["QueueResult"] for one in ringback.requests("/after")] == ["redirected"]
    assert "11770" not in await codes(ringback)


async def codes(ringback: World) -> list[str]:
    return [one["error_code"] for one in (await ringback.get("Notifications"))["notifications"]]


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("", "11770"), ("<Response><Say>half", "12100"), ("<html>Sign in</html>", "12102"),
        ("<Response><Dial>+15551239999</Dial></Response>", "12200"),
        (lambda params: web.Response(status=500, text="oops"), "11200"),
        (lambda params: web.Response(body=b"x" * 9, content_type="application/pdf"), "12300"),
    ],
)  # fmt: skip
async def test_a_bad_wait_document_ends_the_stay_with_an_error(ringback: World, page: Any, code: str) -> None:
    """Asked for once (and what the sender of webhooks repeats); the caller goes on with the action."""
    await site(ringback, "<Enqueue action='/after' waitUrl='/wait'>support</Enqueue>")
    ringback.app("/wait", page)
    caller = await ringback.call(CUSTOMER)
    await caller.hears("goodbye")
    await caller.ends()
    await ringback.advance(60)
    (facts,) = ringback.requests("/after")
    assert (facts["QueueResult"], facts["QueueSid"]) == ("error", (await queue_of(ringback))["sid"])
    assert (await queue_of(ringback))["current_size"] == 0
    assert len({one["QueueTime"] for one in ringback.requests("/wait")}) == 1
    assert code in await codes(ringback)


async def test_a_workflow_that_does_not_exist_is_an_error_and_leaves_no_queue(ringback: World) -> None:
    await site(ringback, f"<Enqueue action='/after' workflowSid='WW{'f' * 32}'><Task>{{}}</Task></Enqueue>")
    caller = await ringback.call(CUSTOMER)
    await caller.hears("goodbye")
    await caller.ends()
    await ringback.settled()
    (facts,) = ringback.requests("/after")
    assert facts["QueueResult"] == "error"
    assert not {"QueueSid", "QueueTime"} & facts.keys()
    assert (await ringback.get("Queues"))["queues"] == []
    assert await ringback.product.store.find(Queue) == []
    assert "14220" in await codes(ringback)


async def test_after_a_crash_the_queue_is_there_and_empty_and_takes_callers(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    async with world(before) as first:
        await site(first, "<Enqueue>support</Enqueue>")
        lost = await waits(first)
        queue = await queue_of(first)
        copy_of_the_disk(before, after)
    async with world(after) as second:
        await second.lanes_empty()
        assert (await second.get(f"Calls/{lost.sid}"))["status"] == "completed"
        assert (await queue_of(second))["sid"] == queue["sid"]
        assert (await queue_of(second))["current_size"] == 0
        second.app("/again", "<Response><Enqueue>support</Enqueue></Response>")
        await second.number("+15550125", voice="/again")
        caller = await second.call("+15550125")
        await caller.hears("hold-music")
        assert [one["call_sid"] for one in await members(second, queue)] == [caller.sid]


async def test_the_desk_takes_a_waiting_caller_into_a_conference(ringback: World) -> None:
    await site(ringback, "<Enqueue action='/after'>support</Enqueue>")
    customer = await waits(ringback)
    await ringback.advance(5)
    attributes = {name: one.default for name, one in ATTRIBUTES.items()}
    desk = QueueTaken(call_sid=customer.sid, by="", conference={**attributes, "name": "WT1"})
    ringback.product.post(desk)
    await ringback.lanes_empty()
    (room,) = (await ringback.get("Conferences"))["conferences"]
    assert room["friendly_name"] == "WT1"
    (participant,) = (await ringback.get(f"Conferences/{room['sid']}/Participants"))["participants"]
    assert participant["call_sid"] == customer.sid
    assert (await queue_of(ringback))["current_size"] == 0
    customer.does({"hangup": True})
    await customer.ends()
    await ringback.settled()
    (facts,) = ringback.requests("/after")
    assert facts["QueueResult"] == "bridged"
    assert 5 <= int(facts["QueueTime"]) <= 6
