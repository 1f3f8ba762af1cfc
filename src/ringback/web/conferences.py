"""Conferences and Participants for REST: where they are read, and what writes become (voice-calls.md §13)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

from ringback.events import Event
from ringback.events.conferences import (
    ConferenceUpdateRequested,
    ParticipantRemovalRequested,
    ParticipantRequested,
    ParticipantUpdateRequested,
)
from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.resources.api.conference import Conference
from ringback.resources.api.participant import Participant
from ringback.store import Page, Query
from ringback.web.rest.context import Context, Params
from ringback.web.rest.memory import page_of


class LiveRoom(Protocol):
    """A conference that is not over (``voice/conference/room.py``)."""

    record: Conference

    @property
    def everybody(self) -> list[Participant]:
        """Participants and those being called."""

    def find(self, word: str) -> Participant | None:
        """A participant by call SID or label."""


class LiveRooms(Protocol):
    """What is asked of the conferences in memory (``voice/conference/live.py``)."""

    def room(self, sid: str) -> LiveRoom | None:
        """A live conference by its SID."""

    def named(self, account_sid: str, name: str) -> LiveRoom | None:
        """A live conference by its name."""


class Numbers(Protocol):
    """Look-ups of caller ids (``web/calls.py: Directory``)."""

    async def caller_id(self, account_sid: str, number: str) -> str | None:
        """SID of our number, or verified caller id, that ``number`` is; None when it is neither."""


_STATUS = {"initiated": "connecting", "ringing": "ringing", "in-progress": "connecting"}
"""Status of a call → of its participant, until it is in the conference."""


class ConferenceSource:
    """Conferences are stored; in a path, a live one may be named by its name too."""

    def __init__(self, rooms: LiveRooms, new_sid: Callable[[str], str]) -> None:
        self._rooms = rooms
        self._new_sid = new_sid

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list."""
        return await ctx.store.page(Conference, query)

    async def fetch(self, ctx: Context, sid: str) -> Conference | None:
        """By SID or, for live ones, by name.

        A participant who is created may name a conference that does not exist yet: then this is what it will
        be, with the SID that it will have (``ctx.record``); it is made by the event.
        """
        if is_sid(sid, "CF"):
            return await ctx.store.get(Conference, sid[:2] + sid[2:].lower(), ctx.account.sid)
        if ctx.place.key != "participants":
            return None
        live = self._rooms.named(ctx.account.sid, sid.strip())
        if live is not None:
            return live.record
        if ctx.method != "POST" or "Sid" in ctx.args:
            return None
        made = Conference(sid=self._new_sid("CF"), account_sid=ctx.account.sid, friendly_name=sid.strip())
        ctx.record = made
        return made


class ParticipantSource:
    """Participants live in memory, in the order in which they came."""

    def __init__(self, rooms: LiveRooms, call_status: Callable[[str], str | None]) -> None:
        """``call_status(call_sid)`` gives the status of a live call."""
        self._rooms = rooms
        self._call_status = call_status

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list; of a conference that is over there are none."""
        room = self._rooms.room(ctx.args["ConferenceSid"])
        return page_of([self._shown(one) for one in room.everybody] if room is not None else [], query)

    async def fetch(self, ctx: Context, sid: str) -> Participant | None:
        """By the SID of the call, or by label."""
        room = self._rooms.room(ctx.args["ConferenceSid"])
        word = sid[:2] + sid[2:].lower() if is_sid(sid, "CA") else sid
        found = room.find(word) if room is not None else None
        return self._shown(found) if found is not None else None

    def _shown(self, seat: Participant) -> Participant:
        if seat.status != "queued":
            return replace(seat)
        return replace(seat, status=_STATUS.get(self._call_status(seat.call_sid) or "", "queued"))


class LiveConferences:
    """Update of a conference; it is neither created nor deleted by REST."""

    def __init__(self, ask: Callable[[Event], Awaitable[Any]]) -> None:
        self._ask = ask

    async def update(self, ctx: Context, params: Params) -> Conference:
        """End it, or announce something to everybody; one that is over is given back unchanged."""
        changed = await self._ask(ConferenceUpdateRequested(conference_sid=ctx.record.sid, params=params))
        record: Conference = ctx.record if changed is None else changed
        return record


class LiveParticipants:
    """Call somebody into a conference, change how a call takes part, take it out."""

    def __init__(
        self,
        *,
        numbers: Numbers,
        ask: Callable[[Event], Awaitable[Any]],
        new_sid: Callable[[str], str],
        closed: Callable[[], bool],
    ) -> None:
        """``closed()``: the product is stopping and takes no new calls."""
        self._numbers = numbers
        self._ask = ask
        self._new_sid = new_sid
        self._closed = closed

    async def create(self, ctx: Context, params: Params) -> Participant:
        """POST Participants: a queued call that goes into the conference. Raises :class:`Refused`."""
        if self._closed():
            raise Refused(20503, "Ringback is stopping and takes no new calls; try again in a moment", 503)
        fresh: Conference | None = ctx.record
        conference = fresh or await ctx.store.get(Conference, ctx.args["ConferenceSid"], ctx.account.sid)
        if conference is None or conference.status == "completed":
            raise Refused(16022, "The conference is over", 400)
        caller, callee = _first(params, "CallerId") or _first(params, "From"), _first(params, "To")
        account = ctx.account
        verified = account.type != "Trial" or not callee or await self._known(account.sid, callee)
        made: Participant = await self._ask(
            ParticipantRequested(
                call_sid=self._new_sid("CA"),
                account_sid=account.sid,
                conference_sid=conference.sid,
                fresh=fresh is not None,
                name=conference.friendly_name,
                params=params,
                caller_number_sid=await self._numbers.caller_id(account.sid, caller) if caller else None,
                trial_callee_verified=verified,
            )
        )
        ctx.args["ConferenceSid"] = made.conference_sid
        return made

    async def _known(self, account_sid: str, number: str) -> bool:
        return await self._numbers.caller_id(account_sid, number) is not None

    async def update(self, ctx: Context, params: Params) -> Participant:
        """POST Participants/{CallSid or label}."""
        seat: Participant = ctx.record
        changed: Participant = await self._ask(
            ParticipantUpdateRequested(
                call_sid=seat.call_sid, conference_sid=seat.conference_sid, params=params
            )
        )
        return changed

    async def delete(self, ctx: Context, params: Params) -> None:
        """Out of the conference; the call goes on with its document."""
        seat: Participant = ctx.record
        await self._ask(
            ParticipantRemovalRequested(call_sid=seat.call_sid, conference_sid=seat.conference_sid)
        )


def _first(params: Params, name: str) -> str:
    values = params.get(name)
    return values[0] if values else ""
