"""The API as the feature sees it: tasks found, read and canceled with the result checked (callback-voicemail.md §5)."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from ringback.callbacks.attributes import fitted, inner, read_object
from ringback.callbacks.options import Options
from ringback.effects.features import Ask, Reply, Step, Wait
from ringback.numbers.plan import dialled_region

T = TypeVar("T")
Steps = Generator[Step, Any, T]
"""A dialogue with the outside: what is yielded is carried out, its answer sent back."""

TRIES = 6
"""Rounds of read, merge and write when others write too (412)."""
CANDIDATES = 50
PAUSE = 0.01
"""Seconds after the first look for a task that is not there yet; each further pause is twice as long."""
MEMO = 1000
AGENT_WON = frozenset({"assigned", "wrapping", "completed"})
WAITING = frozenset({"pending", "reserved"})
_SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}\Z")
Outcome = Literal["canceled", "agent", "gone", "failed"]


@dataclass(slots=True)
class Feature:
    """The choices, and what has been learned of the account (which never changes)."""

    options: Options
    memo: dict[str, str] = field(default_factory=dict)

    def learn(self, key: str, value: str) -> None:
        """Keep a fact; when there are very many, all are forgotten."""
        if len(self.memo) >= MEMO:
            self.memo.clear()
        self.memo[key] = value

    def region(self, ours: str) -> str:
        """The country (ISO-2) in which the callers of a number of ours are at home."""
        return self.options.regions.get(ours) or dialled_region(ours) or self.options.home


def is_sid(text: str, prefix: str = "") -> bool:
    """Whether it is a SID (of a kind): only those become part of a path or an expression."""
    return bool(_SID.match(text)) and text.startswith(prefix)


def snapshot(task: Mapping[str, Any]) -> dict[str, Any]:
    """What a successor inherits of a task, small enough for a note."""
    return {
        "sid": task.get("sid") or "",
        "attributes": read_object(task.get("attributes")),
        "workflow_sid": task.get("workflow_sid") or "",
        "task_channel": task.get("task_channel_unique_name") or "",
        "timeout": task.get("timeout") or 0,
        "priority": task.get("priority") or 0,
        "date_created": task.get("date_created") or "",
        "virtual_start_time": task.get("virtual_start_time") or "",
        "task_queue_sid": task.get("task_queue_sid") or "",
    }


def tasks_path(workspace: str, task: str = "") -> str:
    """Of the tasks, or of one."""
    return f"Workspaces/{workspace}/Tasks" + (f"/{task}" if task else "")


def get_task(workspace: str, task: str) -> Steps[Reply]:
    """Fetch a task; 404 for what is no SID."""
    if not (is_sid(workspace, "WS") and is_sid(task, "WT")):
        return Reply(404, code=20404, message=f"There is no task {task[:64]!r}")
    reply: Reply = yield Ask("GET", "taskrouter", tasks_path(workspace, task))
    return reply


def workspace_of(feature: Feature, workflow: str) -> Steps[str]:
    """The workspace of a workflow (empty: any); empty when there is none."""
    if feature.options.workspace_sid:
        return feature.options.workspace_sid
    known = feature.memo.get(f"workspace {workflow}")
    if known:
        return known
    reply: Reply = yield Ask("GET", "taskrouter", "Workspaces", {"PageSize": str(CANDIDATES)})
    found = [str(one.get("sid")) for one in reply.body.get("workspaces") or []] if reply.ok else []
    if not workflow or len(found) == 1:
        chosen = found[0] if found else ""
    else:
        chosen = ""
        for one in found if is_sid(workflow, "WW") else []:
            reply = yield Ask("GET", "taskrouter", f"Workspaces/{one}/Workflows/{workflow}")
            if reply.ok:
                chosen = one
                break
    if chosen:
        feature.learn(f"workspace {workflow}", chosen)
    return chosen


def default_workflow(feature: Feature, workspace: str) -> Steps[str]:
    """The setting's workflow, else the one that is called "Callback"; empty: there is none."""
    if feature.options.workflow_sid:
        return feature.options.workflow_sid
    reply: Reply = yield Ask(
        "GET", "taskrouter", f"Workspaces/{workspace}/Workflows", {"FriendlyName": "Callback"}
    )
    for one in (reply.body.get("workflows") or []) if reply.ok else []:
        if str(one.get("friendly_name", "")).lower() == "callback":
            return str(one.get("sid"))
    return ""


