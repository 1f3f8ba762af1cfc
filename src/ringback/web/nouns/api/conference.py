"""Conferences: stored; in a path, a live one may be named by its name too (voice-calls.md §13)."""

from __future__ import annotations

from ringback.kernel.lane import Lane
from ringback.kernel.sid import is_sid
from ringback.resources.api.conference import Conference
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params
from ringback.web.rest.rules import normal


class ConferenceRules(NounRules):
    """Neither created nor deleted by REST."""

    noun = Conference
    audited = frozenset()

    async def fetch(self, ctx: Context, word: str) -> Conference | None:
        """By SID or, for live ones, by name.

        A participant who is created may name a conference that does not exist yet: then this is what it will
        be, with the SID that it will have (``ctx.record``); it is made by the event.
        """
        if is_sid(word, "CF"):
            return await ctx.store.get(Conference, normal(word), ctx.account.sid)
        if ctx.place.key != "participants":
            return None
        live = self.ports.conferences.named(ctx.account.sid, word.strip())
        if live is not None:
            return live.record
        if ctx.method != "POST" or "Sid" in ctx.args:
            return None
        made = Conference(
            sid=self.ports.new_sid("CF"), account_sid=ctx.account.sid, friendly_name=word.strip()
        )
        ctx.record = made
        return made

    async def update(self, ctx: Context, params: Params) -> Conference:
        """End it, or announce something to everybody; one that is over is given back unchanged."""
        changed = await self.write(ctx, "update", Lane("conference", ctx.record.sid), ctx.record.sid, params)
        record: Conference = ctx.record if changed is None else changed
        return record
