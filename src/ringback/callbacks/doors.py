"""The doors of the feature: what each HTTP path does with its parameters (callback-voicemail.md §2, §4, §7).

Each is a generator that gives an :class:`Answered`; who may come in is decided before (``web/features``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ringback.callbacks import calling, creation, release, voicemail
from ringback.callbacks.attributes import read_object
from ringback.callbacks.calendar import iso, read_moment
from ringback.callbacks.creation import Made
from ringback.callbacks.feature import Feature, Steps, is_sid
from ringback.callbacks.requeue import TYPES, requeue
from ringback.callbacks.wait_experience import OUT_OF_QUEUE, respond
from ringback.effects.features import Answered, Recall, Remember, Reply, Warn
from ringback.kernel.errors import Refused

Params = Mapping[str, str]
KEPT_DONE = 7 * 86_400.0
"""Seconds for which a source is recognised after its task was made."""
PATIENCE = 60.0
"""Seconds for which sweeps may fail of a note before the operator is told."""
OUT_OF_TIME = ("Task TTL Exceeded", "Task canceled on Workflow timeout")
"""How the reasons of tasks begin whose time is up."""
OVERDUE = 3600.0
"""Seconds after its time when the operator is told of a callback that no agent was free for."""
FARTHEST = 366 * 86_400.0
"""Seconds ahead for which a callback may be scheduled."""


def wait(feature: Feature, params: Params, now: float) -> Steps[Answered]:
    """``studio/wait-experience``."""
    return Answered(200, (yield from respond(feature, params, now)))


def create(feature: Feature, params: Params, now: float) -> Steps[Answered]:
    """``studio/create-callback`` and ``flex/create-callback``.

    The source is the recording, else the call, else the idempotency token of the request (``token``).
    """
    given, absent = creation.read_params(feature, params, params.get("path", ""))
    if absent:
        return Answered(400, {"data": None, "message": absent})
    call, token = given.get("CallSid", ""), given.get("token", "")
    source = given.get("recordingSid", "")
    if not source and is_sid(call, "CA"):
        source = call
    if source and not is_sid(source, "RE") and not is_sid(source, "CA"):
        return Answered(400, {"data": None, "message": "recordingSid is no recording's SID"})
    if not source and token:
        source = f"token-{token}"
    due = 0.0
    if given.get("callbackAt"):
        due = _scheduled(feature, given["callbackAt"], given.get("timeZone", ""), now)
        source = source or f"at-{int(due)}-{given['numberToCall'].lstrip('+')}"
    wanted = creation.order(source, _only(given), now, keep=False, due=due)
    made = yield from creation.fulfil(feature, wanted, now)
    if made.task_sid and made.again and given.get("transcriptText"):
        known = yield Recall(source)
        workspace = (known or {}).get("workspace") or feature.options.workspace_sid
        yield from voicemail.attach(
            feature, workspace, made.task_sid, given.get("transcriptSid", ""), given["transcriptText"]
        )
    return _told(made)


_TAKEN = frozenset(
    {
        "numberToCall", "numberToCallFrom", "flexFlowSid", "workflowSid", "taskChannel", "timeout", "priority",
        "attempts", "conversation_id", "utcDateTimeReceived", "recordingSid", "recordingUrl", "transcriptSid",
        "transcriptText", "isDeleted", "caller",
    }
)  # fmt: skip


def _only(given: Params) -> dict[str, str]:
    return {name: value for name, value in given.items() if name in _TAKEN}


def _scheduled(feature: Feature, text: str, zone: str, now: float) -> float:
    """The chosen moment, moved into business hours; raises ``Refused`` 20001."""
    try:
        chosen = read_moment(text, zone or feature.options.time_zone)
    except (ValueError, OverflowError) as error:
        raise Refused(20001, f"callbackAt={text[:40]!r}: {error}") from None
    if not now - 60 <= chosen <= now + FARTHEST:
        raise Refused(20001, "callbackAt must lie ahead, and within a year")
    opening = feature.options.calendar.next_open(max(chosen, now))
    if opening is None:
        raise Refused(20001, "callbackAt: the business never opens after that")
    return opening


def again(feature: Feature, params: Params, now: float) -> Steps[Answered]:
    """``flex/requeue-callback``: ``taskSid``; the token says in which workspace."""
    absent = _absent(params, "taskSid", "the callback's task")
    if absent is not None:
        return absent
    try:
        yield from calling.outcome(feature, params.get("workspaceSid", ""), params["taskSid"], now)
    except Refused as refusal:
        if refusal.status != 400:
            raise
    return _told((yield from requeue(feature, params.get("workspaceSid", ""), params["taskSid"], now)))


def agent_create(feature: Feature, params: Params, now: float) -> Steps[Answered]:
    """``flex/create-callback``: the seed's name for both; with ``taskSid`` alone it re-queues."""
    if params.get("taskSid") and not params.get("numberToCall"):
        return (yield from again(feature, params, now))
    return (yield from create(feature, params, now))


def place(feature: Feature, params: Params, now: float) -> Steps[Answered]:
    """``flex/place-callback``: ``taskSid``, ``reservationSid``; the token says who calls."""
    absent = _absent(params, "taskSid", "the callback's task")
    if absent is not None:
        return absent
    worker = params.get("workerSid", "")
    if not is_sid(worker, "WK"):
        return Answered(403, {"success": False, "message": "The token names no worker"})
    placed = yield from calling.place(
        feature,
        params.get("workspaceSid", ""),
        worker,
        params["taskSid"],
        params.get("reservationSid", ""),
        now,
    )
    return Answered(
        200, {"success": True, "taskSid": placed.task_sid, "attempt": placed.claim, "again": placed.again}
    )


