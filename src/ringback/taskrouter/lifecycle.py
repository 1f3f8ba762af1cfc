"""The lives of tasks and reservations: every change of state, with all that follows from it (taskrouter.md §3, §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringback.effects import Delete, Post
from ringback.effects.taskrouter import AskAssignment
from ringback.events import HangUpRequested
from ringback.resources.taskrouter.reservation import Reservation
from ringback.taskrouter.floor import Agent, Floor, Job
from ringback.taskrouter.journal import happened, iso
from ringback.taskrouter.machine import RESERVATION_LIVE, reservation_step, task_step

if TYPE_CHECKING:
    from ringback.resources.taskrouter.task import Task

ASSIGNED_LIMIT = 86_400.0
"""Seconds that a task may stay assigned (§3)."""
CYCLE_LIMIT = 1000
"""Times that a task may go from pending to reserved (§7)."""
CYCLES_OVER = "Task TTL Exceeded or Max assignment count exceeded"
ENDED = "The task ended meanwhile"
DECLINED = "The worker to whom the task was routed did not take it"
RETRY_AFTER = 5.0
"""Seconds before a worker whose phone could not be reached is offered the same task again."""


def set_task(floor: Floor, job: Job, event: str) -> None:
    """Step the task's state; raises :class:`Refused` when that is illegal."""
    task = job.record
    before = task.assignment_status
    task.assignment_status = task_step(before, event, task.sid)
    if task.assignment_status != before:
        task.status_since = floor.now
        if task.assignment_status == "assigned":
            floor.agenda.add(floor.now + ASSIGNED_LIMIT, "assigned", task.sid, floor.now)
    floor.save(task)


def _end(floor: Floor, reservation: Reservation, event: str, kind: str) -> None:
    """A reservation's step with its event; capacity is freed, and a ringing phone stops, when it is over."""
    if reservation.reservation_status == "pending" and reservation.call_sid and reservation.instruction:
        floor.do(Post(HangUpRequested(call_sid=reservation.call_sid, reason="api")))
    reservation.reservation_status = reservation_step(reservation.reservation_status, event, reservation.sid)
    floor.save(reservation)
    job = floor.tasks[reservation.task_sid]
    job.open.discard(reservation.sid)
    if reservation.reservation_status not in RESERVATION_LIVE:
        floor.occupy(reservation, -1)
    tell(floor, reservation, kind)


def tell(floor: Floor, reservation: Reservation, kind: str) -> None:
    """Record an event about a reservation."""
    agent = floor.workers.get(reservation.worker_sid)
    job = floor.tasks[reservation.task_sid]
    happened(
        floor, kind, task=job.record, reservation=reservation, worker=agent.record if agent is not None else None
    )  # fmt: skip


# --- reservations ----------------------------------------------------------------------------------------------


def reserve(
    floor: Floor, job: Job, agent: Agent, queue_sid: str | None, transfer_sid: str | None = None
) -> bool:
    """Offer the task to the worker. False: the task had been offered too often and is canceled instead."""
    task = job.record
    if not job.open and task.assignment_status == "pending":
        if task.cycles >= CYCLE_LIMIT:
            cancel_task(floor, job, CYCLES_OVER)
            return False
        task.cycles += 1
    plan = floor.workflows.get(task.workflow_sid or "")
    timeout = plan.record.task_reservation_timeout if plan is not None else 120
    reservation = Reservation(
        sid=floor.new_sid("WR"), account_sid=task.account_sid, date_created=floor.now,
        workspace_sid=task.workspace_sid, task_sid=task.sid, worker_sid=agent.record.sid,
        worker_name=agent.record.friendly_name, expires_at=floor.now + timeout, task_queue_sid=queue_sid,
        task_channel_sid=task.task_channel_sid, transfer_sid=transfer_sid,
    )  # fmt: skip
    floor.add_reservation(reservation)
    floor.save(reservation)
    floor.occupy(reservation, 1)
    floor.save(agent.record)  # clients count a worker's version on with every offer (taskrouter-js.md §3)
    if task.assignment_status in ("pending", "reserved"):
        set_task(floor, job, "reserve")
    floor.agenda.add(reservation.expires_at, "expire", reservation.sid)
    tell(floor, reservation, "reservation.created")
    _legacy(floor, reservation, "reservation")
    if plan is not None and plan.record.assignment_callback_url:
        floor.do(
            AskAssignment(
                workspace_sid=floor.workspace.sid, account_sid=task.account_sid, reservation_sid=reservation.sid,
                url=plan.record.assignment_callback_url,
                fallback_url=plan.record.fallback_assignment_callback_url,
                params=_assignment(floor, task, agent, reservation),
            )
        )  # fmt: skip
    return True


