"""The checks of a message that somebody wants sent; the first that fails is the answer (errors.md, 21xxx)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ringback.events.messaging import MessageRequested
from ringback.kernel.errors import Refused
from ringback.kernel.fields import callback_url, http_url
from ringback.kernel.sid import is_sid
from ringback.messaging import pool
from ringback.messaging.segments import segment
from ringback.numbers import text_address as address
from ringback.numbers.plan import possible

LONGEST: Final = 1600
"""Characters of a body."""
MOST_MEDIA: Final = 10
MOST_QUEUED: Final = 20_000
"""Messages of one sender that may wait to be sent."""
VALIDITY: Final = 36_000
"""Seconds for which a message may wait, unless it or its service says less; no more are possible."""
SOONEST: Final = 300.0
LATEST: Final = 35 * 86_400.0
"""Seconds from now within which a message may be scheduled."""
MAGIC_TO: Final = {
    "+15005550001": (21211, "is not a valid phone number"),
    "+15005550002": (21612, "cannot be reached from this sender"),
    "+15005550003": (21408, "is in a country that is not enabled for messages"),
    "+15005550004": (21610, "has unsubscribed"),
    "+15005550009": (21614, "is not a mobile number"),
}
MAGIC_FROM: Final = {
    "+15005550001": (21212, "is not a valid phone number"),
    "+15005550007": (21606, "is not owned by this account, or cannot send messages"),
    "+15005550008": (21611, "has too many messages waiting"),
}
MAGIC_SENDER: Final = "+15005550006"
"""Call-outcomes.md §5."""
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?\Z", re.ASCII)


@dataclass(slots=True, kw_only=True)
class Admitted:
    """What a good request asks for."""

    to: str
    from_: str
    body: str
    segments: int
    status: str
    """accepted (by a messaging service), scheduled or queued."""
    callbacks: list[list[str]] = field(default_factory=list)
    """URL and method of each that is told."""
    send_at: float | None = None
    validity: float = VALIDITY
    """Seconds from the moment at which it may be sent."""


def check(
    event: MessageRequested, now: float, *, magic_numbers: bool, queued: Callable[[str], int], turn: int
) -> Admitted:
    """Read the request. ``event.known`` has, looked up: ``test`` (credentials), ``sender`` (whether From is ours:
    ``{"sms": bool}``), ``service`` (of :class:`~ringback.messaging.pool.Service`), ``opted_out``, ``callback`` (of the
    application), ``application`` (whether there is one), ``trial`` and ``verified``, ``line_type`` (of the
    recipient). Raises :class:`Refused`."""
    known, params = event.known, event.params
    if not event.to.strip():
        raise Refused(21604, "A 'To' phone number is required")
    service_sid = event.messaging_service_sid
    from_ = event.from_.strip()
    if is_sid(from_, "MG") and not service_sid:
        service_sid, from_ = from_[:2] + from_[2:].lower(), ""
    if not from_ and not service_sid:
        raise Refused(21603, "A 'From' phone number or a MessagingServiceSid is required")
    _content(event, params)
    service = _service(service_sid, known)
    smart = params.get("SmartEncoded", "").lower() == "true" or (
        service is not None and service.smart_encoding
    )
    cut = segment(event.body, smart=smart)
    magic = bool(known.get("test")) or magic_numbers
    from_ = _sender(from_, magic)
    to = _recipient(event.to, from_, magic)
    if service is not None:
        from_ = _of_pool(service, from_, to, bool(event.media), turn)
    _rights(event, from_, to, known, service, magic, queued)
    found = Admitted(to=to, from_=from_, body=cut.body, segments=cut.segments, status="queued")
    found.callbacks = _callbacks(event, params, known, service)
    found.validity = _validity(params, service)
    found.send_at = _send_at(params, service, now)
    if service is not None:
        found.status = "accepted" if found.send_at is None else "scheduled"
    return found


def _content(event: MessageRequested, params: dict[str, str]) -> None:
    if params.get("ContentSid"):
        raise Refused(
            21655, f"ContentSid {params['ContentSid'][:40]!r} names no content template: there are none here"
        )
    if not event.body and not event.media:
        if "Body" in params:
            raise Refused(21602, "The message body is empty: write a Body, or give a MediaUrl")
        raise Refused(21619, "A text message body or media URLs must be given")
    if len(event.body) > LONGEST:
        raise Refused(21617, f"The message body has {len(event.body)} characters; {LONGEST} is the limit")
    if len(event.media) > MOST_MEDIA:
        raise Refused(21623, f"{len(event.media)} media files; {MOST_MEDIA} is the limit")
    for each in event.media:
        try:
            if not each.sid:
                http_url(each.url)
        except ValueError:
            raise Refused(21620, f"MediaUrl {each.url[:200]!r} is not an http or https URL") from None


def _service(sid: str, known: dict[str, Any]) -> pool.Service | None:
    if not sid:
        return None
    if not is_sid(sid, "MG"):
        raise Refused(21705, f"MessagingServiceSid {sid[:40]!r} is not valid")
    service = pool.service_of(known.get("service") or {})
    if service is None:
        raise Refused(21701, f"There is no messaging service {sid}", 404)
    return service


def _sender(from_: str, magic: bool) -> str:
    if not from_:
        return ""
    try:
        found = address.sender(from_)
    except ValueError:
        raise Refused(
            21212, f"The 'From' number {from_[:60]} is not a valid phone number, short code or name"
        ) from None
    if magic and found in MAGIC_FROM:
        code, text = MAGIC_FROM[found]
        raise Refused(code, f"The 'From' number {found} {text}")
    return found


def _recipient(text: str, from_: str, magic: bool) -> str:
    try:
        to = address.recipient(text, from_)
    except ValueError:
        raise Refused(21211, f"The 'To' number {text[:60]} is not a valid phone number") from None
    if magic and to in MAGIC_TO:
        code, why = MAGIC_TO[to]
        raise Refused(code, f"The 'To' number {to} {why}")
    if to.startswith("+") and not (possible(to) or to.startswith("+1555")):
        raise Refused(21211, f"The 'To' number {to} is not a valid phone number")
    return to


def _of_pool(service: pool.Service, from_: str, to: str, media: bool, turn: int) -> str:
    if from_:
        if from_ not in service.senders:
            raise Refused(
                21711, f"The 'From' number {from_} does not belong to the messaging service {service.sid}"
            )
        return from_
    if not service.senders:
        raise Refused(21704, f"The messaging service {service.sid} has no senders")
    chosen = pool.choose(service, to, media=media, turn=turn)
    if chosen is None:
        raise Refused(21703, f"The messaging service {service.sid} has no sender that can write to {to}")
    return chosen


def _rights(
    event: MessageRequested, from_: str, to: str, known: dict[str, Any], service: pool.Service | None, magic: bool,
    queued: Callable[[str], int],
) -> None:  # fmt: skip
    if from_ == to:
        raise Refused(21266, f"'To' and 'From' are the same number, {to}")
    own = known.get("sender")
    able = service is not None or (magic and from_ == MAGIC_SENDER)
    if not able and (known.get("test") or not own or not own.get("sms")):
        raise Refused(
            21606,
            f"The 'From' number {from_[:60]} is not a number of your account that can send messages",
        )
    if address.split(from_)[0] != address.split(to)[0]:
        raise Refused(21612, f"{from_} cannot write to {to}: they are on different channels")
    if known.get("line_type") == "landline":
        raise Refused(
            21614, f"{to} is a landline, which cannot receive texts; if it can, override its line type"
        )
    if not event.about_opt_out and known.get("opted_out"):
        raise Refused(21610, f"{to} has unsubscribed from {from_}; it may be written to again after START")
    if known.get("trial") and not known.get("verified"):
        raise Refused(21608, f"The number {to} is not verified, and a trial account writes to verified ones")
    if queued(from_) >= MOST_QUEUED:
        raise Refused(21611, f"{from_} has {MOST_QUEUED} messages waiting already")


def _callbacks(
    event: MessageRequested, params: dict[str, str], known: dict[str, Any], service: pool.Service | None
) -> list[list[str]]:
    """The request's own, else the application's, else the service's."""
    if params.get("ApplicationSid") and not known.get("application"):
        raise Refused(21420, f"ApplicationSid {params['ApplicationSid'][:40]!r} is none of this account's")
    own = event.status_callback.strip()
    if own:
        try:
            callback_url(own)
        except ValueError:
            raise Refused(21609, f"StatusCallback {own[:200]!r} is not a usable URL") from None
    told = own or known.get("callback") or (service.status_callback if service is not None else "")
    found = [[told, params.get("StatusCallbackMethod", "POST")]] if told else []
    if params.get("Action"):
        found.append([params["Action"], params.get("ActionMethod", "POST")])
    return found


