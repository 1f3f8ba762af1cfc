"""What a conversation call tells: statuses, recordings, whisper, early ends (connect-conversation.md §5.1–§9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ringback.testing.world import World
from ringback.voice.connect.dialling import ConversationDialling
from ringback.voice.dial.dialling import Dialling
from tests.scenarios.threads import (
    AFTER,
    MADE,
    OURS,
    SERVICE,
    TALKS,
    Threads,
    alice,
    codes,
    document,
    legs,
    over,
    talking,
)


@pytest.fixture
def threads() -> Threads:
    return Threads()


@pytest.fixture
async def ringback(tmp_path: Path, database_url: str, threads: Threads) -> AsyncIterator[World]:
    async with talking(tmp_path, threads, database_url=database_url) as running:
        running.app("/after", AFTER)
        await running.number(OURS, voice="/voice")
        yield running


ALL = "call-initiated call-ringing call-answered call-completed"


async def test_10_all_status_events(ringback: World) -> None:
    await alice(ringback)
    document(ringback, f'statusCallback="/status" statusCallbackEvent="{ALL}"')
    ringback.app("/status", "")
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    told = ringback.requests("/status")
    assert [one["Status"] for one in told] == ALL.split()
    assert [one["SequenceNumber"] for one in told] == ["1", "2", "3", "4"]
    assert {one["CallbackSource"] for one in told} == {"voice-conversation-service"}
    assert {one["DialCallSid"] for one in told} == {asked["DialCallSid"]}
    assert all(one["Timestamp"].endswith("+0000") for one in told)
    assert set(told[0]) == {
        "AccountSid", "ConversationSid", "DialCallSid", "WorkerInitiated", "Status", "SequenceNumber", "Timestamp",
        "CallbackSource",
    }  # fmt: skip


async def test_10_only_the_sent_ones_are_numbered(ringback: World) -> None:
    await alice(ringback)
    document(
        ringback,
        'statusCallback="/status" statusCallbackMethod="GET" statusCallbackEvent="call-ringing completed"',
    )
    ringback.app("/status", "")
    await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    told = ringback.asked("/status")
    assert [(one.method, one.params["Status"], one.params["SequenceNumber"]) for one in told] == [
        ("GET", "call-ringing", "1"), ("GET", "call-completed", "2"),
    ]  # fmt: skip
    assert await codes(ringback) == {"12200"}  # C4: `completed` is an alias


async def test_11_only_the_default_event(ringback: World) -> None:
    await alice(ringback, "busy")
    document(ringback, 'statusCallback="/status"')
    ringback.app("/status", "")
    await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    (told,) = ringback.requests("/status")
    assert (told["Status"], told["SequenceNumber"]) == ("call-completed", "1")


async def test_a_status_callback_that_fails_changes_nothing(ringback: World) -> None:
    """32503; and the overrides of the URL's fragment count (C15): two retries, three attempts."""
    await alice(ringback)
    document(ringback, 'statusCallback="/broken#rc=2&amp;rp=all"')
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert asked["Result"] == "session-success"
    assert len(ringback.requests("/broken")) == 3
    assert await codes(ringback) == {"32503"}


async def test_a_status_callback_that_cannot_even_be_sent(ringback: World) -> None:
    """32502: to port 0 there is no way."""
    await alice(ringback)
    document(ringback, 'statusCallback="http://127.0.0.1:0/status"')
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert asked["Result"] == "session-success"
    assert await codes(ringback) == {"32502"}


RECORDED = 'recordingStatusCallback="%s/recorded" recordingStatusCallbackEvent="in-progress completed absent"'


