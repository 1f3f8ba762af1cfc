"""The phone book: how simulated callees behave (surface.md, ``/sim/v1/Numbers``). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ringback.edges.simulator.script import HangUp, Step, Wait

Answers = Literal[
    "answer",
    "busy",
    "no-answer",
    "reject",
    "invalid",
    "unreachable",
    "congestion",
    "forbidden",
    "unavailable",
]
ANSWERS: tuple[str, ...] = get_args(Answers)

REFUSALS: dict[str, tuple[int, str]] = {
    "busy": (486, "Busy Here"),
    "reject": (603, "Decline"),
    "invalid": (404, "Not Found"),
    # voice-calls.md §4.1: an unreachable destination is reported as 404.
    "unreachable": (404, "Destination unreachable"),
    "congestion": (503, "Service Unavailable"),
    "forbidden": (403, "Forbidden"),
    "unavailable": (480, "Temporarily Unavailable"),
}
"""SIP code and reason of each answer that is none."""

RINGS = frozenset({"answer", "no-answer", "reject"})
MOST = 100_000


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a callee does."""

    answers: Answers = "answer"
    after: float = 1.0
    """Seconds from the dialling to the answer or refusal."""
    script: tuple[Step, ...] = ()


DEFAULT = Behaviour()
"""Numbers nobody spoke of: answer after a second, listen, hang up when the other side does."""

MAGIC: dict[str, Behaviour] = {
    "+15005550001": Behaviour("invalid", 0.1),
    "+15005550002": Behaviour("unreachable", 0.1),
    "+15005550003": Behaviour("forbidden", 0.1),
    "+15005550004": Behaviour("forbidden", 0.1),
    "+15005551486": Behaviour("busy", 0.5),
    "+15005551480": Behaviour("unavailable", 0.5),
    "+15005551404": Behaviour("invalid", 0.5),
    "+15005551603": Behaviour("reject", 0.5),
    "+15005551503": Behaviour("congestion", 0.5),
    "+15005551000": Behaviour("no-answer"),
    "+15005551200": Behaviour("answer", 0.5, (Wait(1.0), HangUp())),
}
"""Numbers that behave by themselves (call-outcomes.md §5): the magic ones, which reach the carrier through ``<Dial>``
only, and the signalling test numbers, whose last digits say what SIP answers; 000 is never answered, and 200 is
answered and hung up after a second."""


class PhoneBook:
    """Account and number → behaviour."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Behaviour] = {}

    def set(self, number: str, behaviour: Behaviour, account_sid: str = "") -> None:
        """Write an entry for the calls of one account; empty: for everybody's. ``ValueError`` when the book is full."""
        key = (account_sid, number)
        if key not in self._known and len(self._known) >= MOST:
            raise ValueError(f"the phone book holds at most {MOST} numbers")
        self._known[key] = behaviour

    def reset(self, number: str, account_sid: str = "") -> None:
        """Remove an entry; none is fine."""
        self._known.pop((account_sid, number), None)

    def find(self, number: str, account_sid: str = "") -> Behaviour | None:
        """What the number does for an account: its own entry, else everybody's (magic numbers have one); None when
        there is none."""
        own = self._known.get((account_sid, number))
        return own or self._known.get(("", number)) or MAGIC.get(number)