def _assignment(floor: Floor, task: Task, agent: Agent, reservation: Reservation) -> list[tuple[str, str]]:
    """What the assignment callback is told (§8)."""
    return [
        ("Timestamp", iso(floor.now)),
        ("AccountSid", task.account_sid),
        ("WorkspaceSid", task.workspace_sid),
        ("WorkflowSid", task.workflow_sid or ""),
        ("TaskQueueSid", reservation.task_queue_sid or task.task_queue_sid or ""),
        ("WorkerSid", agent.record.sid),
        ("WorkerAttributes", agent.record.attributes),
        ("TaskSid", task.sid),
        ("TaskAttributes", task.attributes),
        ("TaskAge", str(max(0, int(floor.now - task.date_created)))),
        ("TaskPriority", str(task.priority)),
        ("ReservationSid", reservation.sid),
        ("TaskChannelUniqueName", task.task_channel_unique_name),
        ("TaskChannelSid", task.task_channel_sid),
    ]


def accept(floor: Floor, reservation: Reservation) -> None:
    """Accepted: the task is assigned, whoever else was asked is rescinded. Raises :class:`Refused`."""
    step = reservation_step(reservation.reservation_status, "accept", reservation.sid)
    job = floor.tasks[reservation.task_sid]
    set_task(floor, job, "accept")
    reservation.reservation_status = step
    reservation.accepted_at = floor.now
    floor.save(reservation)
    job.open.discard(reservation.sid)
    if job.record.accepted_at is None:
        job.record.accepted_at = floor.now
    floor.step_out(job)
    tell(floor, reservation, "reservation.accepted")
    _legacy(floor, reservation, "assignment")
    for sid in sorted(job.open):
        _end(floor, floor.reservations[sid], "rescind", "reservation.rescinded")
    transfers.accepted(floor, job, reservation)


def _legacy(floor: Floor, reservation: Reservation, kind: str) -> None:
    """Single-task workspaces: the queue says in which activity a worker is who is offered, or has, a task (§2.4)."""
    pool = floor.queues.get(reservation.task_queue_sid or "")
    if floor.workspace.multi_task_enabled or pool is None:
        return
    activity = getattr(pool.record, f"{kind}_activity_sid")
    agent = floor.workers.get(reservation.worker_sid)
    if activity and agent is not None and activity in floor.activities:
        move_worker(floor, agent, activity)


def reject(floor: Floor, reservation: Reservation, activity_sid: str | None = None) -> None:
    """Rejected, by the worker or for him; he may go to another activity. Raises :class:`Refused`."""
    activity = floor.activity(activity_sid) if activity_sid else None
    reservation_step(reservation.reservation_status, "reject", reservation.sid)
    if activity is not None:
        move_worker(floor, floor.agent(reservation.worker_sid), activity.sid)
    _end(floor, reservation, "reject", "reservation.rejected")
    back_in_line(floor, floor.tasks[reservation.task_sid])


def expire(floor: Floor, reservation: Reservation) -> None:
    """Nobody answered: the worker goes to the workspace's timeout activity (§4)."""
    agent = floor.workers.get(reservation.worker_sid)
    if agent is not None and floor.workspace.timeout_activity_sid:
        move_worker(floor, agent, floor.workspace.timeout_activity_sid)
    _end(floor, reservation, "expire", "reservation.timeout")
    back_in_line(floor, floor.tasks[reservation.task_sid])


