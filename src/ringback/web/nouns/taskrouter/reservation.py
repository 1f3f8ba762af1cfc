"""Reservations: read of a task, or of a worker (taskrouter.md §4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ringback.resources.taskrouter.reservation import Reservation
from ringback.store import Page, Query
from ringback.web.outcomes import shown
from ringback.web.rest.answer import Answer
from ringback.web.rest.context import Context
from ringback.web.rest.rules import Extra
from ringback.web.taskrouter.filters import declared, given, several
from ringback.web.taskrouter.selection import Selection, identity, in_order, page_of
from ringback.web.taskrouter.workspaces import LiveWorkspace, normal, workspace_of
from ringback.web.taskrouter.writes import TaskRouterRules

LIVE = frozenset({"pending", "accepted", "wrapping"})
STATUSES = (*sorted(LIVE), "rejected", "timeout", "canceled", "rescinded", "completed")


class ReservationRules(TaskRouterRules):
    """Reservations, oldest first; those of tasks that have been removed are gone with them."""

    noun = Reservation
    audited = frozenset()

    @property
    def extras(self) -> Sequence[Extra]:
        """The notification of a failed outbound call (call-outcomes.md §7)."""
        root, leaf = "/v1/Workspaces/{WorkspaceSid}", "/Reservations/{ReservationSid}/FailureNotification"
        return [
            Extra(f"{root}/{owner}{leaf}", {"GET": "fetch"}, self.notification)
            for owner in ("Tasks/{TaskSid}", "Workers/{WorkerSid}")
        ]

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list. Filters: ReservationStatus, and WorkerSid in a task's view."""
        workspace = workspace_of(self.ports.taskrouter, ctx)
        status = several(ctx.params, "ReservationStatus", STATUSES)
        chosen = Selection(
            entries=_candidates(ctx, workspace, status), record=identity, find=workspace.reservations.get,
            tests=[
                *declared(query, without=("reservation_status",), record=identity),
                *([lambda one: one.reservation_status in status] if status else []),
            ],
        )  # fmt: skip
        return await page_of(chosen, query)

    async def fetch(self, ctx: Context, word: str) -> Reservation | None:
        """By SID, when it is the task's or worker's of the path."""
        found = workspace_of(self.ports.taskrouter, ctx).reservations.get(normal(word))
        if found is None:
            return None
        wrong_task = found.task_sid != normal(ctx.args.get("TaskSid", found.task_sid))
        wrong_worker = found.worker_sid != normal(ctx.args.get("WorkerSid", found.worker_sid))
        return None if wrong_task or wrong_worker else found

    async def notification(self, ctx: Context) -> Answer:
        """``GET …/Reservations/{WR}/FailureNotification``; 20404 when there is none."""
        workspace = workspace_of(self.ports.taskrouter, ctx)
        reservation = workspace.reservations[ctx.args["ReservationSid"]]
        task = workspace.tasks.get(reservation.task_sid)
        found = self.ports.notices.of_reservation(reservation, task.record if task is not None else None)
        url = f"{ctx.services.settings.public_url}/taskrouter{ctx.path.removesuffix('.json')}"
        return shown(ctx, found, {"url": url})


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
