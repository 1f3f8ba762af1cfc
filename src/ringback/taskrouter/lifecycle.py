"""The lives of tasks and reservations: every change of state, with all that follows from it (taskrouter.md §3, §4)."""

from __future__ import annotations

from ringback.effects import Delete, Post
from ringback.effects.taskrouter import AskAssignment
from ringback.events import HangUpRequested
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.taskrouter import transfers
from ringback.taskrouter.journal import iso, publish
from ringback.taskrouter.live import LiveTask, LiveWorker
from ringback.taskrouter.machine import RESERVATION_LIVE, reservation_step, task_step
from ringback.taskrouter.steps import RETRY_AFTER, end_reservation, set_task, tell, with_status
from ringback.taskrouter.workspace import LiveWorkspace

CYCLE_LIMIT = 1000
"""Times that a task may go from pending to reserved (§7)."""
CYCLES_OVER = "Task TTL Exceeded or Max assignment count exceeded"
ENDED = "The task ended meanwhile"
DECLINED = "The worker to whom the task was routed did not take it"
CALLED = ("dialled", "answered")
"""States of the customer's leg before it is in the conference."""


# --- reservations ----------------------------------------------------------------------------------------------


def reserve(
    workspace: LiveWorkspace,
    task: LiveTask,
    worker: LiveWorker,
    queue_sid: str | None,
    transfer_sid: str | None = None,
) -> bool:
    """Offer the task to the worker. False: the task had been offered too often and is canceled instead."""
    record = task.record
    if not task.open and record.assignment_status == "pending":
        if record.cycles >= CYCLE_LIMIT:
            cancel_task(workspace, task, CYCLES_OVER)
            return False
        record.cycles += 1
    workflow = workspace.workflows.get(record.workflow_sid or "")
    timeout = workflow.record.task_reservation_timeout if workflow is not None else 120
    reservation = Reservation(
        sid=workspace.new_sid("WR"), account_sid=record.account_sid, date_created=workspace.now,
        workspace_sid=record.workspace_sid, task_sid=record.sid, worker_sid=worker.record.sid,
        worker_name=worker.record.friendly_name, expires_at=workspace.now + timeout, task_queue_sid=queue_sid,
        task_channel_sid=record.task_channel_sid, transfer_sid=transfer_sid,
    )  # fmt: skip
    workspace.add_reservation(reservation)
    workspace.save(reservation)
    workspace.change_load(reservation, 1)
    workspace.save(
        worker.record
    )  # clients count a worker's version on with every offer (taskrouter-js.md §3)
    if record.assignment_status in ("pending", "reserved"):
        set_task(workspace, task, "reserve")
    workspace.schedule.add(reservation.expires_at, "expire", reservation.sid)
    tell(workspace, reservation, "reservation.created")
    _legacy(workspace, reservation, "reservation")
    if workflow is not None and workflow.record.assignment_callback_url:
        workspace.do(
            AskAssignment(
                workspace_sid=workspace.record.sid, account_sid=record.account_sid, reservation_sid=reservation.sid,
                url=workflow.record.assignment_callback_url,
                fallback_url=workflow.record.fallback_assignment_callback_url,
                params=_assignment(workspace, record, worker, reservation),
            )
        )  # fmt: skip
    return True


def _assignment(
    workspace: LiveWorkspace, task: Task, worker: LiveWorker, reservation: Reservation
) -> list[tuple[str, str]]:
    """What the assignment callback is told (§8)."""
    return [
        ("Timestamp", iso(workspace.now)),
        ("AccountSid", task.account_sid),
        ("WorkspaceSid", task.workspace_sid),
        ("WorkflowSid", task.workflow_sid or ""),
        ("TaskQueueSid", reservation.task_queue_sid or task.task_queue_sid or ""),
        ("WorkerSid", worker.record.sid),
        ("WorkerAttributes", worker.record.attributes),
        ("TaskSid", task.sid),
        ("TaskAttributes", task.attributes),
        ("TaskAge", str(max(0, int(workspace.now - task.date_created)))),
        ("TaskPriority", str(task.priority)),
        ("ReservationSid", reservation.sid),
        ("TaskChannelUniqueName", task.task_channel_unique_name),
        ("TaskChannelSid", task.task_channel_sid),
    ]


