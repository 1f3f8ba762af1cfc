"""The lane ``pair``: what a message or a call comes to, from what was looked up (conversations.md §1.1, §1.3;
connect-conversation.md §4)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ringback.conversations.pair import Pairs
from ringback.effects import Effect, Post, Save
from ringback.events import Event
from ringback.events.conversations import (
    CallWaits,
    ConversationFound,
    ConversationSought,
    ConversationWriteRequested,
    InboundTexted,
    TextUnclaimed,
)
from ringback.events.messaging import Attachment

COUNT = itertools.count()
PAIRS = Pairs(lambda prefix: f"{prefix}{next(COUNT)}")
SERVICE, OPEN, CUSTOMER, OURS = "IS1", "CH1", "+15551230001", "+15550100"


def text(body: str = "hello", **more: Any) -> InboundTexted:
    return InboundTexted(
        account_sid="AC1", address=CUSTOMER, proxy_address=OURS, message_sid="SM1", body=body, **more
    )


def call(**more: Any) -> ConversationSought:
    return ConversationSought(
        account_sid="AC1", address=more.pop("address", CUSTOMER), proxy_address=OURS, call_sid="CA1", request="r",
        chat_service_sid=SERVICE, **more,
    )  # fmt: skip


def posted(effects: Any) -> list[Any]:
    """The events, of effects that are nothing else."""
    assert all(isinstance(each, Post) for each in effects), effects
    return [each.event for each in effects]


def one(effects: Any) -> Any:
    (event,) = posted(effects)
    return event


# --- messages --------------------------------------------------------------------------------------------


def test_a_known_customer_writes_into_their_conversation() -> None:
    media = (Attachment(sid="ME1", content_type="image/png", filename="a.png", size=5),)
    event = one(PAIRS.texted(text(media=media, known={"thread": OPEN, "service": SERVICE}), 1.0))
    assert isinstance(event, ConversationWriteRequested)
    assert (event.conversation_sid, event.noun, event.operation, event.source) == (
        OPEN,
        "Message",
        "create",
        "SMS",
    )
    assert event.values["author"] == CUSTOMER
    assert (event.values["carrier_key"], event.values["body"]) == ("SM1", "hello")
    assert event.values["media"][0]["sid"] == "ME1"


def test_what_is_too_long_for_one_message_becomes_several_in_order() -> None:
    body = "a" * 1600 + "b" * 1600 + "c"
    events = posted(PAIRS.texted(text(body, known={"thread": OPEN, "service": SERVICE}), 1.0))
    assert "".join(each.values["body"] for each in events) == body
    assert [each.values["carrier_key"] for each in events] == ["SM1", "SM1/2", "SM1/3"]
    assert len({each.sid for each in events}) == 3
    many = tuple(Attachment(sid=f"ME{number}") for number in range(25))
    events = posted(PAIRS.texted(text("x", media=many, known={"thread": OPEN, "service": SERVICE}), 1.0))
    assert [len(each.values["media"]) for each in events] == [10, 10, 5]
    assert [each.values["body"] for each in events] == ["x", None, None]


@pytest.mark.parametrize("webhook", [None, {"target": "studio", "flow_sid": "FW1"}])
def test_an_unknown_customer_gets_a_conversation_in_one_write(webhook: dict[str, Any] | None) -> None:
    making = {"sid": "CH9", "service": SERVICE, "values": {"friendly_name": "Ann"}, "webhook": webhook}
    body = "a" * 1600 + "b"
    create, other = posted(PAIRS.texted(text(body, channel_type="whatsapp", known={"making": making}), 1.0))
    assert (create.noun, create.operation, create.source) == ("Conversation", "create", "WHATSAPP")
    assert create.sid == create.conversation_sid == other.conversation_sid == "CH9"
    values = create.values
    assert values["friendly_name"] == "Ann"
    (customer,) = values["participants"]
    assert (customer["address"], customer["proxy_address"]) == (CUSTOMER, OURS)
    assert values["message"]["carrier_key"] == "SM1"
    assert values["routed"]
    assert [each["target"] for each in values.get("webhooks", [])] == ([] if webhook is None else ["studio"])


def test_what_no_conversation_takes_goes_to_the_numbers_own_url() -> None:
    event = one(PAIRS.texted(text(known={"making": None}), 1.0))
    assert isinstance(event, TextUnclaimed)
    assert event.message_sid == "SM1"
    # nothing in it, though the customer is known
    assert isinstance(
        one(PAIRS.texted(text("", known={"thread": OPEN, "service": SERVICE}), 1.0)), TextUnclaimed
    )


def test_a_configuration_of_what_is_gone_is_told_to_the_operator() -> None:
    alert, unclaimed = PAIRS.texted(text(known={"making": None, "problem": (50050, "gone")}), 1.0)
    assert isinstance(alert, Save)
    assert (alert.record.error_code, alert.record.resource_sid) == (50050, "SM1")
    assert isinstance(unclaimed, Post)


# --- calls -------------------------------------------------------------------------------------------------


def found(effects: Any) -> ConversationFound:
    event: Event = one(effects)
    assert isinstance(event, ConversationFound)
    assert (event.call_sid, event.request) == ("CA1", "r")
    return event


def test_match() -> None:
    known = {"thread": OPEN, "worker": "ann", "waited_for": False}
    event = found(PAIRS.sought(call(known=known), 1.0))
    assert (event.result, event.conversation_sid, event.worker, event.customer, event.proxy_address, event.created) == (
        "", OPEN, "ann", CUSTOMER, OURS, False,
    )  # fmt: skip


def test_a_conversation_without_a_worker() -> None:
    event = found(PAIRS.sought(call(known={"thread": OPEN, "worker": "", "waited_for": False}), 1.0))
    assert (event.result, event.error_code, event.conversation_sid) == ("no-other-participants", 32504, OPEN)


def test_a_second_call_waits_with_the_first_for_the_worker() -> None:
    event = one(PAIRS.sought(call(known={"thread": OPEN, "worker": "", "waited_for": True}), 1.0))
    assert isinstance(event, CallWaits)
    assert (event.conversation_sid, event.call_sid, event.request, event.created) == (OPEN, "CA1", "r", True)


@pytest.mark.parametrize(("known", "result", "code"), [
    ({"making": None}, "no-existing-conversation", None),
    ({"problem": (32500, "refused")}, "failed-create-conversation", 32500),
    ({"problem": (32501, "no service")}, "internal-error", 32501),
])  # fmt: skip
def test_no_conversation(known: dict[str, Any], result: str, code: int | None) -> None:
    event = found(PAIRS.sought(call(known=known), 1.0))
    assert (event.result, event.error_code, event.conversation_sid) == (result, code, "")


@pytest.mark.parametrize(("address", "alone"), [(CUSTOMER, False), ("anonymous", True)])
def test_create_and_route(address: str, alone: bool) -> None:
    making = {"sid": "CH9", "service": SERVICE, "values": {"friendly_name": "Ann"}}
    effects: list[Effect] = list(PAIRS.sought(call(address=address, known={"making": making}), 1.0))
    event = one(effects)
    assert (event.noun, event.operation, event.source) == ("Conversation", "create", "VOICE")
    values = event.values
    assert values["waiting_call"] == {"call_sid": "CA1", "request": "r"}
    assert values["routed"]
    assert "message" not in values
    (customer,) = values["participants"]
    assert (customer["address"], customer["alone"]) == (address, alone)
