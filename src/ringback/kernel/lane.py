"""Lanes: what an event is about, and so in whose turn it is handled (docs/architecture.md, "Lanes")."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal[
    "call", "conference", "queue", "workspace", "recording", "transcription", "conversation", "pair", "message",
    "routing",
    "outgoing",
]  # fmt: skip
"""What has lanes of its own. A new product adds its kinds here, and their handlers in ``wiring.py``."""


class Lane(NamedTuple):
    """One line of events: those of one lane are handled one after the other, in the order of their arrival."""

    kind: Kind
    sid: str
    """Of the record that the lane is about."""

    def __str__(self) -> str:
        """For logs: ``call CA…``."""
        return f"{self.kind} {self.sid}"
