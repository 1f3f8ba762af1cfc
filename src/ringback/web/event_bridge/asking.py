"""The POSTs: which paths there are, who may ask them, and what they answer (taskrouter-js.md §4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.telephony import TaskTransfer
from ringback.web.event_bridge import lists, translation, whole
from ringback.web.event_bridge.sessions import Sessions
from ringback.web.event_bridge.workspaces import LiveWorkspace, Matches, TaskRouter
from ringback.web.grant import Grant

ANYBODY, THEMSELVES, THEIR_TASK, LEADER = "anybody", "themselves", "their task", "leader"
"""Who may ask: every token of the workspace; the worker of the path; who has, or had, the task of the path; a
supervisor or administrator. Leaders may ask everything."""
THEIRS: Final = frozenset({"pending", "accepted", "wrapping", "completed"})
"""States of a reservation whose worker may change its task; who only was offered it may read it."""
OVER: Final = frozenset({"completed", "canceled"})
"""States of a task that nobody can change: that is what everybody who was offered it is told."""

# method, path below the workspace, who, name of the method of Asking
_ROUTES: Final = (
    ("GET", "Activities", ANYBODY, "activities"),
    ("GET", "Workers", LEADER, "workers"),
    ("GET", "Workers/{WK}", THEMSELVES, "worker"),
    ("POST", "Workers/{WK}", THEMSELVES, "change_worker"),
    ("GET", "Workers/{WK}/WorkerChannels", THEMSELVES, "channels"),
    ("GET", "Workers/{WK}/Reservations", THEMSELVES, "reservations"),
    ("GET", "Workers/{WK}/Reservations/{WR}", THEMSELVES, "reservation"),
    ("POST", "Workers/{WK}/Reservations/{WR}", THEMSELVES, "change_reservation"),
    ("POST", "Workers/{WK}/Transfers", THEMSELVES, "transfer"),
    ("POST", "Workers/{WK}/Transfers/{TT}", THEMSELVES, "change_transfer"),
    ("POST", "Workers/{WK}/WorkerParticipant", THEMSELVES, "participant"),
    ("POST", "Workers/{WK}/CustomerParticipant", THEMSELVES, "participant"),
    ("POST", "Workers/{WK}/HoldWorkerParticipant", THEMSELVES, "participant"),
    ("POST", "Workers/{WK}/KickWorkerParticipant", THEMSELVES, "participant"),
    ("GET", "TaskQueues", LEADER, "queues"),
    ("GET", "TaskQueues/{WQ}", LEADER, "queue"),
    ("POST", "Tasks", ANYBODY, "create_task"),
    ("GET", "Tasks/{WT}", THEIR_TASK, "task"),
    ("POST", "Tasks/{WT}", THEIR_TASK, "change_task"),
    ("GET", "Tasks/{WT}/Reservations/{WR}", LEADER, "reservation"),
    ("POST", "Tasks/{WT}/Reservations/{WR}", LEADER, "change_reservation"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, read."""

    grant: Grant
    workspace: LiveWorkspace
    noun: str
    """The last word of the path that is no SID."""
    sids: Mapping[str, str]
    """``WK``, ``WT`` … of the path."""
    params: Mapping[str, str]
    if_match: str | None
    ip: str
    now: float


