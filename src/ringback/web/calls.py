"""What writes to Calls and their recordings become: look-ups first, then one event (house.md, "Live nouns").

These are the live handlers that the REST layer calls; it never edits a live record itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ringback.effects import Delete, Save
from ringback.events import (
    CallArrived,
    CallRequested,
    CallUpdateRequested,
    Event,
    RecordingRemovalRequested,
    RecordingRequested,
    RecordingUpdateRequested,
    VoiceRouting,
)
from ringback.kernel.error_codes import title
from ringback.kernel.errors import Refused
from ringback.kernel.recording_file import mp3_file, wav_file
from ringback.numbers.written import e164, readings
from ringback.resources.api.account import Account
from ringback.resources.api.alert import Alert, explained
from ringback.resources.api.application import Application
from ringback.resources.api.call import Call
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.resources.api.outgoing_caller_id import OutgoingCallerId
from ringback.store.store import Store
from ringback.web.rest.context import Context, Params

TERMINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


class Directory:
    """Look-ups that calls need: numbers, applications, caller ids."""

    def __init__(self, store: Store, *, new_sid: Callable[[str], str], now: Callable[[], float]) -> None:
        self._store = store
        self._new_sid = new_sid
        self._now = now

    async def routing(self, number: str) -> VoiceRouting | None:
        """Where calls to one of our numbers get their instructions; None: not ours (or released)."""
        ours = await self._store.first(IncomingPhoneNumber, phone_number=number)
        if ours is None:
            return None
        if ours.voice_application_sid:
            application = await self.application(ours.account_sid, ours.voice_application_sid)
            if application is not None:
                return replace(application, phone_number_sid=ours.sid)
        return VoiceRouting(
            account_sid=ours.account_sid,
            phone_number_sid=ours.sid,
            voice_url=ours.voice_url or None,
            voice_method=ours.voice_method,
            voice_fallback_url=ours.voice_fallback_url or None,
            voice_fallback_method=ours.voice_fallback_method,
            status_callback=ours.status_callback or None,
            status_callback_method=ours.status_callback_method,
        )

    async def application(self, account_sid: str, sid: str) -> VoiceRouting | None:
        """The voice keys of an application of the account; None when there is none."""
        found = await self._store.get(Application, sid, account_sid)
        if found is None:
            return None
        return VoiceRouting(
            account_sid=account_sid,
            application_sid=found.sid,
            voice_url=found.voice_url or None,
            voice_method=found.voice_method,
            voice_fallback_url=found.voice_fallback_url or None,
            voice_fallback_method=found.voice_fallback_method,
            status_callback=found.status_callback or None,
            status_callback_method=found.status_callback_method,
        )

    async def caller_id(self, account_sid: str, number: str) -> str | None:
        """SID of our number, or verified caller id, that ``number`` is; None when it is neither."""
        try:
            tidy = e164(number)
        except ValueError:
            return None
        for noun in (IncomingPhoneNumber, OutgoingCallerId):
            found = await self._store.first(noun, account_sid=account_sid, phone_number=tidy)
            if found is not None:
                return found.sid
        return None

    async def prepare_arrival(self, event: CallArrived) -> Event:
        """Fill in the routing of a call that arrives, and its number as we know it."""
        if event.routing is not None:
            return event
        for number in readings(event.to):
            routing = await self.routing(number)
            account = None if routing is None else await self._active(routing, event)
            if routing is not None and account is not None:
                return replace(event, to=number, routing=replace(routing, trial=account.type == "Trial"))
        return event

    async def _active(self, routing: VoiceRouting, event: CallArrived) -> Account | None:
        """The number's account when it is active; calls to others are refused and logged (errors.md, 10003)."""
        account = await self._store.get(Account, routing.account_sid)
        if account is not None and account.status == "active":
            return account
        now = self._now()
        refusal = Alert(
            sid=self._new_sid("NO"), account_sid=routing.account_sid, date_created=now, date_updated=now,
            error_code=10003, message_text=f"{title(10003)}. The call from {event.from_} was refused",
            message_date=now, resource_sid=routing.phone_number_sid,
            more_info=explained(10003),
        )  # fmt: skip
        await self._store.commit([Save(refusal)])
        return None


