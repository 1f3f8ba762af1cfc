"""The statuses of a call and the only ways between them (voice-calls.md §4)."""

from __future__ import annotations

from typing import Final

TERMINAL: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

_UNANSWERED: Final = frozenset({"busy", "failed", "no-answer", "canceled"})

TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    "queued": frozenset({"initiated", "canceled", "failed"}),
    "initiated": _UNANSWERED | {"ringing", "in-progress"},
    "ringing": _UNANSWERED | {"in-progress"},
    "in-progress": frozenset({"completed"}),
    **{status: frozenset() for status in TERMINAL},
}


class IllegalTransition(Exception):
    """A defect of ours: the call cannot go from ``old`` to ``new``."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(f"a call cannot go from {old} to {new}")


def step(old: str, new: str) -> str:
    """Return ``new``; raises :class:`IllegalTransition` when the table does not allow it."""
    if new not in TRANSITIONS[old]:
        raise IllegalTransition(old, new)
    return new
