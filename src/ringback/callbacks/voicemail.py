"""Voicemail first: the task is created when the recording is complete; the transcript is attached when it comes.

A *promise* (note ``voicemail-CA…``) is on the disk before the caller leaves the queue. It ends when a recording has
become a task, or nothing was recorded. One that stays open although its call is over (a crash, a lost notification)
is settled by the sweep: from the call's recordings, else by a callback (issue 4, point 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringback.callbacks import creation
from ringback.callbacks.attributes import inner, normal_number, read_object
from ringback.callbacks.creation import Made
from ringback.callbacks.feature import AGENT_WON, TRIES, Feature, Steps, get_task, is_sid, write_task
from ringback.callbacks.options import Options
from ringback.effects.features import Ask, Recall, Remember, Reply, Warn

Note = dict[str, Any]
GRACE = 60.0
"""Seconds after which the sweep looks after a promise."""
CALL_OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def key(call_sid: str) -> str:
    """Of the promise of a call."""
    return f"voicemail-{call_sid}"


def promise(
    options: Options,
    call: str,
    now: float,
    *,
    customer: str,
    ours: str,
    workspace: str = "",
    original: Mapping[str, Any] | None = None,
    reason: str = "",
) -> Note:
    """A new note; ``original``: a snapshot of the caller's task."""
    return {
        "kind": "voicemail", "state": "open", "call": call, "at": now, "workspace": workspace, "reason": reason,
        "customer": customer, "ours": ours, "queue_task": (original or {}).get("sid", ""),
        "original": dict(original) if original and options.retain_routing else None,
        "place_at": (original or {}).get("date_created", "") if options.retain_place else "",
    }  # fmt: skip


def expect(options: Options, call: str, now: float, customer: str, ours: str) -> Steps[None]:
    """A message is about to be recorded: see that there is a promise (none when the call came another way)."""
    known = yield Recall(key(call))
    if known is None:
        yield Remember(key(call), promise(options, call, now, customer=customer, ours=ours))


def completed(feature: Feature, params: Mapping[str, str], now: float) -> Steps[Made | None]:
    """RecordingStatusCallback: a recording is complete (its task), or absent (nothing was said)."""
    call, recording = params.get("CallSid", ""), params.get("RecordingSid", "")
    if params.get("RecordingStatus") == "absent":
        yield from _half(call, "absent", "heard")
        return None
    made = yield from _task_of(feature, params, now)
    if made is not None and (made.task_sid or made.noted) and is_sid(recording, "RE"):
        yield Remember(key(call), None)
    return made


def recorded(params: Mapping[str, str]) -> Steps[None]:
    """The action of ``<Record>``, also when the caller hung up at the tone: then it was their own doing."""
    yield from _half(params.get("CallSid", ""), "heard", "absent")


def _half(call: str, what: str, other: str) -> Steps[None]:
    """The action was requested, and the recording is absent: together they end the promise. The one without the
    other is a recording that a crash took; the sweep sees to the caller."""
    note = yield Recall(key(call))
    if note is not None:
        yield Remember(key(call), None if note.get(other) else {**note, what: True})


def transcribed(feature: Feature, params: Mapping[str, str], now: float) -> Steps[Made | None]:
    """transcribeCallback: whatever its status, the recording has its one task; a text is attached to it."""
    made = yield from _task_of(feature, params, now)
    words = params.get("TranscriptionText", "")
    if made is not None and made.task_sid and words and params.get("TranscriptionStatus") != "failed":
        known = yield Recall(params.get("RecordingSid", ""))
        workspace = (known or {}).get("workspace") or params.get("workspaceSid", "")
        task = (known or {}).get("task") or made.task_sid
        yield from attach(feature, workspace, task, params.get("TranscriptionSid", ""), words)
    return made


def attach(feature: Feature, workspace: str, task: str, sid: str, words: str) -> Steps[bool]:
    """Write a transcript into a task; False when the task is gone or over, which is fine."""
    for _ in range(TRIES):
        reply = yield from get_task(workspace, task)
        if not reply.ok or reply.body.get("assignment_status") in ("completed", "canceled"):
            return False
        attributes = read_object(reply.body.get("attributes"))
        data = inner(attributes, "callBackData")
        if data.get("transcriptSid") == sid and data.get("transcriptText"):
            return True
        attributes["callBackData"] = {**data, "transcriptSid": sid, "transcriptText": words}
        done = yield from write_task(workspace, task, attributes, reply.etag)
        if done.ok:
            return True
        if not (done.status == 412 or done.unclear):
            return False
    return False


