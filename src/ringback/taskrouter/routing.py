"""A task's way through its workflow (taskrouter.md §5.1): filters, targets, skips, timeouts, the default filter."""

from __future__ import annotations

from typing import Literal

from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.assignment import candidates, settle
from ringback.taskrouter.configuration import Filter, Target
from ringback.taskrouter.floor import Floor, Job, Plan, Pool
from ringback.taskrouter.journal import happened
from ringback.taskrouter.lifecycle import cancel_task
from ringback.taskrouter.line import known_name, look
from ringback.taskrouter.transfers import flying
from ringback.taskrouter.troubles import trouble

DEFAULT = -1
"""``filter_index`` of the default filter."""
DIRECT = Target(
    queue="", priority=None, timeout=None, expression=None, order_by=None, skip_if=None, known_worker=None, index=0
)  # fmt: skip
"""Where a task stands that was routed past the workflow to a queue."""
Cause = Literal["match", "timeout", "skip"]
TIMED_OUT = "Task canceled on Workflow timeout"
UNMATCHED = "Task matched no filter of the Workflow and there is no default filter"
SKIPPED = "Task skipped every target of the Workflow and there is no default filter"


def enter_workflow(floor: Floor, job: Job) -> None:
    """The task enters its workflow at the top (step 1)."""
    task = job.record
    task.filter_index, task.target_index, task.target_over = None, 0, False
    happened(floor, "workflow.entered", task=task, about=("workflow", task.workflow_sid or ""))
    _walk(floor, job, "match")


def enter_queue(floor: Floor, job: Job, queue_sid: str) -> None:
    """Routed past the workflow to a queue (step 9)."""
    task = job.record
    task.filter_index, task.target_over = None, False
    _change_queue(floor, job, queue_sid)
    task.target_entered = floor.now
    job.target = DIRECT
    floor.line_up(job)


def advance(floor: Floor, job: Job, cause: Cause) -> None:
    """On from the target at which the task stands (step 6)."""
    floor.step_out(job)
    _walk(floor, job, cause)


def stand_again(floor: Floor, job: Job) -> None:
    """The workflow has changed: the task keeps its place and its queue, under what the place says now (as it would
    after a restart). A time that is over by the new rules ends at once."""
    task = job.record
    if task.assignment_status in ("pending", "reserved") and task.filter_index is not None:
        floor.step_out(job)
        restore(floor, job)


def restore(floor: Floor, job: Job) -> None:
    """Stand where the record says, in line when it was waiting."""
    task = job.record
    transfer = flying(job)
    if transfer is not None and transfer["type"] == "QUEUE":
        job.asked.add(transfer["initiating_worker_sid"])
        job.target = DIRECT
        if not job.open:
            floor.line_up(job)
        return
    job.target = current_target(floor, task)
    if task.assignment_status not in ("pending", "reserved") or job.target is None:
        return
    if job.target.timeout is not None and not (task.target_over and job.open):
        due = max(floor.now, task.target_entered + job.target.timeout)
        floor.agenda.add(due, "target", task.sid, task.target_entered)
    pool = floor.queues.get(task.task_queue_sid or "")
    if pool is not None and len(job.open) < pool.record.max_reserved_workers and not task.target_over:
        floor.line_up(job)


def current_target(floor: Floor, task: Task) -> Target | None:
    """The target at which the task stands, as its workflow says now; None: nowhere (a worker's own task)."""
    if task.filter_index is None:
        routed = task.routing_target or ""
        return DIRECT if routed.startswith("WQ") else None
    plan = floor.workflows.get(task.workflow_sid or "")
    if plan is None:
        return DIRECT
    if task.filter_index == DEFAULT:
        return plan.configuration.default or DIRECT
    filters = plan.configuration.filters
    if task.filter_index >= len(filters) or task.target_index >= len(filters[task.filter_index].targets):
        return DIRECT  # the workflow was changed without re-evaluation: it keeps its place in the queue
    return filters[task.filter_index].targets[task.target_index]


def target_due(floor: Floor, job: Job) -> None:
    """The target's time is up; a pending reservation is waited for (step 5)."""
    task = job.record
    if task.assignment_status not in ("pending", "reserved"):
        return
    if job.open:
        if not task.target_over:
            task.target_over = True
            floor.step_out(job)
            floor.save(task)
        return
    task.target_over = False
    happened(floor, "task-queue.timeout", task=task, about=("task-queue", task.task_queue_sid or ""))
    advance(floor, job, "timeout")


