"""Status callbacks: who is told what, and when (voice-calls.md §5)."""

from __future__ import annotations

from ringback.effects import SendWebhook
from ringback.resources.api.call import Call
from ringback.voice.call.plan import Callback
from ringback.voice.params import Params, detection, rfc2822, standard
from ringback.voice.recording.status import recording_url, whole_seconds
from ringback.voice.stage import Stage

_STATUS = {"initiated": "initiated", "ringing": "ringing", "answered": "in-progress"}


def tell(session: Stage, event: str, extra: Params) -> None:
    """Send ``event`` to every subscriber of this leg; counts SequenceNumber from 0."""
    hooks, session.call.sequence = hooks_for(
        session.call, session.plan.callbacks, event, extra, session.now, session.board.new_token
    )
    for hook in hooks:
        session.do(hook)


def hooks_for(
    call: Call,
    callbacks: list[Callback],
    event: str,
    extra: Params,
    now: float,
    new_token: object,
) -> tuple[list[SendWebhook], int]:
    """The webhooks of one event, and the next sequence number (it counts fired events only)."""
    assert callable(new_token)
    hooks = []
    for callback in callbacks:
        if event not in callback.events:
            continue
        in_session = bool(callback.conversation_sid)
        facts = _session_facts(call, callback, event, now) if in_session else _facts(call, event, extra, now)
        hooks.append(
            SendWebhook(
                key=call.sid, call_sid=call.sid, account_sid=call.account_sid, url=callback.url, method=callback.method,
                params=facts, token=new_token(), failure_code=32503 if in_session else 15003,
            )
        )  # fmt: skip
    return hooks, call.sequence + (1 if hooks else 0)


def _facts(call: Call, event: str, extra: Params, now: float) -> Params:
    return [
        *(pair for pair in standard(call) if pair[0] != "CallStatus"),
        ("CallStatus", _STATUS.get(event, call.status)),
        ("Timestamp", rfc2822(now)),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", str(call.sequence)),
        *extra,
    ]


def _session_facts(call: Call, callback: Callback, event: str, now: float) -> Params:
    """The dialled leg's progress, told as that of its session: numbered from 1 (connect-conversation.md §7)."""
    return [
        ("AccountSid", call.account_sid),
        ("ConversationSid", callback.conversation_sid),
        ("DialCallSid", call.sid),
        ("WorkerInitiated", "true" if callback.worker_initiated else "false"),
        ("Status", f"call-{event}"),
        ("SequenceNumber", str(call.sequence + 1)),
        ("Timestamp", rfc2822(now)),
        ("CallbackSource", "voice-conversation-service"),
    ]


def tell_detection(session: Stage) -> None:
    """The one request of asynchronous machine detection (voice-calls.md §8)."""
    callback, call = session.plan.detection_callback, session.call
    if callback is None or not callback.url or call.answered_by is None:
        return
    facts = [("CallSid", call.sid), ("AccountSid", call.account_sid), *detection(call.answered_by)]
    session.do(
        SendWebhook(
            key=call.sid, call_sid=call.sid, account_sid=call.account_sid, url=callback.url, method=callback.method,
            params=facts, token=session.board.new_token(),
        )
    )  # fmt: skip


def terminal_facts(call: Call) -> Params:
    """What the last callback adds."""
    seconds = call.duration or 0
    facts: Params = [("CallDuration", str(seconds))]
    if call.status == "completed":
        facts.append(("Duration", str(-(-seconds // 60))))
    if call.sip_code is not None:
        facts.append(("SipResponseCode", str(call.sip_code)))
    if call.answered_by is not None:
        facts.append(("AnsweredBy", call.answered_by))
    if call.error_code is not None and call.status != "completed":
        facts += [("ErrorCode", str(call.error_code)), ("ErrorMessage", call.error_message or "")]
    return facts


def final(session: Stage) -> Params:
    """The same, with the recording of the whole call.

    Its length is computed while the file is not finished: the callback is written in the transaction of the
    terminal status, so that no crash can lose it, and so it cannot wait. The recording's own callback tells
    the true length.
    """
    facts = terminal_facts(session.call)
    recording = session.recordings.whole_call
    if recording is not None and session.call.status == "completed":
        length = recording.duration
        if length is None:
            length = whole_seconds(session.recordings.so_far(recording.sid))
        facts += [
            ("RecordingUrl", recording_url(session.board.settings.api_base, recording)),
            ("RecordingSid", recording.sid),
            ("RecordingDuration", str(length)),
        ]
    return facts
