"""From a request to one live task, whatever breaks in between (callback-voicemail.md §4, §5.1).

A request that has a source (call or recording SID) is an *order*: a durable note that is there before anything is
done and says ``done`` with the task's SID afterwards. The same source again gives the same task; an order that was
begun when the process died is carried on by the sweep, which first looks whether the task exists already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ringback.callbacks.attributes import fitted, make, normal_number, number_to_call
from ringback.callbacks.calendar import iso
from ringback.callbacks.feature import (
    AGENT_WON,
    Feature,
    Steps,
    cancel,
    default_workflow,
    get_task,
    search,
    tasks_path,
    workspace_of,
)
from ringback.effects.features import Ask, Recall, Remember, Reply
from ringback.kernel.errors import Refused

Order = dict[str, Any]
"""A note: kind, state, source, workspace, queue_task, reason, params, original, place_at, at, due, canceled, task."""

STATES: Final = {
    ("", "given"): "open",
    ("", "parked"): "parked",
    ("parked", "due"): "open",
    ("open", "tried"): "begun",
    ("begun", "tried"): "begun",
    ("begun", "made"): "done",
    ("begun", "agent won"): "dropped",
    ("begun", "taken back"): "dropped",
}
"""(state, what happened) → state of an order. A dropped order leaves no note."""
ALTERNATIVES: Final = {
    "recordingSid": "RecordingSid",
    "recordingUrl": "RecordingUrl",
    "transcriptSid": "TranscriptionSid",
    "transcriptText": "TranscriptionText",
}
REQUIRED: Final = {
    "numberToCall": "the number of the customer",
    "numberToCallFrom": "the caller ID to call from",
}
NO_WORKFLOW: Final = (
    "There is no workflow: give workflowSid, set [callback] workflow_sid, or name one Callback"
)


@dataclass(frozen=True, slots=True)
class Made:
    """What became of an order."""

    task_sid: str = ""
    agent: bool = False
    """An agent was first: they have the caller, there is no callback."""
    due: float = 0.0
    """Parked until then (Unix seconds)."""
    noted: bool = False
    """Not done yet, but on the disk: the sweep goes on with it."""
    again: bool = False
    """It was there before."""
    moved: bool = False
    """Its workflow was gone: it is at the end of another one's line."""
    lost: bool = False
    """They cannot be called back, having withheld their number; the debugger says so."""
    reply: Reply | None = None
    """What went wrong."""

    @property
    def message(self) -> str:
        """For the HTTP answer."""
        if self.task_sid:
            return "The task existed already" if self.again else "The task was created"
        if self.due:
            return f"The callback is scheduled for {iso(self.due)}"
        if self.agent:
            return "An agent took the call; nothing was created"
        return self.reply.message if self.reply is not None else "The task could not be created"


def read_params(feature: Feature, given: Mapping[str, str], path: str) -> tuple[dict[str, str], str]:
    """The parameters of §4.1 in their first spelling, with numbers in E.164; and what is missing or wrong of the
    required ones, as §2 writes it (empty: nothing).

    Who left a message needs no number: then ``numberToCall`` is empty, and ``caller`` what was given for it.
    """
    found = {name: value for name, value in given.items() if value and name != "caller"}
    for name, other in ALTERNATIVES.items():
        if not found.get(name) and found.get(other):
            found[name] = found[other]
    ours = found["numberToCallFrom"] = normal_number(given.get("numberToCallFrom", ""))
    wrong = {name: f"({path}) Missing {name}: {why}" for name, why in REQUIRED.items() if not found.get(name)}
    text = given.get("numberToCall")
    if text is not None:
        try:
            found["numberToCall"] = number_to_call(text, feature.region(ours))
        except ValueError as reason:
            found["numberToCall"], found["caller"] = "", text.strip()[:64]
            if found.get("recordingSid"):
                wrong.pop("numberToCall", None)
            elif text:
                wrong["numberToCall"] = f"({path}) numberToCall: {found['caller']!r} {reason}"
    return found, ", ".join(wrong.values())


def order(
    source: str,
    params: Mapping[str, str],
    now: float,
    *,
    workspace: str = "",
    queue_task: str = "",
    original: Mapping[str, Any] | None = None,
    place_at: str = "",
    reason: str = "",
    keep: bool = True,
    due: float = 0.0,
) -> Order:
    """A new order. ``queue_task``: the caller's own task, which ends with it; ``original``: what is inherited
    (a snapshot); ``place_at``: its virtual start time; ``keep``: whether the sweep goes on after a failure."""
    return {
        "kind": "order", "state": "open", "source": source, "workspace": workspace, "queue_task": queue_task,
        "reason": reason, "params": dict(params), "original": dict(original) if original else None,
        "place_at": place_at, "keep": keep, "at": now, "due": due, "canceled": False, "task": "",
    }  # fmt: skip


def step(state: str, what: str) -> str:
    """The next state of an order; raises ``KeyError`` for what cannot happen."""
    return STATES[state, what]


def fulfil(feature: Feature, given: Order, now: float) -> Steps[Made]:
    """Carry an order out. Nothing is created twice for one source, and nothing when an agent was first."""
    key, wanted = given["source"], given
    if key:
        known: Order | None = yield Recall(key)
        if known is not None and known["state"] == "done":
            return Made(task_sid=known["task"], again=True)
        if known is not None:
            wanted = {**known, "keep": known["keep"] or given["keep"]}
        if wanted["due"] > now:
            parked = {**wanted, "state": step("", "parked")}
            yield Remember(key, parked)
            return Made(due=wanted["due"])
        begun = wanted["state"] == "begun"
        state = step("parked", "due") if wanted["state"] == "parked" else wanted["state"]
        wanted = {**wanted, "state": step(state, "tried")}
        yield Remember(key, wanted)
    else:
        begun = False
    made = yield from _carry_out(feature, wanted, now, begun)
    if not key:
        return made
    if made.task_sid:
        yield Remember(key, _done(wanted, made.task_sid, now))
    elif made.agent or not (wanted["keep"] or made.noted):
        yield Remember(key, None)
    else:
        return Made(reply=made.reply, noted=True)
    return made


