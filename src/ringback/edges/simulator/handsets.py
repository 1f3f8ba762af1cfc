"""Simulated handsets: what they have received (surface.md, ``/sim/v1/Messages``). Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass

MOST = 50_000
"""Handsets that are remembered; the one that received nothing for longest goes first."""
KEPT = 1_000
"""Messages of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message at a handset."""

    sid: str
    account_sid: str
    from_: str
    to: str
    body: str
    media: tuple[str, ...]
    """URLs."""
    at: float
    """Unix seconds."""


class Handsets:
    """Address → what it received, oldest first."""

    def __init__(self) -> None:
        self._received: OrderedDict[str, deque[Received]] = OrderedDict()

    def take(self, message: Received) -> None:
        """A message has reached its handset."""
        line = self._received.setdefault(message.to, deque(maxlen=KEPT))
        self._received.move_to_end(message.to)
        line.append(message)
        if len(self._received) > MOST:
            self._received.popitem(last=False)

    def of(self, address: str) -> Sequence[Received]:
        """What a handset has received."""
        return tuple(self._received.get(address, ()))
