"""The dialled leg of a session, and what its action request tells (connect-conversation.md §6, §8)."""

from __future__ import annotations

from typing import Final

from ringback.voice.call.plan import RecordingPlan
from ringback.voice.connect.session_table import Machine
from ringback.voice.dial.dialling import Dialling
from ringback.voice.stage import Stage
from ringback.voice.steps import Source
from ringback.voice.verb import Attributes

_LIKE_DIAL: Final = {"ringTone": None, "sequential": False, "recordingTrack": "both", "referUrl": None}
"""What ``<Dial>`` lets its author choose and this noun does not."""


class ConversationDialling(Dialling):
    """One leg, made as ``<Dial>`` makes its legs; what is told of it is the session's."""

    def __init__(self, attributes: Attributes, method: str, session: Stage, action: str | None) -> None:
        super().__init__({**attributes, **_LIKE_DIAL, "method": method}, session, action)
        self.machine = Machine()
        self.worker_initiated = False
        self.conversation_sid = ""
        self.answered_at: float | None = None
        self.dialled = ""
        """SID of the leg; empty: nobody was dialled."""

    def source(self, status: str) -> Source:
        """The action request; the machine knows more than ``status``."""
        facts = [
            ("Result", self.machine.last.result or ""),
            ("WorkerInitiated", "true" if self.worker_initiated else "false"),
        ]
        status = self.machine.last.status or (self.status if self.dialled else "")
        if status:
            facts.append(("DialCallStatus", status))
        if self.dialled:
            facts.append(("DialCallSid", self.dialled))
            if not self.redirected:
                facts.append(("DialCallDuration", str(self._talked())))
        if self.conversation_sid:
            facts.append(("ConversationSid", self.conversation_sid))
        return Source(url=self.action, method=self.attributes["method"], params=facts)

    def _talked(self) -> int:
        """Seconds of the leg; while it is being hung up, those until now."""
        if self.seconds is not None or not self.winner or self.answered_at is None:
            return self.seconds or 0
        return round(self.session.now - self.answered_at)

    def recording_facts(self) -> list[tuple[str, str]]:
        """Of the session's recording; of one that was begun elsewhere (the whole call's) without its URL."""
        if self.recording:
            return super().recording_facts()
        recordings = self.session.recordings
        other = next(reversed(recordings.live), "")
        if not other:
            return []
        told = recordings.facts(other, recordings.so_far(other))
        return [fact for fact in told if fact[0] != "RecordingUrl"]

    def tidy(self) -> None:
        """As with ``<Dial>``; who wanted a recording hears that there is none."""
        super().tidy()
        wanted = self.attributes["record"] != "do-not-record"
        callback = self.attributes["recordingStatusCallback"]
        if (
            wanted
            and not self.recording
            and callback
            and "absent" in self.attributes["recordingStatusCallbackEvent"]
        ):
            self.session.recordings.missing(self.recording_plan())

    def recording_plan(self) -> RecordingPlan:
        """How this session would be recorded."""
        attributes = self.attributes
        return RecordingPlan(
            source="DialVerb",
            channels=2 if attributes["record"].endswith("dual") else 1,
            trim=attributes["trim"] == "trim-silence",
            callback=attributes["recordingStatusCallback"],
            callback_method=attributes["recordingStatusCallbackMethod"],
            callback_events=attributes["recordingStatusCallbackEvent"],
        )
