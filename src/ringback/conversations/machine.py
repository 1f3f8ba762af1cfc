"""The states of a conversation as a table (conversations.md §1.2): what is not in it is refused."""

from __future__ import annotations

from ringback.kernel.errors import Refused

CONVERSATION: dict[tuple[str, str], str] = {
    ("initializing", "activate"): "active",
    ("active", "activate"): "active",
    ("active", "message"): "active",
    ("active", "deactivate"): "inactive",
    ("active", "idle"): "inactive",
    ("active", "close"): "closed",
    ("active", "expire"): "closed",
    ("inactive", "activate"): "active",
    ("inactive", "message"): "active",
    ("inactive", "deactivate"): "inactive",
    ("inactive", "close"): "closed",
    ("inactive", "expire"): "closed",
}
"""(state, event) → state. ``activate``, ``deactivate``, ``close``: the API; ``message``: somebody writes; ``idle`` and
``expire``: the inactive and the closed timer. Nothing leads out of ``closed``."""

WANTED = {"active": "activate", "inactive": "deactivate", "closed": "close"}
"""State that the API asks for → event."""
TIMERS = {"inactive": "idle", "closed": "expire"}
"""Timer → event."""


def step(state: str, event: str) -> str:
    """The next state. Raises :class:`Refused` 50377 for what is not in the table."""
    found = CONVERSATION.get((state, event))
    if found is None:
        raise Refused(50377, f"The conversation is {state}, so it cannot be changed", 400)
    return found
