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
from ringback.web.taskrouter.floors import Floor, floor_of, normal
from ringback.web.taskrouter.live import DeskRules
from ringback.web.taskrouter.selection import Selection, identity, in_order, page_of

LIVE = frozenset({"pending", "accepted", "wrapping"})
STATUSES = (*sorted(LIVE), "rejected", "timeout", "canceled", "rescinded", "completed")


class ReservationRules(DeskRules):
    """Reservations, oldest first; those of tasks that have been removed are gone with them."""

    noun = Reservation

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
        floor = floor_of(self.ports.desk, ctx)
        status = several(ctx.params, "ReservationStatus", STATUSES)
        chosen = Selection(
            entries=_candidates(ctx, floor, status), record=identity, find=floor.reservations.get,
            tests=[
                *declared(query, without=("reservation_status",), record=identity),
                *([lambda one: one.reservation_status in status] if status else []),
            ],
        )  # fmt: skip
        return await page_of(chosen, query)

    async def fetch(self, ctx: Context, word: str) -> Reservation | None:
        """By SID, when it is the task's or worker's of the path."""
        found = floor_of(self.ports.desk, ctx).reservations.get(normal(word))
        if found is None:
            return None
        wrong_task = found.task_sid != normal(ctx.args.get("TaskSid", found.task_sid))
        wrong_worker = found.worker_sid != normal(ctx.args.get("WorkerSid", found.worker_sid))
        return None if wrong_task or wrong_worker else found

    async def notification(self, ctx: Context) -> Answer:
        """``GET …/Reservations/{WR}/FailureNotification``; 20404 when there is none."""
        floor = floor_of(self.ports.desk, ctx)
        reservation = floor.reservations[ctx.args["ReservationSid"]]
        job = floor.tasks.get(reservation.task_sid)
        found = self.ports.notices.of_reservation(reservation, job.record if job is not None else None)
        url = f"{ctx.services.settings.public_url}/taskrouter{ctx.path.removesuffix('.json')}"
        return shown(ctx, found, {"url": url})


def _candidates(ctx: Context, floor: Floor, status: frozenset[str]) -> Iterable[Reservation]:
    """As few as may be: a task's own, a worker's live ones, else all."""
    if "TaskSid" in ctx.args:
        job = floor.tasks.get(normal(ctx.args["TaskSid"]))
        sids: Iterable[str] = job.reservations if job is not None else ()
        return [floor.reservations[sid] for sid in sids if sid in floor.reservations]
    agent = floor.workers.get(normal(ctx.args["WorkerSid"]))
    if agent is not None and status and status <= LIVE and not given(ctx.params, "PageToken"):
        return in_order(floor.reservations[sid] for sid in agent.held if sid in floor.reservations)
    return floor.reservations.values()