class LiveCalls:
    """Create, update and delete of Calls: the handler that the REST layer calls."""

    def __init__(
        self,
        *,
        directory: Directory,
        ask: Callable[[Event], Awaitable[Any]],
        new_sid: Callable[[str], str],
        closed: Callable[[], bool],
    ) -> None:
        """``closed()``: the product is stopping and takes no new calls."""
        self._directory = directory
        self._ask = ask
        self._new_sid = new_sid
        self._closed = closed

    async def create(self, ctx: Context, params: Params) -> Call:
        """POST Calls: a queued call. Raises :class:`Refused` with the first failed check."""
        if self._closed():
            raise Refused(20503, "Ringback is stopping and takes no new calls; try again in a moment", 503)
        account = ctx.account
        application_sid = _first(params, "ApplicationSid")
        application = None
        if application_sid:
            application = await self._directory.application(account.sid, application_sid)
        caller, callee = _first(params, "CallerId") or _first(params, "From"), _first(params, "To")
        verified = True
        if account.type == "Trial" and callee:
            verified = await self._directory.caller_id(account.sid, callee) is not None
        call: Call = await self._ask(
            CallRequested(
                call_sid=self._new_sid("CA"),
                account_sid=account.sid,
                params=params,
                application=application,
                caller_number_sid=await self._directory.caller_id(account.sid, caller) if caller else None,
                trial=account.type == "Trial",
                trial_callee_verified=verified,
                test=ctx.caller.is_test,
            )
        )
        return call

    async def update(self, ctx: Context, params: Params) -> Call:
        """POST Calls/{sid}. A call that is over is given back unchanged, or refused (voice-calls.md §7)."""
        status = _first(params, "Status") or ""
        if status not in ("", "canceled", "completed"):
            raise Refused(20001, f"Status {status[:40]!r} is neither canceled nor completed")
        changed: Call | None = await self._ask(
            CallUpdateRequested(call_sid=ctx.record.sid, call=ctx.record, params=params)
        )
        return await self._ended(ctx, status, changed) if changed is not None else ctx.record

    async def _ended(self, ctx: Context, status: str, call: Call) -> Call:
        """The call once it is over, when the update ends it: at once, or when the far end has confirmed.

        The answer waits for at most half a second: an application that serves one request at a time may be
        asked for its last ``action`` meanwhile.
        """
        ends = status == "completed" or (status == "canceled" and call.status != "in-progress")
        for seconds in (0.0, 0.005, 0.015, 0.03, 0.05, 0.1, 0.3) if ends else ():
            if call.status in TERMINAL:
                break
            await asyncio.sleep(seconds)
            call = await ctx.store.get(Call, call.sid) or call
        return call

    async def delete(self, ctx: Context, params: Params) -> None:
        """DELETE of a call that has ended; a live one is refused with 20009."""
        if ctx.record.status not in TERMINAL:
            raise Refused(20009, "This call cannot be deleted because it is not complete yet")
        await ctx.store.commit([Delete(ctx.record)])


class LiveRecordings:
    """Start, pause, resume and stop of a live call's recordings."""

    def __init__(self, *, ask: Callable[[Event], Awaitable[Any]], new_sid: Callable[[str], str]) -> None:
        self._ask = ask
        self._new_sid = new_sid

    async def create(self, ctx: Context, params: Params) -> Any:
        """POST Calls/{sid}/Recordings."""
        return await self._ask(
            RecordingRequested(call_sid=ctx.args["CallSid"], recording_sid=self._new_sid("RE"), params=params)
        )

    async def update(self, ctx: Context, params: Params) -> Any:
        """POST Calls/{sid}/Recordings/{sid or Twilio.CURRENT}."""
        sid = ctx.record.sid if ctx.record is not None else ctx.args["Sid"]
        return await self._ask(
            RecordingUpdateRequested(call_sid=ctx.args["CallSid"], recording_sid=sid, params=params)
        )

    async def delete(self, ctx: Context, params: Params) -> None:
        """Remove the audio now; the metadata stays for 40 days (voice-calls.md §9.2)."""
        sid = ctx.record.sid
        await self._ask(RecordingRemovalRequested(call_sid=sid, recording=ctx.record))
        folder = ctx.services.settings.recordings
        for file in (wav_file(folder, sid), mp3_file(folder, sid)):
            file.unlink(missing_ok=True)


def _first(params: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = params.get(name)
    return values[0] if values else None