def accept(workspace: LiveWorkspace, reservation: Reservation) -> None:
    """Accepted: the task is assigned, whoever else was asked is rescinded. Raises :class:`Refused`."""
    step = reservation_step(reservation.reservation_status, "accept", reservation.sid)
    task = workspace.tasks[reservation.task_sid]
    set_task(workspace, task, "accept")
    reservation.reservation_status = step
    reservation.accepted_at = workspace.now
    workspace.save(reservation)
    workspace.accepted(reservation)
    task.open.discard(reservation.sid)
    if task.record.accepted_at is None:
        task.record.accepted_at = workspace.now
    workspace.end_waiting(task)
    tell(workspace, reservation, "reservation.accepted")
    _legacy(workspace, reservation, "assignment")
    for sid in sorted(task.open):
        end_reservation(workspace, workspace.reservations[sid], "rescind", "reservation.rescinded")
    transfers.accepted(workspace, task, reservation)


def _legacy(workspace: LiveWorkspace, reservation: Reservation, kind: str) -> None:
    """Single-task workspaces: the queue says in which activity a worker is who is offered, or has, a task (§2.4)."""
    queue = workspace.queues.get(reservation.task_queue_sid or "")
    if workspace.record.multi_task_enabled or queue is None:
        return
    activity = getattr(queue.record, f"{kind}_activity_sid")
    worker = workspace.workers.get(reservation.worker_sid)
    if activity and worker is not None and activity in workspace.activities:
        move_worker(workspace, worker, activity)


def reject(workspace: LiveWorkspace, reservation: Reservation, activity_sid: str | None = None) -> None:
    """Rejected, by the worker or for them; they may go to another activity. Raises :class:`Refused`."""
    activity = workspace.activity(activity_sid) if activity_sid else None
    reservation_step(reservation.reservation_status, "reject", reservation.sid)
    if activity is not None:
        move_worker(workspace, workspace.worker(reservation.worker_sid), activity.sid)
    _lose(workspace, reservation, "reject", "reservation.rejected")


def expire(workspace: LiveWorkspace, reservation: Reservation) -> None:
    """Nobody answered: the worker goes to the workspace's timeout activity (§4)."""
    worker = workspace.workers.get(reservation.worker_sid)
    if worker is not None and workspace.record.timeout_activity_sid:
        move_worker(workspace, worker, workspace.record.timeout_activity_sid)
    _lose(workspace, reservation, "expire", "reservation.timeout")


def cancel_reservation(workspace: LiveWorkspace, reservation: Reservation, code: int | None = None) -> None:
    """Canceled because an instruction failed: the task waits again (not at once for the same worker).

    ``code``: why, when the desktop has a word for it (call-outcomes.md §7)."""
    reservation.canceled_reason_code = code
    _lose(workspace, reservation, "cancel", "reservation.canceled", unreachable=reservation.worker_sid)


def _lose(
    workspace: LiveWorkspace, reservation: Reservation, event: str, kind: str, *, unreachable: str | None = None
) -> None:  # fmt: skip
    """An offer ends without success; the task goes on."""
    task = workspace.tasks[reservation.task_sid]
    transfer = transfers.lost(workspace, task, reservation, event)
    end_reservation(workspace, reservation, event, kind)
    if transfer is not None:
        transfers.failed_with(workspace, task, transfer, unreachable)
    else:
        release(workspace, task, unreachable=unreachable)


def fail_task(workspace: LiveWorkspace, reservation: Reservation, code: int | None, reason: str) -> None:
    """A worker's outbound call failed: the reservation is canceled with its code, the task ends (§4, §9.6)."""
    task = workspace.tasks[reservation.task_sid]
    state = task.record.assignment_status
    if reservation.reservation_status == "accepted" and reservation.call_sid:
        workspace.do(Post(HangUpRequested(call_sid=reservation.call_sid, reason="api")))
    transfers.over(workspace, task, ENDED)
    reservation.canceled_reason_code = code
    _finish(workspace, task, "cancel" if state in ("pending", "reserved") else "fail", reason)
    for each in with_status(workspace, task, RESERVATION_LIVE):
        end_reservation(workspace, each, "cancel", "reservation.canceled")
    publish(workspace, "task.canceled", task=task.record)


