"""What REST writes to the live nouns of telephony become: one event, whatever the noun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from msgspec import Struct, field

from ringback.events import Event, VoiceRouting
from ringback.kernel.lane import Lane

Operation = Literal["create", "update", "delete"]


@dataclass(slots=True, kw_only=True)
class Verification:
    """What a call that verifies a caller id must bring; its plan keeps it, so that a restart knows of it."""

    number: str
    """E.164; it becomes the caller id."""
    friendly_name: str
    code: str
    """Six digits that the callee must enter."""
    sid: str
    """SID that the verified caller id will have."""
    extension: str = ""
    """Keys pressed after the answer."""
    callback: str = ""
    method: str = "POST"
    """Of the callback."""


class NewCall(Struct, frozen=True, kw_only=True):
    """What was looked up for a new call, so that the core need not."""

    application: VoiceRouting | None = None
    """The application that ``ApplicationSid`` names; None when it names none of ours."""
    caller_number_sid: str | None = None
    """SID of our number or verified caller id that ``From`` is; None when it is neither."""
    trial: bool = False
    """The account is a trial one: an announcement, and ten minutes (call-outcomes.md §4.3)."""
    trial_callee_verified: bool = True
    test: bool = False
    """Test credentials: validate and answer, dial nothing (surface.md)."""
    conference: str = ""
    """Name of the conference that it goes into, for a participant."""
    fresh: bool = False
    """Whether that conference is to be made, unless there is one of its name by now."""
    verification: Verification | None = None
    """For an outgoing caller id."""
    delay: float = 0.0
    """Seconds before it is dialled."""


class WriteRequested(Event, frozen=True, kw_only=True):
    """A write to a live noun. Asked; answered by the record as it is now, or not at all when it is as stored."""

    by_caller: ClassVar[bool] = True
    lane: Lane
    """Of whoever carries it out: a call for most nouns."""
    noun: str
    """Class name of the noun: ``Call``, ``Recording`` …"""
    operation: Operation
    sid: str
    """The record's SID, for a participant and a member that of the call; for a create the new one."""
    account_sid: str = ""
    """Empty: TaskRouter wants it, not an account."""
    parent_sid: str = ""
    """The queue of a member, the conference of a participant (the SID that a new one is to have; empty: whichever
    it takes part in, because TaskRouter knows legs, not conferences)."""
    params: dict[str, list[str]] = field(default_factory=dict)
    """The form as received: PascalCase names, repeated values in order."""
    known: NewCall = field(default_factory=NewCall)
    """Filled in only for what makes a call."""

    @property
    def ends(self) -> bool:
        """Whether it takes somebody out of a call: that is done although the store cannot write."""
        if self.noun == "Participant" and self.operation == "delete":
            return True
        status = self.params.get("Status", [""])[-1]
        return self.operation == "update" and status in ("completed", "canceled")

    @property
    def write(self) -> tuple[str, str]:
        """Noun and operation: what its handler is found by."""
        return self.noun, self.operation
