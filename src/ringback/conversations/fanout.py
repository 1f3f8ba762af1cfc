"""Who gets a message: everybody but its author; those with an address by a carrier (conversations.md §1.1)."""

from __future__ import annotations

from ringback.conversations.work import Work
from ringback.events.messaging import Attachment, FromConversation, MessageRequested
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant


def send(work: Work, message: Message, sender: Participant | None) -> None:
    """Ask for one message to each, from the address of ours that they know; begins the delivery summary."""
    total = 0
    for each in work.participants:
        if each.address is None or each is sender or each.address == message.author:
            continue
        ours = _ours(work, each, sender)
        if ours is None:
            continue
        total += 1
        media = tuple(
            Attachment(
                sid=str(one.get("sid") or ""), content_type=str(one.get("content_type") or ""),
                filename=str(one.get("filename") or ""), size=int(one.get("size") or 0),
            )
            for one in message.media or ()
        )  # fmt: skip
        work.post(
            MessageRequested(
                message_sid=work.new_sid("MM" if media else "SM"),
                account_sid=message.account_sid,
                to=each.address,
                from_=ours,
                body=message.body or "",
                media=media,
                messaging_service_sid=work.conversation.messaging_service_sid or "",
                origin=FromConversation(
                    conversation_sid=message.conversation_sid,
                    conversation_message_sid=message.sid,
                    participant_sid=each.sid,
                ),
            )
        )
    if total:
        message.delivery = {
            "total": total, "sent": "none", "delivered": "none", "read": "none", "failed": "none",
            "undelivered": "none",
        }  # fmt: skip


def _ours(work: Work, to: Participant, sender: Participant | None) -> str | None:
    """The proxy address; in a group text the address that stands for the author, or for the first who has one."""
    proxy = (to.messaging_binding or {}).get("proxy_address")
    if proxy:
        return proxy
    candidates = ([sender] if sender is not None else []) + work.participants
    for each in candidates:
        projected = (each.messaging_binding or {}).get("projected_address")
        if projected:
            return projected
    return None
