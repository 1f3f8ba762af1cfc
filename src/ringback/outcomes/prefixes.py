"""Prefixes of a country's premium and shared-cost ranges, read off libphonenumber's patterns.

The metadata has regular expressions over whole national numbers (``(?:8(?:4[2-5]|7[0-3])|9…)\\d{7}``). A
prefix is what such a pattern demands before any digit will do. The patterns use few constructs: digits, ``\\d``,
classes, groups, alternatives, ``?`` and counts; anything else raises ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import phonenumbers

from ringback.outcomes.countries import INTERNATIONAL

PREMIUM: Final = "premium"
SPECIAL: Final = "special"
TOLLFRAUD: Final = "tollfraud"
DIGITS: Final = "0123456789"
LONGEST: Final = 15
"""Digits of the longest E.164 number."""
_NETWORKS: Final = {
    "+979": PREMIUM, "+808": SPECIAL,
    "+870": TOLLFRAUD, "+881": TOLLFRAUD, "+882": TOLLFRAUD, "+883": TOLLFRAUD,
}  # fmt: skip
"""Whole networks: international premium rate and shared cost; satellite and other international networks, whose
prices invite fraud."""


class Part(NamedTuple):
    """One place of a pattern, and how often at least and at most it is there."""

    digits: str
    """Any of these; empty: one of the options."""
    options: list[list[Part]]
    low: int = 1
    high: int = 1


def of_pattern(pattern: str) -> list[str]:
    """The shortest digit strings with which every number of the pattern begins, sorted.

    Raises ``ValueError`` for a pattern with constructs that are not known here.
    """
    parts, end = _alternatives(pattern, 0)
    if end != len(pattern):
        raise ValueError(f"{pattern!r}: unexpected {pattern[end]!r} at {end}")
    found = {prefix for option in parts for prefix in _begin(option) if prefix}
    return sorted(one for one in found if not any(one[:size] in found for size in range(1, len(one))))


def _alternatives(pattern: str, at: int) -> tuple[list[list[Part]], int]:
    options: list[list[Part]] = [[]]
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            options.append([])
            at += 1
            continue
        part, at = _atom(pattern, at)
        low, high, at = _count(pattern, at)
        options[-1].append(part._replace(low=low, high=high))
    return options, at


def _atom(pattern: str, at: int) -> tuple[Part, int]:
    if pattern.startswith("(?:", at):
        inner, end = _alternatives(pattern, at + 3)
        if not pattern.startswith(")", end):
            raise ValueError(f"{pattern!r}: a group is not closed")
        return Part("", inner), end + 1
    if pattern.startswith("\\d", at):
        return Part(DIGITS, []), at + 2
    if pattern[at] == "[":
        end = pattern.index("]", at)
        return Part(_class(pattern[at + 1 : end]), []), end + 1
    if pattern[at] in DIGITS:
        return Part(pattern[at], []), at + 1
    raise ValueError(f"{pattern!r}: unknown construct at {at}")


def _class(text: str) -> str:
    text = text.replace("\\d", "0-9")
    found = ""
    while text:
        if text[1:2] == "-":
            found += DIGITS[int(text[0]) : int(text[2]) + 1]
            text = text[3:]
        else:
            found += str(int(text[0]))
            text = text[1:]
    return found


def _count(pattern: str, at: int) -> tuple[int, int, int]:
    if pattern.startswith("?", at):
        return 0, 1, at + 1
    if pattern.startswith("{", at):
        end = pattern.index("}", at)
        low, _, high = pattern[at + 1 : end].partition(",")
        return int(low), int(high or low), end + 1
    return 1, 1, at


def _begin(parts: list[Part]) -> Iterator[str]:
    """Beginnings of a sequence, up to where any digit will do."""
    if _free(parts):
        yield ""
        return
    first, rest = parts[0], parts[1:]
    if first.low == 0:
        yield from _begin(rest)
    if first.high == 0:
        return
    following = rest
    if first.high > 1:
        following = [first._replace(low=max(first.low - 1, 0), high=first.high - 1), *rest]
    if first.digits:
        for tail in _begin(following):
            yield from (digit + tail for digit in first.digits)
    for option in first.options:
        yield from _begin([*option, *following])


def _free(parts: list[Part]) -> bool:
    """Whether a sequence demands no certain digit."""
    return all(
        part.digits == DIGITS if part.digits else all(_free(option) for option in part.options)
        for part in parts
    )


@lru_cache(300)
def of_country(iso_code: str) -> dict[str, str]:
    """E.164 prefix → ``premium`` or ``special`` (shared cost), or ``tollfraud``; sorted by the prefixes."""
    if iso_code == INTERNATIONAL:
        return dict(sorted(_NETWORKS.items()))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(iso_code)
    found: dict[str, str] = {}
    if metadata is None:
        return found
    for kind, ranges in ((SPECIAL, metadata.shared_cost), (PREMIUM, metadata.premium_rate)):
        if ranges is not None and ranges.national_number_pattern:
            for prefix in of_pattern(ranges.national_number_pattern):
                found[f"+{metadata.country_code}{prefix}"] = kind
    return dict(sorted(found.items()))


def longest(e164: str, prefixes: dict[str, str]) -> str | None:
    """The longest of some prefixes with which a number begins."""
    for size in range(min(len(e164), LONGEST + 1), 1, -1):
        if e164[:size] in prefixes:
            return e164[:size]
    return None
