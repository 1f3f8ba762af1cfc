"""Which worker gets which task (taskrouter.md §7).

The rules are :data:`CHECKS` and :func:`rank`: assignment, the explanation and the replay all use these. The indexes
of ``workspace.py`` and ``waiting.py`` only propose candidates.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from ringback.taskrouter.demand import NAMING
from ringback.taskrouter.lifecycle import reserve
from ringback.taskrouter.live import LiveTask, LiveTaskQueue, LiveWorker
from ringback.taskrouter.waiting import Key, known_name, look
from ringback.taskrouter.workspace import LiveWorkspace

_Entry = tuple[Any, str, int, int, LiveTask]
"""In ``settle``: the task's place, who was looked at (a task or a worker), after how many offers they came in (so that
no two entries are alike), after how many they were looked at, and the task."""
Check = Callable[[LiveWorkspace, LiveTaskQueue, LiveTask, LiveWorker], bool]


def _member(workspace: LiveWorkspace, queue: LiveTaskQueue, task: LiveTask, worker: LiveWorker) -> bool:
    return worker.record.sid in queue.members


def _available(workspace: LiveWorkspace, queue: LiveTaskQueue, task: LiveTask, worker: LiveWorker) -> bool:
    return worker.record.available


def _channel(workspace: LiveWorkspace, queue: LiveTaskQueue, task: LiveTask, worker: LiveWorker) -> bool:
    channel = worker.channels.get(task.record.task_channel_sid)
    return channel is not None and channel.available


def _capacity(workspace: LiveWorkspace, queue: LiveTaskQueue, task: LiveTask, worker: LiveWorker) -> bool:
    channel = worker.channels[task.record.task_channel_sid]
    return channel.assigned_tasks < channel.configured_capacity


def _single(workspace: LiveWorkspace, queue: LiveTaskQueue, task: LiveTask, worker: LiveWorker) -> bool:
    return workspace.record.multi_task_enabled or not worker.held


def _known(workspace: LiveWorkspace, queue: LiveTaskQueue, task: LiveTask, worker: LiveWorker) -> bool:
    target = task.target
    if target is None or target.known_worker is None:
        return True
    kind, path = target.known_worker
    wanted = known_name(kind, look(task.attributes, path))
    return wanted is not None and wanted == known_name(kind, worker.attributes[kind])


def _expression(workspace: LiveWorkspace, queue: LiveTaskQueue, task: LiveTask, worker: LiveWorker) -> bool:
    target = task.target
    return (
        target is None
        or target.expression is None
        or target.expression(worker.attributes, task.attributes, {})
    )


def _fresh(workspace: LiveWorkspace, queue: LiveTaskQueue, task: LiveTask, worker: LiveWorker) -> bool:
    return worker.record.sid not in task.asked


CHECKS: tuple[tuple[str, str, Check], ...] = (
    ("not_in_queue", "does not match the queue's expression", _member),
    ("not_available", "is in an activity that takes no tasks", _available),
    ("channel_unavailable", "takes no tasks of this channel", _channel),
    ("no_capacity", "holds as many tasks of this channel as they may", _capacity),
    ("holds_a_task", "holds a task, and the workspace gives one at a time", _single),
    ("not_the_known_worker", "is not the worker that the task names", _known),
    ("expression_false", "does not match the target's expression", _expression),
    ("already_asked", "has been offered it in this round", _fresh),
)
"""Reason, its words, and the rule: the first that does not hold is why a worker is not chosen."""


def obstacle(workspace: LiveWorkspace, task: LiveTask, worker: LiveWorker) -> str | None:
    """Why the worker cannot be offered the task now: the first failing check; None: they can."""
    queue = workspace.queues[task.record.task_queue_sid or ""]
    for reason, _, check in CHECKS:
        if not check(workspace, queue, task, worker):
            return reason
    return None


def rank(workspace: LiveWorkspace, task: LiveTask, worker: LiveWorker) -> tuple[Any, ...]:
    """The worker's place among those who can take the task; smaller is chosen: ``order_by``, then idle longest."""
    idle_key = workspace.idle_key(worker, task.record.task_channel_sid)
    order_by = task.target.order_by if task.target is not None else None
    return idle_key if order_by is None else (order_by.key(worker.attributes), *idle_key)


