"""What the engine thinks of every worker for one task: chosen or not, and why (issue 3, point 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ringback.resources.taskrouter.reservation import Reservation
from ringback.taskrouter import assignment
from ringback.taskrouter.journal import iso
from ringback.taskrouter.live import LiveTask, LiveWorker
from ringback.taskrouter.workspace import LiveWorkspace

CHOSEN = {
    "pending": ("offered", "has been offered the task"),
    "accepted": ("accepted", "has accepted the task"),
    "wrapping": ("wrapping", "has finished the task but for its notes"),
    "completed": ("completed", "has completed the task"),
}
"""State of their reservation → reason and words."""


@dataclass(slots=True)
class Verdict:
    """One worker."""

    worker: LiveWorker
    chosen: bool
    """They hold the task, were offered it, or have completed it."""
    reason: str
    words: str
    rank: int | None = None
    """Their place, from 1, among those who could take the task now."""
    near: tuple[Any, ...] = ()
    """Smaller is nearer to the task."""


def verdicts(workspace: LiveWorkspace, task: LiveTask) -> list[Verdict]:
    """Every worker of the workspace, nearest first: chosen, free in the order of ``assignment.rank``, then those
    whom the fewest checks stop."""
    mine: dict[str, Reservation] = {}
    for sid in task.reservations:
        each = workspace.reservations[sid]
        mine[each.worker_sid] = each
    waits = task.waits or task.record.assignment_status in ("pending", "reserved")
    found: list[Verdict] = []
    free: list[tuple[tuple[Any, ...], Verdict]] = []
    for worker in workspace.workers.values():
        verdict = _chosen(worker, mine.get(worker.record.sid))
        if verdict is None and not waits:
            verdict = _over(task, worker, mine.get(worker.record.sid))
        if verdict is None:
            verdict = _waiting(workspace, task, worker)
            if verdict is None:
                verdict = Verdict(worker, False, "", "")
                free.append((assignment.rank(workspace, task, worker), verdict))
        found.append(verdict)
    free.sort(key=lambda one: one[0])
    for place, (_, verdict) in enumerate(free, 1):
        verdict.rank, verdict.near = place, (1, place)
        verdict.reason, verdict.words = _second(workspace, task, verdict.worker, place)
    return sorted(found, key=lambda one: (*one.near, one.worker.record.sid))


def _chosen(worker: LiveWorker, reservation: Reservation | None) -> Verdict | None:
    if reservation is None or reservation.reservation_status not in CHOSEN:
        return None
    reason, words = CHOSEN[reservation.reservation_status]
    return Verdict(worker, True, reason, f"{words} since {iso(reservation.date_updated)}", near=(0, 0))


def _over(task: LiveTask, worker: LiveWorker, reservation: Reservation | None) -> Verdict:
    status = task.record.assignment_status
    words = f"the task is {status}: nobody is asked any more"
    if reservation is None:
        return Verdict(worker, False, "not_waiting", words, near=(3, 0))
    ended = reservation.reservation_status
    return Verdict(worker, False, ended, f"their reservation ended as {ended}; {words}", near=(2, 0))


def _waiting(workspace: LiveWorkspace, task: LiveTask, worker: LiveWorker) -> Verdict | None:
    """What stops them while the task waits; None: nothing, they could take it."""
    record = task.record
    if (record.routing_target or "").startswith("WK") and not task.waits:
        if worker.record.sid != record.routing_target:
            return Verdict(
                worker, False, "routed_to_one_worker", "the task is for another worker alone", near=(3, 0)
            )
        words = "the task is for them alone, and they are away or full"
        return Verdict(worker, False, "not_free", words, near=(1, 0))
    if record.task_queue_sid not in workspace.queues:
        return Verdict(worker, False, "no_queue", "the task stands in no queue", near=(3, 0))
    reason = assignment.obstacle(workspace, task, worker)
    if reason is None:
        return None
    place = next(index for index, check in enumerate(assignment.CHECKS) if check[0] == reason)
    return Verdict(worker, False, reason, assignment.CHECKS[place][1], near=(2, -place))


def _second(workspace: LiveWorkspace, task: LiveTask, worker: LiveWorker, place: int) -> tuple[str, str]:
    """Why somebody who could take it has not got it."""
    if task.record.target_over:
        return "target_over", "the time of the target is over; only the open reservation is waited for"
    if not task.open:
        return "next", f"could take it, and comes as no. {place}"
    offers = [workspace.reservations[sid] for sid in sorted(task.open)]
    names = ", ".join(each.worker_name for each in offers)
    offered = min(each.date_created for each in offers)
    channel = worker.channels[task.record.task_channel_sid]
    if max(worker.record.date_status_changed, channel.date_updated) > offered:
        return "free_later", f"became free after the task had been offered to {names}"
    ordered = task.target.order_by if task.target is not None else None
    if ordered is not None:
        return "order_by", f"comes after {names} by {ordered.text}, then by idleness"
    return "longest_idle", f"longest idle was {names}"
