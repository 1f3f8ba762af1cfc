"""Receipts: what became of a message for each participant who is reached by a carrier (conversations.md §1)."""

from __future__ import annotations

from collections.abc import Iterable

from ringback.conversations.work import Work
from ringback.events.conversations import MessageTold
from ringback.resources.conversations.message import Message, Receipt

RANK = {"sent": 0, "delivered": 1, "undelivered": 1, "failed": 1, "read": 2}
"""A status gives way to one of a higher rank only: carriers repeat and reorder what they tell."""
_REACHED = {"sent": ("sent", "delivered", "read"), "delivered": ("delivered", "read"), "read": ("read",)}


def told(work: Work) -> None:
    """Make or change the participant's receipt, and the summary of the message."""
    event: MessageTold = work.event
    message: Message | None = work.known.get("target")
    if message is None or work.record is None or event.status not in RANK:
        return
    receipts: list[Receipt] = list(work.known.get("receipts", ()))
    known = next((each for each in receipts if each.participant_sid == event.participant_sid), None)
    if known is not None and RANK[event.status] <= RANK[known.status]:
        return
    if known is None:
        receipt = Receipt(
            sid=work.new_sid("DY"), account_sid=message.account_sid, date_created=work.now,
            chat_service_sid=message.chat_service_sid, conversation_sid=message.conversation_sid,
            message_sid=message.sid, channel_message_sid=event.channel_message_sid,
            participant_sid=event.participant_sid,
        )  # fmt: skip
    else:
        receipts.remove(known)
        receipt = known.copy()
    receipt.status, receipt.error_code, receipt.date_updated = event.status, event.error_code, work.now
    receipts.append(receipt)
    changed = message.copy()
    changed.delivery = summary(int((message.delivery or {}).get("total", len(receipts))), receipts)
    work.save(receipt)
    work.save(changed)
    work.tells = True
    work.tell("onDeliveryUpdated", receipt)


def summary(total: int, receipts: Iterable[Receipt]) -> dict[str, object]:
    """How far it got: ``none``, ``some`` or ``all`` of ``total`` for each status."""
    statuses = [each.status for each in receipts]
    found: dict[str, object] = {"total": max(total, len(statuses))}
    for name in ("sent", "delivered", "read", "failed", "undelivered"):
        count = sum(status in _REACHED.get(name, (name,)) for status in statuses)
        found[name] = "none" if not count else "all" if count >= total else "some"
    return found