def candidates(workspace: LiveWorkspace, task: LiveTask) -> Iterator[LiveWorker]:
    """Workers who can take the task now, best first."""
    queue, target = workspace.queues.get(task.record.task_queue_sid or ""), task.target
    if queue is None or target is None or not task.waits:
        return
    proposed = _proposed(workspace, queue, task)
    if target.order_by is not None:
        fit = [worker for worker in proposed if obstacle(workspace, task, worker) is None]
        yield from sorted(fit, key=lambda worker: rank(workspace, task, worker))
        return
    for worker in proposed:
        if obstacle(workspace, task, worker) is None:
            yield worker


def _proposed(workspace: LiveWorkspace, queue: LiveTaskQueue, task: LiveTask) -> Iterable[LiveWorker]:
    target = task.target
    assert target is not None
    if target.known_worker is not None:
        kind, path = target.known_worker
        wanted = known_name(kind, look(task.attributes, path)) or ""
        worker = workspace.workers.get(wanted if kind == "sid" else workspace.worker_names.get(wanted, ""))
        return () if worker is None else (worker,)
    channel_sid = task.record.task_channel_sid
    idle = workspace.idle_members(queue, channel_sid)
    named = _named(workspace, task)
    # Few who are named are looked up; of many, one comes soon among those who are idle longest.
    if named is None or len(named) * len(named) > len(idle):
        return (workspace.workers[sid] for _, sid in idle)
    found = (workspace.workers[sid] for sid in named)
    return sorted(
        (worker for worker in found if channel_sid in worker.idle_keys),
        key=lambda worker: worker.idle_keys[channel_sid],
    )


def _named(workspace: LiveWorkspace, task: LiveTask) -> Collection[str] | None:
    """SIDs of the workers whom the task names by a value, as few as one of its demands tells; None: it names none."""
    assert task.target is not None
    expression = task.target.expression
    links = [link for link in expression.links if link.how in NAMING] if expression is not None else []
    if not links:
        return None
    return min(
        (workspace.worker_index.named(link, task.attributes, workspace.worker_attributes) for link in links),
        key=len,
    )


def next_task(workspace: LiveWorkspace, worker: LiveWorker) -> LiveTask | None:
    """The first task in order that the worker can take now; None: there is none."""
    best: LiveTask | None = None
    best_key: tuple[int, Any] | None = None
    for channel_sid in worker.idle_keys:
        for queue_sid in worker.queues:
            queue = workspace.queues[queue_sid]
            waiting = queue.waiting.get(channel_sid)
            if not waiting:
                continue
            first = 0 if queue.record.task_order == workspace.record.prioritize_queue_order else 1
            for group in waiting.groups.values():
                for (key, sid), batch in group.batches_for(worker.attributes):
                    if best_key is not None and (first, key) >= best_key:
                        break  # as all further batches of the group
                    # Where no index helps most batches end here: whoever is among the idle passes the rules before.
                    if not _expression(workspace, queue, workspace.tasks[sid], worker):
                        continue
                    found = _first_in(workspace, batch, worker)
                    if found is not None and (best_key is None or (first, found.key) < best_key):
                        best, best_key = found, (first, found.key)
    return best


def _first_in(
    workspace: LiveWorkspace, batch: Iterable[tuple[Key, str]], worker: LiveWorker
) -> LiveTask | None:
    """The first task of a batch that the worker can take now: its first, unless they have been asked for that."""
    for _, task_sid in batch:
        task = workspace.tasks[task_sid]
        reason = obstacle(workspace, task, worker)
        if reason is None:
            return task
        if reason != "already_asked":
            return None  # all in this batch are alike to them
    return None