def outcome(feature: Feature, params: Params, now: float) -> Steps[Answered]:
    """``flex/callback-outcome``: ``taskSid``; attaches the outcome of the last return call, and gives it."""
    absent = _absent(params, "taskSid", "the callback's task")
    if absent is not None:
        return absent
    found = yield from calling.outcome(feature, params.get("workspaceSid", ""), params["taskSid"], now)
    select = params["taskSid"] if found and feature.options.auto_select else None
    return Answered(200, {"success": True, "outcome": found or None, "selectTask": select})


def event(feature: Feature, params: Params, now: float) -> Steps[Answered]:
    """``studio/task-events``: TaskRouter's events of outbound tasks; others are none of its business."""
    if feature.options.base_url:  # of another platform: here the feature hears of every end by itself
        given = {"sid": params.get("TaskSid"), "attributes": params.get("TaskAttributes")}
        given["reason"] = params.get("TaskCanceledReason")
        yield from ended(feature, params.get("EventType", ""), given)
    workspace, task = calling.of_event(params)
    ends = (
        "reservation.canceled",
        "reservation.wrapup",
        "reservation.completed",
        "task.canceled",
        "task.completed",
    )
    if task and params.get("EventType") in ends:
        try:
            yield from calling.outcome(feature, workspace, task, now)
        except Refused as refusal:
            if refusal.status not in (400, 404):
                raise
    return Answered(204)


def _absent(params: Params, name: str, why: str) -> Answered | None:
    if params.get(name):
        return None
    return Answered(400, {"data": None, "message": f"({params.get('path', '')}) Missing {name}: {why}"})


def _told(made: Made) -> Answered:
    reply: Reply | None = made.reply
    if made.task_sid:
        return Answered(200, {"success": True, "taskSid": made.task_sid, "message": made.message})
    if made.due:
        return Answered(
            200, {"success": True, "taskSid": None, "scheduledFor": iso(made.due), "message": made.message}
        )
    status = reply.status if reply is not None and reply.status >= 400 else 500
    return Answered(
        status,
        {
            "success": False, "message": made.message, "taskSid": None,
            "twilioErrorCode": reply.code if reply is not None else None,
            "twilioDocPage": reply.more_info if reply is not None else "",
        },
    )  # fmt: skip


def sweep(feature: Feature, note: Mapping[str, Any], now: float) -> Steps[str]:
    """Go on with one note that is not settled; gives what it fails of (empty: nothing does). Parked ones come here only
    when let go."""
    if note["kind"] == "voicemail":
        return (yield from voicemail.settle(feature, note, now))
    if note["state"] == "done":
        yield Remember(note["source"], None)
        return ""
    made = yield from creation.fulfil(feature, {**note, "keep": True}, now)
    return "" if made.task_sid or made.agent or made.due else made.message


def complain(feature: Feature, note: Mapping[str, Any], fault: str, now: float) -> Steps[None]:
    """A sweep could not finish a note: when that lasts, the operator is told, once a note."""
    key = voicemail.key(note["call"]) if note["kind"] == "voicemail" else note["source"]
    known = yield Recall(key)
    if known is None or known.get("warned"):
        return
    if now - known.get("failing", now) >= PATIENCE:
        what = "voicemail" if note["kind"] == "voicemail" else "callback"
        yield Warn(
            note.get("call") or key, f"The {what} that a caller was promised is not there yet: {fault}"
        )
        yield Remember(key, {**known, "warned": now})
    elif "failing" not in known:
        yield Remember(key, {**known, "failing": now})


def ended(feature: Feature, event_type: str, task: Mapping[str, Any]) -> Steps[None]:
    """A task's end: nobody came to a promised callback or a voicemail in its time, and the operator is told."""
    late = event_type == "task.canceled" and str(task.get("reason") or "").startswith(OUT_OF_TIME)
    kind = read_object(task.get("attributes")).get("taskType")
    if late and kind in TYPES:
        yield Warn(
            str(task.get("sid")), f"The {kind} that a caller was promised was given up: {task['reason']}"
        )


def overdue(notes: Mapping[str, Mapping[str, Any]], now: float) -> list[Mapping[str, Any]]:
    """Parked callbacks whose time came long ago, and that were not let go."""
    return [one for one in notes.values() if one.get("state") == "parked" and now - one["due"] >= OVERDUE]


def unsettled(
    notes: Mapping[str, Mapping[str, Any]], now: float, allowed: int, *, starting: bool = False
) -> list[Mapping[str, Any]]:
    """The notes that the sweep looks at now: begun orders, promises after a while, due ones as allowed, old ones."""
    found: list[Mapping[str, Any]] = []
    for note in notes.values():
        old = now - note["at"]
        if note["kind"] == "voicemail":
            wanted = starting or old >= voicemail.GRACE
        elif note["state"] == "done":
            wanted = old >= KEPT_DONE
        else:
            wanted = note["state"] != "parked"
        if wanted:
            found.append(note)
    return found + release.chosen((one for one in notes.values() if one["kind"] == "order"), now, allowed)


STUDIO: dict[str, Callable[[Feature, Params, float], Steps[Answered]]] = {
    "create-callback": create,
    "wait-experience": wait,
    "task-events": event,
}
"""Signed requests."""
FINAL = OUT_OF_QUEUE
"""Modes of the wait experience after which nobody waits in the queue any more."""
FLEX: dict[str, Callable[[Feature, Params, float], Steps[Answered]]] = {
    "create-callback": agent_create,
    "requeue-callback": again,
    "place-callback": place,
    "callback-outcome": outcome,
}
"""Requests with an agent's token; ``fetch-voicemail`` streams and is in ``web/features``."""
