"""A message that we send: asked for, queued, claimed, sent once, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ringback.effects import Answer, ClearDeadline, Delete, Effect, Post, Save, SendWebhook, SetDeadline
from ringback.effects.media import AttachMedia
from ringback.effects.messaging import ClaimSend, QueueSend, SendText
from ringback.events import DeadlineReached
from ringback.events.conversations import MessageTold
from ringback.events.messaging import (
    Attachment,
    FromConversation,
    MessageNotSent,
    MessageRefused,
    MessageRequested,
    MessageSent,
    MessageUnclear,
    ReceiptArrived,
    SendStarted,
)
from ringback.kernel.error_codes import title
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.messaging import admission, facts
from ringback.messaging.alerts import alert
from ringback.messaging.machine import RECEIPTS, TOLD, UNSENT, following
from ringback.resources.api.media import Media
from ringback.resources.api.message import Message

SEND_AT = "send"
"""Name of the deadline of a scheduled message."""
EXPIRE: Final = "expire"
"""Name of the deadline of one that may wait for less than the longest time: nobody waits for its turn to hear it."""
EXPIRED, UNKNOWN, OPTED_OUT = 30036, 30008, 21610
_REPLY_CODES = {
    21211: 14101, 21604: 14101, 21212: 14102, 21606: 14108, 21602: 14103, 21617: 14103, 21619: 14103, 21609: 14105,
    21608: 14111,
}  # fmt: skip
"""Code of a refusal → the one that a document's ``<Message>`` has for it (errors.md §3.1)."""
Step = tuple[Message | None, Sequence[Effect]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What messages need to know of the rest, handed in by the composition root."""

    new_sid: Callable[[str], str]
    new_token: Callable[[], str]
    public_url: str
    """The base of our URLs: files that we keep are fetched there."""
    magic_numbers: bool
    """Whether the magic numbers answer live credentials, too."""
    channel_of: Callable[[str], str]
    """Name of the channel by which an address of ours writes."""
    queued: Callable[[str], int]
    """How many messages of a sender wait."""
    elements: Callable[[bytes, str], Sequence[Any]]
    """Reads a TwiML document (body, content type): its verbs with ``tag``, ``attributes``, ``text``, ``children``,
    ``place``. Raises ``Refused`` with what is wrong."""


class Departures:
    """See the module."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.unclear_total = 0
        """Messages of which nobody knows whether they were sent (for /metrics)."""

    # --- asked for -----------------------------------------------------------------------------------

    def requested(self, event: MessageRequested, now: float) -> Step:
        """Check it and put it in line. A refusal goes to whoever asks; a conversation gets a failed message, a
        document's application an entry in the debugger."""
        turn = int(event.message_sid[-8:], 16)
        ports = self._ports
        try:
            good = admission.check(
                event, now, magic_numbers=ports.magic_numbers, queued=ports.queued, turn=turn
            )
        except Refused as refusal:
            if event.origin is not None:
                return self._stillborn(event, refusal, now)
            if event.direction == "outbound-api":
                raise
            code = _REPLY_CODES.get(refusal.code, refusal.code)
            return None, [
                alert(
                    ports.new_sid, now, account_sid=event.account_sid, message_sid=event.params.get("ReplyTo", ""),
                    code=code, text=f"The message was not sent: {refusal.message}",
                )
            ]  # fmt: skip
        message = self._record(event, good, now)
        if event.known.get("test"):
            return None, [Answer(value=message)]
        effects: list[Effect] = [Save(each) for each in media_of(message, ports.new_sid)]
        if good.status == "scheduled":
            effects.append(SetDeadline(lane=_lane(message), name=SEND_AT, at=good.send_at or now))
            return message, [*effects, Answer(value=message)]
        shown = message
        if good.status == "accepted":
            message, told = self.change(message, "queue", now)
            effects += told
        return message, [*effects, *_queue(message), Answer(value=shown)]

    def _record(self, event: MessageRequested, good: admission.Admitted, now: float) -> Message:
        service = event.known.get("service") or {}
        return Message(
            sid=event.message_sid, account_sid=event.account_sid, date_created=now, date_updated=now,
            to=good.to, from_=good.from_, body=good.body, status=good.status, direction=event.direction,
            num_segments=good.segments, num_media=len(event.media),
            messaging_service_sid=service.get("sid"),
            media=[msgspec.to_builtins(each) for each in event.media],
            plan={
                "callbacks": good.callbacks,
                "valid_until": (good.send_at or now) + good.validity,
                "expires": good.validity < admission.VALIDITY,
                "origin": None if event.origin is None else msgspec.to_builtins(event.origin),
                "about_opt_out": event.about_opt_out,
            },
        )  # fmt: skip

    def _stillborn(self, event: MessageRequested, refusal: Refused, now: float) -> Step:
        """A conversation's message that cannot be sent: it is there, failed."""
        message = Message(
            sid=event.message_sid, account_sid=event.account_sid, date_created=now, date_updated=now, to=event.to,
            from_=event.from_, body=event.body[: admission.LONGEST], status="failed", direction=event.direction,
            num_media=len(event.media), error_code=refusal.code, error_message=refusal.message,
            plan={"origin": msgspec.to_builtins(event.origin)},
        )  # fmt: skip
        entry = alert(
            self._ports.new_sid, now, account_sid=message.account_sid, message_sid=message.sid, code=refusal.code,
            text=refusal.message,
        )  # fmt: skip
        return message, [entry, *_tell(message)]

    def due(self, message: Message, event: DeadlineReached, now: float) -> Step:
        """A scheduled message's time has come."""
        clear = ClearDeadline(lane=event.lane, name=event.name)
        if message.status != "scheduled":
            return message, [clear]
        after, effects = self.change(message, "queue", now)
        return after, [clear, *effects, *_queue(after)]

    def expired(self, message: Message, event: DeadlineReached, now: float) -> Step:
        """It has waited for too long, and its turn has not come."""
        if message.status != "queued":
            return message, [ClearDeadline(lane=event.lane, name=event.name)]
        after, effects = self.change(message, "fail", now, error_code=EXPIRED, error_message=title(EXPIRED))
        return after, [*leaves(message), *effects]

    # --- sent ------------------------------------------------------------------------------------------

    def started(self, message: Message, event: SendStarted, now: float) -> Step:
        """Claim it: the commit that says ``sending`` takes it out of the outbox. Answers whether it is sent."""
        if message.status != "queued":
            return message, [*leaves(message), Answer(value=False)]
        code = 0
        if now > message.plan.get("valid_until", now):
            code = EXPIRED
        elif event.opted_out and not message.plan.get("about_opt_out"):
            code = OPTED_OUT
        if code:
            after, effects = self.change(message, "fail", now, error_code=code, error_message=title(code))
            return after, [*leaves(message), *effects, Answer(value=False)]
        channel = self._ports.channel_of(message.from_)
        after, effects = self.change(message, "send", now, channel=channel)
        send = SendText(
            message_sid=message.sid, account_sid=message.account_sid, channel=channel, from_=message.from_,
            to=message.to, body=message.body,
            media=tuple(msgspec.convert(each, Attachment) for each in message.media),
        )  # fmt: skip
        return after, [*leaves(message), *effects, send, Answer(value=True)]

    def sent(self, message: Message, event: MessageSent, now: float) -> Step:
        """The carrier has it."""
        return self.change(
            message, "take", now, carrier_id=event.carrier_id or None,
            num_segments=event.segments or message.num_segments, date_sent=now,
        )  # fmt: skip

    def not_sent(self, message: Message, event: MessageNotSent, now: float) -> Step:
        """Back into its line, as if its turn had not come; nobody was told that it had."""
        status = following(message.status, "wait")
        if status is None:
            return message, ()
        after = message.copy()
        after.status, after.date_updated = status, max(now, message.date_updated + 1e-6)
        return after, _queue(after)

    def refused(self, message: Message, event: MessageRefused, now: float) -> Step:
        """The carrier does not take it."""
        text = event.text or title(event.error_code)
        after, effects = self.change(message, "fail", now, error_code=event.error_code, error_message=text)
        return after, [*effects, *self._entry(message, after, event.error_code, text, now)]

    def unclear(self, message: Message, event: MessageUnclear, now: float) -> Step:
        """Nobody knows: it counts as failed, is never sent again, and somebody is told."""
        text = f"It may have been sent, or not, and is not sent again: {event.text or 'the outcome is not known'}"
        after, effects = self.change(message, "fail", now, error_code=UNKNOWN, error_message=text)
        if after is not message:
            self.unclear_total += 1
        return after, [*effects, *self._entry(message, after, UNKNOWN, text, now)]

    def receipt(self, message: Message, event: ReceiptArrived, now: float) -> Step:
        """What became of it; the same twice, or what comes late, changes nothing."""
        to = RECEIPTS.get(event.status)
        if to is None:
            return message, ()
        bad = event.status in ("undelivered", "failed")
        code = (event.error_code or UNKNOWN) if bad else None
        return self.change(
            message, to, now, done_at=event.done_at, error_code=code,
            error_message=(event.text or title(code)) if code is not None else None,
        )  # fmt: skip

    def _entry(self, before: Message, after: Message, code: int, text: str, now: float) -> Sequence[Effect]:
        if after is before:
            return ()
        return [
            alert(
                self._ports.new_sid,
                now,
                account_sid=after.account_sid,
                message_sid=after.sid,
                code=code,
                text=text,
            )
        ]

    # --- a new status ------------------------------------------------------------------------------------

    def change(
        self, message: Message, event: str, now: float, *, done_at: float | None = None, **values: Any
    ) -> tuple[Message, list[Effect]]:
        """The message after an event of the table, and who is told; the same object when nothing changes."""
        status = following(message.status, event)
        if status is None:
            return message, []
        after = message.copy()
        after.status = status
        after.date_updated = max(now, message.date_updated + 1e-6)
        for name, value in values.items():
            setattr(after, name, value)
        return after, [*self._callbacks(after, done_at), *_tell(after)]

    def _callbacks(self, message: Message, done_at: float | None) -> list[Effect]:
        if message.status not in TOLD:
            return []
        params = facts.status(message, done_at)
        return [
            SendWebhook(
                key=message.sid, account_sid=message.account_sid, url=url, method=method, params=params,
                token=self._ports.new_token(), failure_code=11200,
            )
            for url, method in message.plan.get("callbacks", ())
        ]  # fmt: skip


def media_of(message: Message, new_sid: Callable[[str], str]) -> list[Media]:
    """A record of each file; the message's list learns their SIDs."""
    made = []
    for index, each in enumerate(message.media):
        sid = new_sid("ME")
        message.media[index] = {**each, "media_sid": sid}
        made.append(
            Media(
                sid=sid, account_sid=message.account_sid, date_created=message.date_created,
                date_updated=message.date_created, message_sid=message.sid,
                content_type=each.get("content_type", ""), url=each.get("url", ""), store_sid=each.get("sid", ""),
            )
        )  # fmt: skip
    return made


def files_of(message: Message) -> list[Effect]:
    """A deleted text's files go with it: their records now, what the media store has at its next look; but not what a
    conversation has taken over."""
    gone: list[Effect] = []
    for each in message.media:
        if each.get("media_sid"):
            gone.append(Delete(Media(sid=each["media_sid"], account_sid=message.account_sid)))
        if each.get("sid"):
            gone.append(AttachMedia(media_sid=each["sid"], message_sid=""))
    return gone


def _lane(message: Message) -> Lane:
    return Lane("message", message.sid)


def _queue(message: Message) -> list[Effect]:
    """Into its line, for as long as it may wait there."""
    queue = QueueSend(
        message_sid=message.sid, account_sid=message.account_sid, sender=message.from_, recipient=message.to
    )
    if not message.plan.get("expires"):
        return [queue]
    return [queue, SetDeadline(lane=_lane(message), name=EXPIRE, at=message.plan["valid_until"])]


def leaves(message: Message) -> list[Effect]:
    """Out of its line."""
    claim = ClaimSend(message_sid=message.sid)
    if not message.plan.get("expires"):
        return [claim]
    return [claim, ClearDeadline(lane=_lane(message), name=EXPIRE)]


def _tell(message: Message) -> list[Effect]:
    """A conversation's message: what the conversation wants to know."""
    origin = message.plan.get("origin")
    if not origin or message.status not in ("sent", "delivered", "read", "undelivered", "failed"):
        return []
    whence = msgspec.convert(origin, FromConversation)
    return [
        Post(
            MessageTold(
                conversation_sid=whence.conversation_sid,
                conversation_message_sid=whence.conversation_message_sid,
                participant_sid=whence.participant_sid,
                channel_message_sid=message.sid,
                status=message.status,
                error_code=message.error_code,
            )
        )
    ]


def unsent(message: Message) -> bool:
    """Whether it can still be kept from being sent."""
    return message.status in UNSENT