def settle(workspace: LiveWorkspace) -> None:
    """Offer until nothing more fits: always the first task in the workspace's order that somebody can take.

    Only tasks and workers for whom something changed are looked at; for all others nothing fitted before. An offer
    takes capacity and never gives any, so what one of them can get only moves back in the order: the first entry of
    the heap, looked at again before it is used, is the next offer. ``seen`` says after how many offers an entry was
    looked at; every other offer since may have taken its task or its worker.

    Where expressions read figures of workers' channels an offer may also open something to its worker, before all
    that is in the heap (:func:`_opened`).

    It ends: within one call nobody's capacity grows and ``asked`` only gets longer, so there are at most as many
    offers as places free among the idle workers, plus one for each task that is canceled for being offered too
    often. Only an offer makes somebody dirty here (its worker, while there is room for more), so the round after the
    last offer is the last one. An entry that is not offered gets a later key or leaves the heap.

    Cost: a look at each of the d that are dirty, and after each of the k offers at those whose old key is still in
    front, mostly one: O((d + k) log d) looks. A look is ``next_task`` (indexed, ``demand.py``) or ``somebody`` (the
    idle members of one queue, at most as many as there are, mostly the first).
    """
    while workspace.dirty_tasks or workspace.dirty_workers:
        _directly(workspace)
        dirty = workspace.dirty_tasks | workspace.dirty_workers
        workspace.dirty_tasks.clear()
        workspace.dirty_workers.clear()
        firsts = ((sid, _first_for(workspace, sid, dirty)) for sid in dirty)
        offers = 0
        heap: list[_Entry] = [
            (workspace.global_key(task), sid, 0, offers, task) for sid, task in firsts if task is not None
        ]
        heapq.heapify(heap)
        while heap:
            _, sid, number, seen, task = heap[0]
            if seen == offers:
                offer(workspace, task)
                offers += 1
                _opened(workspace, dirty, heap, offers)
                continue
            found = _first_for(workspace, sid, dirty)
            if found is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (workspace.global_key(found), sid, number, offers, found))


def _opened(workspace: LiveWorkspace, dirty: set[str], heap: list[_Entry], offers: int) -> None:
    """After an offer: what expressions such as ``worker.channel.voice.assigned_tasks > 0`` open to its worker.

    Nobody else's figures have changed, so only this worker can now get what comes before the rest of the heap. An
    entry of theirs that is there already does no harm: it is looked at again before it is used.
    """
    if not workspace.watching:
        return
    for sid in sorted(workspace.dirty_workers):
        dirty.add(sid)
        found = _first_for(workspace, sid, dirty)
        if found is not None:
            heapq.heappush(heap, (workspace.global_key(found), sid, offers, offers, found))
    workspace.dirty_workers.clear()


def _first_for(workspace: LiveWorkspace, sid: str, dirty: set[str]) -> LiveTask | None:
    """The first task that can be offered to the worker; for a task itself, when somebody can take it; else None."""
    task = workspace.tasks.get(sid)
    if task is not None:
        return (
            task
            if task.waits and not _hopeless(workspace, task, dirty) and somebody(workspace, task)
            else None
        )
    worker = workspace.workers.get(sid)
    return next_task(workspace, worker) if worker is not None else None


def somebody(workspace: LiveWorkspace, task: LiveTask) -> bool:
    """Whether any worker can take the task, which waits, now."""
    queue = workspace.queues[task.record.task_queue_sid or ""]
    return any(obstacle(workspace, task, worker) is None for worker in _proposed(workspace, queue, task))


def _hopeless(workspace: LiveWorkspace, task: LiveTask, dirty: set[str]) -> bool:
    """Whether a task that is the same to every worker waits with nothing changed for it: then nobody who has
    not changed either can take this one (and those who have are looked at by themselves). Without this the 1,000th
    caller of a full queue would be held against every idle worker of another skill, as the 999 before were."""
    record = task.record
    twin = workspace.queues[record.task_queue_sid or ""].waiting[record.task_channel_sid].twin(record.sid)
    return twin is not None and twin not in dirty and not workspace.tasks[twin].asked


def _directly(workspace: LiveWorkspace) -> None:
    """Tasks that are for one worker alone go before all others, as soon as that worker is free."""
    for sid in sorted(workspace.dirty_workers & workspace.direct.keys()):
        worker, waiting = workspace.workers.get(sid), workspace.direct[sid]
        for task_sid in list(waiting):
            task = workspace.tasks.get(task_sid)
            if task is None or worker is None or task.record.assignment_status != "pending":
                waiting.remove(task_sid)
            elif workspace.free_on(worker, task.record.task_channel_sid):
                waiting.remove(task_sid)
                reserve(workspace, task, worker, task.record.task_queue_sid)
        if not waiting:
            del workspace.direct[sid]


def offer(workspace: LiveWorkspace, task: LiveTask) -> None:
    """Offer a task to as many workers at once as its queue says; then it waits only for the rest."""
    queue = workspace.queues[task.record.task_queue_sid or ""]
    most = queue.record.max_reserved_workers
    for worker in list(_first(candidates(workspace, task), most - len(task.open))):
        if not reserve(workspace, task, worker, queue.record.sid):
            return
    if len(task.open) >= most:
        workspace.end_waiting(task)


def _first(workers: Iterator[LiveWorker], count: int) -> Iterator[LiveWorker]:
    for _ in range(count):
        worker = next(workers, None)
        if worker is None:
            return
        yield worker
