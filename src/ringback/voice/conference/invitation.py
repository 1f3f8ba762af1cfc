"""POST Participants: a call that goes into a conference when it is answered (voice-calls.md §13).

The call is an ordinary outbound one; its document is ``<Dial><Conference>``, written from the parameters, so
that whatever holds for the verb holds for it, also after a restart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from ringback.events.writes import WriteRequested
from ringback.kernel.sid import is_sid
from ringback.voice.call import creation
from ringback.voice.call.creation import RECORDING_EVENTS, Created
from ringback.voice.conference.live import NAME_LIMIT
from ringback.voice.conference.room import GROUPS
from ringback.voice.dial.conference_noun import REGIONS
from ringback.voice.form import Form

PASSED: Final = frozenset(
    """
    To From Timeout TimeLimit StatusCallback StatusCallbackMethod StatusCallbackEvent Record RecordingChannels
    RecordingTrack RecordingStatusCallback RecordingStatusCallbackMethod RecordingStatusCallbackEvent Trim
    SipAuthUsername SipAuthPassword CallerId CallReason CallToken Byoc MachineDetection
    MachineDetectionTimeout MachineDetectionSpeechThreshold MachineDetectionSpeechEndThreshold
    MachineDetectionSilenceTimeout AmdStatusCallback AmdStatusCallbackMethod
    """.split()
)
"""What means the same as in POST Calls."""
OWN: Final = frozenset(
    """
    Label EarlyMedia Beep Muted StartConferenceOnEnter EndConferenceOnExit WaitUrl WaitMethod MaxParticipants
    ConferenceStatusCallback ConferenceStatusCallbackMethod ConferenceStatusCallbackEvent ConferenceRecord
    ConferenceTrim ConferenceRecordingStatusCallback ConferenceRecordingStatusCallbackMethod
    ConferenceRecordingStatusCallbackEvent Coaching CallSidToCoach JitterBufferSize Region CallerDisplayName
    ClientNotificationUrl
    """.split()
)
_RENAMED: Final = {
    "AmdStatusCallback": "AsyncAmdStatusCallback",
    "AmdStatusCallbackMethod": "AsyncAmdStatusCallbackMethod",
}


@dataclass(slots=True)
class Wanted:
    """A good request: the call, and how it takes part (the attributes of ``<Conference>``, and ``name``)."""

    created: Created
    attributes: dict[str, Any]


def check(
    event: WriteRequested,
    *,
    magic_numbers: bool,
    time_limit: int,
    refuse: Callable[[str, str], int | None] | None,
    ours: Callable[[str], bool],
) -> Wanted:
    """Read the request; raises :class:`Refused` with the code of the first failed check."""
    form = Form(event.params)
    attributes = _attributes(form, event.params, event.known.conference)
    form.integer("Timeout", 60, 5, 600, 21208)
    calls = {_RENAMED.get(name, name): event.params[name] for name in PASSED & event.params.keys()}
    created = creation.check(
        event.account_sid,
        {**calls, "Twiml": ["<Response/>"]},
        event.known,
        magic_numbers=magic_numbers,
        time_limit=time_limit,
        refuse=refuse,
        ours=ours,
    )
    created.plan.twiml = document(attributes)
    created.plan.caller_name = form.get("CallerDisplayName") or None
    created.plan.early_media = form.boolean("EarlyMedia", True)
    created.warnings += form.unknown(PASSED | OWN)
    return Wanted(created, attributes)


def _attributes(form: Form, params: dict[str, list[str]], name: str) -> dict[str, Any]:
    if not name or len(name) > NAME_LIMIT or not _printable(name):
        raise form.refuse(13237, f"A conference's name has 1 to {NAME_LIMIT} printable characters")
    label = form.get("Label") or None
    if label is not None and not _printable(label):
        raise form.refuse(16023, "Label holds a control character")
    coach = form.get("CallSidToCoach").strip() or None
    coaching = form.boolean("Coaching", coach is not None)
    if coach is not None and not is_sid(coach, "CA"):
        raise form.refuse(20001, f"CallSidToCoach {coach[:40]!r} is no SID of a call")
    if coaching and coach is None:
        raise form.refuse(20001, "Coaching needs CallSidToCoach: who is coached?")
    record = form.choice(
        "ConferenceRecord", "do-not-record", ("do-not-record", "record-from-start", "true", "false")
    )
    found: dict[str, Any] = {
        "name": name,
        "muted": form.boolean("Muted", False),
        "beep": form.choice("Beep", "true", ("true", "false", "onEnter", "onExit")),
        "startConferenceOnEnter": form.boolean("StartConferenceOnEnter", True),
        "endConferenceOnExit": form.boolean("EndConferenceOnExit", False),
        "participantLabel": label,
        "jitterBufferSize": form.choice("JitterBufferSize", "large", ("off", "small", "medium", "large")),
        "maxParticipants": form.integer("MaxParticipants", 250, 2, 250, 20001),
        "record": record,
        "trim": form.choice("ConferenceTrim", "trim-silence", ("trim-silence", "do-not-trim")),
        "coach": coach[:2] + coach[2:].lower() if coach is not None and coaching else None,
        "region": form.choice("Region", "us1", REGIONS),
        "statusCallback": form.url("ConferenceStatusCallback", 21609),
        "statusCallbackMethod": form.method("ConferenceStatusCallbackMethod"),
        "statusCallbackEvent": _words(form, "ConferenceStatusCallbackEvent", GROUPS, ["start", "end"]),
        "recordingStatusCallback": form.url("ConferenceRecordingStatusCallback", 21609),
        "recordingStatusCallbackMethod": form.method("ConferenceRecordingStatusCallbackMethod"),
        "recordingStatusCallbackEvent": _words(
            form, "ConferenceRecordingStatusCallbackEvent", RECORDING_EVENTS, ["completed"]
        ),
    }
    if "WaitUrl" in params:
        found["waitUrl"] = form.url("WaitUrl", 21205) or ""
        found["waitMethod"] = form.method("WaitMethod")
    return found


def document(attributes: dict[str, Any]) -> str:
    """The document that takes a call into a conference."""
    response = etree.Element("Response")
    conference = etree.SubElement(etree.SubElement(response, "Dial"), "Conference")
    for name, value in attributes.items():
        if name == "name":
            conference.text = value
        elif isinstance(value, bool):
            conference.set(name, "true" if value else "false")
        elif isinstance(value, list):
            conference.set(name, " ".join(value))
        elif value is not None:
            conference.set(name, str(value))
    return etree.tostring(response, encoding="unicode")


def _words(form: Form, name: str, known: tuple[str, ...], default: list[str]) -> list[str]:
    found = form.words(name)
    for word in found:
        if word not in known:
            raise form.refuse(20001, f"{name} {word[:40]!r} is none of {', '.join(known)}")
    return list(dict.fromkeys(found)) or default


def _printable(text: str) -> bool:
    return all(character.isprintable() for character in text)