async def test_12_a_recording_and_its_callbacks(ringback: World) -> None:
    await alice(ringback)
    document(ringback, f'record="true" {RECORDED % ringback.app_url}')
    ringback.app("/recorded", "")
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    began, done = ringback.requests("/recorded")
    assert (began["RecordingStatus"], done["RecordingStatus"]) == ("in-progress", "completed")
    assert {
        "AccountSid", "CallSid", "RecordingSid", "RecordingUrl", "RecordingStatus", "RecordingDuration",
        "RecordingChannels", "RecordingSource",
    } <= done.keys()  # fmt: skip
    assert (done["RecordingChannels"], done["RecordingSource"]) == ("1", "DialVerb")
    assert done["CallSid"] == asked["CallSid"]
    assert asked["RecordingSid"] == done["RecordingSid"]
    assert asked["RecordingUrl"] == done["RecordingUrl"]
    assert asked["RecordingDuration"] == done["RecordingDuration"]
    assert int(done["RecordingDuration"]) in (4, 5)  # a word, three seconds, and the second before it


async def test_12_nothing_rings_and_the_recording_is_absent(ringback: World, threads: Threads) -> None:
    threads.nobody_known()
    document(ringback, f'record="record-from-ringing" {RECORDED % ringback.app_url}')
    ringback.app("/recorded", "")
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert not {"RecordingSid", "RecordingUrl"} & asked.keys()
    (told,) = ringback.requests("/recorded")
    assert (told["RecordingStatus"], told["RecordingDuration"]) == ("absent", "0")
    assert (await ringback.get(f"Recordings/{told['RecordingSid']}"))["status"] == "absent"


async def test_12_only_who_asks_for_absent_hears_of_it(ringback: World) -> None:
    await alice(ringback, "busy")
    document(ringback, f'record="record-from-answer" recordingStatusCallback="{ringback.app_url}/recorded"')
    ringback.app("/recorded", "")
    await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert ringback.requests("/recorded") == []
    assert (await ringback.get("Recordings"))["recordings"] == []


async def test_a_recording_that_the_noun_has_not_begun_is_told_without_its_url(ringback: World) -> None:
    await alice(ringback, script=[{"say": "hello"}, {"expect": "goodbye", "within": 3000}, {"hangup": True}])
    document(ringback)
    caller = await ringback.call(OURS, script=[{"wait": 2000}])
    await caller.hears("hello")
    made = await ringback.post(f"Calls/{caller.sid}/Recordings")
    caller.does({"say": "goodbye"})
    asked = await over(ringback, caller)
    assert asked["RecordingSid"] == made["sid"]
    assert "RecordingDuration" in asked
    assert "RecordingUrl" not in asked


async def test_13_a_voicemail_is_a_recording_of_its_own(ringback: World) -> None:
    await alice(ringback, "no-answer")
    document(ringback, f'inboundTimeout="2" record="record-from-ringing" {RECORDED % ringback.app_url}')
    ringback.app("/recorded", "")
    ringback.app("/message", "")
    ringback.app(
        "/after",
        '<Response><Say>Please leave a message</Say><Record action="/done" recordingStatusCallback="/message"/>'
        "</Response>",
    )
    ringback.app("/done", "<Response/>")
    caller = await ringback.call(
        OURS, script=[{"expect": "beep"}, {"say": "call me"}, {"wait": 1}, {"hangup": True}]
    )
    await over(ringback, caller)
    own = {one["RecordingSid"] for one in ringback.requests("/recorded")}
    (message,) = ringback.requests("/message")
    assert message["RecordingSource"] == "RecordVerb"
    assert message["RecordingSid"] not in own
    assert len(own) == 1
    session = await ringback.get(f"Recordings/{own.pop()}")
    assert (session["status"], session["duration"]) == ("completed", "2")  # it ended with the session


