"""Which sender of a messaging service's pool writes to somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ringback.numbers.plan import region_of
from ringback.numbers.text_address import is_name

NO_NAMES = ("US", "CA", "PR")
"""Countries whose networks show no names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is known of a messaging service when a message is asked for."""

    sid: str
    senders: tuple[str, ...] = ()
    """Its numbers, short codes and names, in the order in which they came."""
    sticky: str = ""
    """Whom the recipient was last written to by, when it keeps to that."""
    area_code: bool = True
    """Whether a number of the recipient's area is preferred."""
    smart_encoding: bool = True
    validity_period: int = 36_000
    """Seconds."""
    status_callback: str = ""


def service_of(known: dict[str, Any]) -> Service | None:
    """Read what was looked up; None: there is no such service."""
    return Service(**{**known, "senders": tuple(known["senders"])}) if known else None


def choose(service: Service, to: str, *, media: bool, turn: int) -> str | None:
    """The sender: who wrote last; else a name where names are shown; else the nearest number. None: nobody can.

    ``turn`` spreads messages over senders that are equally near.
    """
    channel, _, _ = to.rpartition(":")
    able = [each for each in service.senders if each.rpartition(":")[0] == channel]
    region = region_of(to) if to.startswith("+") else None
    named = [each for each in able if is_name(each)]
    numbers = [each for each in able if not is_name(each)]
    if region in NO_NAMES or media:
        named = []
    if service.sticky in (*numbers, *named):
        return service.sticky
    for group in (named, numbers):
        if group:
            nearest = _nearest(group, to, region, service.area_code)
            return nearest[turn % len(nearest)]
    return None


def _nearest(senders: Sequence[str], to: str, region: str | None, area_code: bool) -> list[str]:
    """Those of the recipient's area, else of their country, else all."""
    home = [each for each in senders if each.startswith("+") and region and region_of(each) == region]
    home += [each for each in senders if not each.startswith("+") and not is_name(each)]  # short codes
    area = [each for each in home if area_code and to.startswith("+1") and each[:5] == to[:5]]
    return area or home or list(senders)
