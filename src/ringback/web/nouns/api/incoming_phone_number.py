"""Numbers of an account (voice-calls.md §13; errors.md §3.5), and the offer of new ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ringback.kernel.errors import Refused
from ringback.numbers.plan import region_of
from ringback.numbers.written import shown
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.web.nouns import NounRules
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.rules import Extra

_OFFERED = 30


class IncomingPhoneNumberRules(NounRules):
    """A number is taken once, whoever wants it."""

    noun = IncomingPhoneNumber
    tests = True

    @property
    def extras(self) -> Sequence[Extra]:
        """The offer of new numbers."""
        path = "/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers/{CountryCode}/Local"
        return [Extra(path, {"GET": "list"}, available)]

    def lock(self, record: Any) -> str:
        """One at a time: a free number is looked for."""
        return "number"

    async def before_save(self, ctx: Context, before: Any) -> None:
        """Choose the number of a new one; trunk and application exclude each other."""
        record = ctx.record
        if before is None:
            await _choose_number(ctx)
            if await ctx.store.find(IncomingPhoneNumber, phone_number=record.phone_number, limit=1):
                raise self.conflict(ctx)
            record.friendly_name = record.friendly_name or shown(record.phone_number)
        given = ctx.params
        if given.get("TrunkSid", [""])[-1]:
            record.voice_application_sid = None
        elif given.get("VoiceApplicationSid", [""])[-1]:
            record.trunk_sid = None
        check_fallback(record)

    def conflict(self, ctx: Context) -> Refused:
        """Somebody has the number already."""
        return Refused(21422, f"{ctx.record.phone_number} is not available", 400)


def check_fallback(record: Any) -> None:
    """A fallback needs a primary URL: 21405 for voice, 21406 for messages."""
    application = getattr(record, "voice_application_sid", None)
    if record.voice_fallback_url and not record.voice_url and not application:
        raise Refused(21405, "A VoiceFallbackUrl needs a VoiceUrl", 400)
    if record.sms_fallback_url and not record.sms_url and not getattr(record, "sms_application_sid", None):
        raise Refused(21406, "An SmsFallbackUrl needs an SmsUrl", 400)


async def _choose_number(ctx: Context) -> None:
    record, given = ctx.record, ctx.params
    if record.phone_number:
        return
    area = given.get("AreaCode", [""])[-1]
    if not area:
        raise Refused(21421, "PhoneNumber or AreaCode is required", 400)
    if not re.fullmatch(r"[2-9][0-9]{2}", area, re.ASCII):
        raise Refused(21451, "Invalid AreaCode", 400)
    free = await _free_numbers(ctx, area, 1)
    if not free:
        raise Refused(21452, f"No phone numbers found in area code {area}", 400)
    record.phone_number = free[0]


async def _free_numbers(ctx: Context, area: str, limit: int, contains: str = "") -> list[str]:
    found: list[str] = []
    for line in range(100, 10_000):
        number = f"+1{area}555{line:04d}"
        if contains and contains not in number:
            continue
        if not await ctx.store.find(IncomingPhoneNumber, phone_number=number, limit=1):
            found.append(number)
            if len(found) >= limit:
                break
    return found


async def available(ctx: Context) -> Answer:
    """``AvailablePhoneNumbers/{CountryCode}/Local``: fictitious numbers that the simulated carrier serves."""
    country = ctx.args["CountryCode"].upper()
    if country != "US":
        raise Refused(20404, f"The requested resource {ctx.path} was not found", 404)
    area = ctx.params.get("AreaCode", ["500"])[-1] or "500"
    if not re.fullmatch(r"[2-9][0-9]{2}", area, re.ASCII):
        raise Refused(21451, "Invalid AreaCode", 400)
    size = ctx.params.get("PageSize", [str(_OFFERED)])[-1]
    limit = min(int(size), _OFFERED) if size.isascii() and size.isdigit() and int(size[:6]) > 0 else _OFFERED
    contains = ctx.params.get("Contains", [""])[-1].replace("*", "")[:16]
    free = await _free_numbers(ctx, area, limit, contains)
    path = f"/2010-04-01/Accounts/{ctx.account.sid}/AvailablePhoneNumbers/{country}/Local.json"
    return json_answer(200, {"uri": path, "available_phone_numbers": [_offer(number) for number in free]})


def _offer(number: str) -> dict[str, Any]:
    region = region_of(number) or "US"
    return {
        "friendly_name": shown(number), "phone_number": number, "lata": None, "locality": None,
        "rate_center": None, "latitude": None, "longitude": None, "region": None, "postal_code": None,
        "iso_country": region, "address_requirements": "none", "beta": False,
        "capabilities": {"voice": True, "SMS": True, "MMS": True},
    }  # fmt: skip
