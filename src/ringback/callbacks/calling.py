"""Calling back: the return call from a callback's task, and its outcome (callback-voicemail.md §7; issue 4, point 6).

An attempt is *claimed* in the callback task's attributes (written with If-Match) before the outbound task is made, so
that two clicks, two desktops or a repeated request dial once. A claim whose outbound task is still alive blocks the
next one; a claim that never came to a task is seen by looking for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ringback.callbacks.attributes import fitted, inner, normal_number, read_object
from ringback.callbacks.calendar import iso
from ringback.callbacks.feature import TRIES, Feature, Steps, get_task, is_sid, search, tasks_path, write_task
from ringback.callbacks.requeue import NOBODY, TYPES
from ringback.effects.features import Ask, Recall, Reply
from ringback.kernel.errors import Refused

OUTBOUND: Final = "callback-outbound"
RESULTS: Final = {
    45303: "busy",
    45305: "no-answer",
    45301: "failed",
    45304: "failed",
    45302: "agent-left",
    45306: "agent-left",
    13223: "invalid-number",
    13224: "invalid-number",
    21211: "invalid-number",
    13227: "not-permitted",
    21215: "not-permitted",
    21210: "not-permitted",
    21219: "not-permitted",
    21216: "blocked",
}
"""Reason of a canceled reservation (flex-desktop.md, call-outcomes.md §6) → result of the attempt."""
CLAIM_SECONDS: Final = 30.0
"""A claim without a task is one that is just being dialled until then; later, one that never came to it."""
ENDED: Final = frozenset({"completed", "canceled", "wrapping"})


@dataclass(frozen=True, slots=True)
class Placed:
    """A return call is under way."""

    task_sid: str
    """Of the outbound task."""
    claim: int
    again: bool = False
    """It was placed before; nothing was dialled now."""


def place(
    feature: Feature, workspace: str, worker: str, task_sid: str, reservation: str, now: float
) -> Steps[Placed]:
    """Call the customer now.

    Raises ``Refused``: no such task, no callback, not assigned to this worker (403), being called already (409).
    """
    yield Recall(f"place-{task_sid}")  # two clicks in this process come one after the other
    for _ in range(TRIES):
        reply = yield from get_task(workspace, task_sid)
        attributes = _callback(reply, task_sid)
        if reply.body.get("assignment_status") != "assigned":
            status = reply.body.get("assignment_status")
            raise Refused(20001, f"Task {task_sid} is {status}: only an assigned callback is called")
        own = yield from _reservations(workspace, task_sid, worker)
        if not own:
            raise Refused(20003, f"Task {task_sid} is another worker's", 403)
        reservation = reservation if reservation in own else own[0]
        data = inner(attributes, "callBackData")
        claim = inner(data, "claim")
        if claim and claim.get("state") != "ended":
            there = yield from _of_claim(workspace, task_sid, claim)
            young = now - float(claim.get("t") or 0) < CLAIM_SECONDS
            if there.status in ("live", "unknown") or (there.status == "none" and young):
                return _blocked(claim, there, worker, task_sid)
            # it is over, or never came to a task: the next attempt may be claimed
        number = int(claim.get("n") or 0) + 1
        data["claim"] = {"n": number, "worker": worker, "t": int(now), "state": "dialling"}
        attributes["callBackData"] = data
        claimed = yield from write_task(workspace, task_sid, attributes, reply.etag)
        if claimed.status == 412:
            continue  # somebody else writes: look again whether they claimed it
        if not claimed.ok:
            raise _refused(claimed, "The attempt could not be claimed")
        made = yield from _dial(feature, workspace, worker, reply, attributes, reservation, number)
        if made is None:
            raise Refused(
                20500, "It is not known whether the outbound task was created: look again soon", 502
            )
        yield from _record(workspace, task_sid, number, {"task": made} if made else {"state": "ended"})
        if not made:
            raise Refused(20500, "The outbound task could not be created; nothing was dialled", 502)
        return Placed(made, number)
    raise Refused(20429, f"Task {task_sid} changes all the time: try again", 429)


def _reservations(workspace: str, task_sid: str, worker: str) -> Steps[list[str]]:
    """The worker's accepted reservations of a task."""
    params = {"WorkerSid": worker, "ReservationStatus": "accepted"}
    reply: Reply = yield Ask("GET", "taskrouter", f"{tasks_path(workspace, task_sid)}/Reservations", params)
    if not reply.ok:
        raise _refused(reply, "The task's reservations cannot be read now")
    found = reply.body.get("reservations") or []
    return [str(one.get("sid")) for one in found if one.get("worker_sid") == worker]