def _done(wanted: Order, task_sid: str, now: float) -> Order:
    """The note that stays, to recognise the source: small."""
    kept = {name: wanted[name] for name in ("kind", "source", "workspace")}
    return {**kept, "state": step("begun", "made"), "task": task_sid, "at": now, "due": 0.0}


def _carry_out(feature: Feature, wanted: Order, now: float, begun: bool) -> Steps[Made]:
    workspace = wanted["workspace"] or (
        yield from workspace_of(feature, wanted["params"].get("workflowSid", ""))
    )
    if not workspace:
        return Made(reply=Reply(500, message="There is no workspace for callbacks"))
    if begun:
        there = yield from search(workspace, _mark(wanted))
        if there is None:
            return Made(reply=Reply(503, message="The tasks cannot be read now"))
        if there:
            return Made(task_sid=there, again=True)
    params = yield from _task(feature, wanted, workspace, now)
    if not params["WorkflowSid"]:
        return Made(reply=Reply(500, message=NO_WORKFLOW))
    if wanted["queue_task"] and not wanted["canceled"]:
        made = yield from _opt_out(wanted, workspace, params)
        if made is not None:
            return made
        wanted["canceled"] = True
        if wanted["source"]:
            yield Remember(wanted["source"], wanted)
    return (yield from _create(feature, wanted, workspace, params))


def _opt_out(wanted: Order, workspace: str, params: dict[str, str]) -> Steps[Made | None]:
    """Atomically where there is such a request; else cancel alone, checked. None: canceled, create it now."""
    task = wanted["queue_task"]
    path = f"{tasks_path(workspace, task)}/OptOut"
    more = {"Source": wanted["source"], "Reason": wanted["reason"]}
    reply: Reply = yield Ask("POST", "taskrouter", path, {**params, **more})
    if reply.ok:
        return Made(task_sid=str(reply.body.get("sid") or ""))
    if reply.code == 20001:
        seen = yield from get_task(workspace, task)
        if seen.body.get("assignment_status") in AGENT_WON:
            return Made(agent=True, reply=reply)
        return Made(reply=reply)
    if not (reply.gone or reply.status == 405):
        return Made(reply=reply)
    outcome = yield from cancel(workspace, task, wanted["reason"])
    if outcome == "agent":
        return Made(agent=True, reply=reply)
    if outcome == "failed":
        return Made(reply=Reply(503, message="The caller's task could not be canceled"))
    return None


def _create(feature: Feature, wanted: Order, workspace: str, params: dict[str, str]) -> Steps[Made]:
    noted, moved = bool(wanted["canceled"]), False
    reply: Reply = yield Ask("POST", "taskrouter", tasks_path(workspace), params, repeatable=False)
    if reply.unclear and wanted["source"]:
        there = yield from search(workspace, _mark(wanted))
        return Made(task_sid=there or "", noted=True, reply=reply)
    if reply.status == 400 and (wanted["original"] or {}).get("workflow_sid") == params["WorkflowSid"]:
        other = yield from default_workflow(feature, workspace)  # the old workflow may be gone (§5.1)
        if other and other != params["WorkflowSid"]:
            moved = True
            again = {name: value for name, value in params.items() if name != "VirtualStartTime"}
            reply = yield Ask(
                "POST", "taskrouter", tasks_path(workspace), {**again, "WorkflowSid": other}, repeatable=False
            )
    if reply.ok:
        return Made(task_sid=str(reply.body.get("sid") or ""), moved=moved)
    return Made(reply=reply, noted=noted or reply.unclear)


def _task(feature: Feature, wanted: Order, workspace: str, now: float) -> Steps[dict[str, str]]:
    """The parameters of the new task."""
    params, original = wanted["params"], wanted["original"] or {}
    workflow = params.get("workflowSid") or original.get("workflow_sid")
    if not workflow:
        workflow = yield from default_workflow(feature, workspace)
    if wanted["source"] and params.get("recordingSid") != wanted["source"]:
        params = {**params, "source": wanted["source"]}
    attributes = make(
        params, wanted["original"] and original.get("attributes"), original.get("sid", ""),
        zone=feature.options.time_zone, now_iso=iso(wanted["at"]),
    )  # fmt: skip
    found = {
        "WorkflowSid": workflow,
        "TaskChannel": params.get("taskChannel") or original.get("task_channel") or "voice",
        "Timeout": params.get("timeout") or str(original.get("timeout") or 86_400),
        "Priority": params.get("priority") or str(original.get("priority") or 0),
        "Attributes": fitted(attributes),
    }
    if wanted["place_at"]:
        found["VirtualStartTime"] = wanted["place_at"]
    return found


def _mark(wanted: Order) -> str:
    """The expression that finds the order's task."""
    source, params = wanted["source"], wanted["params"]
    if not source.replace("-", "").isalnum():
        raise Refused(20001, f"{source[:64]!r} is no source")
    if params.get("recordingSid") == source:
        return f'callBackData.recordingSid == "{source}"'
    return f'callBackData.source == "{source}"'
