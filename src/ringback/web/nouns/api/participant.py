"""Participants: read from the conferences in memory; what writes become (voice-calls.md §13)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from msgspec import structs

from ringback.events.writes import Operation
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.kernel.sid import is_sid
from ringback.resources.api.conference import Conference
from ringback.resources.api.participant import Participant
from ringback.store import Page, Query
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params
from ringback.web.rest.memory import page_of
from ringback.web.rest.rules import normal

_STATUS = {"initiated": "connecting", "ringing": "ringing", "in-progress": "connecting"}
"""Status of a call → of its participant, until it is in the conference."""


class ParticipantRules(NounRules):
    """Participants live in memory, in the order in which they came."""

    noun = Participant
    audited = frozenset()

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list; of a conference that is over there are none."""
        room = self.ports.conferences.room(ctx.args["ConferenceSid"])
        return page_of([self._shown(one) for one in room.everybody] if room is not None else [], query)

    async def fetch(self, ctx: Context, word: str) -> Participant | None:
        """By the SID of the call, or by label."""
        room = self.ports.conferences.room(ctx.args["ConferenceSid"])
        sid = normal(word) if is_sid(word, "CA") else word
        found = room.find(sid) if room is not None else None
        return self._shown(found) if found is not None else None

    def _shown(self, seat: Participant) -> Participant:
        if seat.status != "queued":
            return seat.copy()
        return replace(seat, status=_STATUS.get(self.ports.call_status(seat.call_sid) or "", "queued"))

    async def create(self, ctx: Context, params: Params) -> Participant:
        """POST Participants: a queued call that goes into the conference. Raises :class:`Refused`."""
        known = await self.new_call(ctx, params)
        fresh: Conference | None = ctx.record
        conference = fresh or await ctx.store.get(Conference, ctx.args["ConferenceSid"], ctx.account.sid)
        if conference is None or conference.status == "completed":
            raise Refused(16022, "The conference is over", 400)
        sid, name = self.ports.new_sid("CA"), conference.friendly_name
        made: Participant = await self.write(
            ctx, "create", Lane("call", sid), sid, params, parent_sid=conference.sid,
            known=structs.replace(known, conference=name, fresh=fresh is not None),
        )  # fmt: skip
        ctx.args["ConferenceSid"] = made.conference_sid
        return made

    async def update(self, ctx: Context, params: Params) -> Any:
        """POST Participants/{CallSid or label}."""
        return await self._change(ctx, "update", params)

    async def delete(self, ctx: Context, params: Params) -> None:
        """Out of the conference; the call goes on with its document."""
        await self._change(ctx, "delete", params)

    async def _change(self, ctx: Context, operation: Operation, params: Params) -> Any:
        sid, conference_sid = ctx.record.call_sid, ctx.record.conference_sid
        return await self.write(ctx, operation, Lane("call", sid), sid, params, parent_sid=conference_sid)
