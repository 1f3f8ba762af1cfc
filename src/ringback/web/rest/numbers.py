"""Rules of the number resources (voice-calls.md §13; errors.md §3.5) and the offer of new numbers."""

from __future__ import annotations

import re
from typing import Any

from ringback.kernel.errors import Refused
from ringback.numbers.plan import region_of
from ringback.numbers.written import shown
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.resources.api.outgoing_caller_id import OutgoingCallerId
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context

_OFFERED = 30


def check_fallback(record: Any) -> None:
    """A fallback needs a primary URL: 21405 for voice, 21406 for messages."""
    application = getattr(record, "voice_application_sid", None)
    if record.voice_fallback_url and not record.voice_url and not application:
        raise Refused(21405, "A VoiceFallbackUrl needs a VoiceUrl", 400)
    if record.sms_fallback_url and not record.sms_url and not getattr(record, "sms_application_sid", None):
        raise Refused(21406, "An SmsFallbackUrl needs an SmsUrl", 400)


async def check_number(ctx: Context, before: Any) -> None:
    """Complete and check an IncomingPhoneNumber."""
    record = ctx.record
    if before is None:
        await _choose_number(ctx)
        if await ctx.store.find(IncomingPhoneNumber, phone_number=record.phone_number, limit=1):
            raise taken(record.phone_number)
        record.friendly_name = record.friendly_name or shown(record.phone_number)
    given = ctx.params
    if given.get("TrunkSid", [""])[-1]:
        record.voice_application_sid = None
    elif given.get("VoiceApplicationSid", [""])[-1]:
        record.trunk_sid = None
    check_fallback(record)


def taken(number: str) -> Refused:
    """Somebody has the number already."""
    return Refused(21422, f"{number} is not available", 400)


def known() -> Refused:
    """The caller id has been verified before."""
    return Refused(21450, "Phone number already validated for your account", 400)


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


async def check_caller_id(ctx: Context, before: Any) -> None:
    """Complete and check an OutgoingCallerId.

    It comes here only with the setting ``verify_caller_ids = "at_once"``: no verification call is made, and the
    code in the answer is a constant. Otherwise ``web/caller_ids.py`` has the number called.
    """
    record = ctx.record
    if before is not None:
        return
    if not record.phone_number:
        raise Refused(21401, "PhoneNumber is required", 400)
    same = {"phone_number": record.phone_number, "account_sid": ctx.account.sid}
    if await ctx.store.find(OutgoingCallerId, limit=1, **same):
        raise known()
    record.friendly_name = record.friendly_name or shown(record.phone_number)


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
