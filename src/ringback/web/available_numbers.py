"""The offer of numbers that can be bought: ``AvailablePhoneNumbers`` (voice-calls.md §13; errors.md §3.5)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from ringback.kernel.errors import Refused
from ringback.kernel.resource import snake
from ringback.numbers import offer
from ringback.numbers.written import shown
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.store import Store
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.generic import not_found
from ringback.web.rest.params import first, read_bool
from ringback.web.rest.rules import Extra, Handler

DEFAULT_SIZE: Final = 30
LARGEST_SIZE: Final = 500
"""Numbers of one answer; there are no pages."""
CAPABILITIES: Final = {"voice": True, "SMS": True, "MMS": True, "fax": False}
_WANTED: Final = {
    "VoiceEnabled": True, "SmsEnabled": True, "MmsEnabled": True, "FaxEnabled": False,
}  # fmt: skip
"""Parameter → what is true of every number."""
_PLACES: Final = ("NearLatLong", "InPostalCode", "InRegion", "InRateCenter", "InLata", "InLocality")
"""Filters by place: fictitious numbers are nowhere."""
_AREA: Final = re.compile(r"[2-9][0-9]{2}\Z", re.ASCII)
_ROOT: Final = "/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers"


class AvailableNumbers:
    """What the simulator's number plan has left."""

    def __init__(self, names: Callable[[str], Iterable[tuple[str, str]]], sells: bool) -> None:
        """``names(account_sid)``: ISO code and name of every country; ``sells``: whether there are numbers to be had
        here, which a trunk does not say."""
        self._names, self._sells = names, sells

    def extras(self) -> list[Extra]:
        """The paths: countries, one country, and its kinds of numbers."""
        get = {"GET": "list"}
        kinds = [Extra(f"{_ROOT}/{{CountryCode}}/{kind}", get, self._kind(kind)) for kind in offer.KINDS]
        return [
            Extra(_ROOT, get, self.countries),
            Extra(_ROOT + "/{CountryCode}", {"GET": "fetch"}, self.country),
            *kinds,
        ]

    async def countries(self, ctx: Context) -> Answer:
        """``AvailablePhoneNumbers``: every country that has numbers, in the order of its code."""
        names = sorted(self._names(ctx.account.sid))
        # In a thread: whoever asks first has the numbering plans of the whole world read.
        with_numbers = await asyncio.to_thread(lambda: {code for code, _ in names if offer.kinds_of(code)})
        found = [self._country(ctx, code, name) for code, name in names if code in with_numbers]
        return json_answer(200, {"countries": found, "uri": _uri(ctx)})

    async def country(self, ctx: Context) -> Answer:
        """``AvailablePhoneNumbers/{CountryCode}``; 20404 for one that does not exist."""
        code, name = self._known(ctx)
        return json_answer(200, self._country(ctx, code, name))

    def _known(self, ctx: Context) -> tuple[str, str]:
        code = ctx.args["CountryCode"].upper()
        name = dict(self._names(ctx.account.sid)).get(code)
        if name is None or not offer.kinds_of(code):
            raise not_found(ctx.path)
        return code, name

    def _country(self, ctx: Context, code: str, name: str) -> dict[str, Any]:
        uri = _uri(ctx, code)
        links = {snake(kind): _uri(ctx, f"{code}/{kind}") for kind in offer.kinds_of(code)}
        return {
            "country_code": code, "country": name, "uri": uri, "beta": False, "subresource_uris": links,
        }  # fmt: skip

    def _kind(self, kind: str) -> Handler:
        async def handler(ctx: Context) -> Answer:
            """``AvailablePhoneNumbers/{CountryCode}/{Kind}``: free numbers; empty where the country has none."""
            code, _ = self._known(ctx)
            found = await self._numbers(ctx, code, kind) if self._sells else []
            items = [_shown(number, code) for number in found]
            return json_answer(200, {"uri": _uri(ctx, f"{code}/{kind}"), "available_phone_numbers": items})

        return handler

    async def _numbers(self, ctx: Context, code: str, kind: str) -> list[str]:
        params = ctx.params
        area, near = first(params, "AreaCode"), first(params, "NearNumber")
        if area and not _AREA.match(area) and code in ("US", "CA"):
            raise Refused(21451, f"Invalid AreaCode {area[:20]!r}", 400)
        if area and not (area.isascii() and area.isdigit() and len(area) <= 6):
            raise Refused(21451, f"Invalid AreaCode {area[:20]!r}", 400)
        try:
            wanted = offer.pattern(first(params, "Contains"))
        except ValueError as error:
            raise Refused(20001, f"Invalid Contains: {error}", 400) from None
        size = first(params, "PageSize")
        limit = DEFAULT_SIZE
        if size.isascii() and size.isdigit() and int(size[:6]) > 0:
            limit = min(int(size[:6]), LARGEST_SIZE)
        if not _have(ctx) or any(first(params, name) for name in _PLACES):
            return []
        if near.startswith("+1") and not area:
            area = near[2:5]
        return await free(ctx.store, code, kind, limit, area=area, wanted=wanted)


def _have(ctx: Context) -> bool:
    """Whether all numbers can do what is asked for; raises 20001 for what is neither true nor false."""
    met = True
    for name, have in _WANTED.items():
        text = first(ctx.params, name)
        try:
            met = met and (not text or read_bool(text) == have)
        except ValueError as error:
            raise Refused(20001, f"Invalid {name}: {error}", 400) from None
    return met


async def free(
    store: Store, region: str, kind: str, limit: int, *, area: str = "", wanted: str = ""
) -> list[str]:
    """The first numbers of the plan that nobody has."""
    found: list[str] = []
    batch: list[str] = []

    async def take() -> None:
        taken = await store.find(IncomingPhoneNumber, phone_number=tuple(batch))
        have = {one.phone_number for one in taken}
        found.extend(one for one in batch if one not in have)
        batch.clear()

    for number in offer.candidates(region, kind, area=area, wanted=wanted):
        batch.append(number)
        if len(batch) >= max(20, limit - len(found)):
            await take()
            if len(found) >= limit:
                return found[:limit]
    if batch:
        await take()
    return found[:limit]


def _uri(ctx: Context, rest: str = "") -> str:
    path = f"/2010-04-01/Accounts/{ctx.account.sid}/AvailablePhoneNumbers"
    return f"{path}/{rest}.json" if rest else f"{path}.json"


def _shown(number: str, country: str) -> dict[str, Any]:
    return {
        "friendly_name": shown(number), "phone_number": number, "lata": None, "locality": None,
        "rate_center": None, "latitude": None, "longitude": None, "region": None, "postal_code": None,
        "iso_country": country, "address_requirements": "none", "beta": False,
        "capabilities": CAPABILITIES,
    }  # fmt: skip