BAD = [
    "", 'serviceInstanceSid="IS1"', f'serviceInstanceSid="{SERVICE}" inboundTimeout="abc"',
    *(
        f'serviceInstanceSid="{SERVICE}" {bad}'
        for bad in (
            'inboundTimeout="0"', 'inboundTimeout="-1"', 'inboundTimeout="1.5"', 'routingAssignmentTimeout="0"',
            'inboundAutocreation="yes"', 'record="always"', 'trim="yes"', 'recordingStatusCallback="/relative"',
            'recordingStatusCallbackMethod="PUT"', 'recordingStatusCallbackEvent="begun"', 'statusCallbackMethod="PUT"',
            'statusCallbackEvent="call-sung"', 'statusCallback="ftp://example.com/"', 'url="mailto:me@example.com"',
            'method="PUT"',
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("attributes", BAD)
async def test_14_bad_attributes(ringback: World, threads: Threads, attributes: str) -> None:
    await alice(ringback)
    ringback.app(
        "/voice", f'<Response><Connect action="/after"><Conversation {attributes}/></Connect></Response>'
    )
    asked = await over(ringback, await ringback.call(OURS))
    assert asked["Result"] == "internal-error"
    assert not {"DialCallSid", "DialCallStatus"} & asked.keys()
    assert await codes(ringback) == {"32501"}
    assert threads.sought == []
    assert await legs(ringback) == []


async def test_14_an_unknown_attribute_is_only_warned_of(ringback: World) -> None:
    await alice(ringback)
    document(ringback, 'colour="red"')
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert asked["Result"] == "session-success"
    assert await codes(ringback) == {"12200"}


async def test_15_the_caller_gives_up_while_it_rings(ringback: World) -> None:
    await alice(ringback, "no-answer")
    document(ringback, 'statusCallback="/status"')
    ringback.app("/status", "")
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 3}, {"hangup": True}]))
    assert asked["CallStatus"] == "completed"
    assert (asked["Result"], asked["DialCallStatus"]) == ("dialed-call-incomplete", "canceled")
    (leg,) = await legs(ringback)
    assert asked["DialCallSid"] == leg["sid"]
    party = ringback.product.simulator.call(leg["sid"])
    assert party is not None
    assert party.status == "canceled"
    assert [one["Status"] for one in ringback.requests("/status")] == ["call-completed"]


async def test_15_the_caller_gives_up_before_anybody_is_dialled(ringback: World, threads: Threads) -> None:
    threads.nobody_known()
    document(ringback)
    caller = await ringback.call(OURS, script=[{"wait": 2}, {"hangup": True}])
    asked = await over(ringback, caller)
    assert (asked["Result"], asked["CallStatus"]) == ("dialed-call-incomplete", "completed")
    assert not {"DialCallSid", "DialCallStatus", "DialCallDuration"} & asked.keys()
    assert threads.left == [caller.sid]


async def test_the_caller_hangs_up_after_the_talk(ringback: World) -> None:
    await alice(ringback, script=[{"say": "hello"}, {"wait": 60}])
    document(ringback)
    asked = await over(
        ringback, await ringback.call(OURS, script=[{"expect": "hello"}, {"wait": 3}, {"hangup": True}])
    )
    assert (asked["Result"], asked["DialCallStatus"], asked["CallStatus"]) == (
        "session-success", "completed", "completed",
    )  # fmt: skip
    assert int(asked["DialCallDuration"]) >= 3


HEARS = {"expect": "a call from", "within": 20}


@pytest.mark.parametrize(
    ("whisper", "script", "result", "status"),
    [
        ("<Say>a call from a customer</Say><Hangup/>", [HEARS], "dialed-call-incomplete", "no-answer"),
        ("<Say>a call from a customer</Say>", [HEARS, *TALKS], "session-success", "completed"),
        (
            "<Gather numDigits='1' action='/pressed'><Say>a call from a customer</Say></Gather>",
            [HEARS, {"press": "2"}, {"wait": 60}], "dialed-call-incomplete", "no-answer",
        ),
        (
            "<Gather numDigits='1' action='/pressed'><Say>a call from a customer</Say></Gather>",
            [HEARS, {"press": "1"}, *TALKS], "session-success", "completed",
        ),
        ("<Dial>+15551230009</Dial>", TALKS, "session-success", "completed"),
        (
            "<Say>a call from a customer</Say><Pause length='20'/>", [HEARS, {"hangup": True}],
            "dialed-call-incomplete", "no-answer",
        ),
    ],
)  # fmt: skip
async def test_16_whisper(ringback: World, whisper: str, script: Any, result: str, status: str) -> None:
    await alice(ringback, script=script)
    document(ringback, 'url="/whisper" method="GET" statusCallback="/status"')
    ringback.app("/status", "")
    ringback.app("/whisper", f"<Response>{whisper}</Response>")
    ringback.app(
        "/pressed",
        lambda facts: "<Response><Hangup/></Response>" if facts["Digits"] == "2" else "<Response/>",
    )
    caller = await ringback.call(OURS, script=[{"wait": 90}])
    asked = await over(ringback, caller)
    assert (asked["Result"], asked["DialCallStatus"]) == (result, status)
    assert not any("a call from" in one["text"] for one in caller.heard)
    (whispered,) = ringback.asked("/whisper")
    assert whispered.method == "GET"
    assert (whispered.params["CallSid"], whispered.params["ParentCallSid"]) == (
        asked["DialCallSid"],
        caller.sid,
    )
    assert await codes(ringback) == ({"13201"} if "Dial" in whisper else set())