@dataclass(frozen=True, slots=True)
class _There:
    status: str
    """live, over, none or unknown."""
    task: str = ""


def _of_claim(workspace: str, task_sid: str, claim: Mapping[str, Any]) -> Steps[_There]:
    """What a claim came to."""
    sid = str(claim.get("task") or "")
    if not sid:
        marks = (
            f'callBackData.callbackTask == "{task_sid}" AND callBackData.claim == {int(claim.get("n") or 0)}'
        )
        found = yield from search(workspace, marks)
        if not found:
            return _There("unknown" if found is None else "none")
        sid = found
    reply = yield from get_task(workspace, sid)
    if reply.gone:
        return _There("over", sid)
    if not reply.ok:
        return _There("unknown", sid)
    return _There("over" if reply.body.get("assignment_status") in ENDED else "live", sid)


def _blocked(claim: Mapping[str, Any], there: _There, worker: str, task_sid: str) -> Placed:
    if there.task and claim.get("worker") == worker:
        return Placed(there.task, int(claim.get("n") or 0), again=True)
    raise Refused(20409, f"Task {task_sid} is being called already", 409)


def _dial(
    feature: Feature, workspace: str, worker: str, task: Reply, attributes: Mapping[str, Any], reservation: str,
    number: int,
) -> Steps[str | None]:  # fmt: skip
    """The outbound task for the worker who calls (taskrouter.md §9.6); empty: it was not made; None: unclear."""
    data = inner(attributes, "callBackData")
    to, ours = str(data.get("numberToCall") or ""), str(data.get("numberToCallFrom") or "")
    if ours.lower().startswith("sip:"):
        ours = feature.options.caller_id
    kept = {key: value for key, value in data.items() if key not in ("claim", "lastOutcome", "source")}
    sid = str(task.body.get("sid"))
    conversations = inner(attributes, "conversations")
    outbound: dict[str, Any] = {
        **attributes,
        "taskType": OUTBOUND,
        "direction": "outbound",
        "outbound_to": to,
        "from": ours,
        "autoClose": True,
        "parentTask": reservation,
        "conversations": {**conversations, "conversation_id": conversations.get("conversation_id") or sid},
        "callBackData": {**kept, "callbackTask": sid, "claim": number},
    }
    if not ours:
        del outbound["from"]
    params = {
        "RoutingTarget": worker,
        "TaskChannel": str(task.body.get("task_channel_unique_name") or "voice"),
        "Attributes": fitted(outbound),
    }
    if task.body.get("task_queue_sid"):
        params["TaskQueueSid"] = str(task.body["task_queue_sid"])
    if task.body.get("workflow_sid"):
        params["WorkflowSid"] = str(task.body["workflow_sid"])
    reply: Reply = yield Ask("POST", "taskrouter", tasks_path(workspace), params, repeatable=False)
    if reply.ok:
        return str(reply.body.get("sid") or "")
    if reply.unclear:
        there = yield from _of_claim(workspace, sid, {"n": number})
        return there.task or None
    return ""


def _record(workspace: str, task_sid: str, number: int, facts: Mapping[str, Any]) -> Steps[bool]:
    """Write facts into the claim; another claim has taken its place: leave it."""
    for _ in range(TRIES):
        reply = yield from get_task(workspace, task_sid)
        if not reply.ok:
            return False
        attributes = read_object(reply.body.get("attributes"))
        data = inner(attributes, "callBackData")
        claim = inner(data, "claim")
        if claim.get("n") != number:
            return False
        more = {name: value for name, value in facts.items() if name != "lastOutcome"}
        data["claim"] = {**claim, **more}
        if "lastOutcome" in facts:
            data["lastOutcome"] = facts["lastOutcome"]
        attributes["callBackData"] = data
        done = yield from write_task(workspace, task_sid, attributes, reply.etag)
        if done.ok:
            return True
        if not (done.status == 412 or done.unclear):
            return False
    return False


