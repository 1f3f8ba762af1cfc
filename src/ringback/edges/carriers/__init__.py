"""The carriers: one file each. A carrier places and receives calls and carries their audio.

Contract: a carrier has a ``name``, ``start``/``stop``, and ``perform`` for every
:class:`~ringback.effects.LegEffect` of the legs it has. It reports by posting events of
``ringback.events`` (its leg section), each of them exactly as documented there. ``perform`` never
blocks and never raises for a leg that is gone: the leg's ending is already on its way as an event.
"""

from __future__ import annotations

from typing import Protocol

from ringback.effects import LegEffect


class Carrier(Protocol):
    """Somebody who places and receives calls for us."""

    name: str

    async def start(self) -> None:
        """Open what it needs; raises ``OSError`` when it cannot (port taken …)."""

    async def stop(self) -> None:
        """End every leg and close."""

    def reaches(self, client: str, account_sid: str) -> bool:
        """Whether a device that it has answers to ``client:IDENTITY`` now, for the calls of an account."""

    def perform(self, effect: LegEffect) -> None:
        """Carry out one effect on one of its legs (or dial a new one: ``DialLeg``)."""

    def knows(self, call_sid: str) -> bool:
        """Whether it has a leg of that call, in whatever state."""

    def probe(self, call_sid: str) -> bool:
        """Ask the far end whether an answered call still exists; if not, its ending follows as an event.

        False: it need not or cannot be asked.
        """