async def test_16_a_whisper_that_cannot_be_fetched(ringback: World) -> None:
    await alice(ringback)
    document(ringback, 'url="/nowhere"')
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert asked["Result"] == "session-success"
    assert await codes(ringback) == {"11200"}


async def test_20_no_action_and_a_verb_that_follows(ringback: World) -> None:
    await alice(ringback)
    document(ringback, action="", rest="<Say>thank you</Say>")
    caller = await ringback.call(OURS, script=[{"wait": 60}])
    await caller.hears("thank you")
    await caller.ends()
    assert len(ringback.requests("/voice")) == 1


async def test_20_no_action_and_nothing_that_follows(ringback: World) -> None:
    await alice(ringback)
    document(ringback, action="", rest="<Colour/>")
    caller = await ringback.call(OURS, script=[{"wait": 60}])
    await caller.ends()
    await ringback.settled()
    first, again = ringback.requests("/voice")
    assert "Result" not in first
    assert (again["Result"], again["DialCallStatus"]) == ("session-success", "completed")
    assert len(await legs(ringback)) == 1  # and nobody is dialled a second time


async def test_20_the_document_says_something_else_the_second_time(ringback: World) -> None:
    await alice(ringback)
    document(ringback, action="")
    same = ringback._documents["/voice"]
    ringback.app(
        "/voice",
        lambda facts: "<Response><Say>goodbye</Say></Response>" if "Result" in facts else same,  # type: ignore[arg-type,return-value]
    )
    caller = await ringback.call(OURS, script=[{"wait": 60}])
    await caller.hears("goodbye")
    await caller.ends()


async def test_the_caller_is_redirected(ringback: World) -> None:
    """§5.1: the leg is ended, and nobody asks the action."""
    await alice(ringback, script=[{"say": "hello"}, {"wait": 60}])
    document(ringback)
    ringback.app("/moved", "<Response><Say>you were moved</Say></Response>")
    caller = await ringback.call(OURS, script=[{"wait": 60}])
    await caller.hears("hello")
    await ringback.post(f"Calls/{caller.sid}", Url=ringback.app_url + "/moved")
    await caller.hears("you were moved")
    await caller.ends()
    await ringback.settled()
    assert ringback.requests("/after") == []
    assert [leg["status"] for leg in await legs(ringback)] == ["completed"]


async def test_the_worker_is_redirected(ringback: World) -> None:
    """§5.1: success without ``DialCallDuration``; the leg lives on."""
    await alice(ringback, script=[{"say": "hello"}, {"expect": "moved", "within": 3000}, {"hangup": True}])
    document(ringback)
    ringback.app("/moved", "<Response><Say>you were moved</Say><Pause length='9'/></Response>")
    caller = await ringback.call(OURS, script=[{"wait": 60}])
    await caller.hears("hello")
    (leg,) = await legs(ringback)
    await ringback.post(f"Calls/{leg['sid']}", Url=ringback.app_url + "/moved")
    asked = await over(ringback, caller)
    assert (asked["Result"], asked["DialCallStatus"]) == ("session-success", "completed")
    assert "DialCallDuration" not in asked


