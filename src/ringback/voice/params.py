"""The parameters of requests to the customer's application (voice-calls.md §5.3, §6)."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate

from ringback.events import CallArrived
from ringback.resources.api.call import Call

Params = list[tuple[str, str]]


def standard(call: Call) -> Params:
    """What every request about ``call`` carries."""
    found: Params = [
        ("CallSid", call.sid),
        ("AccountSid", call.account_sid),
        ("ApiVersion", call.api_version),
        ("Direction", call.direction),
        ("CallStatus", call.status),
        ("From", call.from_),
        ("To", call.to),
        ("Caller", call.from_),
        ("Called", call.to),
    ]
    for name, value in (
        ("ForwardedFrom", call.forwarded_from),
        ("CallerName", call.caller_name),
        ("ParentCallSid", call.parent_call_sid),
    ):
        if value:
            found.append((name, value))
    return found


def custom(given: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Custom parameters of a client, as they accompany every request (§6): none that the platform sends itself."""
    found = [[name, value[:1024]] for name, value in given if name and name not in PLATFORM]
    return found[:32]


PLATFORM = frozenset(
    """
    CallSid AccountSid ApiVersion Direction CallStatus From To Caller Called ForwardedFrom CallerName ParentCallSid
    Digits Result WorkerInitiated DialCallStatus DialCallSid DialCallDuration RecordingSid RecordingUrl
    RecordingDuration ErrorCode ErrorUrl AnsweredBy
    """.split()
)
"""Names that a device must not take: the application would believe them to be ours."""

UNDETECTED = "unknown"
"""The verdict of machine detection: the detector itself is not built, so it never claims to know."""


def detection(verdict: str) -> Params:
    """What a request after machine detection carries (voice-calls.md §8); the time is in milliseconds."""
    return [("AnsweredBy", verdict), ("MachineDetectionDuration", "0")]


def sip_facts(event: CallArrived) -> list[list[str]]:
    """The ``Sip…`` parameters of a call that came by SIP."""
    if event.sip is None:
        return []
    facts = event.sip
    found = [
        ["SipDomain", facts.domain],
        ["SipUsername", facts.username],
        ["SipCallId", facts.call_id],
        ["SipSourceIp", facts.source_ip],
    ]
    found += [[f"SipHeader_{name}", value[:1024]] for name, value in facts.headers[:32]]
    return [pair for pair in found if pair[1]]


def rfc2822(at: float) -> str:
    """UTC time as in ``Fri, 20 Aug 2010 01:13:42 +0000``."""
    return formatdate(at, localtime=False, usegmt=False).replace("-0000", "+0000")
