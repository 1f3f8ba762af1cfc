"""Lists, a page at a time (taskrouter-js.md §4, "Lists answer").

Without ``Ordering`` the order is that of the SIDs and ``AfterSid`` goes on; with it, ``NextToken`` does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.web.event_bridge import whole
from ringback.web.event_bridge.workspaces import LiveWorkspace, Matches

PAGE_LIMIT: Final = 1000
ACTIVE: Final = ("pending", "accepted", "wrapping")
TRUE: Final = ("true", "1", "yes")
Compile = Callable[[str, str], Matches]
"""Compiles an expression of a scope (``worker``); raises ``ValueError`` with the position."""


def activities(workspace: LiveWorkspace, params: Mapping[str, str]) -> tuple[list[Any], dict[str, Any]]:
    """The workspace's activities: the page's records, and the payload."""
    page, after = _after(list(workspace.activities.values()), params, "WA")
    return page, _payload([whole.activity(each) for each in page], after)


def channels(
    workspace: LiveWorkspace, worker_sid: str, params: Mapping[str, str]
) -> tuple[list[Any], dict[str, Any]]:
    """A worker's channels."""
    page, after = _after(list(workspace.workers[worker_sid].channels.values()), params, "WC")
    return page, _payload([whole.channel(each) for each in page], after)


def reservations(
    workspace: LiveWorkspace, worker_sid: str, params: Mapping[str, str], now: float
) -> tuple[list[Any], dict[str, Any]]:
    """A worker's reservations with their tasks: the live ones, or by ``ReservationStatus`` (comma-separated)."""
    if params.get("Active", "").lower() in TRUE:
        states: Sequence[str] = ACTIVE
    else:
        states = [each.strip() for each in params.get("ReservationStatus", "").split(",") if each.strip()]
    if states and set(states) <= set(ACTIVE):
        found = [workspace.reservations[sid] for sid in workspace.workers[worker_sid].held]
    else:
        found = [each for each in workspace.reservations.values() if each.worker_sid == worker_sid]
    chosen = [each for each in found if not states or each.reservation_status in states]
    page, after = _after(chosen, params, "WR")
    contents = []
    for each in page:
        task = workspace.tasks.get(each.task_sid)
        contents.append(whole.reservation(each, task.record if task is not None else None, now))
    return page, _payload(contents, after)


def workers(
    workspace: LiveWorkspace, params: Mapping[str, str], compile_expression: Compile
) -> dict[str, Any]:
    """Workers of the workspace. Raises ``Refused`` 20001 for a malformed filter."""
    wanted = {
        name: params[param]
        for param, name in (
            ("FriendlyName", "friendly_name"), ("ActivitySid", "activity_sid"), ("ActivityName", "activity_name"),
        )
        if params.get(param)
    }  # fmt: skip
    for param, prefix in (("ActivitySid", "WA"), ("TaskQueueSid", "WQ")):
        _of_kind(params, param, prefix)
    workers = list(workspace.workers.values())
    if params.get("Available"):
        available = params["Available"].lower() in TRUE
        workers = [worker for worker in workers if worker.record.available == available]
    if params.get("TaskQueueSid") or params.get("TaskQueueName"):
        members = _members(workspace, params.get("TaskQueueSid", ""), params.get("TaskQueueName", ""))
        workers = [worker for worker in workers if worker.record.sid in members]
    if params.get("TargetWorkersExpression"):
        try:
            matches = compile_expression(params["TargetWorkersExpression"], "worker")
        except ValueError as error:
            raise Refused(20001, f"Invalid TargetWorkersExpression: {error}") from None
        workers = [worker for worker in workers if matches(worker.attributes, {}, {})]
    found = [worker.record for worker in workers]
    for name, value in wanted.items():
        found = [each for each in found if getattr(each, name) == value]
    return _ordered(found, params, {"DateStatusChanged": "date_status_changed"}, whole.worker, "WK")


def queues(workspace: LiveWorkspace, params: Mapping[str, str]) -> dict[str, Any]:
    """Task queues of the workspace. Raises ``Refused`` 20001 for a malformed filter."""
    for param, prefix in (("WorkerSid", "WK"), ("TaskQueueSid", "WQ")):
        _of_kind(params, param, prefix)
    queues = list(workspace.queues.values())
    if params.get("WorkerSid"):
        queues = [queue for queue in queues if params["WorkerSid"] in queue.members]
    found = [queue.record for queue in queues]
    for param, name in (
        ("FriendlyName", "friendly_name"),
        ("TaskQueueName", "friendly_name"),
        ("TaskQueueSid", "sid"),
    ):
        if params.get(param):
            found = [each for each in found if getattr(each, name) == params[param]]
    return _ordered(found, params, {"DateUpdated": "date_updated"}, whole.queue, "WQ")


def _members(workspace: LiveWorkspace, sid: str, name: str) -> set[str]:
    return {
        worker
        for queue in workspace.queues.values()
        if (not sid or queue.record.sid == sid) and (not name or queue.record.friendly_name == name)
        for worker in queue.members
    }


def _ordered(
    records: list[Any], params: Mapping[str, str], orders: Mapping[str, str], show: Callable[[Any], Any], prefix: str
) -> dict[str, Any]:  # fmt: skip
    """A page by ``Ordering`` (``Name:asc`` or ``Name:desc``), or by SID without."""
    ordering = params.get("Ordering", "")
    if not ordering:
        page, after = _after(records, params, prefix)
        return _payload([show(each) for each in page], after)
    name, _, direction = ordering.partition(":")
    if name not in orders or direction not in ("", "asc", "desc"):
        known = ", ".join(f"{each}:asc, {each}:desc" for each in orders)
        raise Refused(20001, f"Ordering must be one of {known}, not {ordering[:40]!r}")
    records.sort(key=lambda each: each.sid)
    records.sort(key=lambda each: getattr(each, orders[name]), reverse=direction == "desc")
    token = params.get("NextToken", "")
    if token and not (token.isascii() and token.isdigit() and len(token) < 8):
        raise Refused(20001, "Invalid NextToken")
    begin, size = int(token or 0), _size(params)
    following = str(begin + size) if begin + size < len(records) else None
    payload = _payload([show(each) for each in records[begin : begin + size]], None)
    return {**payload, "meta": {"next_token": following}}


def _of_kind(params: Mapping[str, str], param: str, prefix: str) -> None:
    """Raises ``Refused`` 20001 for a SID of another kind than the list's; one that is gone meanwhile is fine."""
    given = params.get(param, "")
    if given and not is_sid(given, prefix):
        raise Refused(20001, f"{param} must be a SID that begins with {prefix}, not {given[:40]!r}")


def _after(
    records: list[Any], params: Mapping[str, str], prefix: str
) -> tuple[list[Any], str | None]:  # fmt: skip
    """The page after ``AfterSid``, and the SID to go on from."""
    _of_kind(params, "AfterSid", prefix)
    records.sort(key=lambda each: each.sid)
    begin = bisect_right(records, params.get("AfterSid", ""), key=lambda each: each.sid)
    page = records[begin : begin + _size(params)]
    return page, page[-1].sid if begin + len(page) < len(records) else None


def _size(params: Mapping[str, str]) -> int:
    text = params.get("PageSize", "")
    if not text:
        return PAGE_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) > 0):
        raise Refused(20001, "PageSize must be a positive number")
    return min(int(text), PAGE_LIMIT)


def _payload(contents: list[Any], after: str | None) -> dict[str, Any]:
    return {"contents": contents, "after_sid": after}