async def test_the_leg_is_canceled_by_rest(ringback: World) -> None:
    await alice(ringback, "no-answer")
    document(ringback, 'inboundTimeout="3000"')
    caller = await ringback.call(OURS, script=[{"wait": 3600}])
    await caller.hears("ringback")
    await ringback.lanes_empty()
    (leg,) = await legs(ringback)
    await ringback.post(f"Calls/{leg['sid']}", Status="canceled")
    asked = await over(ringback, caller)
    assert (asked["Result"], asked["DialCallStatus"]) == ("dialed-call-incomplete", "canceled")


async def test_nobody_says_whether_there_is_one(ringback: World, threads: Threads) -> None:
    """A call waits for no lane for ever: 32500."""
    threads.silent = True
    document(ringback)
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert asked["Result"] == "internal-error"
    assert await codes(ringback) == {"32500"}


async def test_an_answer_for_a_call_that_is_over(ringback: World, threads: Threads) -> None:
    """It comes too late: the conversation hears that nobody waits."""
    from ringback.events.conversations import ConversationFound

    document(ringback)
    caller = await ringback.call(OURS)
    await over(ringback, caller)
    late = ConversationFound(
        call_sid=caller.sid, request="conversation9", conversation_sid=MADE, created=True
    )
    ringback.product.post(late)
    await ringback.settled()
    assert threads.left == [caller.sid]


async def test_the_official_builder(ringback: World) -> None:
    from twilio.twiml.voice_response import Connect, VoiceResponse  # type: ignore[import-untyped]

    await alice(ringback)
    response = VoiceResponse()
    connect = Connect(action="/after", method="GET")
    connect.conversation(
        service_instance_sid=SERVICE, inbound_autocreation=True, routing_assignment_timeout=5, inbound_timeout=20,
        record="record-from-answer-dual", trim="trim-silence", status_callback="/status", status_callback_method="POST",
        status_callback_event="call-initiated call-completed", recording_status_callback="https://example.com/r",
        recording_status_callback_method="POST", recording_status_callback_event="absent", url="/whisper",
        method="POST",
    )  # fmt: skip
    response.append(connect)
    ringback.app("/voice", str(response))
    ringback.app("/status", "")
    ringback.app("/whisper", "<Response/>")
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert asked["Result"] == "session-success"
    assert ringback.asked("/after")[0].method == "GET"
    assert [one["Status"] for one in ringback.requests("/status")] == ["call-initiated", "call-completed"]
    assert await codes(ringback) == set()


@pytest.mark.parametrize(
    ("where", "status"),
    [("ring_the_caller", None), ("ring", None), ("ended", "busy"), ("join", "completed")],
)
async def test_a_bug_ends_the_session_and_not_the_call(
    ringback: World, where: str, status: str | None
) -> None:
    """§4: any state → internal-error with 32500; the leg is hung up, the action is asked, the call goes on."""
    await alice(ringback, "busy" if where == "ended" else "answer")
    document(ringback)
    spoken = ConversationDialling.__dict__.get(where) or getattr(Dialling, where)

    def breaks(self: Any, *given: Any) -> None:
        if where == "ended":
            spoken(self, *given)
        raise ZeroDivisionError("a bug")

    with patch.object(ConversationDialling, where, breaks):
        caller = await ringback.call(OURS, script=[{"expect": "over", "within": 60}, {"wait": 60}])
        asked = await over(ringback, caller)
    assert (asked["Result"], asked.get("DialCallStatus"), asked["CallStatus"]) == (
        "internal-error", status, "in-progress",
    )  # fmt: skip
    assert ("DialCallSid" in asked) == (status is not None)
    assert await codes(ringback) == {"32500"}
    assert {leg["status"] for leg in await legs(ringback)} <= {"completed", "busy"}
    assert caller.heard[-1]["text"] == "the session is over"
    assert ringback.product.runtime.mending.bugs == 0


async def test_a_bug_while_attributes_are_read(ringback: World) -> None:
    document(ringback)
    with patch("ringback.voice.verbs.connect.strict", side_effect=ZeroDivisionError("a bug")):
        asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert asked["Result"] == "internal-error"
    assert await codes(ringback) == {"32500"}
