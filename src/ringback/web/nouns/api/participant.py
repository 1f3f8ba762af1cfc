"""Participants: read from the conferences in memory; what writes become (voice-calls.md §13)."""

from __future__ import annotations

from dataclasses import replace

from ringback.events.conferences import (
    ParticipantRemovalRequested,
    ParticipantRequested,
    ParticipantUpdateRequested,
)
from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.resources.api.conference import Conference
from ringback.resources.api.participant import Participant
from ringback.store import Page, Query
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params
from ringback.web.rest.memory import page_of
from ringback.web.rest.params import first
from ringback.web.rest.rules import normal

_STATUS = {"initiated": "connecting", "ringing": "ringing", "in-progress": "connecting"}
"""Status of a call → of its participant, until it is in the conference."""


class ParticipantRules(NounRules):
    """Participants live in memory, in the order in which they came."""

    noun = Participant

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
            return replace(seat)
        return replace(seat, status=_STATUS.get(self.ports.call_status(seat.call_sid) or "", "queued"))

    async def create(self, ctx: Context, params: Params) -> Participant:
        """POST Participants: a queued call that goes into the conference. Raises :class:`Refused`."""
        if self.ports.closed():
            raise Refused(20503, "Ringback is stopping and takes no new calls; try again in a moment", 503)
        fresh: Conference | None = ctx.record
        conference = fresh or await ctx.store.get(Conference, ctx.args["ConferenceSid"], ctx.account.sid)
        if conference is None or conference.status == "completed":
            raise Refused(16022, "The conference is over", 400)
        caller, callee = first(params, "CallerId") or first(params, "From"), first(params, "To")
        account = ctx.account
        verified = account.type != "Trial" or not callee or await self._known(account.sid, callee)
        made: Participant = await self.ports.ask(
            ParticipantRequested(
                call_sid=self.ports.new_sid("CA"),
                account_sid=account.sid,
                conference_sid=conference.sid,
                fresh=fresh is not None,
                name=conference.friendly_name,
                params=params,
                caller_number_sid=await self.ports.directory.caller_id(account.sid, caller)
                if caller
                else None,
                trial_callee_verified=verified,
            )
        )
        ctx.args["ConferenceSid"] = made.conference_sid
        return made

    async def _known(self, account_sid: str, number: str) -> bool:
        return await self.ports.directory.caller_id(account_sid, number) is not None

    async def update(self, ctx: Context, params: Params) -> Participant:
        """POST Participants/{CallSid or label}."""
        seat: Participant = ctx.record
        changed: Participant = await self.ports.ask(
            ParticipantUpdateRequested(
                call_sid=seat.call_sid, conference_sid=seat.conference_sid, params=params
            )
        )
        return changed

    async def delete(self, ctx: Context, params: Params) -> None:
        """Out of the conference; the call goes on with its document."""
        seat: Participant = ctx.record
        await self.ports.ask(
            ParticipantRemovalRequested(call_sid=seat.call_sid, conference_sid=seat.conference_sid)
        )
