"""Numbers in pools: one of the account's, in one service at most."""

from __future__ import annotations

from typing import Any

from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.numbers.plan import region_of
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.resources.messaging.pooled_number import PooledNumber
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context
from ringback.web.rest.params import first
from ringback.web.rest.rules import normal


class PooledNumberRules(NounRules):
    """It is what ``PhoneNumberSid`` names."""

    noun = PooledNumber

    async def fetch(self, ctx: Context, word: str) -> Any:
        """In the service of the path, not in another."""
        found = await super().fetch(ctx, word)
        return (
            found
            if found is not None and found.messaging_service_sid == normal(ctx.args["MessagingServiceSid"])
            else None
        )

    def lock(self, record: Any) -> str:
        """One at a time: a number is in one pool only."""
        return f"pool {record.account_sid}"

    async def before_save(self, ctx: Context, before: Any) -> None:
        """Look the number up; 21710 in this service already, 21712 in another."""
        record = ctx.record
        sid = normal(first(ctx.params, "PhoneNumberSid").strip())
        number = await ctx.store.get(IncomingPhoneNumber, sid, ctx.account.sid) if is_sid(sid, "PN") else None
        if number is None:
            raise Refused(20404, f"PhoneNumberSid {sid[:40]!r} is none of this account's numbers", 404)
        there = await ctx.store.get(PooledNumber, sid)
        if there is not None:
            if there.messaging_service_sid == record.messaging_service_sid:
                raise Refused(21710, f"{number.phone_number} is already in the messaging service", 409)
            raise Refused(21712, f"{number.phone_number} is in another messaging service", 409)
        record.sid = number.sid
        record.phone_number = number.phone_number
        record.country_code = region_of(number.phone_number) or ""
        names = {"sms": "SMS", "mms": "MMS", "voice": "Voice"}
        record.capabilities = [name for key, name in names.items() if number.capabilities.get(key)]