def call_instead(feature: Feature, note: Mapping[str, Any], now: float) -> Steps[Made]:
    """No message can be had: a callback, so that the caller loses nothing; who cannot be called back is lost."""
    if not note["customer"]:
        yield Warn(
            note["call"], "No message was recorded, and the caller withheld their number: they are lost"
        )
        return Made(lost=True)
    wanted = creation.order(
        note["call"], {"numberToCall": note["customer"], "numberToCallFrom": note["ours"]}, now,
        workspace=note["workspace"], queue_task=note["queue_task"], original=note["original"],
        place_at=note["place_at"], reason=note["reason"],
    )  # fmt: skip
    return (yield from creation.fulfil(feature, wanted, now))


def settle(feature: Feature, note: Mapping[str, Any], now: float) -> Steps[str]:
    """The sweep's look at an open promise; gives what keeps it from ending (empty: it has ended, or its call lasts)."""
    call = note["call"]
    live: Reply = yield Ask("GET", "api", f"Calls/{call}")
    if not (live.ok or live.gone):
        return f"The call cannot be read: {live.message or live.status}"
    if live.ok and live.body.get("status") not in CALL_OVER:
        return ""
    listed: Reply = yield Ask("GET", "api", "Recordings", {"CallSid": call})
    if not listed.ok:
        return f"The call's recordings cannot be read: {listed.message or listed.status}"
    found = [one for one in listed.body.get("recordings") or [] if one.get("source") == "RecordVerb"]
    if any(one.get("status") in ("in-progress", "paused", "processing") for one in found):
        return "The call is over, but its recording does not end"
    spoken = [one for one in found if one.get("status") == "completed"]
    for one in spoken:
        facts = {
            "CallSid": call, "RecordingSid": str(one.get("sid")), "callerNumber": note["customer"],
            "calledNumber": note["ours"], "RecordingUrl": _media(one),
        }  # fmt: skip
        made = yield from _task_of(feature, facts, now)
        if made is None or not (made.task_sid or made.noted):
            return made.message if made is not None else "The recording has no SID"
    if not spoken and not (note.get("heard") and found):
        # Nothing was recorded, and not by their own doing: the call was lost on the way, and a promise was given.
        task = yield from get_task(note["workspace"], note["queue_task"])
        if task.body.get("assignment_status") not in AGENT_WON:
            made = yield from call_instead(feature, note, now)
            if not (made.task_sid or made.noted or made.agent or made.lost):
                return made.message
    yield Remember(key(call), None)
    return ""


def _media(recording: Mapping[str, Any]) -> str:
    return str(recording.get("media_url") or recording.get("uri") or "").removesuffix(".json")


def _task_of(feature: Feature, params: Mapping[str, str], now: float) -> Steps[Made | None]:
    """The one task of a recording, whether or not its caller can be called back; None: there is no recording."""
    recording, call = params.get("RecordingSid", ""), params.get("CallSid", "")
    if not is_sid(recording, "RE"):
        return None
    note: Mapping[str, Any] | None = yield Recall(key(call))
    customer = normal_number(params.get("callerNumber", "")) or (note or {}).get("customer", "")
    ours = normal_number(params.get("calledNumber", "")) or (note or {}).get("ours", "")
    facts = {
        "numberToCall": customer, "numberToCallFrom": ours, "recordingSid": recording,
        "recordingUrl": params.get("RecordingUrl", ""),
        "transcriptSid": params.get("TranscriptionSid", "") if params.get("TranscriptionText") else "",
        "transcriptText": params.get("TranscriptionText", ""),
    }  # fmt: skip
    promised = note or {}
    wanted = creation.order(
        recording, {name: value for name, value in facts.items() if value}, now,
        workspace=promised.get("workspace") or params.get("workspaceSid", ""),
        queue_task=promised.get("queue_task", ""), original=promised.get("original"),
        place_at=promised.get("place_at", ""), reason=promised.get("reason", ""),
    )  # fmt: skip
    return (yield from creation.fulfil(feature, wanted, now))