def _validity(params: dict[str, str], service: pool.Service | None) -> float:
    text = params.get("ValidityPeriod", "").strip()
    if not text:
        return min(service.validity_period, VALIDITY) if service is not None else VALIDITY
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= VALIDITY):
        raise Refused(21624, f"ValidityPeriod must be a whole number of seconds from 1 to {VALIDITY}")
    return int(text)


def _send_at(params: dict[str, str], service: pool.Service | None, now: float) -> float | None:
    kind, text = params.get("ScheduleType", "").strip(), params.get("SendAt", "").strip()
    if not kind and not text:
        return None
    if kind != "fixed":
        raise Refused(20001, "ScheduleType must be fixed, with a SendAt")
    if not text:
        raise Refused(35111, "SendAt is missing: ScheduleType=fixed needs it")
    if service is None:
        raise Refused(35118, "A MessagingServiceSid is required to schedule a message")
    if not _TIME.match(text):
        raise Refused(35115, f"SendAt {text[:40]!r} is not a time such as 2026-01-31T12:00:00Z")
    try:
        moment = datetime.datetime.fromisoformat(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)
        at = moment.timestamp()
    except (ValueError, OverflowError):
        raise Refused(35115, f"SendAt {text[:40]!r} is no time that there is") from None
    if not now + SOONEST <= at <= now + LATEST:
        raise Refused(35115, "SendAt must be at least 5 minutes and at most 35 days from now")
    return at
