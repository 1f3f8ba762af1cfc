"""Frontline: a service's lane brings new conversations to workers (conversations.md §2)."""

from __future__ import annotations

from typing import Any

from msgspec import field

from ringback.events import Event
from ringback.kernel.lane import Lane


class WorkerWanted(Event, frozen=True, kw_only=True):
    """A conversation that a customer has begun has no worker yet.

    Those of one service come one by one: of two at once, each gets another worker of the pool while there are two.
    """

    account_sid: str
    chat_service_sid: str
    conversation_sid: str
    call_sid: str = ""
    """The call that it was made for, which tells the operator itself when nobody comes; empty: a message."""
    params: tuple[tuple[str, str], ...] = ()
    """Of ``onConversationAdded``, for a routing callback."""
    known: dict[str, Any] = field(default_factory=dict)
    """Looked up before it is handled: ``settings`` (FrontlineService or None), ``workers`` (users who are active and
    available), ``turns`` (SID of a user → when the pool last chose them)."""

    @property
    def lane(self) -> Lane:
        """The service's."""
        return Lane("routing", self.chat_service_sid)
