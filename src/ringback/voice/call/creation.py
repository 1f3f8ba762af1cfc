"""The checks of POST Calls, in the order of voice-calls.md §2.1; the first that fails is the answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ringback.events.writes import NewCall
from ringback.numbers.plan import possible
from ringback.voice import numbers, urls
from ringback.voice import params as facts
from ringback.voice.call import detection
from ringback.voice.call.plan import EVENTS, Callback, Plan, RecordingPlan
from ringback.voice.dial import sip_noun
from ringback.voice.form import Form

TWIML_LIMIT: Final = 4000
CREATE_PARAMETERS: Final = frozenset(
    """
    To From Url Twiml ApplicationSid Method FallbackUrl FallbackMethod StatusCallback StatusCallbackMethod
    StatusCallbackEvent SendDigits Timeout TimeLimit Record RecordingChannels RecordingTrack
    RecordingStatusCallback RecordingStatusCallbackMethod RecordingStatusCallbackEvent Trim SipAuthUsername
    SipAuthPassword CallerId CallReason CallToken Byoc MachineDetection MachineDetectionTimeout
    MachineDetectionSpeechThreshold MachineDetectionSpeechEndThreshold MachineDetectionSilenceTimeout
    AsyncAmd AsyncAmdStatusCallback AsyncAmdStatusCallbackMethod ClientNotificationUrl
    """.split()
)
"""Every parameter of voice-calls.md §2. CallReason, CallToken and Byoc are checked and not used."""
RECORDING_EVENTS: Final = ("in-progress", "completed", "absent")
_DIGITS: Final = re.compile(r"[0-9A-D#*wW]{0,32}\Z")
_BYOC: Final = re.compile(r"BY[0-9a-fA-F]{32}\Z")
_SID: Final = re.compile(r"AP[0-9a-fA-F]{32}\Z")

MAGIC_TO: Final = {
    "+15005550001": (21217, "does not appear to be valid"),
    "+15005550002": (21214, "cannot be reached"),
    "+15005550003": (21215, "is in a country that is not enabled"),
    "+15005550004": (21216, "is blocked"),
}
MAGIC_VALID_FROM: Final = "+15005550006"
MAGIC_INVALID_FROM: Final = "+15005550001"
_TEXTS: Final = {
    21202: "is a premium number",
    21214: "cannot be reached",
    21215: "is in a country that your account may not call",
    21216: "is blocked",
}


@dataclass(slots=True)
class Created:
    """What a good request asks for."""

    to: str
    from_: str
    plan: Plan
    warnings: list[tuple[int, str]]
    """Debugger entries (code, text)."""


def check(
    account_sid: str,
    params: dict[str, list[str]],
    known: NewCall,
    *,
    magic_numbers: bool,
    time_limit: int,
    refuse: Callable[[str, str], int | None] | None,
    ours: Callable[[str], bool],
) -> Created:
    """Read the form; raises :class:`Refused` with the code of the first failed check."""
    form = Form(params)
    to, from_ = form.get("To").strip(), form.get("From").strip()
    if not to:
        raise form.refuse(21201, "No 'To' number is specified")
    if not from_:
        raise form.refuse(21213, "A 'From' phone number is required")
    plan = Plan(time_limit=time_limit, test=known.test)
    warnings = _instructions(form, known, plan)
    from_ = _caller(form, from_, to)
    if to.startswith("client:"):
        to, given = numbers.split_parameters(to)
        plan.extra = facts.custom(given)
        headers = [(f"X-{name}", value) for name, value in given]
        plan.headers = [
            list(header) for header in sip_noun.checked(headers, lambda *why: warnings.append(why))
        ]
    to = _callee(form, to, refuse is not None and refuse(to, account_sid) != 21211, ours)
    magic = known.test or magic_numbers
    _caller_rights(form, known, from_, magic)
    _destination(form, to, magic, refuse and refuse(to, account_sid))
    if not known.trial_callee_verified:
        raise form.refuse(21219, f"The number {to} is not verified, and a trial account calls verified ones")
    _values(form, known, plan, warnings, time_limit)
    return Created(to, from_, plan, warnings)


def _instructions(form: Form, known: NewCall, plan: Plan) -> list[tuple[int, str]]:
    warnings: list[tuple[int, str]] = []
    application_sid = form.get("ApplicationSid")
    if application_sid:
        routing = known.application
        if not _SID.match(application_sid) or routing is None:
            raise form.refuse(21218, f"ApplicationSid {application_sid[:40]!r} is none of this account's")
        if not routing.voice_url:
            raise form.refuse(21205, "The application has no voice URL")
        plan.application_sid = application_sid
        plan.url, plan.method = routing.voice_url, routing.voice_method
        plan.fallback_url, plan.fallback_method = routing.voice_fallback_url, routing.voice_fallback_method
        if routing.status_callback:
            plan.callbacks.append(
                Callback(
                    url=routing.status_callback,
                    method=routing.status_callback_method,
                    events=list(routing.status_callback_events),
                )
            )
        return warnings
    twiml = form.get("Twiml")
    plan.url = form.url("Url", 21205)
    if plan.url is None and not twiml:
        raise form.refuse(21205, "Url, Twiml or ApplicationSid is needed: where are the instructions?")
    if plan.url is None:
        if len(twiml) > TWIML_LIMIT:
            raise form.refuse(32018, f"Twiml is longer than {TWIML_LIMIT} characters")
        plan.twiml = twiml
    elif twiml:
        warnings.append((32019, "Url is used; leave one of the two out"))
    plan.method = form.method("Method")
    plan.fallback_url = form.url("FallbackUrl", 21205)
    plan.fallback_method = form.method("FallbackMethod")
    return warnings


def _caller(form: Form, from_: str, to: str) -> str:
    number = numbers.normal(from_)
    if number is not None:
        return number
    to_is_number = not to.startswith(("client:", "sip:", "sips:"))
    named = numbers.is_client(from_) or numbers.is_sip(from_)
    if to_is_number or not (named or re.fullmatch(r"[\w.+-]{1,64}", from_, re.ASCII)):
        raise form.refuse(21212, f"The 'From' number {from_[:60]} is not a valid phone number")
    return from_


def _callee(form: Form, to: str, short_numbers: bool, ours: Callable[[str], bool]) -> str:
    """The callee in its normal form. ``short_numbers``: the dialling rights know it, should it be short."""
    if short_numbers and numbers.is_short(to):
        return to
    if to.startswith("client:"):
        if not numbers.is_client(to):
            raise form.refuse(21211, "The client identity is empty or longer than 256 characters")
        return to
    if to.startswith(("sip:", "sips:")):
        address, headers = numbers.split_headers(to)
        if not numbers.is_sip(to) or len(address) > 255:
            raise form.refuse(21211, f"{address[:100]} is not a SIP URI")
        if len(headers) > numbers.SIP_HEADERS_LIMIT:
            raise form.refuse(21227, "The headers part of the SIP URI is longer than 1024 characters")
        for name, value in sip_noun.in_uri(headers):
            if not sip_noun.allowed(name):
                raise form.refuse(21228, f"SIP header {name[:60]!r} may not be set: begin its name with X-")
            if any(ord(each) < 32 or ord(each) == 127 for each in value):
                raise form.refuse(21229, f"The value of SIP header {name} holds a control character")
        return to
    number = numbers.normal(to)
    if number is None:
        raise form.refuse(21211, f"The 'To' number {to[:60]} is not a valid phone number")
    if not possible(number) and not ours(number):
        raise form.refuse(21217, f"The 'To' number {number} does not appear to be valid")
    return number


def _caller_rights(form: Form, known: NewCall, from_: str, magic: bool) -> None:
    if magic and from_ == MAGIC_INVALID_FROM:
        raise form.refuse(21212, f"The 'From' number {from_} is not a valid phone number")
    if magic and from_ == MAGIC_VALID_FROM:
        return
    shown = form.get("CallerId") or from_
    if not shown.startswith("+") and numbers.normal(shown) is None:
        return
    if known.test or known.caller_number_sid is None:
        raise form.refuse(
            21210, f"The source phone number {shown[:60]} is not yours: buy it, or verify it as a caller id"
        )


def _destination(form: Form, to: str, magic: bool, code: int | None) -> None:
    if magic and to in MAGIC_TO:
        code, text = MAGIC_TO[to]
        raise form.refuse(code, f"The 'To' number {to} {text}")
    if code is not None:
        text = _TEXTS.get(code, "may not be called")
        raise form.refuse(code, f"The 'To' number {to} {text}")


def _values(form: Form, known: NewCall, plan: Plan, warnings: list[tuple[int, str]], time_limit: int) -> None:
    digits = form.get("SendDigits")
    if not _DIGITS.match(digits):
        raise form.refuse(21206, "SendDigits takes at most 32 of 0-9 A-D # * w W")
    plan.send_digits = digits or None
    plan.timeout = form.integer("Timeout", 60, 1, 600, 21208)
    plan.time_limit = form.integer("TimeLimit", time_limit, 1, 86400, 21208)
    plan.caller_id = form.get("CallerId") or None
    plan.username = form.get("SipAuthUsername") or None
    plan.password = form.get("SipAuthPassword") or None
    problem = sip_noun.credential_problem(plan.username or "", plan.password or "")
    if problem is not None and (plan.username or plan.password):
        raise form.refuse(*problem)
    if known.application is None or not form.get("ApplicationSid"):
        callback = status_callback(form)
        if callback is not None:
            plan.callbacks.append(callback)
    record = form.flag("Record")
    found = recording(form, warnings if record else [], "OutboundAPI", trim="trim-silence")
    plan.record = found if record else None
    byoc = form.get("Byoc")
    if byoc and not form.get("To").startswith(("sip:", "sips:", "client:")) and not _BYOC.match(byoc):
        raise form.refuse(21300, f"Byoc {byoc[:40]!r} is no SID of a BYOC trunk")
    detection.read(form, plan, warnings)
    notify = form.get("ClientNotificationUrl")
    if notify and not urls.is_web(notify):
        warnings.append((13806, f"ClientNotificationUrl {notify[:200]!r} is no URL; nobody is notified"))
    warnings += form.unknown(CREATE_PARAMETERS)


def status_callback(form: Form) -> Callback | None:
    """StatusCallback, its method and its events; 21609, 21209, 21626."""
    url = form.get("StatusCallback").strip()
    method = form.method("StatusCallbackMethod")
    events = form.words("StatusCallbackEvent") or ["completed"]
    for event in events:
        if event not in EVENTS:
            raise form.refuse(21626, f"StatusCallbackEvent {event[:40]!r} is none of {', '.join(EVENTS)}")
    if not url:
        return None
    if not urls.callback_host_ok(url):
        raise form.refuse(21609, f"StatusCallback {url[:200]!r} is not a usable URL")
    return Callback(url=url, method=method, events=list(dict.fromkeys(events)))


def recording(form: Form, warnings: list[tuple[int, str]], source: str, trim: str) -> RecordingPlan:
    """The recording parameters, shared by POST Calls and POST Recordings (voice-calls.md §2, §9.2)."""
    found = RecordingPlan(source=source)
    found.channels = 2 if form.choice("RecordingChannels", "mono", ("mono", "dual")) == "dual" else 1
    found.track = form.get("RecordingTrack") or "both"
    if found.track not in ("inbound", "outbound", "both"):
        warnings.append((13622, "RecordingTrack is inbound, outbound or both; both is used"))
        found.track = "both"
    given = form.get("Trim") or trim
    if given not in ("trim-silence", "do-not-trim"):
        warnings.append((13699, f"Trim is trim-silence or do-not-trim; {trim} is used"))
        given = trim
    found.trim = given == "trim-silence"
    url = form.get("RecordingStatusCallback").strip()
    if url and not urls.is_web(url):
        warnings.append((13256, f"RecordingStatusCallback {url[:200]!r} is no URL; nobody is told"))
        url = ""
    found.callback = url or None
    found.callback_method = form.method("RecordingStatusCallbackMethod")
    events = form.words("RecordingStatusCallbackEvent") or ["completed"]
    if any(event not in RECORDING_EVENTS for event in events):
        warnings.append((13621, f"RecordingStatusCallbackEvent takes {', '.join(RECORDING_EVENTS)}"))
        events = [event for event in events if event in RECORDING_EVENTS]
    found.callback_events = events
    return found
