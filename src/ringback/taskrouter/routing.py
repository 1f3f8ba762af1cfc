"""A task's way through its workflow (taskrouter.md §5.1): filters, targets, skips, timeouts, the default filter."""

from __future__ import annotations

from typing import Literal

from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.alerts import log_alert
from ringback.taskrouter.assignment import candidates, settle
from ringback.taskrouter.configuration import DIRECT, Filter, Target
from ringback.taskrouter.journal import publish
from ringback.taskrouter.lifecycle import cancel_task
from ringback.taskrouter.live import LiveTask, LiveTaskQueue, LiveWorkflow
from ringback.taskrouter.transfers import flying, returned, wait
from ringback.taskrouter.waiting import known_name, look
from ringback.taskrouter.workspace import LiveWorkspace

DEFAULT = -1
"""``filter_index`` of the default filter."""
Cause = Literal["match", "timeout", "skip"]
TIMED_OUT = "Task canceled on Workflow timeout"
UNMATCHED = "Task matched no filter of the Workflow and there is no default filter"
SKIPPED = "Task skipped every target of the Workflow and there is no default filter"


def enter_workflow(workspace: LiveWorkspace, task: LiveTask) -> None:
    """The task enters its workflow at the top (step 1)."""
    record = task.record
    record.filter_index, record.target_index, record.target_over = None, 0, False
    publish(workspace, "workflow.entered", task=record, about=("workflow", record.workflow_sid or ""))
    _walk(workspace, task, "match")


def enter_queue(workspace: LiveWorkspace, task: LiveTask, queue_sid: str) -> None:
    """Routed past the workflow to a queue (step 9)."""
    record = task.record
    record.filter_index, record.target_over = None, False
    _change_queue(workspace, task, queue_sid)
    record.target_entered = workspace.now
    task.target = DIRECT
    workspace.begin_waiting(task)


def advance(workspace: LiveWorkspace, task: LiveTask, cause: Cause) -> None:
    """On from the target at which the task stands (step 6)."""
    workspace.end_waiting(task)
    _walk(workspace, task, cause)


def stand_again(workspace: LiveWorkspace, task: LiveTask) -> None:
    """The workflow has changed: the task keeps its place and its queue, under what the place says now (as it would
    after a restart). A time that is over by the new rules ends at once."""
    record = task.record
    if record.assignment_status in ("pending", "reserved") and record.filter_index is not None:
        workspace.end_waiting(task)
        restore(workspace, task)


def restore(workspace: LiveWorkspace, task: LiveTask) -> None:
    """Stand where the record says, waiting when it was."""
    record = task.record
    transfer = flying(task)
    if transfer is not None:
        if transfer.mode == "WARM":
            task.asked.add(transfer.initiating_worker_sid)
        task.target = DIRECT
        if transfer.type == "QUEUE" and not task.open:
            workspace.begin_waiting(task)
        return
    if returned(record):
        if not task.open:
            wait(workspace, task)
        return
    task.target = current_target(workspace, record)
    if record.assignment_status not in ("pending", "reserved") or task.target is None:
        return
    if task.target.timeout is not None and not (record.target_over and task.open):
        due = max(workspace.now, record.target_entered + task.target.timeout)
        workspace.schedule.add(due, "target", record.sid, record.target_entered)
    queue = workspace.queues.get(record.task_queue_sid or "")
    if queue is not None and len(task.open) < queue.record.max_reserved_workers and not record.target_over:
        workspace.begin_waiting(task)


def current_target(workspace: LiveWorkspace, task: Task) -> Target | None:
    """The target at which the task stands, as its workflow says now; None: nowhere (a worker's own task)."""
    if task.filter_index is None:
        routed = task.routing_target or ""
        return DIRECT if routed.startswith("WQ") else None
    workflow = workspace.workflows.get(task.workflow_sid or "")
    if workflow is None:
        return DIRECT
    if task.filter_index == DEFAULT:
        return workflow.configuration.default or DIRECT
    filters = workflow.configuration.filters
    if task.filter_index >= len(filters) or task.target_index >= len(filters[task.filter_index].targets):
        return DIRECT  # the workflow was changed without re-evaluation: it keeps its place in the queue
    return filters[task.filter_index].targets[task.target_index]


def target_due(workspace: LiveWorkspace, task: LiveTask) -> None:
    """The target's time is up; a pending reservation is waited for (step 5)."""
    record = task.record
    if (
        record.assignment_status not in ("pending", "reserved")
        or flying(task) is not None
        or returned(record)
    ):
        return
    if task.open:
        if not record.target_over:
            record.target_over = True
            workspace.end_waiting(task)
            workspace.save(record)
        return
    record.target_over = False
    publish(workspace, "task-queue.timeout", task=record, about=("task-queue", record.task_queue_sid or ""))
    advance(workspace, task, "timeout")


