"""The plan of a call: all that its creation said, kept in ``Call.plan`` so that it survives a restart."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import msgspec

from ringback.events.writes import Verification
from ringback.resources.telephony import TaskLeg

EVENTS = ("initiated", "ringing", "answered", "completed")


@dataclass(slots=True, kw_only=True)
class Callback:
    """Who is told of a leg's progress (voice-calls.md §5.1)."""

    url: str
    method: str = "POST"
    events: list[str] = field(default_factory=lambda: ["completed"])
    conversation_sid: str = ""
    """Not empty: it is told as a session of ``<Conversation>`` (connect-conversation.md §7)."""
    worker_initiated: bool = False
    """Of such a session: a worker has begun it."""


@dataclass(slots=True, kw_only=True)
class RecordingPlan:
    """How to record a whole call or a ``<Dial>``."""

    source: str = "OutboundAPI"
    channels: int = 1
    track: str = "both"
    trim: bool = True
    callback: str | None = None
    callback_method: str = "POST"
    callback_events: list[str] = field(default_factory=lambda: ["completed"])


@dataclass(slots=True, kw_only=True)
class Plan:
    """Instruction source, callbacks, limits and recording of one leg."""

    url: str | None = None
    method: str = "POST"
    twiml: str | None = None
    fallback_url: str | None = None
    fallback_method: str = "POST"
    application_sid: str | None = None
    callbacks: list[Callback] = field(default_factory=list)
    timeout: int = 60
    """Seconds that an outbound leg may ring."""
    time_limit: int = 14400
    """Seconds that the answered call may last."""
    send_digits: str | None = None
    record: RecordingPlan | None = None
    caller_id: str | None = None
    """Number, SIP address or client shown to the callee, when it is not ``from``."""
    username: str | None = None
    password: str | None = None
    headers: list[list[str]] = field(default_factory=list)
    caller_name: str | None = None
    extra: list[list[str]] = field(default_factory=list)
    """Parameters that accompany every request for instructions (SIP facts, §6)."""
    resolved_base: str | None = None
    """Child legs: the URL of the document whose noun made them."""
    test: bool = False
    early_media: bool = True
    """Whether those who wait for it in a conference hear it ring."""
    machine_detection: bool = False
    """Asked for; the verdict is ``unknown`` at once (voice/params.py)."""
    task_leg: TaskLeg | None = None
    """What the call is to a task; None: it belongs to none."""
    outcome: dict[str, Any] | None = None
    """How the call ended (kernel/outcome.py); None while it lives."""
    verification: Verification | None = None
    """What a verification call must bring (voice/call/verification.py); None: it is none, or it has been settled."""
    trial: bool = False
    """A trial account's call (voice/call/trial.py)."""
    transfers: bool = False
    """A child whose far end may ask for the caller to be transferred (``referUrl`` of ``<Dial>``)."""
    local: bool = False
    """A leg without a carrier (voice/dial/local.py)."""
    waits_in: str = ""
    """The conversation whose first worker this call waits for; empty: none."""
    detection_callback: Callback | None = None
    """Asynchronous detection: who is told of the verdict; an empty URL: nobody."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; :func:`from_json` is its inverse."""
        found: dict[str, Any] = msgspec.to_builtins(self)  # a tenth of what dataclasses.asdict takes
        return found


def from_json(data: dict[str, Any]) -> Plan:
    """Read a stored plan; keys of an older or newer version are ignored."""
    known = {each.name for each in fields(Plan)}
    values = {key: value for key, value in data.items() if key in known}
    values["callbacks"] = [Callback(**item) for item in values.get("callbacks", [])]
    if values.get("detection_callback") is not None:
        values["detection_callback"] = Callback(**values["detection_callback"])
    if values.get("record") is not None:
        values["record"] = RecordingPlan(**values["record"])
    if values.get("task_leg") is not None:
        values["task_leg"] = TaskLeg(**values["task_leg"])
    if values.get("verification") is not None:
        values["verification"] = Verification(**values["verification"])
    return Plan(**values)
