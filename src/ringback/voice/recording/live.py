"""The recordings of one leg, from their start to their file (voice-calls.md §9)."""

from __future__ import annotations

from ringback.effects import RecordLeg, Save
from ringback.events import RecordingEnded
from ringback.resources.api.recording import Recording
from ringback.voice.call.plan import RecordingPlan
from ringback.voice.leg import Leg
from ringback.voice.recording.status import recording_url, settle, status_webhook, whole_seconds
from ringback.voice.recording.transcription import begin, order


class Recordings:
    """Starts recordings and follows them to their end; ``live`` holds the unfinished ones."""

    def __init__(self, session: Leg) -> None:
        self._session = session
        self.live: dict[str, Recording] = {}
        self.whole_call: Recording | None = None
        """That of ``Record=true``: the end-of-call callback names it."""

    def start(
        self,
        plan: RecordingPlan,
        *,
        sid: str = "",
        beep_first: bool = False,
        silence_timeout: float | None = None,
        transcribe: bool = False,
        transcribe_callback: str | None = None,
    ) -> str:
        """Save a record and start the writer; gives the SID."""
        session = self._session
        call = session.call
        record = self._record(plan, sid or session.board.new_sid("RE"))
        if transcribe:
            url = recording_url(session.board.settings.api_base, record)
            record.plan = order(call, url, record.sid, transcribe_callback)
        self.live[record.sid] = record
        session.do(Save(record.copy()))
        session.do(
            RecordLeg(
                call_sid=call.sid,
                recording_sid=record.sid,
                channels=plan.channels,
                track=plan.track,  # type: ignore[arg-type]  # checked where it was read
                silence_timeout=silence_timeout,
                trim=plan.trim,
                beep_first=beep_first,
                transcribe=transcribe,
            )
        )
        self._tell(record, "in-progress")
        return record.sid

    def missing(self, plan: RecordingPlan) -> None:
        """A recording that was wanted and never began: it is absent from the start."""
        session = self._session
        record = self._record(plan, session.board.new_sid("RE"))
        settle(record, 0.0, False, 0, session.now)
        session.do(Save(record.copy()))
        self._tell(record, record.status)

    def _record(self, plan: RecordingPlan, sid: str) -> Recording:
        call, now = self._session.call, self._session.now
        return Recording(
            sid=sid,
            account_sid=call.account_sid,
            date_created=now,
            date_updated=now,
            call_sid=call.parent_call_sid or call.sid,
            leg_sid=call.sid if call.parent_call_sid else None,
            channels=plan.channels,
            start_time=now,
            source=plan.source,
            track=plan.track,
            status_callback=plan.callback,
            status_callback_method=plan.callback_method,
            status_callback_event=list(plan.callback_events),
            trim=plan.trim,
        )

    def ended(self, event: RecordingEnded) -> None:
        """The file is there, or will never be."""
        record = self.live.pop(event.recording_sid, None)
        if record is None:
            return
        settle(record, event.seconds, event.silent, event.size, self._session.now)
        self._session.do(Save(record.copy()))
        self._tell(record, record.status)
        self._session.out += begin(record, event.seconds, self._session.board.new_sid, self._session.now)
        if event.problem:
            text = f"Recording {record.sid} is not whole: it could not be written ({event.problem})"
            self._session.warn(20503, text, resource=record.sid)
        elif record.error_code is not None:
            self._session.warn(record.error_code, f"Recording {record.sid} is empty", resource=record.sid)

    def facts(self, sid: str, seconds: float) -> list[tuple[str, str]]:
        """What an action request says of a recording."""
        call = self._session.call
        url = (
            f"{self._session.board.settings.api_base}/2010-04-01/Accounts/{call.account_sid}/Recordings/{sid}"
        )
        return [
            ("RecordingUrl", url),
            ("RecordingSid", sid),
            ("RecordingDuration", str(whole_seconds(seconds))),
        ]

    def so_far(self, sid: str) -> float:
        """Seconds since a recording was begun; 0.0 when it is none of the unfinished ones."""
        record = self.live.get(sid)
        return 0.0 if record is None else self._session.now - (record.start_time or self._session.now)

    def _tell(self, record: Recording, status: str) -> None:
        session = self._session
        hook = status_webhook(record, status, session.board.settings.api_base, session.board.new_token())
        if hook is not None:
            session.do(hook)
