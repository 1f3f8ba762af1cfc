"""The core of a conversation's lane: event → what becomes of the record, and effects (house.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ringback.conversations import calls, conversation, messages, participants, receipts, states, webhooks
from ringback.conversations.work import NewSid, Work
from ringback.effects import ClearDeadline, Effect, Post
from ringback.events import DeadlineReached
from ringback.events.conversations import (
    CallLeftConversation,
    CallWaits,
    ConversationDue,
    ConversationEmptied,
    ConversationOpened,
    ConversationWriteRequested,
    MessageTold,
    ReplayRequested,
)
from ringback.kernel.errors import Refused
from ringback.resources.conversations.conversation import Conversation

WRITES: Final[dict[tuple[str, str], Callable[[Work], None]]] = {
    ("Conversation", "create"): conversation.create,
    ("Conversation", "update"): conversation.update,
    ("Conversation", "delete"): conversation.delete,
    ("Participant", "create"): participants.create,
    ("Participant", "update"): participants.update,
    ("Participant", "delete"): participants.delete,
    ("Message", "create"): messages.create,
    ("Message", "update"): messages.update,
    ("Message", "delete"): messages.delete,
    ("Webhook", "create"): webhooks.create,
    ("Webhook", "update"): webhooks.update,
    ("Webhook", "delete"): webhooks.delete,
}
EVENTS: Final[dict[type[Any], Callable[[Work], None]]] = {
    MessageTold: receipts.told,
    ConversationDue: states.due,
    ConversationEmptied: conversation.emptied,
    ReplayRequested: webhooks.replay,
    ConversationOpened: calls.opened,
    CallWaits: calls.waits,
    CallLeftConversation: calls.left,
}
TIMERS: Final = ("inactive", "closed")


class Threads:
    """The step of conversations, with what makes their SIDs."""

    def __init__(self, new_sid: NewSid) -> None:
        self._new_sid = new_sid

    def step(
        self, record: Conversation | None, event: Any, now: float
    ) -> tuple[Conversation | None, Sequence[Effect]]:
        """One event. Raises ``Refused`` for a caller's mistake."""
        if isinstance(event, DeadlineReached):
            return record, _fired(record, event)
        work = Work(record, event, now, self._new_sid)
        if not isinstance(event, ConversationWriteRequested):
            EVENTS[type(event)](work)
            return work.record, work.effects
        if (event.noun, event.operation) not in (("Conversation", "create"), ("Message", "create")):
            _theirs(work, event)
        WRITES[event.noun, event.operation](work)
        return work.record, work.effects


def _theirs(work: Work, event: ConversationWriteRequested) -> None:
    """It must be there, and the account's own."""
    if work.conversation.account_sid != event.account_sid:
        raise Refused(50350, "The conversation was not found", 404)


def _fired(record: Conversation | None, event: DeadlineReached) -> list[Effect]:
    """What a timer does needs look-ups: said once more as an event that gets them."""
    lane = event.lane
    effects: list[Effect] = [ClearDeadline(lane=lane, name=event.name)]
    if record is not None and event.name in TIMERS:
        name: Any = event.name
        effects.append(Post(ConversationDue(conversation_sid=lane.sid, name=name)))
    return effects
