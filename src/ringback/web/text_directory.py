"""Look-ups that messages need: whose a number is, its SMS URL, senders, services, who has opted out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from msgspec import structs

from ringback.effects import Save
from ringback.events import Event
from ringback.events.messaging import MessageArrived, MessageRequested, SendStarted
from ringback.kernel.error_codes import title
from ringback.kernel.sid import is_sid
from ringback.numbers.plan import check
from ringback.numbers.text_address import is_name, recipient, sender, split
from ringback.numbers.written import readings
from ringback.resources.api.account import Account
from ringback.resources.api.alert import Alert, explained
from ringback.resources.api.application import Application
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.resources.api.message import Message
from ringback.resources.api.outgoing_caller_id import OutgoingCallerId
from ringback.resources.lookups.line_type_override import LineTypeOverride
from ringback.resources.messaging.alpha_sender import AlphaSender
from ringback.resources.messaging.messaging_service import MessagingService
from ringback.resources.messaging.opt_out import OptOut, sid_of
from ringback.resources.messaging.pooled_number import PooledNumber
from ringback.store.store import Store

POOL = 1_000
"""Senders of a service that are looked at."""


def _key(event: MessageArrived) -> str:
    """The carrier's id, and for whom it stands: one id may be two customers' (a carrier that counts from 1 again), or
    one for all to whom a message went. None of them may be lost for another."""
    between = hashlib.sha256(f"{event.from_}\0{event.to}".encode("utf-8", "replace")).hexdigest()[:16]
    return f"{event.channel}|{event.carrier_id}|{between}"


class TextDirectory:
    """See the module."""

    def __init__(self, store: Store, *, new_sid: Callable[[str], str], now: Callable[[], float]) -> None:
        self._store = store
        self._new_sid = new_sid
        self._now = now

    async def message_of(self, channel: str, carrier_id: str) -> str:
        """SID of the message that a channel's carrier calls so; empty: none."""
        found = await self._store.first(Message, carrier_id=carrier_id, channel=channel)
        return "" if found is None else found.sid

    # --- in --------------------------------------------------------------------------------------------

    async def prepare_arrival(self, event: MessageArrived) -> Event:
        """Fill in whose the number is, what is done with its messages, and whether this one has come before."""
        if event.carrier_id:
            event = structs.replace(event, carrier_key=_key(event))
            before = await self._store.first(Message, carrier_key=event.carrier_key)
            if before is not None:
                return structs.replace(event, account_sid=before.account_sid, known_sid=before.sid)
        channel, bare = split(event.to)
        for number in readings(bare):
            ours = await self._store.first(IncomingPhoneNumber, phone_number=number)
            if ours is not None and await self._active(ours, event):
                to = f"{channel}:{number}" if channel else number
                routing = await self._routing(ours, event.from_, to)
                return structs.replace(event, to=to, account_sid=ours.account_sid, routing=routing)
        return event

    async def _routing(self, ours: IncomingPhoneNumber, from_: str, to: str) -> dict[str, Any]:
        """``url``, ``method``, ``fallback_url``, ``fallback_method``, ``messaging_service_sid``, ``opted_out``."""
        service = await self._service_of(ours.sid)
        scope = to if service is None else service.sid
        found = {
            "messaging_service_sid": None if service is None else service.sid,
            "opted_out": await self._opted_out(ours.account_sid, from_, scope),
        }
        if service is not None and service.inbound_request_url and not service.use_inbound_webhook_on_number:
            return {
                **found, "url": service.inbound_request_url, "method": service.inbound_method,
                "fallback_url": service.fallback_url, "fallback_method": service.fallback_method,
            }  # fmt: skip
        source: IncomingPhoneNumber | Application = ours
        if ours.sms_application_sid:
            source = await self._store.get(Application, ours.sms_application_sid, ours.account_sid) or ours
        return {
            **found, "url": source.sms_url, "method": source.sms_method, "fallback_url": source.sms_fallback_url,
            "fallback_method": source.sms_fallback_method,
        }  # fmt: skip

    async def _service_of(self, number_sid: str) -> MessagingService | None:
        pooled = await self._store.get(PooledNumber, number_sid)
        return (
            None if pooled is None else await self._store.get(MessagingService, pooled.messaging_service_sid)
        )

    async def _opted_out(self, account_sid: str, address: str, *scopes: str) -> bool:
        for scope in scopes:
            found = await self._store.get(OptOut, sid_of(account_sid, scope, address))
            if found is not None and found.opted_out:
                return True
        return False

    async def _active(self, ours: IncomingPhoneNumber, event: MessageArrived) -> bool:
        """Whether the number's account is; messages to others are refused and logged (errors.md, 10003)."""
        account = await self._store.get(Account, ours.account_sid)
        if account is not None and account.status == "active":
            parent = account.account_sid
            owner = account if parent == account.sid else await self._store.get(Account, parent)
            if owner is not None and owner.status == "active":
                return True
        now = self._now()
        refusal = Alert(
            sid=self._new_sid("NO"), account_sid=ours.account_sid, date_created=now, date_updated=now,
            error_code=10003, message_text=f"{title(10003)}. The message from {event.from_} was refused",
            message_date=now, resource_sid=ours.sid, more_info=explained(10003),
        )  # fmt: skip
        await self._store.commit([Save(refusal)])
        return False

    # --- out -------------------------------------------------------------------------------------------

    async def prepare_request(self, event: MessageRequested) -> Event:
        """Fill in ``known`` (messaging/admission.py says what)."""
        known, account = dict(event.known), event.account_sid
        service_sid, from_ = event.messaging_service_sid, _normal(event.from_)
        if is_sid(from_, "MG") and not service_sid:
            service_sid, from_ = from_, ""
        service_sid = service_sid[:2] + service_sid[2:].lower()
        to = _recipient(event.to, from_)
        scopes = [from_] if from_ else []
        if is_sid(service_sid, "MG"):
            service = await self._store.get(MessagingService, service_sid, account)
            if service is not None:
                known["service"] = await self._service(service, to)
                scopes.append(service.sid)
        elif from_:
            known["sender"], pool = await self._sender(account, from_)
            scopes += [pool] if pool else []
        if to:
            known["opted_out"] = await self._opted_out(account, to, *scopes)
            known["line_type"] = await self._line_type(account, to)
        application_sid = event.params.get("ApplicationSid", "")
        if is_sid(application_sid, "AP"):
            application = await self._store.get(Application, application_sid, account)
            if application is not None:
                known["application"] = True
                known["callback"] = (
                    application.message_status_callback or application.sms_status_callback or ""
                )
        owner = await self._store.get(Account, account)
        if owner is not None and owner.type == "Trial":
            known["trial"] = True
            known["verified"] = await self._verified(account, to)
        return structs.replace(event, known=known)

    async def _line_type(self, account_sid: str, to: str) -> str | None:
        """What the account knows of the recipient's line, else what the numbering plan says."""
        if split(to)[0]:
            return None
        found = await self._store.first(LineTypeOverride, account_sid=account_sid, phone_number=to)
        return check(to).line_type if found is None else found.overridden_line_type

    async def _sender(self, account_sid: str, from_: str) -> tuple[dict[str, Any] | None, str]:
        """What a sender of the account can (None: it is none), and the service that it belongs to."""
        if is_name(from_):
            named = await self._store.first(AlphaSender, alpha_sender=from_, account_sid=account_sid)
            return (None, "") if named is None else ({"sms": True}, named.messaging_service_sid)
        number = await self._store.first(
            IncomingPhoneNumber, phone_number=split(from_)[1], account_sid=account_sid
        )
        if number is None:
            return None, ""
        pooled = await self._store.get(PooledNumber, number.sid)
        sms = bool(number.capabilities.get("sms", True))
        return {"sms": sms}, "" if pooled is None else pooled.messaging_service_sid

    async def _service(self, service: MessagingService, to: str) -> dict[str, Any]:
        """Its pool and what it asks for (``messaging/pool.py``)."""
        of_it = {"account_sid": service.account_sid, "messaging_service_sid": service.sid}
        numbers = await self._store.find(PooledNumber, limit=POOL, **of_it)
        names = await self._store.find(AlphaSender, limit=POOL, **of_it)
        owned = {
            each.phone_number
            for each in await self._store.find(
                IncomingPhoneNumber, account_sid=service.account_sid, sid=tuple(one.sid for one in numbers)
            )
        } if numbers else set()  # fmt: skip
        sticky = ""
        if service.sticky_sender and to:
            last = await self._store.first(Message, to=to, **of_it)
            sticky = "" if last is None else last.from_
        senders = [each.phone_number for each in reversed(numbers) if each.phone_number in owned]
        return {
            "sid": service.sid, "senders": senders + [each.alpha_sender for each in reversed(names)], "sticky": sticky,
            "area_code": service.area_code_geomatch, "smart_encoding": service.smart_encoding,
            "validity_period": service.validity_period, "status_callback": service.status_callback or "",
        }  # fmt: skip

    async def _verified(self, account_sid: str, number: str) -> bool:
        for noun in (IncomingPhoneNumber, OutgoingCallerId):
            if await self._store.first(noun, account_sid=account_sid, phone_number=number) is not None:
                return True
        return False

    async def prepare_send(self, event: SendStarted) -> Event:
        """Whether the recipient has opted out since it was asked for."""
        message = await self._store.get(Message, event.message_sid)
        if message is None:
            return event
        scopes = [message.from_]
        if message.messaging_service_sid:
            scopes.append(message.messaging_service_sid)
        else:
            scopes += [
                each for each in ((await self._sender(message.account_sid, message.from_))[1],) if each
            ]
        out = await self._opted_out(message.account_sid, message.to, *scopes)
        return structs.replace(event, opted_out=out)


def _normal(from_: str) -> str:
    """A sender in its normal form; what is none stays as it is, and is refused later."""
    if is_sid(from_, "MG"):
        return from_[:2] + from_[2:].lower()
    try:
        return sender(from_) if from_ else ""
    except ValueError:
        return from_


def _recipient(to: str, from_: str) -> str:
    """A recipient in its normal form; empty when it is none."""
    try:
        return recipient(to, from_)
    except ValueError:
        return ""
