"""How many may be there at once, in all and from one source; where it is full, who is idle makes room."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Hashable
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

LOOKS = 32
"""So many are asked whether they are needed before there counts as being no room."""


def source_of(address: str) -> str:
    """What counts as one source: an IPv4 address, the /64 of an IPv6 one; anything else is a source by itself."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, 64), strict=False))


class Quota(Generic[T]):
    """Everybody who is there, by source. ``most`` and ``most_of_source`` are the limits; 0 = none."""

    def __init__(self, most: int, most_of_source: int) -> None:
        self._most, self._most_of_source = most, most_of_source
        self._sources: dict[T, str] = {}
        self._idle: dict[str, dict[T, None]] = {}
        """Source → who could make room, the one that has waited longest first."""
        self._counted: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._sources)

    def enter(
        self, one: T, source: str, needed: Callable[[T], bool] = lambda one: False
    ) -> tuple[bool, T | None]:
        """Whether there is room for one more, who is idle until told otherwise; and who has to go for it, if anybody.

        From a source at its limit one of its own goes; where all are too many, one of whoever has most that are idle.
        ``needed`` tells of an idle one that it has to stay nevertheless.
        """
        gone: T | None = None
        if self._most_of_source and self._counted.get(source, 0) >= self._most_of_source:
            gone = self._oldest(source, needed)
            if gone is None:
                return False, None
        elif self._most and len(self._sources) >= self._most:
            largest = max(self._idle, key=lambda each: len(self._idle[each]), default="")
            gone = self._oldest(largest, needed)
            if gone is None:
                return False, None
        if gone is not None:
            self.leave(gone)
        self._sources[one] = source
        self._counted[source] = self._counted.get(source, 0) + 1
        self.rests(one)
        return True, gone

    def stays(self, one: T) -> None:
        """One that counts among all, but to no source, and that makes room for nobody."""
        self._sources[one] = ""
        self._counted[""] = self._counted.get("", 0) + 1

    def works(self, one: T) -> None:
        """It is not idle any more: it makes room for nobody."""
        source = self._sources.get(one)
        if source is None:
            return
        idle = self._idle.get(source)
        if idle is not None and one in idle:
            del idle[one]
            if not idle:
                del self._idle[source]

    def rests(self, one: T) -> None:
        """It is idle from now on."""
        source = self._sources.get(one)
        if source is not None:
            idle = self._idle.setdefault(source, {})
            idle.pop(one, None)
            idle[one] = None

    def leave(self, one: T) -> None:
        """It is gone; idempotent."""
        self.works(one)
        source = self._sources.pop(one, None)
        if source is None:
            return
        left = self._counted[source] - 1
        if left:
            self._counted[source] = left
        else:
            del self._counted[source]

    def _oldest(self, source: str, needed: Callable[[T], bool]) -> T | None:
        for one in list(islice(self._idle.get(source, ()), LOOKS)):
            if not needed(one):
                return one
            self.rests(one)  # the next look begins behind it
        return None
