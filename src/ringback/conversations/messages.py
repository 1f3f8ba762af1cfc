"""Messages: written, changed, removed (conversations.md §1, §1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ringback.conversations import checks, fanout, states
from ringback.conversations.rights import require
from ringback.conversations.work import Work
from ringback.effects import Answer
from ringback.effects.media import AttachMedia
from ringback.events.conversations import ConversationWriteRequested, InboundTexted
from ringback.events.messaging import Attachment
from ringback.kernel.errors import Refused
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant

MEDIA = 10
"""Files of one message."""
_CONTENT = re.compile(r"HX[0-9a-fA-F]{32}\Z")


def create(work: Work) -> None:
    """Write one; answered by the record. What came from outside and finds the conversation closed looks for another."""
    event: ConversationWriteRequested = work.event
    if work.record is None or work.record.state == "closed":
        if event.values.get("carrier_key") and event.values.get("proxy_address"):
            _look_again(work, event)
            return
        work.conversation  # noqa: B018 - raises when there is none
        raise Refused(50377, "The conversation is closed, so nobody can write to it", 400)
    if work.record.account_sid != event.account_sid:
        raise Refused(50350, "The conversation was not found", 404)
    copy: Message | None = work.known.get("copy")
    if copy is None:
        require(work, "Message", "create", [name for name, value in event.values.items() if value])
        copy = add(work, event.values, event.sid)
    work.effects.append(Answer(value=copy))


def add(work: Work, values: Mapping[str, Any], sid: str) -> Message:
    """The new message: stored, told, and sent to everybody else."""
    author = checks.text({"author": values.get("author")}, "author", checks.NAME, "Author")
    author = author or work.identity or "system"
    content = values.get("content_sid") or None
    if content is not None and not _CONTENT.match(str(content)):
        raise Refused(20001, "Invalid ContentSid: must be HX and 32 hex digits", 400)
    body, media = checks.body(values.get("body")), list(values.get("media") or ()) or None
    if media is not None and len(media) > MEDIA:
        raise Refused(20001, f"More than {MEDIA} files in one message", 400)
    if body is None and media is None and content is None:
        raise Refused(20001, "Body, MediaSid or ContentSid must be given", 400)
    checks.text({"it": values.get("subject")}, "it", checks.NAME, "Subject")
    thread = work.change()
    sender = _sender(work, author, values)
    message = Message(
        sid=sid,
        account_sid=thread.account_sid,
        date_created=values.get("date_created") or work.now,
        date_updated=values.get("date_updated") or work.now,
        chat_service_sid=thread.chat_service_sid,
        conversation_sid=thread.sid,
        index=thread.next_index,
        author=author,
        body=body,
        media=media,
        attributes=checks.attributes(values.get("attributes")),
        participant_sid=None if sender is None else sender.sid,
        content_sid=content,
        carrier_key=values.get("carrier_key"),
    )
    thread.next_index += 1
    thread.date_updated = max(work.now, thread.date_updated + 1e-6)
    states.move(work, "message", "EVENT")
    fanout.send(work, message, sender)
    work.save(message)
    for file in media or ():
        work.effects.append(
            AttachMedia(
                media_sid=str(file.get("sid") or ""), message_sid=sid, conversation_sid=thread.sid,
                chat_service_sid=thread.chat_service_sid,
            )
        )  # fmt: skip
    work.tell("onMessageAdded", message, _more(work), words=body or "")
    return message


def _more(work: Work) -> dict[str, Any]:
    return {"messaging_service_sid": work.conversation.messaging_service_sid}


def _sender(work: Work, author: str, values: Mapping[str, Any]) -> Participant | None:
    """The author as a participant: by SID when it is known, else by identity or address."""
    wanted = values.get("participant_sid")
    for each in work.participants:
        if each.sid == wanted or (not wanted and author in (each.identity, each.address)):
            return each
    return None


def _look_again(work: Work, event: ConversationWriteRequested) -> None:
    values = event.values
    media = tuple(
        Attachment(
            sid=str(each.get("sid") or ""), content_type=str(each.get("content_type") or ""),
            filename=str(each.get("filename") or ""), size=int(each.get("size") or 0),
        )
        for each in values.get("media") or ()
    )  # fmt: skip
    address = str(values.get("address") or values["author"])
    work.post(
        InboundTexted(
            account_sid=event.account_sid, address=address, proxy_address=str(values["proxy_address"]),
            message_sid=str(values["carrier_key"]), channel_type=checks.channel_of(address),
            body=str(values.get("body") or ""), media=media,
        )
    )  # fmt: skip


def update(work: Work) -> None:
    """Body, author and attributes."""
    values = work.event.values
    message = _target(work).copy()
    if work.conversation.state == "closed":
        raise Refused(50377, "The conversation is closed, so its messages cannot be changed", 400)
    own = bool(work.identity) and message.author == work.identity
    require(work, "Message", "update", values, own=own)
    if "attributes" in values:
        message.attributes = checks.attributes(values["attributes"])
    if "body" in values:
        message.body = checks.body(values["body"])
        if message.body is None and not message.media and not message.content_sid:
            raise Refused(20001, "Body must not be empty: the message has nothing else", 400)
    if "author" in values:
        message.author = checks.text(dict(values), "author", checks.NAME, "Author") or "system"
        sender = _sender(work, message.author, {})
        message.participant_sid = None if sender is None else sender.sid
    message.date_updated = values.get("date_updated") or max(work.now, message.date_updated + 1e-6)
    work.save(message)
    work.tell("onMessageUpdated", message)
    work.effects.append(Answer(value=message))


def delete(work: Work) -> None:
    """Remove one, and its receipts."""
    message = _target(work)
    own = bool(work.identity) and message.author == work.identity
    require(work, "Message", "delete", own=own)
    work.delete(message)
    for receipt in work.known.get("receipts", ()):
        work.delete(receipt)
    work.tell("onMessageRemoved", message, {"date_removed": work.now})


def _target(work: Work) -> Message:
    found: Message | None = work.known.get("target")
    if found is None or found.conversation_sid != work.conversation.sid:
        raise Refused(20404, f"The message {work.event.sid} was not found", 404)
    return found
