"""REST writes to a live call and its recordings (voice-calls.md §7, §9.2)."""

from __future__ import annotations

from dataclasses import replace

from ringback.effects import Save
from ringback.events.writes import WriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.api.call import Call
from ringback.resources.api.recording import Recording
from ringback.voice.call import trial
from ringback.voice.call.creation import TWIML_LIMIT, recording, status_callback
from ringback.voice.call.session import Session
from ringback.voice.form import Form
from ringback.voice.recording import change
from ringback.voice.steps import Source

RECORDINGS_LIMIT = 10
UPDATE_PARAMETERS = frozenset(
    "Url Method Twiml Status FallbackUrl FallbackMethod StatusCallback StatusCallbackMethod TimeLimit".split()
)
NOT_IN_PROGRESS = "Call is not in-progress. Cannot redirect."


def update(session: Session, event: WriteRequested) -> Call:
    """POST Calls/{sid}: everything is checked before anything is changed."""
    form = Form(event.params)
    status = form.get("Status")
    if status not in ("", "canceled", "completed"):
        raise form.refuse(20001, f"Status {status[:40]!r} is neither canceled nor completed")
    url, twiml = form.url("Url", 21205), form.get("Twiml")
    redirecting = not status and (url is not None or bool(twiml))
    if redirecting and (session.call.status != "in-progress" or session.ending):
        raise Refused(21220, NOT_IN_PROGRESS)
    if url is None and len(twiml) > TWIML_LIMIT:
        raise form.refuse(32018, f"Twiml is longer than {TWIML_LIMIT} characters")
    method, fallback_method = form.method("Method"), form.method("FallbackMethod")
    fallback = form.url("FallbackUrl", 21205)
    limit = form.integer("TimeLimit", 0, 1, 86400, 21208)
    callback = status_callback(form)
    plan = session.plan
    if fallback is not None:
        plan.fallback_url, plan.fallback_method = fallback, fallback_method
    if callback is not None:
        callback.events = ["completed"]
        plan.callbacks = [*[one for one in plan.callbacks if one.url != callback.url], callback]
    if limit and plan.trial:
        limit = min(limit, trial.LONGEST)
    if limit:
        plan.time_limit = limit
        if session.call.answered_at is not None:
            left = session.call.answered_at + limit - session.now
            session.timer("time-limit", max(0.0, left), pulls=False)
    if url is not None and twiml:
        session.warn(32019, "Url is used; leave one of the two out")
    for code, text in form.unknown(UPDATE_PARAMETERS):
        session.warn(code, text)
    if callback is not None or limit or fallback is not None:
        session.save()
    if status == "completed" or (status == "canceled" and session.call.status != "in-progress"):
        session.hang_up("api")
    elif redirecting:
        session.redirect(Source(url=url, method=method) if url else Source(twiml=twiml))
    return session.call.copy()


def start_recording(session: Session, event: WriteRequested) -> Recording:
    """POST Calls/{sid}/Recordings."""
    form = Form(event.params)
    if session.call.status != "in-progress":
        raise Refused(21220, "Requested resource is not eligible for recording")
    if len(session.recordings.live) >= RECORDINGS_LIMIT:
        raise form.refuse(16108, f"{RECORDINGS_LIMIT} recordings of this call are running already")
    warnings: list[tuple[int, str]] = []
    plan = recording(form, warnings, "StartCallRecordingAPI", trim="do-not-trim")
    for code, text in warnings:
        session.warn(code, text)
    session.recordings.start(plan, sid=event.sid)
    return replace(session.recordings.live[event.sid])


def update_recording(session: Session, event: WriteRequested) -> Recording:
    """POST Calls/{sid}/Recordings/{sid}: pause, resume, stop; ``Twilio.CURRENT`` is the running one."""
    live = session.recordings.live
    sid = event.sid
    if sid == "Twilio.CURRENT":
        running = [one for one in live.values() if one.status in ("in-progress", "paused")]
        if len(running) != 1:
            raise Refused(20404, f"The call has {len(running)} running recordings: name one by its SID", 404)
        sid = running[0].sid
    record = live.get(sid)
    wanted = change.read(record, event.params, session.call.sid)
    assert record is not None
    session.do(wanted.effect)
    shown = change.changed(record, wanted, session.now)
    session.do(Save(record.copy()))
    return shown
