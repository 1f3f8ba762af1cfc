"""The simulator's number plan: which fictitious numbers can be had, by country and kind (voice-calls.md §13).

Countries of +1 have the exchange 555, in their own area codes and those of toll-free numbers. Everywhere else the last
four digits of the number that libphonenumber gives as an example vary. A plan is a list of *templates*, numbers with
``*`` for the digits that are free; what a searcher asks for narrows them before anything is counted up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, product
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

KINDS: Final = {
    "Local": (PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE),
    "TollFree": (PhoneNumberType.TOLL_FREE,),
    "Mobile": (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE),
    "National": (PhoneNumberType.UAN,),
    "Voip": (PhoneNumberType.VOIP,),
    "SharedCost": (PhoneNumberType.SHARED_COST,),
    "MachineToMachine": (),
}
"""Kind of a path → libphonenumber's types; no numbering plan tells those of machines."""
HOME_AREA: Final = "500"
"""The area code that is offered first in the US: it belongs to no place."""
MOST_TRIED: Final = 20_000
"""Candidates that are looked at for one answer."""
MOST_ASKED: Final = 2_000
"""The same where the numbering plan must be asked for each: 0.1 s."""
_TOLL_FREE: Final = ("800", "888", "877", "866", "855", "844", "833")
_LINES_FROM: Final = "0100"
"""555-0100 is the first fictitious line."""
_KEYPAD: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_PATTERN: Final = re.compile(r"\+?[0-9*]*\Z")
_PUNCTUATION: Final = re.compile(r"[\s().\-/]")


def pattern(text: str) -> str:
    """A part of a number as people search for it: digits, letters of the keypad, ``*`` for any digit, ``+`` in front.

    Raises ``ValueError`` for anything else.
    """
    found = _PUNCTUATION.sub("", text).upper().translate(_KEYPAD)
    if len(found) > 20 or not _PATTERN.match(found):
        raise ValueError("takes digits, letters and * for any digit")
    return found


@lru_cache(maxsize=256)
def kinds_of(region: str) -> tuple[str, ...]:
    """The kinds of numbers that a country (ISO code) has; empty for one that does not exist."""
    return tuple(kind for kind in KINDS if _templates(region, kind, ""))


def candidates(region: str, kind: str, *, area: str = "", wanted: str = "") -> Iterator[str]:
    """Numbers (E.164) of a country and kind, whether free or not; not all, but as many as are looked at at most.

    ``area``: the digits that they begin with behind the country code. ``wanted``: a :func:`pattern` that they contain.
    """
    american = phonenumbers.country_code_for_region(region) == 1
    seen: set[str] = set()
    for number in islice(_all(region, kind, area, wanted), MOST_TRIED if american else MOST_ASKED):
        fits = number[-4:] >= _LINES_FROM if american else _is(number, region, kind)
        if fits and number not in seen:
            seen.add(number)
            yield number


def _all(region: str, kind: str, area: str, wanted: str) -> Iterator[str]:
    for template in _templates(region, kind, area):
        for narrowed in _narrowed(template, wanted):
            yield from _counted(narrowed)


@lru_cache(maxsize=1024)
def _templates(region: str, kind: str, area: str) -> tuple[str, ...]:
    code = phonenumbers.country_code_for_region(region)
    if code == 0:
        return ()
    if code == 1:
        codes: tuple[str, ...] = ()
        if kind in ("Local", "Mobile"):
            codes = _areas(region)
        elif kind == "TollFree":
            codes = _TOLL_FREE
        return tuple(f"+1{each}555****" for each in codes if area in ("", each))
    found = []
    for wanted in KINDS[kind]:
        example = phonenumbers.example_number_for_type(region, wanted)
        if example is not None:
            number = phonenumbers.format_number(example, PhoneNumberFormat.E164)
            start = f"+{code}{area}"
            if len(start) + 4 <= len(number):
                found.append(start + number[len(start) : -4] + "****")
    return tuple(found)


@lru_cache(maxsize=64)
def _areas(region: str) -> tuple[str, ...]:
    """The area codes of a country of +1; in the US :data:`HOME_AREA` before all others."""
    found = [f"{area}" for area in range(200, 1000) if region_of_area(f"{area}") == region]
    return (HOME_AREA, *(each for each in found if each != HOME_AREA)) if region == "US" else tuple(found)


@lru_cache(maxsize=1024)
def region_of_area(area: str) -> str:
    """The country of an area code of +1 (three digits); the US when it is no place's. Empty: it is toll-free."""
    if area in _TOLL_FREE:
        return ""
    found = phonenumbers.region_code_for_number(phonenumbers.parse(f"+1{area}2345678"))
    return found or "US"


def kind_of(number: str) -> str:
    """The kind of a number (E.164), as paths call it; Local for what the plan has no word for."""
    try:
        found = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "Local"
    if found.country_code == 1:
        return "TollFree" if number[2:5] in _TOLL_FREE else "Local"
    kind = phonenumbers.number_type(found)
    return next((name for name, types in KINDS.items() if kind in types), "Local")


def _is(number: str, region: str, kind: str) -> bool:
    parsed = phonenumbers.parse(number)
    return phonenumbers.number_type(parsed) in KINDS[kind] and phonenumbers.is_valid_number_for_region(
        parsed, region
    )


def _narrowed(template: str, wanted: str) -> Iterator[str]:
    """The template once for each place at which it can contain what is wanted."""
    for start in range(len(template) - len(wanted) + 1):
        part = template[start : start + len(wanted)]
        if all(_meets(have, want) for have, want in zip(part, wanted, strict=True)):
            fixed = "".join(have if want == "*" else want for have, want in zip(part, wanted, strict=True))
            yield template[:start] + fixed + template[start + len(wanted) :]
            if not wanted.strip("*"):
                return  # it is the same everywhere


def _meets(have: str, want: str) -> bool:
    return have == want or (want == "*" and have != "+") or (have == "*" and want != "+")


def _counted(template: str) -> Iterator[str]:
    parts = template.split("*")
    for digits in product("0123456789", repeat=len(parts) - 1):
        yield parts[0] + "".join(digit + part for digit, part in zip(digits, parts[1:], strict=True))
