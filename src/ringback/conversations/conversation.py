"""Conversations: made, changed, closed and deleted (conversations.md §1, §1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringback.conversations import calls, checks, machine, messages, participants, states, timers, webhooks
from ringback.conversations.parameters import parameters
from ringback.conversations.rights import require
from ringback.conversations.trouble import alert
from ringback.conversations.work import Work, facts_of
from ringback.effects import Answer
from ringback.events.conversations import (
    CallWaits,
    ConversationEmptied,
    ConversationWriteRequested,
    TextUnclaimed,
)
from ringback.events.frontline import WorkerWanted
from ringback.kernel.errors import Refused
from ringback.resources.api.alert import Alert
from ringback.resources.conversations.conversation import Conversation

AT_ONCE = 10
"""Participants that a create may bring (conversations.md §1)."""
_ABOUT = ("address", "proxy_address", "projected_address")


def create(work: Work) -> None:
    """Make it, and what it brings, in one commit. Made already (the event came twice): answered as it is."""
    event: ConversationWriteRequested = work.event
    if work.record is not None:
        work.effects.append(Answer(value=work.record))
        return
    waiting = event.values.get("waiting_call")
    try:
        _create(work, event)
    except Refused as refusal:
        if refusal.code == 50416 and _passed_on(work, event):
            return
        outside = (event.values.get("message") or {}).get("carrier_key")
        if waiting is None and not outside:
            raise
        work.record, work.effects = None, []
        if waiting is not None:
            calls.not_created(work, waiting, refusal)
        if outside:  # it must not be lost for that: the number's own handler gets it
            work.post(TextUnclaimed(message_sid=str(outside)))
            work.save(_not_made(work, refusal, str(outside)))
    else:
        work.effects.append(Answer(value=work.record))


def _not_made(work: Work, refusal: Refused, message_sid: str) -> Alert:
    """Nobody else learns it: whoever wrote has no answer of ours to read."""
    text = f"No conversation was made for the message {message_sid}: {refusal.message}"
    return alert(
        work.new_sid, work.now, account_sid=work.event.account_sid, code=refusal.code, text=text,
        resource_sid=message_sid,
    )  # fmt: skip


def _create(work: Work, event: ConversationWriteRequested) -> None:
    require(work, "Conversation", "create")
    values = event.values
    conversation = Conversation(
        sid=event.sid,
        account_sid=event.account_sid,
        date_created=values.get("date_created") or work.now,
        date_updated=values.get("date_updated") or work.now,
        chat_service_sid=event.chat_service_sid,
        created_by=str(values.get("created_by") or event.identity or "system"),
        messaging_service_sid=work.known.get("messaging_service_sid"),
    )
    work.begin(conversation)
    _timed(work, values)
    if (values.get("timers_inactive") or values.get("timers_closed")) and not values.get("state"):
        raise Refused(50382, "Timers cannot be set without State", 400)
    if values.get("state"):
        conversation.state = _wanted(values["state"])
        if conversation.state == "closed":
            raise Refused(50384, "A conversation cannot begin closed", 400)
    _fill(work, values)
    brought = list(values.get("participants") or ())
    if len(brought) > AT_ONCE:
        raise Refused(50426, f"More than {AT_ONCE} participants in one request", 400)
    first: Mapping[str, Any] = next((each for each in brought if each.get("address")), {})
    message = values.get("message") or {}
    about = {name: first.get(name) for name in _ABOUT} | {
        "message_body": message.get("body"), "media": message.get("media") or None,
        "author_address": message.get("author") if first else None,
    }  # fmt: skip
    work.tell("onConversationAdded", conversation, about)
    timers.restart(work)
    for each in values.get("webhooks") or ():
        webhooks.add(work, each, str(each["sid"]))
    for each in brought:
        participants.add(work, each, str(each["sid"]))
    waiting = values.get("waiting_call")
    if values.get("routed"):
        work.post(_wanted_worker(work, conversation, about, str((waiting or {}).get("call_sid", ""))))
    if waiting is not None:
        calls.wait(work, str(waiting["call_sid"]), str(waiting.get("request", "")), created=True)
    if message:
        messages.add(work, message, str(message["sid"]))


def _wanted_worker(
    work: Work, conversation: Conversation, about: Mapping[str, Any], call_sid: str
) -> WorkerWanted:
    """A customer has begun it: it goes to a worker as the service says."""
    facts = {**facts_of(conversation), **about}
    form = parameters("onConversationAdded", conversation.account_sid, work.source, work.identity, facts)
    return WorkerWanted(
        account_sid=conversation.account_sid, chat_service_sid=conversation.chat_service_sid,
        conversation_sid=conversation.sid, call_sid=call_sid, params=tuple(form),
    )  # fmt: skip


def _passed_on(work: Work, event: ConversationWriteRequested) -> bool:
    """Somebody else has made a conversation of the same pair meanwhile: what was to go into ours goes there."""
    values = event.values
    there = participants.elsewhere(work, values.get("participants") or ())
    message, waiting = values.get("message"), values.get("waiting_call")
    if not there or not (message or waiting):
        return False
    work.record, work.effects = None, []
    if message:
        work.post(
            ConversationWriteRequested(
                conversation_sid=there, account_sid=event.account_sid, chat_service_sid=event.chat_service_sid,
                noun="Message", operation="create", sid=str(message["sid"]), values=dict(message),
                source=event.source, identity=event.identity, hooks=event.hooks,
            )
        )  # fmt: skip
    if waiting is not None:
        work.post(
            CallWaits(
                conversation_sid=there, account_sid=event.account_sid, call_sid=str(waiting["call_sid"]),
                request=str(waiting.get("request", "")),
            )
        )  # fmt: skip
    return True


def update(work: Work) -> None:
    """Change it. A state is a step of the table; closed is final."""
    event: ConversationWriteRequested = work.event
    if work.conversation.state == "closed":
        raise Refused(50377, "The conversation is closed, so it cannot be changed", 400)
    values = event.values
    require(work, "Conversation", "update", values)
    conversation = work.change()
    timed = _timed(work, values)
    _fill(work, values)
    conversation.date_updated = values.get("date_updated") or max(work.now, conversation.date_updated + 1e-6)
    if values.get("state"):
        states.move(work, machine.WANTED[_wanted(values["state"])], "API")
    elif timed:
        timers.restart(work)
    work.tell("onConversationUpdated", conversation)
    work.effects.append(Answer(value=conversation))


def delete(work: Work) -> None:
    """Remove it with its participants and webhooks at once; its messages follow in pieces."""
    require(work, "Conversation", "delete")
    conversation = work.conversation
    for participant in work.participants:
        work.delete(participant)
    for webhook in work.webhooks:
        work.delete(webhook)
    timers.stop(work)
    work.tell("onConversationRemoved", conversation, {"date_removed": work.now})
    calls.nobody_comes(work)
    work.post(ConversationEmptied(conversation_sid=conversation.sid))
    work.record = None


def emptied(work: Work) -> None:
    """The next piece of its messages, and their receipts."""
    gone = [*work.known.get("messages", ()), *work.known.get("receipts", ())]
    for each in gone:
        work.delete(each)
    if gone:
        work.post(ConversationEmptied(conversation_sid=work.event.conversation_sid))


def _wanted(value: Any) -> str:
    if value not in machine.WANTED:
        raise Refused(20001, "Invalid State: must be active, inactive or closed", 400)
    return str(value)


def _timed(work: Work, values: Mapping[str, Any]) -> bool:
    """Read the timers; whether any was given. What a create leaves out is as the account's configuration says."""
    conversation = work.change()
    defaults = work.known.get("timers", {})
    for name in ("inactive", "closed"):
        given = values.get(f"timers_{name}", defaults.get(name) if work.event.operation == "create" else None)
        if f"timers_{name}" in values or given:
            setattr(conversation, f"{name}_after", timers.read_timer(name, given))
    return "timers_inactive" in values or "timers_closed" in values