def cancel_reservation(
    floor: Floor, reservation: Reservation, code: int | None = None, *, retry: bool = True
) -> None:
    """Canceled because an instruction failed: the task goes back in line (not at once to the same worker)."""
    reservation.canceled_reason_code = code
    was = reservation.reservation_status
    _end(floor, reservation, "cancel", "reservation.canceled")
    job = floor.tasks[reservation.task_sid]
    if was == "pending" and retry:
        back_in_line(floor, job, unreachable=reservation.worker_sid)


def fail_task(floor: Floor, reservation: Reservation, code: int | None, reason: str) -> None:
    """A worker's outbound call failed: the reservation is canceled with its code, the task ends (§4, §9.6)."""
    job = floor.tasks[reservation.task_sid]
    state = job.record.assignment_status
    if reservation.reservation_status == "accepted" and reservation.call_sid:
        floor.do(Post(HangUpRequested(call_sid=reservation.call_sid, reason="api")))
    transfers.failed(floor, job, ENDED)
    reservation.canceled_reason_code = code
    _finish(floor, job, "cancel" if state in ("pending", "reserved") else "fail", reason)
    for each in _live(floor, job, RESERVATION_LIVE):
        _end(floor, each, "cancel", "reservation.canceled")
    happened(floor, "task.canceled", task=job.record)


def wrap(floor: Floor, reservation: Reservation) -> None:
    """The work is over but for its notes; the task follows when nobody works on it any more."""
    _end(floor, reservation, "wrap", "reservation.wrapup")
    job = floor.tasks[reservation.task_sid]
    busy = _live(floor, job, ("accepted", "pending")) or transfers.flying(job) is not None
    if job.record.assignment_status == "assigned" and not busy:
        set_task(floor, job, "wrap")
        happened(floor, "task.wrapup", task=job.record)


def complete(floor: Floor, reservation: Reservation, reason: str = "") -> None:
    """Done; with the last live reservation the task is completed too."""
    _end(floor, reservation, "complete", "reservation.completed")
    job = floor.tasks[reservation.task_sid]
    busy = _live(floor, job, RESERVATION_LIVE) or transfers.flying(job) is not None
    if job.record.assignment_status in ("assigned", "wrapping") and not busy:
        _finish(floor, job, "complete", reason or "Reservation completed")
        happened(floor, "task.completed", task=job.record)


def back_in_line(floor: Floor, job: Job, *, unreachable: str | None = None) -> None:
    """A reservation ended without success: pending again when it was the last, and looked at anew."""
    task = job.record
    if transfers.flying(job) is not None:
        transfers.attempt_failed(floor, job, transfers.DECLINED)
        return
    if job.open or task.assignment_status != "reserved":
        if task.assignment_status == "reserved" and not task.target_over:
            floor.line_up(job)
        return
    set_task(floor, job, "release")
    if (task.routing_target or "").startswith("WK"):
        happened(floor, "reservation.failed", task=task, reservation=floor.reservations[job.reservations[-1]])
        cancel_task(floor, job, DECLINED)
        return
    job.asked = {unreachable} if unreachable else set()
    if unreachable:
        floor.agenda.add(floor.now + RETRY_AFTER, "retry", task.sid)
    if task.target_over:  # it leaves for the next target at once and is not offered here again (§5.1 no. 5)
        floor.agenda.add(floor.now, "target", task.sid, task.target_entered)
        return
    floor.line_up(job)
    floor.dirty_tasks.add(task.sid)


def give_back(floor: Floor, reservation: Reservation) -> None:
    """Accepted, but the worker's leg was gone before the caller heard him: the caller waits, so the task does."""
    job = floor.tasks[reservation.task_sid]
    reservation.instruction = None
    _end(floor, reservation, "cancel", "reservation.canceled")
    if job.record.assignment_status == "assigned" and not _live(floor, job, RESERVATION_LIVE):
        set_task(floor, job, "release")
        job.asked = {reservation.worker_sid}
        floor.agenda.add(floor.now + RETRY_AFTER, "retry", job.record.sid)
        _clock_again(floor, job)
        floor.line_up(job)


def _clock_again(floor: Floor, job: Job) -> None:
    """It is pending again: what became due while it was assigned, and was passed over, is due."""
    task = job.record
    floor.agenda.add(max(floor.now, task.date_created + task.timeout), "ttl", task.sid)
    if job.target is not None and job.target.timeout is not None:
        due = max(floor.now, task.target_entered + job.target.timeout)
        floor.agenda.add(due, "target", task.sid, task.target_entered)


