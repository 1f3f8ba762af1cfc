"""The web side of Conversations, built once (``front.build_conversations``)."""

from __future__ import annotations

from dataclasses import dataclass

from ringback.web.conversations.looked_up import LookUps
from ringback.web.conversations.pairs import PairFacts
from ringback.web.conversations.pre_events import PreEvents


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationsWeb:
    """What others need of it."""

    look_ups: LookUps
    """What is read before the lane handles an event."""
    pairs: PairFacts
    """What a message or a call must know of its two addresses."""
    pre_events: PreEvents
    """Asks the customer's application before something is written."""
