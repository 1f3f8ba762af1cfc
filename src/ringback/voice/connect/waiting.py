"""Calls that wait for the first worker of a conversation: none waits for ever (connect-conversation.md §10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ringback.effects import Post
from ringback.events.conversations import CallLeftConversation, ConversationFound
from ringback.voice.stage import Stage


@dataclass(frozen=True, slots=True)
class Seeking:
    """Kept with a leg: the request of the running session."""

    request: str


def not_any_more(event: ConversationFound) -> Sequence[Post]:
    """The answer comes too late: the conversation must not keep the call among those that wait for a worker."""
    if event.result or event.worker or not event.conversation_sid:
        return ()
    return (Post(CallLeftConversation(conversation_sid=event.conversation_sid, call_sid=event.call_sid)),)


def strayed(session: Stage, event: ConversationFound) -> None:
    """A live call hears of a conversation that it does not look for any more."""
    seeking = session.part(Seeking)
    if seeking is None or seeking.request != event.request:
        session.out += not_any_more(event)
