"""``<Connect><Conversation>`` under any interleaving of events: one result, out of seven, and nobody waits on."""

from __future__ import annotations

from typing import get_args

from driver import CALL, Driver
from hypothesis import given, settings
from hypothesis import strategies as st
from test_any_order import ACTS, Act, _do, _end

from ringback import effects as fx
from ringback import events as ev
from ringback.events.conversations import (
    CallLeftConversation,
    ConversationFound,
    ConversationOpened,
    ConversationSought,
    WorkerJoined,
)
from ringback.voice.call.machine import TERMINAL
from ringback.voice.connect.session_table import Result

THREAD = "CH" + "1" * 32
NOUN = (
    f"<Conversation serviceInstanceSid='IS{'a' * 32}' record='record-from-ringing' statusCallback='/s' url='/w' "
    "statusCallbackEvent='call-initiated call-ringing call-answered call-completed'/>"
)
PAGES = {
    "/voice": f"<Response><Connect action='/after'>{NOUN}</Connect></Response>",
    "/after": "<Response><Say>after</Say></Response>",
    "/w": "<Response><Gather numDigits='1'><Say>press</Say></Gather></Response>",
    "/new": "<Response><Pause length='5'/></Response>",
}
FOUND = {
    "found": {"worker": "alice"},
    "made": {"created": True},
    "bare": {},
    "customer": {"customer": "+15551230009", "proxy_address": "+15550100"},
    **{
        f"result {word}": {"result": word, "conversation_sid": ""}
        for word in (*get_args(Result)[1:], "no-answer")
    },
}


def _found(call: Driver, facts: dict[str, object]) -> ConversationFound:
    asked = [
        one.event
        for one in call.of(fx.Post)
        if isinstance(one.event, ConversationSought | ConversationOpened)
    ]
    request = asked[-1].request if asked else "conversation1"
    return ConversationFound(call_sid=CALL, request=request, **{"conversation_sid": THREAD, **facts})


def _finds(facts: dict[str, object]) -> Act:
    return lambda call, sid: _found(call, facts)


OWN: dict[str, Act] = {
    **{name: _finds(dict(facts)) for name, facts in FOUND.items()},
    "joined": lambda call, sid: WorkerJoined(call_sid=CALL, conversation_sid=THREAD, worker="alice"),
    "assign timer": lambda call, sid: ev.TimerFired(lane=ev.Lane("call", CALL), name="conversation-assign"),
    "answer timer": lambda call, sid: ev.TimerFired(lane=ev.Lane("call", CALL), name="conversation-answer"),
}
ALL = {**ACTS, **OWN}


@settings(max_examples=400, deadline=None)
@given(
    st.booleans(),
    st.sampled_from(["", "found", "made", "customer"]),
    st.lists(st.tuples(st.sampled_from(sorted(ALL)), st.integers(0, 3)), max_size=16),
)
def test_17_the_result_is_one_of_seven(worker: bool, first: str, acts: list[tuple[str, int]]) -> None:
    call = Driver(PAGES)
    given_ = (("ConversationSid", THREAD),) if worker else ()
    call.feed(
        ev.CallArrived(
            call_sid=CALL, carrier="simulated", from_="client:alice" if worker else "+15551230001", to="+15550100",
            parameters=given_,
            routing=ev.VoiceRouting(account_sid="AC" + "0" * 32, voice_url="http://app.test/voice"),
        )
    )  # fmt: skip
    call.answered()
    for act, which in [(first, 0), *acts] if first else acts:
        if act in OWN:
            call.feed(OWN[act](call, CALL))
        else:
            _do(call, act, which)
    waiting = dict(call.calls[CALL].plan).get("waits_in") if call.status() not in TERMINAL else None
    _end(call)
    asked = call.asked("/after")
    assert len(asked) <= 1
    for facts in asked:
        assert facts["Result"] in get_args(Result)
        assert facts.get("DialCallStatus", "failed") in (
            "completed",
            "busy",
            "no-answer",
            "failed",
            "canceled",
        )
        assert ("DialCallSid" in facts) <= ("DialCallStatus" in facts)
        assert (facts["Result"] == "session-success") == (facts.get("DialCallStatus") == "completed")
    assert all(call.status(sid) in TERMINAL for sid in [CALL, *call.children()])
    left = [one.event for one in call.of(fx.Post) if isinstance(one.event, CallLeftConversation)]
    joined = any(act == "joined" for act, _ in acts)
    assert not waiting or left or joined
    statuses = [
        one for one in call.of(fx.SendWebhook) if dict(one.params).get("CallbackSource", "")[0] == "v"
    ]
    for sid in call.children():
        told = [dict(one.params)["SequenceNumber"] for one in statuses if one.key == sid]
        assert told == [str(number) for number in range(1, len(told) + 1)]
    assert call.board.live == 0