class Asking:
    """Carries requests out."""

    def __init__(
        self,
        *,
        taskrouter: TaskRouter,
        ask: Callable[[WorkspaceWriteRequested], Awaitable[Any]],
        now: Callable[[], float],
        new_sid: Callable[[str], str],
        compile_expression: Callable[[str, str], Matches],
        sessions: Sessions,
    ) -> None:
        self._taskrouter, self._ask, self._now, self._new_sid = taskrouter, ask, now, new_sid
        self._compile, self._sessions = compile_expression, sessions

    async def carry_out(
        self, grant: Grant, method: str, url: str, given: Mapping[str, Any], if_match: str | None, ip: str
    ) -> Any:
        """The payload of the answer. Raises ``Refused``: 403 for what is not allowed, 20404 for what there is not."""
        parts = url.strip("/").split("/")
        if len(parts) < 3 or parts[0] != "Workspaces" or not all(parts):
            raise Refused(20404, f"The requested resource {url[:200]} was not found", 404)
        if parts[1] != grant.workspace_sid:
            raise Refused(20003, "The access token is for another workspace", 403)
        name, who, sids, noun = _route(method, parts[2:])
        workspace = self._taskrouter.workspaces.get(grant.workspace_sid)
        if workspace is None:
            raise _missing("workspace", grant.workspace_sid)
        ask = Ask(
            grant=grant, workspace=workspace, noun=noun, sids=sids, params=translation.read_params(given),
            if_match=if_match, ip=ip, now=self._now(),
        )  # fmt: skip
        _check(ask, who, method)
        return await getattr(self, name)(ask)

    # --- reading ----------------------------------------------------------------------------------------

    async def activities(self, ask: Ask) -> Any:
        """The workspace's activities."""
        page, payload = lists.activities(ask.workspace, ask.params)
        self._sessions.shown(ask.grant.worker_sid, "activities", page, last=payload["after_sid"] is None)
        return payload

    async def worker(self, ask: Ask) -> Any:
        """A worker."""
        record = ask.workspace.workers[ask.sids["WK"]].record
        if record.sid == ask.grant.worker_sid:
            self._sessions.shown(record.sid, "worker", [record])
        return whole.worker(record)

    async def channels(self, ask: Ask) -> Any:
        """A worker's channels."""
        sid = ask.sids["WK"]
        page, payload = lists.channels(ask.workspace, sid, ask.params)
        if sid == ask.grant.worker_sid:
            self._sessions.shown(sid, "channels", page, last=payload["after_sid"] is None)
        return payload

    async def reservations(self, ask: Ask) -> Any:
        """A worker's reservations."""
        sid = ask.sids["WK"]
        page, payload = lists.reservations(ask.workspace, sid, ask.params, ask.now)
        if sid == ask.grant.worker_sid and ask.params.get("Active", "").lower() in lists.TRUE:
            tasks = [ask.workspace.tasks.get(each.task_sid) for each in page]
            records = [*page, *(task.record for task in tasks if task is not None)]
            last = payload["after_sid"] is None
            session = self._sessions.shown(sid, "reservations", records, last=last)
            if session is not None:
                session.knows((each.sid, each.task_sid) for each in page)
        return payload

    async def reservation(self, ask: Ask) -> Any:
        """One reservation, with its task."""
        return self._whole_reservation(ask, _reservation(ask))

    async def task(self, ask: Ask) -> Any:
        """A task."""
        return self._whole_task(ask, _task(ask).record)

    async def workers(self, ask: Ask) -> Any:
        """Workers of the workspace."""
        return lists.workers(ask.workspace, ask.params, self._compile)

    async def queues(self, ask: Ask) -> Any:
        """Task queues of the workspace."""
        return lists.queues(ask.workspace, ask.params)

    async def queue(self, ask: Ask) -> Any:
        """A task queue."""
        queue = ask.workspace.queues.get(ask.sids["WQ"])
        if queue is None:
            raise _missing("task queue", ask.sids["WQ"])
        return whole.queue(queue.record)

    # --- writing ----------------------------------------------------------------------------------------

    async def change_worker(self, ask: Ask) -> Any:
        """Activity or attributes."""
        return whole.worker(await self._write(ask, "Worker", "update", ask.sids["WK"]))

    async def change_reservation(self, ask: Ask) -> Any:
        """A new state, or an instruction."""
        sid = _reservation(ask).sid
        changed = await self._write(ask, "Reservation", "update", sid)
        return self._whole_reservation(ask, changed, transfers=False)

    async def create_task(self, ask: Ask) -> Any:
        """A task; a worker's token makes tasks for themselves only (outbound calls)."""
        if not ask.grant.leads and ask.params.get("RoutingTarget") != ask.grant.worker_sid:
            raise Refused(20003, "A worker may create tasks for themselves only (RoutingTarget)", 403)
        return whole.task(await self._write(ask, "Task", "create", self._new_sid("WT")), ask.now)

    async def change_task(self, ask: Ask) -> Any:
        """State, attributes, place in line."""
        return whole.task(await self._write(ask, "Task", "update", _task(ask).record.sid), ask.now)

    async def transfer(self, ask: Ask) -> Any:
        """Begin a transfer; ``WorkerSid`` tells the core who begins it."""
        made = await self._write(ask, "Transfer", "create", self._new_sid("TT"), WorkerSid=ask.sids["WK"])
        return self._whole_transfer(ask, made)

    async def change_transfer(self, ask: Ask) -> Any:
        """Cancel it."""
        made = await self._write(ask, "Transfer", "update", ask.sids["TT"], WorkerSid=ask.sids["WK"])
        return self._whole_transfer(ask, made)

    async def participant(self, ask: Ask) -> Any:
        """A leg of the task's conference: the customer's, the worker's own, another worker's."""
        await self._write(ask, ask.noun, "update", ask.sids["WK"], WorkerSid=ask.sids["WK"])
        sid = ask.params.get("TaskSid", "")
        if not sid and "ReservationSid" in ask.params:
            sid = ask.workspace.reservations[ask.params["ReservationSid"]].task_sid
        task = ask.workspace.tasks.get(sid)
        return whole.task(task.record, ask.now) if task is not None else {}

    async def _write(self, ask: Ask, noun: str, operation: Any, sid: str, **more: str) -> Any:
        params = {**ask.params, **more}
        request = translation.request(
            noun, operation, sid, params, ask.grant, if_match=ask.if_match, ip=ask.ip
        )
        return await self._ask(request)

    def _whole_task(self, ask: Ask, record: Any) -> Any:
        """As it looks to the worker who asks: reserved to whom it is being transferred."""
        live = ask.workspace.tasks.get(record.sid)
        own = (ask.workspace.reservations.get(sid) for sid in (live.reservations if live is not None else ()))
        offered = any(
            each.worker_sid == ask.grant.worker_sid and whole.is_offered(each, record) for each in own if each
        )
        return whole.task(record, ask.now, offered=offered)

    def _whole_reservation(self, ask: Ask, record: Any, *, transfers: bool = True) -> Any:
        task = ask.workspace.tasks.get(record.task_sid)
        its_task = task.record if task is not None else None
        return whole.reservation(record, its_task, self._now(), transfers=transfers)

    def _whole_transfer(self, ask: Ask, made: TaskTransfer) -> Any:
        task = ask.workspace.tasks.get(ask.params.get("TaskSid", ""))
        return whole.transfer(made, task.record if task is not None else None)


