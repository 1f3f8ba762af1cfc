"""The session of ``<Connect><Conversation>`` as a transition table (connect-conversation.md §4, §5). Pure.

docs/reference/conversation-calls.md draws it. Whatever stands in no row is a mistake of the program, and raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

State = Literal["start", "lookup", "match", "route", "dial", "answered", "bridged", "ended"]
Trigger = Literal[
    "attribute-refused",
    "worker-calls",
    "customer-calls",
    "found",
    "created",
    "invalid-conversation",
    "no-existing-conversation",
    "no-other-participants",
    "failed-create-conversation",
    "internal-error",
    "worker-joined",
    "assignment-timeout",
    "blocked",
    "ringing",
    "answered",
    "ready",
    "leg-over",
    "caller-gone",
    "caller-redirected",
]
Result = Literal[
    "session-success",
    "dialed-call-incomplete",
    "failed-create-conversation",
    "no-other-participants",
    "invalid-conversation",
    "no-existing-conversation",
    "internal-error",
]


class Row(NamedTuple):
    """What follows on one trigger in one state."""

    state: State
    result: Result | None = None
    """Of a session that is over; None: it goes on, or nobody asks (the caller was redirected)."""
    code: int | None = None
    """For the debugger, when whoever triggered it gives none."""
    status: str = ""
    """``DialCallStatus``; empty: what became of the leg, or none when there was no leg."""


def _over(result: Result | None, code: int | None = None, status: str = "") -> Row:
    return Row("ended", result, code, status)


_INCOMPLETE: Final = _over("dialed-call-incomplete")
_CANCELED: Final = _over("dialed-call-incomplete", status="canceled")
_REDIRECTED: Final = _over(None)
_BROKEN: Final = _over("internal-error", 32500)
"""Nobody said in time whether there is a conversation, or a bug of ours; of a leg, what is known of it."""

TABLE: Final[Mapping[tuple[State, Trigger], Row]] = {
    ("start", "attribute-refused"): _over("internal-error", 32501),
    ("start", "worker-calls"): Row("lookup"),
    ("start", "customer-calls"): Row("match"),
    ("lookup", "found"): Row("dial"),
    ("lookup", "invalid-conversation"): _over("invalid-conversation", 32505),
    ("match", "found"): Row("dial"),
    ("match", "created"): Row("route"),
    ("match", "no-existing-conversation"): _over("no-existing-conversation"),
    ("match", "no-other-participants"): _over("no-other-participants", 32504),
    ("match", "failed-create-conversation"): _over("failed-create-conversation", 32500),
    ("route", "worker-joined"): Row("dial"),
    ("route", "assignment-timeout"): _over("no-other-participants", 32506),
    ("dial", "blocked"): _over("dialed-call-incomplete", status="failed"),
    ("dial", "ringing"): Row("dial"),
    ("dial", "answered"): Row("answered"),
    ("dial", "leg-over"): _INCOMPLETE,
    ("answered", "ready"): Row("bridged"),
    ("answered", "leg-over"): _INCOMPLETE,
    ("bridged", "leg-over"): _over("session-success", status="completed"),
    ("start", "internal-error"): _BROKEN,
    ("lookup", "internal-error"): _BROKEN,
    ("match", "internal-error"): _BROKEN,
    ("route", "internal-error"): _BROKEN,
    ("dial", "internal-error"): _BROKEN,
    ("answered", "internal-error"): _BROKEN,
    ("bridged", "internal-error"): _BROKEN,
    ("lookup", "caller-gone"): _INCOMPLETE,
    ("match", "caller-gone"): _INCOMPLETE,
    ("route", "caller-gone"): _INCOMPLETE,
    ("dial", "caller-gone"): _CANCELED,
    ("answered", "caller-gone"): _CANCELED,
    ("bridged", "caller-gone"): _over("session-success", status="completed"),
    ("lookup", "caller-redirected"): _REDIRECTED,
    ("match", "caller-redirected"): _REDIRECTED,
    ("route", "caller-redirected"): _REDIRECTED,
    ("dial", "caller-redirected"): _REDIRECTED,
    ("answered", "caller-redirected"): _REDIRECTED,
    ("bridged", "caller-redirected"): _REDIRECTED,
}
"""State and what happens → what follows."""


class IllegalStep(Exception):
    """Something happened that cannot happen in that state."""


class Machine:
    """One session's state and, in the end, its result."""

    def __init__(self) -> None:
        self.state: State = "start"
        self.last = Row("start")
        """The row of the last step: of a session that is over, its result."""

    @property
    def over(self) -> bool:
        """Whether the session has ended."""
        return self.state == "ended"

    def can(self, trigger: Trigger) -> bool:
        """Whether that can happen now."""
        return (self.state, trigger) in TABLE

    def take(self, trigger: Trigger) -> Row:
        """Go on by one step; raises :class:`IllegalStep`."""
        row = TABLE.get((self.state, trigger))
        if row is None:
            raise IllegalStep(f"{trigger} in {self.state}")
        self.state, self.last = row.state, row
        return row
