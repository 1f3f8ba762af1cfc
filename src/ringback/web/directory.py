"""Look-ups that calls need: whose a number is, an application's URLs, caller ids."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from ringback.effects import Save
from ringback.events import CallArrived, Event, VoiceRouting
from ringback.kernel.error_codes import title
from ringback.numbers.written import e164, readings
from ringback.resources.api.account import Account
from ringback.resources.api.alert import Alert, explained
from ringback.resources.api.application import Application
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.resources.api.outgoing_caller_id import OutgoingCallerId
from ringback.store.store import Store


class Directory:
    """See the module."""

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
                return structs.replace(application, phone_number_sid=ours.sid)
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

    async def dialled_application(self, account_sid: str, sid: str) -> VoiceRouting | None:
        """What ``<Dial><Application>`` names: one of the account's own, or one of another account that is active and
        takes the calls of all (``PublicApplicationConnectEnabled``)."""
        found = await self._store.get(Application, sid)
        if found is not None and found.account_sid != account_sid:
            owner = await self._store.get(Account, found.account_sid)
            if not found.public_application_connect_enabled or owner is None or owner.status != "active":
                return None
        return None if found is None else await self.application(found.account_sid, sid)

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
                return structs.replace(
                    event, to=number, routing=structs.replace(routing, trial=account.type == "Trial")
                )
        return event

    async def _active(self, routing: VoiceRouting, event: CallArrived) -> Account | None:
        """The number's account when it is active; calls to others are refused and logged (errors.md, 10003)."""
        account = await self._store.get(Account, routing.account_sid)
        if account is not None and account.status == "active":
            main = account.account_sid == account.sid
            owner = account if main else await self._store.get(Account, account.account_sid)
            if owner is not None and owner.status == "active":
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
