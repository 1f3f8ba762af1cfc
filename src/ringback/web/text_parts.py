"""The parts of inbound messages in the store: what a channel is given to keep them by until the whole is there."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from ringback.effects import Delete, Effect, Save
from ringback.kernel.errors import Refused
from ringback.resources.api.message import Message
from ringback.resources.api.text_part import TextPart
from ringback.store import Store

PATIENCE: Final = 3600.0
"""Seconds after its newest part that an incomplete message waits for the others."""
KEPT: Final = 600.0
"""Seconds for which the parts of a complete message are known again."""
MOST: Final = 10_000
"""Parts that one channel may keep; then the carrier is asked to come again."""
LATELY: Final = 60.0
"""Seconds before an end that we know nothing of: what came then may not have been acknowledged."""
_READ: Final = 2000


class Place(Protocol):
    """Where a part belongs."""

    @property
    def reference(self) -> str:
        """Of the whole message."""

    @property
    def total(self) -> int:
        """How many parts there are."""

    @property
    def number(self) -> int:
        """Which one this is, from 1."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A message of which all parts are there."""

    key: str
    """What to call it when it is handed on."""
    carrier_id: str
    from_: str
    to: str
    parts: tuple[tuple[bytes, int], ...]
    """Octets and data coding of each, in order."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A message that never became whole."""

    from_: str
    to: str
    missing: tuple[int, ...]
    """Numbers of the parts that did not come."""
    total: int


class TextParts:
    """See the module."""

    def __init__(
        self, store: Store, account_sid: str, new_sid: Callable[[str], str], now: Callable[[], float]
    ) -> None:
        """``account_sid`` owns the records; ``now`` gives Unix seconds."""
        self._store, self._account_sid = store, account_sid
        self._new_sid, self._now = new_sid, now
        self._locks: dict[str, asyncio.Lock] = {}
        self._counts: dict[str, int] = {}

    async def keep(
        self, channel: str, from_: str, to: str, place: Place, octets: bytes, data_coding: int
    ) -> tuple[Whole | None, Incomplete | None]:
        """Write a part; when it returns, the carrier may be told that we have it.

        The whole, when this was the last one that was missing. What was kept with the same reference and other words
        is of an older message, which is given up. Raises ``Refused`` (503) when too many wait.
        """
        words = (channel, from_, to, place.reference, str(place.total))
        key = hashlib.sha256("\0".join(words).encode()).hexdigest()[:32]
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                return await self._keep(key, channel, from_, to, place, octets.hex(), data_coding)
        finally:
            if not lock.locked():
                self._locks.pop(key, None)

    async def _keep(
        self, key: str, channel: str, from_: str, to: str, place: Place, octets: str, data_coding: int
    ) -> tuple[Whole | None, Incomplete | None]:
        now, found = self._now(), await self._store.find(TextPart, whole=key)
        given_up: Incomplete | None = None
        same = next((each for each in found if each.number == place.number), None)
        known = same is not None and same.octets == octets
        if found and ((same is not None and not known) or _old(found, now)):
            given_up = None if found[0].done is not None else _incomplete(found)
            await self._remove(found)
            found, known = [], False
        if not known:
            await self._room(channel)
            first = min(found, key=lambda each: each.sid, default=None)
            sid = self._new_sid("TP")
            record = TextPart(
                sid=sid, account_sid=self._account_sid, date_created=now, date_updated=now, channel=channel,
                whole=key, from_=from_, to=to, number=place.number, total=place.total,
                octets=octets, data_coding=data_coding,
                carrier_id=first.carrier_id if first is not None else f"{key}.{sid[2:]}",
            )  # fmt: skip
            await self._store.commit([Save(record)])
            self._counts[channel] += 1
            found = [*found, record]
        if found[0].done is not None or {each.number for each in found} != set(range(1, place.total + 1)):
            return None, given_up
        return _whole(found), given_up

    async def stuck(self, channel: str) -> list[Whole]:
        """Messages that are whole and were not handed on: an earlier process ended in between."""
        groups = await self._groups(channel)
        return [_whole(found) for found in groups if found[0].done is None and not _incomplete(found).missing]

    async def done(self, key: str) -> None:
        """The whole was handed on."""
        now = self._now()
        found = await self._store.find(TextPart, whole=key)
        for each in found:
            each.done = each.date_updated = now
        await self._store.commit([Save(each) for each in found])

    async def expire(self, channel: str) -> list[Incomplete]:
        """Remove what is too old; gives the messages that never became whole."""
        now = self._now()
        over = [
            found
            for found in await self._groups(channel)
            if _old(found, now) and (found[0].done is not None or _incomplete(found).missing)
        ]
        for found in over:
            await self._remove(found)
        return [_incomplete(found) for found in over if found[0].done is None]

    async def lately(self, channel: str) -> list[str]:
        """The carrier ids of what came by this channel just before an earlier process ended."""
        found = await self._store.find(Message, status="received", limit=_READ)
        ours = [each for each in found if (each.carrier_key or "").startswith(f"{channel}|")]
        newest = max((each.date_created for each in ours), default=0.0)
        return [
            (each.carrier_key or "").partition("|")[2].rpartition("|")[0]
            for each in ours
            if each.date_created >= newest - LATELY
        ]

    async def _groups(self, channel: str) -> list[list[TextPart]]:
        groups: dict[str, list[TextPart]] = {}
        for each in await self._store.find(TextPart, channel=channel, limit=2 * MOST):
            groups.setdefault(each.whole, []).append(each)
        return list(groups.values())

    async def _room(self, channel: str) -> None:
        if channel not in self._counts:
            self._counts[channel] = await self._store.count(TextPart, channel=channel)
        if self._counts[channel] >= MOST:
            raise Refused(20503, "Too many incomplete messages", 503)

    async def _remove(self, found: list[TextPart]) -> None:
        effects: list[Effect] = [Delete(each) for each in found]
        await self._store.commit(effects)
        channel = found[0].channel
        if channel in self._counts:
            self._counts[channel] -= len(found)


def _whole(found: list[TextPart]) -> Whole:
    ordered = sorted(found, key=lambda each: each.number)
    pieces = tuple((bytes.fromhex(each.octets), each.data_coding) for each in ordered)
    one = ordered[0]
    return Whole(one.whole, one.carrier_id, one.from_, one.to, pieces)


def _old(found: list[TextPart], now: float) -> bool:
    newest = max(each.date_updated for each in found)
    return newest < now - (PATIENCE if found[0].done is None else KEPT)


def _incomplete(found: list[TextPart]) -> Incomplete:
    one = found[0]
    there = {each.number for each in found}
    missing = tuple(number for number in range(1, one.total + 1) if number not in there)
    return Incomplete(one.from_, one.to, missing, one.total)
