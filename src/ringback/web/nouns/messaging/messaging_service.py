"""Messaging services: a service goes with its pool."""

from __future__ import annotations

from typing import Any

from ringback.effects import Delete
from ringback.kernel.errors import Refused
from ringback.resources.messaging.alpha_sender import AlphaSender
from ringback.resources.messaging.messaging_service import MessagingService
from ringback.resources.messaging.pooled_number import PooledNumber
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params


class MessagingServiceRules(NounRules):
    """Values are checked like a number's."""

    noun = MessagingService

    async def before_save(self, ctx: Context, before: Any) -> None:
        """A fallback needs a URL, and a validity period is in its range."""
        record = ctx.record
        if record.fallback_url and not record.inbound_request_url:
            raise Refused(21406, "A FallbackUrl needs an InboundRequestUrl", 400)
        if not 1 <= record.validity_period <= 36_000:
            raise Refused(21624, "ValidityPeriod must be from 1 to 36000 seconds", 400)

    async def delete(self, ctx: Context, params: Params) -> None:
        """Its senders leave the pool with it."""
        sid, account = ctx.record.sid, ctx.account.sid
        pool: list[Any] = []
        for noun in (PooledNumber, AlphaSender):
            pool += await ctx.store.find(noun, account_sid=account, messaging_service_sid=sid)
        await ctx.store.commit(
            [
                *(Delete(each) for each in pool),
                Delete(ctx.record),
                *self.told(ctx, "delete", ctx.record, None),
            ]
        )
        ctx.audited = True