def _fill(work: Work, values: Mapping[str, Any]) -> None:
    conversation = work.change()
    given = dict(values)
    if "friendly_name" in given:
        conversation.friendly_name = checks.text(given, "friendly_name", checks.NAME, "FriendlyName")
    if "unique_name" in given:
        conversation.unique_name = checks.unique_name(given["unique_name"])
        named = work.known.get("named")
        if conversation.unique_name and named is not None and named.sid != conversation.sid:
            raise Refused(50353, f"UniqueName is that of the conversation {named.sid}", 409)
    if "attributes" in given:
        conversation.attributes = checks.attributes(given["attributes"])
    if "messaging_service_sid" in given:
        conversation.messaging_service_sid = messaging_service(given["messaging_service_sid"])
    email = dict(conversation.bindings.get("email") or {})
    for name in ("address", "name"):
        if f"email_{name}" in given:
            email[name] = checks.text(
                given, f"email_{name}", checks.ADDRESS, f"Bindings.Email.{name.title()}"
            )
    if email:
        conversation.bindings = {**conversation.bindings, "email": email}


def messaging_service(value: Any) -> str | None:
    """SID of a messaging service."""
    if not value:
        return None
    text = str(value)
    if len(text) != 34 or not text.startswith("MG") or not set(text[2:].lower()) <= set("0123456789abcdef"):
        raise Refused(20001, "Invalid MessagingServiceSid: must be MG and 32 hex digits", 400)
    return "MG" + text[2:].lower()
