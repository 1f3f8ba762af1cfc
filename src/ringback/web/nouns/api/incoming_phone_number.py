"""Numbers of an account (voice-calls.md §13; errors.md §3.5), and the offer of new ones."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any, Final

from ringback.kernel.errors import Refused
from ringback.numbers import offer
from ringback.numbers.written import shown
from ringback.resources.api.incoming_phone_number import KINDS, IncomingPhoneNumber
from ringback.store import Condition, Page, Query
from ringback.web.available_numbers import AvailableNumbers, free
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context
from ringback.web.rest.params import first
from ringback.web.rest.rules import Extra

NEVER_FREE: Final = {"+15005550000": 21422, "+15005550001": 21421}
"""Magic numbers (call-outcomes.md §5) → what buying one is refused with."""
NO_NUMBERS: Final = "533"
"""The magic area code without numbers."""


class IncomingPhoneNumberRules(NounRules):
    """A number is taken once, whoever wants it."""

    noun = IncomingPhoneNumber
    tests = True

    @property
    def extras(self) -> Sequence[Extra]:
        """The offer of new numbers."""
        return AvailableNumbers(self._countries, self.ports.simulates).extras()

    def _countries(self, account_sid: str) -> list[tuple[str, str]]:
        return [(one.iso_code, one.name) for one in self.ports.permissions.countries(account_sid)]

    def only(self, ctx: Context) -> list[Condition]:
        """Those of the path's kind."""
        kind = _kind(ctx)
        return [Condition("type", "=", KINDS[kind])] if kind else []

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list. ``PhoneNumber`` is a whole number, or a part of one with ``*`` for any digit."""
        conditions = []
        for one in query.conditions:
            conditions.append(await _whole(ctx, one) if one.operator == "like" else one)
        return await ctx.store.page(IncomingPhoneNumber, dataclasses.replace(query, conditions=conditions))

    def lock(self, record: Any) -> str:
        """One at a time: a free number is looked for."""
        return "number"

    async def before_save(self, ctx: Context, before: Any) -> None:
        """Choose the number of a new one; trunk and application exclude each other."""
        record = ctx.record
        if before is None:
            await self._choose_number(ctx)
            if await ctx.store.find(IncomingPhoneNumber, phone_number=record.phone_number, limit=1):
                raise self.conflict(ctx)
            record.friendly_name = record.friendly_name or shown(record.phone_number)
        given = ctx.params
        if given.get("TrunkSid", [""])[-1]:
            record.voice_application_sid = None
        elif given.get("VoiceApplicationSid", [""])[-1]:
            record.trunk_sid = None
        check_fallback(record)

    def after_save(self, ctx: Context) -> None:
        """It can be called, even where the numbering plan does not allow for it."""
        if not ctx.caller.is_test:
            self.ports.permissions.follow(ctx.record, gone=ctx.method == "DELETE")

    def conflict(self, ctx: Context) -> Refused:
        """Somebody has the number already."""
        return Refused(21422, f"{ctx.record.phone_number} is not available", 400)

    async def _choose_number(self, ctx: Context) -> None:
        """PhoneNumber, or the first free number of AreaCode; of the kind that the path names, if it names one."""
        record, wanted = ctx.record, _kind(ctx)
        magic = ctx.caller.is_test or self.ports.simulates
        if not record.phone_number:
            record.phone_number = await self._of_area(ctx, wanted or "Local", magic)
        code = NEVER_FREE.get(record.phone_number) if magic else None
        if code is not None:
            raise Refused(
                code, f"{record.phone_number} is {'not available' if code == 21422 else 'invalid'}", 400
            )
        planned = offer.kind_of(record.phone_number)
        if wanted and (wanted == "TollFree") != (planned == "TollFree"):
            raise Refused(21421, f"{record.phone_number} is no number of the kind {wanted}", 400)
        record.type = KINDS.get(wanted or planned, KINDS["Local"])

    async def _of_area(self, ctx: Context, kind: str, magic: bool) -> str:
        area = first(ctx.params, "AreaCode")
        if not area:
            raise Refused(21421, "PhoneNumber or AreaCode is required", 400)
        if not re.fullmatch(r"[2-9][0-9]{2}", area, re.ASCII):
            raise Refused(21451, f"Invalid AreaCode {area[:20]!r}", 400)
        region = offer.region_of_area(area) or "US"
        found: list[str] = []
        if self.ports.simulates and not (magic and area == NO_NUMBERS):
            found = await free(ctx.store, region, kind, 1, area=area)
        if not found:
            raise Refused(21452, f"No phone numbers found in area code {area}", 400)
        return found[0]


def _kind(ctx: Context) -> str:
    """``Local``, ``Mobile``, ``TollFree`` of the path; empty for the list of all."""
    last = ctx.place.path.rpartition("/")[2]
    return last if last in KINDS else ""


async def _whole(ctx: Context, wanted: Condition) -> Condition:
    """A whole number of ours is meant as such, though it may be the beginning of another (``+15550100``)."""
    number = wanted.value.rstrip("%")
    whole = number.startswith("+") and "_" not in number
    if whole and await ctx.store.first(IncomingPhoneNumber, phone_number=number) is not None:
        return Condition(wanted.name, "=", number)
    return wanted


def check_fallback(record: Any) -> None:
    """A fallback needs a primary URL: 21405 for voice, 21406 for messages."""
    application = getattr(record, "voice_application_sid", None)
    if record.voice_fallback_url and not record.voice_url and not application:
        raise Refused(21405, "A VoiceFallbackUrl needs a VoiceUrl", 400)
    if record.sms_fallback_url and not record.sms_url and not getattr(record, "sms_application_sid", None):
        raise Refused(21406, "An SmsFallbackUrl needs an SmsUrl", 400)
