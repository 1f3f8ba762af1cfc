"""Faults that a tester orders (surface.md, ``/sim/v1/Faults``): a kind, how often, and for what. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = frozenset(
    {
        "drop_callback",
        "duplicate_callback",
        "delay_callback",
        "reorder_callbacks",
        "carrier_down",
        "unclear_send",
        "drop_receipt",
        "delay_receipt",
        "duplicate_receipt",
        "no_transcription",
        "late_transcription",
        "duplicate_transcription",
        "failed_transcription",
    }
)

_MOST = 1000


@dataclass(slots=True)
class Fault:
    """One order."""

    kind: str
    count: int = 1
    """How many times it still happens."""
    match: Mapping[str, str] = field(default_factory=dict)
    """Every fact named here must have exactly this value."""
    seconds: float = 5.0
    """Length of a delay."""


class Faults:
    """The orders that are still open, oldest first."""

    def __init__(self) -> None:
        self._open: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Order a fault; raises ``ValueError`` for an unknown kind, a count below 1, or too many orders."""
        if fault.kind not in KINDS:
            raise ValueError(f"unknown fault {fault.kind!r}; there are {', '.join(sorted(KINDS))}")
        if fault.count < 1:
            raise ValueError("count must be at least 1")
        if len(self._open) >= _MOST:
            raise ValueError(f"more than {_MOST} faults are open")
        self._open.append(fault)

    def take(self, kind: str, facts: Mapping[str, str]) -> Fault | None:
        """The first open fault of ``kind`` that matches, counted down; None when there is none."""
        for fault in self._open:
            if fault.kind == kind and all(facts.get(name) == value for name, value in fault.match.items()):
                fault.count -= 1
                if fault.count == 0:
                    self._open.remove(fault)
                return fault
        return None

    def open(self) -> list[Fault]:
        """What is still ordered."""
        return list(self._open)

    def clear(self) -> None:
        """Forget all orders."""
        self._open.clear()