def wrap(workspace: LiveWorkspace, reservation: Reservation) -> None:
    """The work is over but for its notes; the task follows when nobody works on it any more."""
    end_reservation(workspace, reservation, "wrap", "reservation.wrapup")
    task = workspace.tasks[reservation.task_sid]
    transfers.step_down(workspace, task)
    if task.record.assignment_status == "assigned" and not with_status(
        workspace, task, ("accepted", "pending")
    ):
        _wrapping(workspace, task)


def _wrapping(workspace: LiveWorkspace, task: LiveTask) -> None:
    set_task(workspace, task, "wrap")
    transfers.let_go(workspace, task)
    publish(workspace, "task.wrapup", task=task.record)


def complete(workspace: LiveWorkspace, reservation: Reservation, reason: str = "") -> None:
    """Done; with the last live reservation the task is completed too."""
    end_reservation(workspace, reservation, "complete", "reservation.completed")
    task = workspace.tasks[reservation.task_sid]
    transfers.step_down(workspace, task)
    busy = with_status(workspace, task, RESERVATION_LIVE)
    if task.record.assignment_status in ("assigned", "wrapping") and not busy:
        _finish(workspace, task, "complete", reason or "Reservation completed")
        publish(workspace, "task.completed", task=task.record)


def release(workspace: LiveWorkspace, task: LiveTask, *, unreachable: str | None = None) -> None:
    """A reservation ended without success: pending again when it was the last, and looked at anew."""
    record = task.record
    if transfers.flying(task) is not None:
        transfers.attempt_failed(workspace, task)
        return
    if task.open or record.assignment_status != "reserved":
        if record.assignment_status == "reserved" and not record.target_over:
            workspace.begin_waiting(task)
        return
    set_task(workspace, task, "release")
    if transfers.returned(record):
        task.asked = set()
        transfers.wait(workspace, task)
        return
    if (record.routing_target or "").startswith("WK"):
        publish(
            workspace,
            "reservation.failed",
            task=record,
            reservation=workspace.reservations[task.reservations[-1]],
        )
        cancel_task(workspace, task, DECLINED)
        return
    task.asked = {unreachable} if unreachable else set()
    if unreachable:
        workspace.schedule.add(workspace.now + RETRY_AFTER, "retry", record.sid)
    if record.target_over:  # it leaves for the next target at once and is not offered here again (§5.1 no. 5)
        workspace.schedule.add(workspace.now, "target", record.sid, record.target_entered)
        return
    workspace.begin_waiting(task)
    workspace.dirty_tasks.add(record.sid)


def give_back(workspace: LiveWorkspace, reservation: Reservation) -> None:
    """Accepted, but the worker's leg was gone before the caller heard them: the caller waits, so the task does."""
    task = workspace.tasks[reservation.task_sid]
    reservation.instruction = None
    end_reservation(workspace, reservation, "cancel", "reservation.canceled")
    if task.record.assignment_status == "assigned" and not with_status(workspace, task, RESERVATION_LIVE):
        set_task(workspace, task, "release")
        task.asked = {reservation.worker_sid}
        workspace.schedule.add(workspace.now + RETRY_AFTER, "retry", task.record.sid)
        _clock_again(workspace, task)
        workspace.begin_waiting(task)


def _clock_again(workspace: LiveWorkspace, task: LiveTask) -> None:
    """It is pending again: what became due while it was assigned, and was passed over, is due."""
    record = task.record
    workspace.schedule.add(max(workspace.now, transfers.lives_until(record)), "ttl", record.sid)
    if task.target is not None and task.target.timeout is not None:
        due = max(workspace.now, record.target_entered + task.target.timeout)
        workspace.schedule.add(due, "target", record.sid, record.target_entered)


# --- tasks --------------------------------------------------------------------------------------------------------


