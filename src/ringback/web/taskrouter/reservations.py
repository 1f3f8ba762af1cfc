"""Where reservations are read: of a task, or of a worker (taskrouter.md §4)."""

from __future__ import annotations

from collections.abc import Iterable

from ringback.resources.taskrouter.reservation import Reservation
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.taskrouter.filters import declared, given, several
from ringback.web.taskrouter.selection import Selection, identity, in_order, page_of
from ringback.web.taskrouter.workspaces import LiveWorkspace, TaskRouter, normal, workspace_of

LIVE = frozenset({"pending", "accepted", "wrapping"})
STATUSES = (*sorted(LIVE), "rejected", "timeout", "canceled", "rescinded", "completed")


class ReservationSource:
    """Reservations, oldest first; those of tasks that have been removed are gone with them."""

    def __init__(self, taskrouter: TaskRouter) -> None:
        self._taskrouter = taskrouter

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list. Filters: ReservationStatus, and WorkerSid in a task's view."""
        workspace = workspace_of(self._taskrouter, ctx)
        status = several(ctx.params, "ReservationStatus", STATUSES)
        chosen = Selection(
            entries=_candidates(ctx, workspace, status), record=identity, find=workspace.reservations.get,
            tests=[
                *declared(query, without=("reservation_status",), record=identity),
                *([lambda one: one.reservation_status in status] if status else []),
            ],
        )  # fmt: skip
        return await page_of(chosen, query)

    async def fetch(self, ctx: Context, sid: str) -> Reservation | None:
        """By SID, when it is the task's or worker's of the path."""
        found = workspace_of(self._taskrouter, ctx).reservations.get(normal(sid))
        if found is None:
            return None
        wrong_task = found.task_sid != normal(ctx.args.get("TaskSid", found.task_sid))
        wrong_worker = found.worker_sid != normal(ctx.args.get("WorkerSid", found.worker_sid))
        return None if wrong_task or wrong_worker else found


def _candidates(ctx: Context, workspace: LiveWorkspace, status: frozenset[str]) -> Iterable[Reservation]:
    """As few as may be: a task's own, a worker's live ones, else all."""
    if "TaskSid" in ctx.args:
        task = workspace.tasks.get(normal(ctx.args["TaskSid"]))
        sids: Iterable[str] = task.reservations if task is not None else ()
        return [workspace.reservations[sid] for sid in sids if sid in workspace.reservations]
    worker = workspace.workers.get(normal(ctx.args["WorkerSid"]))
    if worker is not None and status and status <= LIVE and not given(ctx.params, "PageToken"):
        return in_order(workspace.reservations[sid] for sid in worker.held if sid in workspace.reservations)
    return workspace.reservations.values()
