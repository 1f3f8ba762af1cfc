"""`ringback serve` whose conversations know one worker and one customer: python -m tests.e2e.conversing serve.

What is tested with it is the call; that conversations are found, made and routed is tested elsewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import ringback.app
from ringback import effects as fx
from ringback.events.conversations import (
    CallLeftConversation,
    ConversationFound,
    ConversationOpened,
    ConversationSought,
)
from ringback.runtime.lane_kind import LaneKind, Wiring
from ringback.serve import main

SERVICE = "IS" + "a" * 32
KNOWN = "CH" + "1" * 32
CUSTOMER = "sip:bob@ringback"
"""Whom the worker calls: a phone of ours, as no number leaves the machine."""
OURS = "+15550100"
_wire = ringback.app.wire


def _answer(event: Any, now: float) -> Sequence[fx.Effect]:
    if isinstance(event, CallLeftConversation):
        return []
    customer = event.address if isinstance(event, ConversationSought) else CUSTOMER
    return [
        fx.Post(
            ConversationFound(
                call_sid=event.call_sid, request=event.request, conversation_sid=KNOWN, worker="alice",
                customer=customer, proxy_address=OURS,
            )
        )
    ]  # fmt: skip


def wire(parts: Any) -> Wiring:
    """The product's wiring, with these conversations."""
    found = _wire(parts)
    kinds = {
        **found.kinds,
        "pair": LaneKind(handlers={ConversationSought: _answer}),
        "conversation": LaneKind(handlers=dict.fromkeys((ConversationOpened, CallLeftConversation), _answer)),
    }
    return replace(found, kinds=kinds)


if __name__ == "__main__":
    with patch("ringback.app.wire", wire):
        sys.exit(main(sys.argv[2:]))
