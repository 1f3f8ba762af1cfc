"""Caller ids: a create places the call that verifies the number (call-outcomes.md §4.2)."""

from __future__ import annotations

import re
from typing import Any

from ringback.events.writes import NewCall, Verification
from ringback.kernel.errors import Refused
from ringback.kernel.fields import callback_url
from ringback.kernel.lane import Lane
from ringback.numbers.written import e164, shown
from ringback.resources.api.call import Call
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.resources.api.outgoing_caller_id import OutgoingCallerId
from ringback.web.nouns import NounRules
from ringback.web.rest.answer import json_answer
from ringback.web.rest.context import Context, Params
from ringback.web.rest.params import first

_EXTENSION = re.compile(r"[0-9*#wW]{0,32}\Z")
ANONYMOUS = "+266696687"
"""What the callee sees when no number is ours: the keys A-N-O-N-Y-M-O-U-S."""


class OutgoingCallerIdRules(NounRules):
    """A number is verified by a call to it, or counts as verified at once (setting ``verify_caller_ids``)."""

    noun = OutgoingCallerId

    def lock(self, record: Any) -> str:
        """One at a time."""
        return "caller-id"

    async def before_save(self, ctx: Context, before: Any) -> None:
        """Complete and check a new one that counts as verified at once."""
        record = ctx.record
        if before is not None:
            return
        if not record.phone_number:
            raise Refused(21401, "PhoneNumber is required", 400)
        same = {"phone_number": record.phone_number, "account_sid": ctx.account.sid}
        if await ctx.store.find(OutgoingCallerId, limit=1, **same):
            raise self.conflict(ctx)
        record.friendly_name = record.friendly_name or shown(record.phone_number)

    def conflict(self, ctx: Context) -> Refused:
        """It has been verified before."""
        return Refused(21450, "Phone number already validated for your account", 400)

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """Without a call the code is a constant."""
        if created:
            body["validation_code"] = "000000"
            body["call_sid"] = None

    async def create(self, ctx: Context, params: Params) -> Any:
        """Place the call that verifies the number, unless it counts as verified at once."""
        if self.ports.new_code is None:
            return await super().create(ctx, params)
        return json_answer(ctx.place.created, await self._verify(ctx, self.ports.new_code()))

    async def _verify(self, ctx: Context, code: str) -> dict[str, Any]:
        """Check the request, place the call; gives the answer's JSON. Raises :class:`Refused`."""
        self.open_for_calls()
        params = ctx.params
        number = _number(first(params, "PhoneNumber"))
        name = first(params, "FriendlyName")
        if len(name) > 64:
            raise Refused(20002, "FriendlyName is longer than 64 characters", 400)
        delay = first(params, "CallDelay") or "0"
        if not re.fullmatch(r"[0-9]{1,2}", delay, re.ASCII) or int(delay) > 60:
            raise Refused(21454, "CallDelay must be from 0 to 60 seconds", 400)
        extension = first(params, "Extension")
        if not _EXTENSION.match(extension):
            raise Refused(20001, "Extension takes at most 32 of 0-9 * # w W", 400)
        callback, method = _callback(ctx)
        await self._refuse_known(ctx, number)
        name = name or shown(number)
        sid = self.ports.new_sid("PN")
        wanted = Verification(
            number=number, friendly_name=name, code=code, sid=sid, extension=extension, callback=callback,
            method=method,
        )  # fmt: skip
        known = NewCall(caller_number_sid=sid, verification=wanted, delay=float(delay))
        lane = Lane("call", self.ports.new_sid("CA"))
        form = {"To": [number], "From": [await self._caller(ctx)], "Twiml": ["<Response/>"]}
        try:
            call: Call = await self.write(ctx, "create", lane, sid, form, known=known)
        except Refused as refusal:
            if refusal.code in (21211, 21217):
                raise Refused(21401, f"{number} is not a valid phone number", 400) from None
            raise
        return {
            "account_sid": ctx.account.sid,
            "call_sid": call.sid,
            "friendly_name": name,
            "phone_number": number,
            "validation_code": code,
        }

    async def _refuse_known(self, ctx: Context, number: str) -> None:
        """21449: a number of ours, which may be shown anyway; 21450: verified before; 21453: by somebody else."""
        for noun, code in ((IncomingPhoneNumber, 21449), (OutgoingCallerId, 21450)):
            for found in await ctx.store.find(noun, phone_number=number, limit=20):
                if found.account_sid != ctx.account.sid:
                    raise Refused(21453, f"{number} belongs to another account", 400)
                if code == 21450:
                    raise self.conflict(ctx)
                raise Refused(21449, f"{number} is a number of the account: it can be shown as it is", 400)

    async def _caller(self, ctx: Context) -> str:
        ours = await ctx.store.find(IncomingPhoneNumber, account_sid=ctx.account.sid, limit=1)
        return ours[0].phone_number if ours else ANONYMOUS


def _number(text: str) -> str:
    try:
        return e164(text)
    except ValueError:
        raise Refused(21401, f"PhoneNumber {text[:60]!r} is not a valid phone number", 400) from None


def _callback(ctx: Context) -> tuple[str, str]:
    url, method = (
        first(ctx.params, "StatusCallback").strip(),
        first(ctx.params, "StatusCallbackMethod").upper() or "POST",
    )
    if method not in ("GET", "POST"):
        raise Refused(21403, "StatusCallbackMethod must be GET or POST", 400)
    if url:
        try:
            callback_url(url)
        except ValueError:
            raise Refused(21609, f"StatusCallback {url[:200]!r} is not a usable URL", 400) from None
    return url, method