def _live(floor: Floor, job: Job, states: frozenset[str] | tuple[str, ...]) -> list[Reservation]:
    found = [floor.reservations[sid] for sid in job.reservations]
    return [each for each in found if each.reservation_status in states]


# --- tasks --------------------------------------------------------------------------------------------------------


def cancel_task(floor: Floor, job: Job, reason: str) -> None:
    """Canceled, with what was offered. A waiting caller stays in his queue: what becomes of him is the application's
    choice, which hears of it by ``task.canceled`` or ``workflow.timeout`` (ADR 0011). Raises :class:`Refused`."""
    task = job.record
    _finish(floor, job, "cancel", reason)
    for each in _live(floor, job, ("pending",)):
        _end(floor, each, "cancel", "reservation.canceled")
    happened(floor, "task.canceled", task=task)


def wrap_task(floor: Floor, job: Job, reason: str | None = None) -> None:
    """Wrapping by request: its accepted reservations wrap too. Raises :class:`Refused`."""
    task_step(job.record.assignment_status, "wrap", job.record.sid)
    transfers.failed(floor, job, ENDED)
    if reason:
        job.record.reason = reason
    for each in _live(floor, job, ("accepted",)):
        wrap(floor, each)
    if job.record.assignment_status == "assigned":
        set_task(floor, job, "wrap")
        happened(floor, "task.wrapup", task=job.record)


def complete_task(floor: Floor, job: Job, reason: str) -> None:
    """Completed by request, with its live reservations. Raises :class:`Refused`."""
    task_step(job.record.assignment_status, "complete", job.record.sid)
    transfers.failed(floor, job, ENDED)
    for each in _live(floor, job, ("pending",)):
        _end(floor, each, "cancel", "reservation.canceled")
    job.record.reason = reason
    for each in _live(floor, job, ("accepted", "wrapping")):
        _end(floor, each, "complete", "reservation.completed")
    _finish(floor, job, "complete", reason)
    happened(floor, "task.completed", task=job.record)


def _finish(floor: Floor, job: Job, event: str, reason: str) -> None:
    task = job.record
    set_task(floor, job, event)
    _stop_ringing(floor, job)
    task.reason = reason
    floor.step_out(job)
    floor.agenda.add(floor.now + floor.keep_ended, "remove", task.sid, floor.now)


def _stop_ringing(floor: Floor, job: Job) -> None:
    """The customer of an outbound task who has not answered yet is not called any longer."""
    known = job.record.conference or {}
    over = known.get("customer_answered") or known.get("customer_ended")
    if known.get("customer_call") and not over:
        floor.do(Post(HangUpRequested(call_sid=str(known["customer_call"]), reason="api")))


def delete_task(floor: Floor, job: Job, kind: str | None) -> None:
    """Remove the task with its reservations; ``kind``: the event that says so, None for the clean-up."""
    _stop_ringing(floor, job)
    for each in _live(floor, job, tuple(RESERVATION_LIVE)):
        _end(floor, each, "cancel", "reservation.canceled")
    if kind is not None:
        happened(floor, kind, task=job.record)
    for sid in job.reservations:
        floor.do(Delete(floor.reservations[sid]))
    floor.do(Delete(job.record))
    floor.remove_task(job)


# --- workers --------------------------------------------------------------------------------------------------------


def move_worker(floor: Floor, agent: Agent, activity_sid: str) -> None:
    """Another activity, with its event; the same one is fine."""
    previous, since = agent.record.activity_sid, agent.record.date_status_changed
    if floor.move(agent, floor.activity(activity_sid)):
        seconds = max(0.0, floor.now - since)
        happened(
            floor, "worker.activity.update", worker=agent.record,
            facts={
                "WorkerTimeInPreviousActivity": str(int(seconds)),
                "WorkerTimeInPreviousActivityMs": str(int(seconds * 1000)),
                "WorkerPreviousActivitySid": previous or "",
            },
        )  # fmt: skip


from ringback.taskrouter import transfers  # noqa: E402 - the two need each other: a transfer is part of these lives