def head_counts(workspace: LiveWorkspace, queue: LiveTaskQueue) -> dict[str, int]:
    """``workers.available``, ``workers.unavailable`` and ``workers.WA…`` of a queue's members."""
    counts = dict(queue.activities)
    available = sum(
        number
        for sid, number in queue.activities.items()
        if sid in workspace.activities and workspace.activities[sid].available
    )
    counts["available"] = available
    counts["unavailable"] = len(queue.members) - available
    return counts


def _filters(workspace: LiveWorkspace, task: Task) -> tuple[Filter, ...]:
    workflow: LiveWorkflow | None = workspace.workflows.get(task.workflow_sid or "")
    return workflow.configuration.filters if workflow is not None else ()


def _walk(workspace: LiveWorkspace, task: LiveTask, cause: Cause) -> None:
    """Enter the next target, and the one after it while targets are to be skipped; none: :func:`_exhausted`."""
    while (position := _next(workspace, task)) is not None:
        if not _enter(workspace, task, *position):
            return
        cause = "skip"
    _exhausted(workspace, task, cause)


def _next(workspace: LiveWorkspace, task: LiveTask) -> tuple[int, Target] | None:
    """The next target of the same filter, else the first of the next filter that matches."""
    record, filters = task.record, _filters(workspace, task.record)
    at = record.filter_index
    if at == DEFAULT:
        return None
    start = 0
    if at is not None:
        start = at + 1
        if at < len(filters) and record.target_index + 1 < len(filters[at].targets):
            return at, filters[at].targets[record.target_index + 1]
    for index in range(start, len(filters)):
        if filters[index].expression({}, task.attributes, {}):
            return index, filters[index].targets[0]
    return None


def _exhausted(workspace: LiveWorkspace, task: LiveTask, cause: Cause) -> None:
    record = task.record
    workflow = workspace.workflows.get(record.workflow_sid or "")
    if cause == "timeout":
        publish(workspace, "workflow.timeout", task=record, about=("workflow", record.workflow_sid or ""))
        cancel_task(workspace, task, TIMED_OUT)
        return
    default = workflow.configuration.default if workflow is not None else None
    if default is not None and record.filter_index != DEFAULT:
        if not _enter(workspace, task, DEFAULT, default):
            return
        # Its skip_if is true as well: there is nowhere else to go, so it waits here until its TTL (step 7).
        workspace.begin_waiting(task)
        return
    publish(workspace, "workflow.skipped", task=record, about=("workflow", record.workflow_sid or ""))
    cancel_task(workspace, task, UNMATCHED if cause == "match" else SKIPPED)


def _enter(workspace: LiveWorkspace, task: LiveTask, filter_index: int, target: Target) -> bool:
    """Enter a target (steps 2 and 3). True: nobody can take it now and it is to be skipped."""
    record = task.record
    record.filter_index, record.target_index, record.target_over = filter_index, target.index, False
    task.target, record.target_entered = target, workspace.now
    if target.priority is not None:
        record.priority = target.priority
    publish(workspace, "workflow.target-matched", task=record, about=("workflow", record.workflow_sid or ""))
    _change_queue(workspace, task, target.queue or "")
    workspace.save(record)
    _known_worker(workspace, task, target)
    workspace.begin_waiting(task)
    if target.timeout is not None:
        workspace.schedule.add(workspace.now + target.timeout, "target", record.sid, record.target_entered)
    if target.skip_if is None:
        return False
    settle(workspace)
    if task.open or not task.waits or next(candidates(workspace, task), None) is not None:
        return False
    skipped = target.skip_if(
        {}, task.attributes, head_counts(workspace, workspace.queues[target.queue or ""])
    )
    if skipped:
        workspace.end_waiting(task)
    return skipped


def _change_queue(workspace: LiveWorkspace, task: LiveTask, queue_sid: str) -> None:
    record = task.record
    before = record.task_queue_sid if record.task_queue_entered_date is not None else None
    if before == queue_sid:
        return
    record.task_queue_sid = queue_sid
    queue = workspace.queues.get(queue_sid)
    record.task_queue_friendly_name = queue.record.friendly_name if queue is not None else None
    record.task_queue_entered_date = workspace.now
    workspace.save(record)
    kind = "task-queue.entered" if before is None else "task-queue.moved"
    facts = {"PreviousTaskQueueSid": before} if before is not None else None
    publish(workspace, kind, task=record, about=("task-queue", queue_sid), facts=facts)


def _known_worker(workspace: LiveWorkspace, task: LiveTask, target: Target) -> None:
    """Say so when the worker that the task names is not there (step 8); a null reference says nothing."""
    if target.known_worker is None:
        return
    kind, path = target.known_worker
    wanted = look(task.attributes, path)
    if wanted is None:
        return
    name = known_name(kind, wanted) or ""
    sid = name if kind == "sid" else workspace.worker_names.get(name, "")
    if sid not in workspace.queues[target.queue or ""].members:
        text = f"The known worker {str(wanted)[:64]} of task {task.record.sid} does not serve queue {target.queue}"
        log_alert(workspace, 40152, text, task.record.sid)