def outcome(feature: Feature, workspace: str, task_sid: str, now: float) -> Steps[dict[str, Any]]:
    """Attach the outcome of the last return call to its callback's task; gives it, empty when it is not over.

    ``task_sid``: the callback's task. The result is read from the outbound task's events, which outlive it.
    """
    reply = yield from get_task(workspace, task_sid)
    data = inner(_callback(reply, task_sid), "callBackData")
    claim = inner(data, "claim")
    if not claim:
        return {}
    if claim.get("state") == "ended":
        return inner(data, "lastOutcome")
    there = yield from _of_claim(workspace, task_sid, claim)
    if there.status in ("live", "unknown"):
        return {}
    found = {"claim": claim.get("n"), "at": iso(now), "task": there.task}
    found |= (yield from _result(workspace, there.task)) if there.task else {"result": "not-dialled"}
    facts: dict[str, Any] = {"state": "ended", "lastOutcome": found}
    if feature.options.auto_select:
        facts["select"] = True
    yield from _record(workspace, task_sid, int(claim.get("n") or 0), facts)
    return found


def _result(workspace: str, outbound: str) -> Steps[dict[str, Any]]:
    params = {"TaskSid": outbound, "PageSize": "100", "Minutes": "1500"}
    reply: Reply = yield Ask("GET", "taskrouter", f"Workspaces/{workspace}/Events", params)
    kinds: dict[str, Mapping[str, Any]] = {}
    for event in (reply.body.get("events") or []) if reply.ok else []:
        kinds.setdefault(str(event.get("event_type")), event)
    ended = kinds.get("reservation.canceled")
    if ended is not None:
        code = _code(ended.get("event_data") or {})
        return {"result": RESULTS.get(code, "failed"), **({"code": code} if code else {})}
    if "reservation.wrapup" in kinds or "reservation.completed" in kinds:
        return {"result": "answered"}
    for kind, result in (("reservation.rejected", "agent-left"), ("reservation.timeout", "agent-left")):
        if kind in kinds:
            return {"result": result}
    return {"result": "unknown"}


def _code(data: Mapping[str, Any]) -> int:
    for name in ("canceled_reason_code", "reason_code"):
        text = str(data.get(name) or "")
        if re.fullmatch(r"[0-9]{4,6}", text):
            return int(text)
    return 0


def of_event(params: Mapping[str, str]) -> tuple[str, str]:
    """(workspace, callback task) that a TaskRouter event of an outbound task is about; empty: it is none."""
    attributes = read_object(params.get("TaskAttributes", ""))
    sid = str(inner(attributes, "callBackData").get("callbackTask") or "")
    if attributes.get("taskType") != OUTBOUND or not is_sid(sid, "WT"):
        return "", ""
    return params.get("WorkspaceSid", ""), sid


def _callback(reply: Reply, task_sid: str) -> dict[str, Any]:
    """The attributes of a callback's task. Raises ``Refused``."""
    if not reply.ok:
        raise _refused(reply, f"Task {task_sid[:64]} was not found")
    attributes = read_object(reply.body.get("attributes"))
    if attributes.get("taskType") not in TYPES:
        raise Refused(20001, f"Task {task_sid} is no callback and no voicemail")
    data = inner(attributes, "callBackData")
    if data.get("withheld"):
        raise Refused(20001, NOBODY.format(task_sid))
    if not normal_number(str(data.get("numberToCall") or "")):
        raise Refused(20001, f"Task {task_sid} names no number to call")
    return attributes


def _refused(reply: Reply, words: str) -> Refused:
    return Refused(reply.code or 20500, reply.message or words, reply.status)