def _route(method: str, parts: list[str]) -> tuple[str, str, dict[str, str], str]:
    """Method of :class:`Asking`, who may ask, SIDs of the path, its last word. Raises ``Refused`` 20404, 20004."""
    known = False
    for verb, path, who, name in _ROUTES:
        pattern = path.split("/")
        if len(pattern) != len(parts):
            continue
        sids = {
            one.strip("{}"): other[:2] + other[2:].lower()
            for one, other in zip(pattern, parts, strict=True)
            if one.startswith("{")
        }
        fixed = all(one == other or one.startswith("{") for one, other in zip(pattern, parts, strict=True))
        if not fixed or not all(sid.startswith(kind) for kind, sid in sids.items()):
            continue
        if verb == method:
            words = [one for one in pattern if not one.startswith("{")]
            return name, who, sids, words[-1]
        known = True
    if known:
        raise Refused(20004, f"Method {method[:10]} is not allowed for {'/'.join(parts)[:200]}", 405)
    raise Refused(20404, f"The requested resource {'/'.join(parts)[:200]} was not found", 404)


def _check(ask: Ask, who: str, method: str) -> None:
    """Raises ``Refused`` 403 for what the token does not allow, 20404 for what there is not."""
    grant, workspace, params = ask.grant, ask.workspace, ask.params
    if not grant.leads:
        if who == LEADER or (who == THEMSELVES and ask.sids["WK"] != grant.worker_sid):
            raise Refused(20003, "The access token does not allow this", 403)
        named = params.get("TaskSid") if who == THEMSELVES else None
        task_sid = ask.sids.get("WT") if who == THEIR_TASK else named
        if (
            task_sid
            and task_sid in workspace.tasks
            and not _theirs(workspace, task_sid, grant.worker_sid, method)
        ):
            raise Refused(20003, "The access token does not allow this task", 403)
    if "WK" in ask.sids:
        if ask.sids["WK"] not in workspace.workers:
            raise _missing("worker", ask.sids["WK"])
        named = params.get("ReservationSid")
        if named is not None:
            found = workspace.reservations.get(named)
            if found is None or found.worker_sid != ask.sids["WK"]:
                raise _missing("reservation", named)


def _theirs(workspace: LiveWorkspace, task_sid: str, worker_sid: str, method: str) -> bool:
    task = workspace.tasks[task_sid]
    reads = method == "GET" or task.record.assignment_status in OVER
    found = (workspace.reservations.get(sid) for sid in task.reservations)
    states = {each.reservation_status for each in found if each is not None and each.worker_sid == worker_sid}
    return bool(states if reads else states & THEIRS)


def _reservation(ask: Ask) -> Any:
    """The reservation of the path, which must be of the path's worker or task."""
    found = ask.workspace.reservations.get(ask.sids["WR"])
    owner = found and (found.worker_sid if "WK" in ask.sids else found.task_sid)
    if owner != ask.sids.get("WK", ask.sids.get("WT")):
        raise _missing("reservation", ask.sids["WR"])
    return found


def _task(ask: Ask) -> Any:
    found = ask.workspace.tasks.get(ask.sids["WT"])
    if found is None:
        raise _missing("task", ask.sids["WT"])
    return found


def _missing(kind: str, sid: str) -> Refused:
    return Refused(20404, f"The requested {kind} {sid[:64]} was not found", 404)