def cancel_task(workspace: LiveWorkspace, task: LiveTask, reason: str) -> None:
    """Canceled, with what was offered. A waiting caller stays in the queue: what becomes of them is the application's
    choice, which hears of it by ``task.canceled`` or ``workflow.timeout`` (ADR 0011). Raises :class:`Refused`."""
    record = task.record
    task_step(record.assignment_status, "cancel", record.sid)
    transfers.over(workspace, task, ENDED)
    _finish(workspace, task, "cancel", reason)
    for each in with_status(workspace, task, ("pending",)):
        end_reservation(workspace, each, "cancel", "reservation.canceled")
    publish(workspace, "task.canceled", task=record)


def wrap_task(workspace: LiveWorkspace, task: LiveTask, reason: str | None = None) -> None:
    """Wrapping by request: its accepted reservations wrap too. Raises :class:`Refused`."""
    task_step(task.record.assignment_status, "wrap", task.record.sid)
    transfers.over(workspace, task, ENDED)
    if reason:
        task.record.reason = reason
    for each in with_status(workspace, task, ("accepted",)):
        wrap(workspace, each)
    if task.record.assignment_status == "assigned":
        _wrapping(workspace, task)


def complete_task(workspace: LiveWorkspace, task: LiveTask, reason: str) -> None:
    """Completed by request, with its live reservations. Raises :class:`Refused`."""
    task_step(task.record.assignment_status, "complete", task.record.sid)
    transfers.over(workspace, task, ENDED)
    for each in with_status(workspace, task, ("pending",)):
        end_reservation(workspace, each, "cancel", "reservation.canceled")
    task.record.reason = reason
    for each in with_status(workspace, task, ("accepted", "wrapping")):
        end_reservation(workspace, each, "complete", "reservation.completed")
    _finish(workspace, task, "complete", reason)
    publish(workspace, "task.completed", task=task.record)


def _finish(workspace: LiveWorkspace, task: LiveTask, event: str, reason: str) -> None:
    record = task.record
    set_task(workspace, task, event)
    stop_ringing(workspace, task)
    transfers.let_go(workspace, task)
    record.reason = reason
    workspace.end_waiting(task)
    workspace.schedule.add(workspace.now + workspace.keep_ended, "remove", record.sid, workspace.now)


def stop_ringing(workspace: LiveWorkspace, task: LiveTask) -> None:
    """The customer of an outbound task who is not in the conference yet is not called any longer."""
    if (
        task.customer in CALLED
        and task.record.conference is not None
        and task.record.conference.customer_call
    ):
        workspace.do(Post(HangUpRequested(call_sid=task.record.conference.customer_call, reason="api")))


def delete_task(workspace: LiveWorkspace, task: LiveTask, kind: str | None) -> None:
    """Remove the task with its reservations; ``kind``: the event that says so, None for the clean-up."""
    stop_ringing(workspace, task)
    transfers.let_go(workspace, task)
    for each in with_status(workspace, task, tuple(RESERVATION_LIVE)):
        if each.reservation_status == "pending":
            end_reservation(workspace, each, "cancel", "reservation.canceled")
        else:  # the worker has done what there was to do
            end_reservation(workspace, each, "complete", "reservation.completed")
    if kind is not None:
        publish(workspace, kind, task=task.record)
    for sid in task.reservations:
        workspace.do(Delete(workspace.reservations[sid]))
    workspace.do(Delete(task.record))
    workspace.remove_task(task)


# --- workers --------------------------------------------------------------------------------------------------------


def move_worker(workspace: LiveWorkspace, worker: LiveWorker, activity_sid: str) -> None:
    """Another activity, with its event; the same one is fine."""
    previous, since = worker.record.activity_sid, worker.record.date_status_changed
    if workspace.set_activity(worker, workspace.activity(activity_sid)):
        seconds = max(0.0, workspace.now - since)
        publish(
            workspace, "worker.activity.update", worker=worker.record,
            facts={
                "WorkerTimeInPreviousActivity": str(int(seconds)),
                "WorkerTimeInPreviousActivityMs": str(int(seconds * 1000)),
                "WorkerPreviousActivitySid": previous or "",
            },
        )  # fmt: skip
