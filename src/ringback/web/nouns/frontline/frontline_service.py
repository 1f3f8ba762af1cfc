"""Frontline settings: there for every Conversations service, stored once they are set."""

from __future__ import annotations

from typing import Any, Final

from ringback.effects import Save
from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.frontline.frontline_service import FrontlineService
from ringback.store import SaveIf
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params
from ringback.web.rest.params import NOT_GIVEN, read_given
from ringback.web.rest.rules import normal
from ringback.web.webhooks.request import Unsendable, read_target

URLS: Final = (
    "routing_url", "crm_callback_url", "outgoing_callback_url", "templates_callback_url", "call_url",
)  # fmt: skip


class FrontlineServiceRules(NounRules):
    """One record a service, with its SID."""

    noun = FrontlineService

    async def fetch(self, ctx: Context, word: str) -> FrontlineService | None:
        """What is set, or what holds while nothing is."""
        sid = normal(word)
        service = await ctx.store.get(ChatService, sid, ctx.account.sid) if is_sid(sid, "IS") else None
        if service is None:
            return None
        found = await ctx.store.get_versioned(FrontlineService, sid, ctx.account.sid)
        if found is not None:
            record, ctx.version = found
            return record
        ctx.version = None
        return FrontlineService(
            sid=sid, account_sid=ctx.account.sid, date_created=service.date_created,
            date_updated=service.date_created,
        )  # fmt: skip

    async def update(self, ctx: Context, params: Params) -> Any:
        """20001 for a URL that cannot be asked, and for custom routing without one."""
        before: FrontlineService = ctx.record
        record = before.copy()
        for field in self.noun.__noun__.fields:
            value = read_given(field, params, getattr(before, field.name)) if field.update else NOT_GIVEN
            if value is not NOT_GIVEN:
                setattr(record, field.name, value)
        for name in URLS:
            if url := getattr(record, name):
                _check_url(self.noun.__noun__.by_name[name].param, url)
        if record.routing == "custom" and not record.routing_url:
            raise Refused(20001, "Routing=custom needs a RoutingUrl", 400)
        record.date_updated = max(ctx.now, before.date_updated + 1e-6)
        write = Save(record) if ctx.version is None else SaveIf(record, ctx.version)
        await self._commit(ctx, write, *self.told(ctx, "update", before, record))
        return record


def _check_url(param: str, url: str) -> None:
    try:
        read_target(url)
    except Unsendable as error:
        raise Refused(20001, f"Invalid {param}: {error.text}", 400) from None