def find_waiting(
    feature: Feature, queue_sid: str, call_sid: str, tries: int | None = None
) -> Steps[tuple[str, str]]:
    """The waiting task of a call, and its workspace; two empty texts when there is none (§5, initialize).

    ``tries``: how often it is looked for, with growing pauses between; None: as the setting says.
    """
    if not (is_sid(queue_sid, "QU") and is_sid(call_sid, "CA")):
        return "", ""
    workflow = feature.memo.get(queue_sid, "")
    if not workflow:
        reply: Reply = yield Ask("GET", "api", f"Queues/{queue_sid}")
        workflow = str(reply.body.get("friendly_name") or "") if reply.ok else ""
        if not is_sid(workflow, "WW"):
            return "", ""
        feature.learn(queue_sid, workflow)
    workspace = yield from workspace_of(feature, workflow)
    if not workspace:
        return "", ""
    tries = feature.options.lookup_tries if tries is None else tries
    for number in range(1, tries + 1):
        for one in (yield from _newest(feature, workspace, workflow, call_sid)):
            waiting = one.get("assignment_status") in WAITING
            if waiting and read_object(one.get("attributes")).get("call_sid") == call_sid:
                return str(one.get("sid")), workspace
        if number < tries:
            yield Wait(PAUSE * 2 ** (number - 1))
    return "", workspace


def _newest(feature: Feature, workspace: str, workflow: str, call_sid: str) -> Steps[list[dict[str, Any]]]:
    params: dict[str, str | tuple[str, ...]] = {"WorkflowSid": workflow, "Ordering": "DateCreated:desc"}
    if feature.options.evaluates:
        params |= {"EvaluateTaskAttributes": f'call_sid == "{call_sid}"', "PageSize": "5"}
    else:
        params |= {
            "AssignmentStatus": ("pending", "reserved"), "PageSize": str(feature.options.lookup_limit),
        }  # fmt: skip
    reply: Reply = yield Ask("GET", "taskrouter", tasks_path(workspace), params)
    return list(reply.body.get("tasks") or []) if reply.ok else []


def search(workspace: str, expression: str) -> Steps[str | None]:
    """The SID of the newest task that fits; empty: none; None: nobody could say."""
    params = {"EvaluateTaskAttributes": expression, "Ordering": "DateCreated:desc", "PageSize": "1"}
    reply: Reply = yield Ask("GET", "taskrouter", tasks_path(workspace), params)
    if not reply.ok:
        return None
    found = reply.body.get("tasks") or []
    return str(found[0].get("sid")) if found else ""


def cancel(workspace: str, task: str, reason: str) -> Steps[Outcome]:
    """Cancel a waiting task as followed up (§5.1), and say truly what came of it: an agent may have been first."""
    for _ in range(TRIES):
        reply = yield from get_task(workspace, task)
        if reply.gone:
            return "gone"
        status = reply.body.get("assignment_status")
        if status in AGENT_WON:
            return "agent"
        if status == "canceled":
            return "canceled"
        if not reply.ok:
            return "failed"
        attributes = read_object(reply.body.get("attributes"))
        attributes["conversations"] = {**inner(attributes, "conversations"), "abandoned": "Follow-Up"}
        done: Reply = yield from write_task(
            workspace, task, attributes, reply.etag, {"AssignmentStatus": "canceled", "Reason": reason}
        )
        if done.ok and done.body.get("assignment_status", "canceled") == "canceled":
            return "canceled"
        if not (done.status == 412 or done.code == 20001 or done.unclear):
            return "gone" if done.gone else "failed"
    return "failed"


def write_task(
    workspace: str,
    task: str,
    attributes: Mapping[str, Any],
    version: str | None,
    more: Mapping[str, str] | None = None,
) -> Steps[Reply]:
    """Replace a task's attributes if it is still as it was read."""
    params = {"Attributes": fitted(attributes), **(more or {})}
    reply: Reply = yield Ask("POST", "taskrouter", tasks_path(workspace, task), params, if_match=version)
    return reply