def head_counts(floor: Floor, pool: Pool) -> dict[str, int]:
    """``workers.available``, ``workers.unavailable`` and ``workers.WA…`` of a queue's members."""
    counts = dict(pool.heads)
    available = sum(
        number
        for sid, number in pool.heads.items()
        if sid in floor.activities and floor.activities[sid].available
    )
    counts["available"] = available
    counts["unavailable"] = len(pool.members) - available
    return counts


def _filters(floor: Floor, task: Task) -> tuple[Filter, ...]:
    plan: Plan | None = floor.workflows.get(task.workflow_sid or "")
    return plan.configuration.filters if plan is not None else ()


def _walk(floor: Floor, job: Job, cause: Cause) -> None:
    """Enter the next target, and the one after it while targets are to be skipped; none: :func:`_exhausted`."""
    while (place := _next(floor, job)) is not None:
        if not _enter(floor, job, *place):
            return
        cause = "skip"
    _exhausted(floor, job, cause)


def _next(floor: Floor, job: Job) -> tuple[int, Target] | None:
    """The next target of the same filter, else the first of the next filter that matches."""
    task, filters = job.record, _filters(floor, job.record)
    at = task.filter_index
    if at == DEFAULT:
        return None
    start = 0
    if at is not None:
        start = at + 1
        if at < len(filters) and task.target_index + 1 < len(filters[at].targets):
            return at, filters[at].targets[task.target_index + 1]
    for index in range(start, len(filters)):
        if filters[index].expression({}, job.attributes, {}):
            return index, filters[index].targets[0]
    return None


def _exhausted(floor: Floor, job: Job, cause: Cause) -> None:
    task = job.record
    plan = floor.workflows.get(task.workflow_sid or "")
    if cause == "timeout":
        happened(floor, "workflow.timeout", task=task, about=("workflow", task.workflow_sid or ""))
        cancel_task(floor, job, TIMED_OUT)
        return
    default = plan.configuration.default if plan is not None else None
    if default is not None and task.filter_index != DEFAULT:
        if not _enter(floor, job, DEFAULT, default):
            return
        # Its skip_if is true as well: there is nowhere else to go, so it waits here until its TTL (step 7).
        floor.line_up(job)
        return
    happened(floor, "workflow.skipped", task=task, about=("workflow", task.workflow_sid or ""))
    cancel_task(floor, job, UNMATCHED if cause == "match" else SKIPPED)


def _enter(floor: Floor, job: Job, filter_index: int, target: Target) -> bool:
    """Enter a target (steps 2 and 3). True: nobody can take it now and it is to be skipped."""
    task = job.record
    task.filter_index, task.target_index, task.target_over = filter_index, target.index, False
    job.target, task.target_entered = target, floor.now
    if target.priority is not None:
        task.priority = target.priority
    happened(floor, "workflow.target-matched", task=task, about=("workflow", task.workflow_sid or ""))
    _change_queue(floor, job, target.queue or "")
    floor.save(task)
    _known_worker(floor, job, target)
    floor.line_up(job)
    if target.timeout is not None:
        floor.agenda.add(floor.now + target.timeout, "target", task.sid, task.target_entered)
    if target.skip_if is None:
        return False
    settle(floor)
    if job.open or not job.in_line or next(candidates(floor, job), None) is not None:
        return False
    skipped = target.skip_if({}, job.attributes, head_counts(floor, floor.queues[target.queue or ""]))
    if skipped:
        floor.step_out(job)
    return skipped


def _change_queue(floor: Floor, job: Job, queue_sid: str) -> None:
    task = job.record
    before = task.task_queue_sid if task.task_queue_entered_date is not None else None
    if before == queue_sid:
        return
    task.task_queue_sid = queue_sid
    pool = floor.queues.get(queue_sid)
    task.task_queue_friendly_name = pool.record.friendly_name if pool is not None else None
    task.task_queue_entered_date = floor.now
    floor.save(task)
    kind = "task-queue.entered" if before is None else "task-queue.moved"
    facts = {"PreviousTaskQueueSid": before} if before is not None else None
    happened(floor, kind, task=task, about=("task-queue", queue_sid), facts=facts)


def _known_worker(floor: Floor, job: Job, target: Target) -> None:
    """Say so when the worker that the task names is not there (step 8); a null reference says nothing."""
    if target.known_worker is None:
        return
    kind, path = target.known_worker
    wanted = look(job.attributes, path)
    if wanted is None:
        return
    name = known_name(kind, wanted) or ""
    sid = name if kind == "sid" else floor.worker_names.get(name, "")
    if sid not in floor.queues[target.queue or ""].members:
        text = f"The known worker {str(wanted)[:64]} of task {job.record.sid} does not serve queue {target.queue}"
        trouble(floor, 40152, text, job.record.sid)
