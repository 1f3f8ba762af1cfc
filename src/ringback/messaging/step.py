"""The core of messages: one event and the record as it is → the record as it becomes, and effects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ringback.effects import Answer, ClearDeadline, Delete, Effect, Save
from ringback.effects.messaging import ClaimSend
from ringback.events import DeadlineReached, DocumentFetched, Event
from ringback.events.conversations import TextUnclaimed
from ringback.events.messaging import (
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
from ringback.messaging.arrival import ASKED, Arrivals
from ringback.messaging.departure import EXPIRE, SEND_AT, Departures, Ports, Step, files_of, leaves, unsent
from ringback.messaging.machine import OVER
from ringback.resources.api.message import Message


class Texting:
    """Every message's way, in and out."""

    def __init__(self, ports: Ports) -> None:
        self.arrivals = Arrivals(ports)
        self.departures = Departures(ports)
        self._new: dict[type[Event], Callable[[Message | None, Any, float], Step]] = {
            MessageArrived: self.arrivals.arrived,
        }
        self._known: dict[type[Event], Callable[[Message, Any, float], Step]] = {
            TextUnclaimed: self.arrivals.unclaimed,
            DocumentFetched: self.arrivals.fetched,
            SendStarted: self.departures.started,
            MessageSent: self.departures.sent,
            MessageNotSent: self.departures.not_sent,
            MessageRefused: self.departures.refused,
            MessageUnclear: self.departures.unclear,
            ReceiptArrived: self.departures.receipt,
            DeadlineReached: self._due,
            WriteRequested: self._written,
        }

    def requested(self, event: MessageRequested, now: float) -> list[Effect]:
        """Somebody wants a message sent: its record, in the line of its sender and recipient."""
        message, effects = self.departures.requested(event, now)
        return [*([] if message is None else [Save(message)]), *effects]

    def step(self, before: Message | None, event: Event, now: float) -> Step:
        """Handle one event; what is about a message that has been deleted changes nothing."""
        new = self._new.get(type(event))
        if new is not None:
            return new(before, event, now)
        if before is None:
            return None, _gone(event)
        return self._known[type(event)](before, event, now)

    def _due(self, message: Message, event: DeadlineReached, now: float) -> Step:
        if event.name == ASKED:
            return self.arrivals.due(message, event, now)
        if event.name == SEND_AT:
            return self.departures.due(message, event, now)
        if event.name == EXPIRE:
            return self.departures.expired(message, event, now)
        return message, [ClearDeadline(lane=event.lane, name=event.name)]

    def _written(self, message: Message, event: WriteRequested, now: float) -> Step:
        """POST Messages/{Sid}: ``Body=`` takes the text away, ``Status=canceled`` keeps it from being sent; DELETE."""
        if event.operation == "delete":
            return self._deleted(message)
        status = event.params.get("Status", [""])[-1]
        if status not in ("", "canceled"):
            raise Refused(20001, "Status may become canceled, and nothing else")
        after = message
        effects: list[Effect] = []
        if status:
            if not unsent(message):
                raise Refused(30409, f"The message is {message.status}: it can no longer be canceled")
            after, told = self.departures.change(message, "cancel", now)
            lane = Lane("message", message.sid)
            effects += [*told, *leaves(message), ClearDeadline(lane=lane, name=SEND_AT)]
        if "Body" in event.params:
            if event.params["Body"][-1]:
                raise Refused(20001, "Body can be taken away (Body=), not replaced")
            if after.status not in OVER and after.status != "sent":
                raise Refused(20009, "The text can be taken away once the message has been sent")
            after = after.copy()
            after.body = ""
            after.date_updated = max(now, message.date_updated + 1e-6)
        return after, [*effects, Answer(value=after)]

    def _deleted(self, message: Message) -> Step:
        if message.status not in OVER and message.status != "sent":
            raise Refused(20009, f"The message is {message.status}: it can be deleted when it is over", 409)
        lane = Lane("message", message.sid)
        return None, [
            *([ClearDeadline(lane=lane, name=ASKED)] if "ask" in message.plan else []),
            *files_of(message),
            Delete(message),
            Answer(value=True),
        ]


def _gone(event: Event) -> list[Any]:
    """For an event about a message that is not there: the sender and deadlines let go."""
    if isinstance(event, SendStarted):
        return [ClaimSend(message_sid=event.message_sid), Answer(value=False)]
    if isinstance(event, DeadlineReached):
        return [ClearDeadline(lane=event.lane, name=event.name)]
    if isinstance(event, WriteRequested):
        raise Refused(20404, f"The requested resource {event.sid} was not found", 404)
    return []
