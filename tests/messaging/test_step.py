"""The core of messages: what an event comes to, without a product around it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from ringback.effects import Answer, ClearDeadline, Delete, Effect, Post, Save, SendWebhook, SetDeadline
from ringback.effects.media import AttachMedia
from ringback.effects.messaging import ClaimSend, QueueSend, SendText
from ringback.events import DeadlineReached
from ringback.events.conversations import InboundTexted, MessageTold
from ringback.events.messaging import (
    Attachment,
    FromConversation,
    MessageArrived,
    MessageNotSent,
    MessageRefused,
    MessageRequested,
    MessageSent,
    MessageUnclear,
    ReceiptArrived,
    SendStarted,
)
from ringback.events.writes import WriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.messaging.departure import Ports
from ringback.messaging.step import Texting
from ringback.resources.api.alert import Alert
from ringback.resources.api.message import Message

SID, ACCOUNT = "SM" + "1" * 32, "AC" + "1" * 32
ORIGIN = FromConversation(conversation_sid="CH1", conversation_message_sid="IM1", participant_sid="MB1")
NOW = 1_700_000_000.0


def texting(queued: int = 0) -> Texting:
    """A core of its own."""
    count = itertools.count(1)
    return Texting(
        Ports(
            new_sid=lambda prefix: f"{prefix}{next(count):032x}",
            new_token=lambda: "token",
            public_url="http://h",
            magic_numbers=False,
            channel_of=lambda address: "smpp:one",
            queued=lambda sender: queued,
            elements=lambda body, kind: (),
        )
    )


def requested(core: Texting, **values: Any) -> tuple[Message | None, Sequence[Effect]]:
    """Ask for a message."""
    given = {
        "message_sid": SID, "account_sid": ACCOUNT, "to": "+15551230001", "from_": "+15550100", "body": "hi",
        "known": {"sender": {"sms": True}}, "status_callback": "http://h/s",
    }  # fmt: skip
    return core.departures.requested(MessageRequested(**{**given, **values}), NOW)


def sending(core: Texting, **values: Any) -> Message:
    """A message that has been claimed."""
    message, _ = requested(core, **values)
    after, _ = core.step(message, SendStarted(message_sid=SID), NOW)
    assert after is not None
    assert after.status == "sending"
    return after


def told(effects: Sequence[Effect]) -> list[Any]:
    """Status callbacks and what the conversation hears, in order."""
    found: list[Any] = []
    for each in effects:
        if isinstance(each, SendWebhook):
            found.append(dict(each.params)["MessageStatus"])
        elif isinstance(each, Post) and isinstance(each.event, MessageTold):
            found.append((each.event.status, each.event.error_code))
    return found


def test_it_is_queued_claimed_sent_and_delivered() -> None:
    core = texting()
    message, effects = requested(core)
    assert message is not None
    assert [type(each) for each in effects] == [QueueSend, Answer]
    message, effects = core.step(message, SendStarted(message_sid=SID), NOW)
    assert message is not None
    assert [type(each) for each in effects] == [ClaimSend, SendText, Answer]
    assert (message.status, message.channel) == ("sending", "smpp:one")
    again, effects = core.step(message, SendStarted(message_sid=SID), NOW)
    assert again is message
    assert not any(isinstance(each, SendText) for each in effects)
    message, effects = core.step(message, MessageSent(message_sid=SID, carrier_id="x", segments=3), NOW + 1)
    assert message is not None
    assert (message.status, message.carrier_id, message.num_segments) == ("sent", "x", 3)
    assert (message.date_sent, told(effects)) == (NOW + 1, ["sent"])
    message, effects = core.step(
        message, ReceiptArrived(message_sid=SID, status="delivered", done_at=0.0), NOW
    )
    assert told(effects) == ["delivered"]
    hook = next(each for each in effects if isinstance(each, SendWebhook))
    assert dict(hook.params)["RawDlrDoneDate"] == "7001010000"
    for status in ("delivered", "undelivered", "failed", "sent"):
        same, effects = core.step(message, ReceiptArrived(message_sid=SID, status=status), NOW)
        assert same is message
        assert not effects
    message, effects = core.step(message, ReceiptArrived(message_sid=SID, status="read"), NOW)
    assert told(effects) == ["read"]


def test_what_was_not_sent_when_the_server_stopped_is_back_in_line() -> None:
    core = texting()
    message, effects = core.step(sending(core), MessageNotSent(message_sid=SID, text="stopping"), NOW + 1)
    assert message is not None
    assert message.status == "queued"
    assert [type(each) for each in effects] == [QueueSend]  # and nobody is told: it was never announced
    again, effects = core.step(message, SendStarted(message_sid=SID), NOW + 2)
    assert again is not None
    assert again.status == "sending"
    for status in ("sent", "failed"):
        other = sending(core)
        other.status = status
        assert core.step(other, MessageNotSent(message_sid=SID), NOW) == (other, ())


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (MessageRefused(message_sid=SID, error_code=30006), 30006),
        (MessageUnclear(message_sid=SID, text="why"), 30008),
    ],
)
def test_a_conversation_hears_of_a_failure(event: Any, code: int) -> None:
    core = texting()
    message, effects = core.step(sending(core, origin=ORIGIN), event, NOW)
    assert message is not None
    assert (message.status, message.error_code) == ("failed", code)
    assert told(effects) == ["failed", ("failed", code)]
    assert [each.record.error_code for each in effects if isinstance(each, Save)] == [code]
    same, effects = core.step(message, event, NOW)
    assert same is message
    assert not effects


def test_a_conversations_message_that_is_refused_is_there_and_failed() -> None:
    message, effects = requested(texting(), origin=ORIGIN, known={})
    assert message is not None
    assert (message.status, message.error_code) == ("failed", 21606)
    assert told(effects) == [("failed", 21606)]


def test_a_reply_that_is_refused_is_told_to_the_debugger() -> None:
    message, effects = requested(texting(), direction="outbound-reply", params={"ReplyTo": "SM2"}, known={})
    assert message is None
    entries = [each.record for each in effects if isinstance(each, Save)]
    assert [(type(one), one.error_code, one.resource_sid) for one in entries] == [(Alert, 14108, "SM2")]


def test_too_many_wait() -> None:
    with pytest.raises(Refused) as caught:
        requested(texting(queued=20_000))
    assert caught.value.code == 21611


def test_what_has_waited_too_long_is_not_sent() -> None:
    core = texting()
    message, _ = requested(core, params={"ValidityPeriod": "10"})
    in_time, _ = core.step(message, SendStarted(message_sid=SID), NOW + 10)
    assert in_time is not None
    assert in_time.status == "sending"
    late, effects = core.step(message, SendStarted(message_sid=SID), NOW + 11)
    assert late is not None
    assert (late.status, late.error_code, told(effects)) == ("failed", 30036, ["failed"])
    assert Answer(value=False) in effects


def test_its_time_is_up_before_its_turn_comes() -> None:
    """A deadline of its own says so; one that may wait as long as any has none."""
    core = texting()
    _, effects = requested(core)
    assert not any(isinstance(each, SetDeadline) for each in effects)
    message, effects = requested(core, params={"ValidityPeriod": "60"})
    assert message is not None
    (deadline,) = (each for each in effects if isinstance(each, SetDeadline))
    assert deadline.at == NOW + 60
    due = DeadlineReached(lane=deadline.lane, name=deadline.name)
    sent, effects = core.step(message, SendStarted(message_sid=SID), NOW + 1)
    assert any(isinstance(each, ClearDeadline) for each in effects)
    assert sent is not None
    assert core.step(sent, due, NOW + 60)[0] is sent  # too late to matter
    after, effects = core.step(message, due, NOW + 60)
    assert after is not None
    assert (after.status, after.error_code, told(effects)) == ("failed", 30036, ["failed"])
    assert any(isinstance(each, ClaimSend) for each in effects)
    _, effects = core.step(sent, MessageNotSent(message_sid=SID), NOW + 30)
    assert any(isinstance(each, SetDeadline) for each in effects)


def test_the_files_of_a_deleted_text_go_with_it() -> None:
    core = texting()
    message = sending(core, media=(Attachment(sid="ME" + "1" * 32), Attachment(url="http://h/b")))
    message.status = "sent"
    event = WriteRequested(lane=Lane("message", SID), noun="Message", operation="delete", sid=SID)
    after, effects = core.step(message, event, NOW)
    assert after is None
    assert [each for each in effects if isinstance(each, AttachMedia)] == [
        AttachMedia(media_sid="ME" + "1" * 32, message_sid="")
    ]
    assert [type(each.record).__name__ for each in effects if isinstance(each, Delete)] == ["Media"] * 2 + [
        "Message"
    ]


def test_a_landline_gets_no_text() -> None:
    able = {"sender": {"sms": True}}
    with pytest.raises(Refused) as caught:
        requested(texting(), known={**able, "line_type": "landline"})
    assert caught.value.code == 21614
    assert requested(texting(), known={**able, "line_type": "mobile"})[0] is not None


def test_numbers_as_people_write_them_in_the_senders_country() -> None:
    message, _ = requested(texting(), from_="+442071838750", to="07400 123456")
    assert message is not None
    assert message.to == "+447400123456"


def test_an_inbound_message_looks_for_its_conversation() -> None:
    arrived = MessageArrived(
        message_sid=SID, channel="http:wa", from_="whatsapp:+15551230001", to="whatsapp:+15550100", body="stop",
        carrier_id="7", carrier_key="http:wa|7|ab", account_sid=ACCOUNT,
    )  # fmt: skip
    message, effects = texting().step(None, arrived, NOW)
    assert message is not None
    assert (message.status, message.carrier_key) == ("received", "http:wa|7|ab")
    sought = [each.event for each in effects if isinstance(each, Post)]
    assert [type(one) for one in sought] == [InboundTexted]  # STOP is a word of SMS
    assert (sought[0].channel_type, sought[0].address) == ("whatsapp", "whatsapp:+15551230001")  # type: ignore[attr-defined]


def test_what_is_about_a_deleted_message_changes_nothing() -> None:
    core = texting()
    assert core.step(None, ReceiptArrived(message_sid=SID, status="delivered"), NOW) == (None, [])
    assert core.step(None, SendStarted(message_sid=SID), NOW)[1] == [
        ClaimSend(message_sid=SID),
        Answer(value=False),
    ]
