"""Which worker gets which task (taskrouter.md §7).

The rules are :data:`CHECKS` and :func:`rank`: assignment, the explanation and the replay all use these. The indexes
of ``floor.py`` and ``line.py`` only propose candidates.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from ringback.taskrouter.demand import NAMING
from ringback.taskrouter.floor import Agent, Floor, Job, Pool
from ringback.taskrouter.lifecycle import reserve
from ringback.taskrouter.line import Key, known_name, look

Check = Callable[[Floor, Pool, Job, Agent], bool]


def _member(floor: Floor, pool: Pool, job: Job, agent: Agent) -> bool:
    return agent.record.sid in pool.members


def _available(floor: Floor, pool: Pool, job: Job, agent: Agent) -> bool:
    return agent.record.available


def _channel(floor: Floor, pool: Pool, job: Job, agent: Agent) -> bool:
    channel = agent.channels.get(job.record.task_channel_sid)
    return channel is not None and channel.available


def _capacity(floor: Floor, pool: Pool, job: Job, agent: Agent) -> bool:
    channel = agent.channels[job.record.task_channel_sid]
    return channel.assigned_tasks < channel.configured_capacity


def _single(floor: Floor, pool: Pool, job: Job, agent: Agent) -> bool:
    return floor.workspace.multi_task_enabled or not agent.held


def _known(floor: Floor, pool: Pool, job: Job, agent: Agent) -> bool:
    target = job.target
    if target is None or target.known_worker is None:
        return True
    kind, path = target.known_worker
    wanted = known_name(kind, look(job.attributes, path))
    return wanted is not None and wanted == known_name(kind, agent.attributes[kind])


def _expression(floor: Floor, pool: Pool, job: Job, agent: Agent) -> bool:
    target = job.target
    return (
        target is None or target.expression is None or target.expression(agent.attributes, job.attributes, {})
    )


def _fresh(floor: Floor, pool: Pool, job: Job, agent: Agent) -> bool:
    return agent.record.sid not in job.asked


CHECKS: tuple[tuple[str, str, Check], ...] = (
    ("not_in_queue", "does not match the queue's expression", _member),
    ("not_available", "is in an activity that takes no tasks", _available),
    ("channel_unavailable", "takes no tasks of this channel", _channel),
    ("no_capacity", "holds as many tasks of this channel as he may", _capacity),
    ("holds_a_task", "holds a task, and the workspace gives one at a time", _single),
    ("not_the_known_worker", "is not the worker that the task names", _known),
    ("expression_false", "does not match the target's expression", _expression),
    ("already_asked", "has been offered it in this round", _fresh),
)
"""Reason, its words, and the rule: the first that does not hold is why a worker is not chosen."""


def obstacle(floor: Floor, job: Job, agent: Agent) -> str | None:
    """Why the worker cannot be offered the task now: the first failing check; None: he can."""
    pool = floor.queues[job.record.task_queue_sid or ""]
    for reason, _, check in CHECKS:
        if not check(floor, pool, job, agent):
            return reason
    return None


def rank(floor: Floor, job: Job, agent: Agent) -> tuple[Any, ...]:
    """The worker's place among those who can take the task; smaller is chosen: ``order_by``, then idle longest."""
    seat = floor.seat(agent, job.record.task_channel_sid)
    order_by = job.target.order_by if job.target is not None else None
    return seat if order_by is None else (order_by.key(agent.attributes), *seat)


def candidates(floor: Floor, job: Job) -> Iterator[Agent]:
    """Workers who can take the task now, best first."""
    pool, target = floor.queues.get(job.record.task_queue_sid or ""), job.target
    if pool is None or target is None or not job.in_line:
        return
    proposed = _proposed(floor, pool, job)
    if target.order_by is not None:
        fit = [agent for agent in proposed if obstacle(floor, job, agent) is None]
        yield from sorted(fit, key=lambda agent: rank(floor, job, agent))
        return
    for agent in proposed:
        if obstacle(floor, job, agent) is None:
            yield agent


def _proposed(floor: Floor, pool: Pool, job: Job) -> Iterable[Agent]:
    target = job.target
    assert target is not None
    if target.known_worker is not None:
        kind, path = target.known_worker
        wanted = known_name(kind, look(job.attributes, path)) or ""
        agent = floor.workers.get(wanted if kind == "sid" else floor.worker_names.get(wanted, ""))
        return () if agent is None else (agent,)
    channel_sid = job.record.task_channel_sid
    roster = floor.roster(pool, channel_sid)
    named = _named(floor, job)
    # Few who are named are looked up; of many, one comes soon among those who are idle longest.
    if named is None or len(named) * len(named) > len(roster):
        return (floor.workers[sid] for _, sid in roster)
    found = (floor.workers[sid] for sid in named)
    return sorted(
        (agent for agent in found if channel_sid in agent.seats), key=lambda agent: agent.seats[channel_sid]
    )


def _named(floor: Floor, job: Job) -> Collection[str] | None:
    """SIDs of the workers whom the task names by a value, as few as one of its demands tells; None: it names none."""
    assert job.target is not None
    expression = job.target.expression
    links = [link for link in expression.links if link.how in NAMING] if expression is not None else []
    if not links:
        return None
    return min((floor.whois.named(link, job.attributes, floor.everybody) for link in links), key=len)


def next_task(floor: Floor, agent: Agent) -> Job | None:
    """The first task in order that the worker can take now; None: there is none."""
    best: Job | None = None
    best_key: tuple[int, Any] | None = None
    for channel_sid in agent.seats:
        for queue_sid in agent.queues:
            pool = floor.queues[queue_sid]
            waiting = pool.waiting.get(channel_sid)
            if not waiting:
                continue
            first = 0 if pool.record.task_order == floor.workspace.prioritize_queue_order else 1
            for group in waiting.groups.values():
                for (key, sid), line in group.lines_for(agent.attributes):
                    if best_key is not None and (first, key) >= best_key:
                        break  # as all further lines of the group
                    # Where no index helps most lines end here: whoever sits in the roster passes the rules before.
                    if not _expression(floor, pool, floor.tasks[sid], agent):
                        continue
                    found = _first_in(floor, line, agent)
                    if found is not None and (best_key is None or (first, found.key) < best_key):
                        best, best_key = found, (first, found.key)
    return best


def _first_in(floor: Floor, line: Iterable[tuple[Key, str]], agent: Agent) -> Job | None:
    """The first task of a line that the worker can take now: its first, unless he has been asked for that."""
    for _, task_sid in line:
        job = floor.tasks[task_sid]
        reason = obstacle(floor, job, agent)
        if reason is None:
            return job
        if reason != "already_asked":
            return None  # all in this line are alike to him
    return None


def settle(floor: Floor) -> None:
    """Offer until nothing more fits: always the first task in the workspace's order that somebody can take.

    Only tasks and workers for whom something changed are looked at; for all others nothing fitted before. An offer
    takes capacity and never gives any, so what one of them can get only moves back in the order: the first entry of
    the heap, looked at again before it is used, is the next offer.
    """
    while floor.dirty_tasks or floor.dirty_workers:
        _directly(floor)
        dirty = floor.dirty_tasks | floor.dirty_workers
        floor.dirty_tasks.clear()
        floor.dirty_workers.clear()
        firsts = ((sid, _first_for(floor, sid, dirty)) for sid in dirty)
        offers = 0
        heap = [(floor.global_key(job), sid, offers, job) for sid, job in firsts if job is not None]
        heapq.heapify(heap)
        while heap:
            _, sid, seen, job = heap[0]
            if seen == offers:
                offer(floor, job)
                offers += 1
                continue
            found = _first_for(floor, sid, dirty)
            if found is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (floor.global_key(found), sid, offers, found))


def _first_for(floor: Floor, sid: str, dirty: set[str]) -> Job | None:
    """The first task that can be offered to the worker; for a task itself, when somebody can take it; else None."""
    job = floor.tasks.get(sid)
    if job is not None:
        return job if job.in_line and not _hopeless(floor, job, dirty) and somebody(floor, job) else None
    agent = floor.workers.get(sid)
    return next_task(floor, agent) if agent is not None else None


def somebody(floor: Floor, job: Job) -> bool:
    """Whether any worker can take the task, which is in line, now."""
    pool = floor.queues[job.record.task_queue_sid or ""]
    return any(obstacle(floor, job, agent) is None for agent in _proposed(floor, pool, job))


def _hopeless(floor: Floor, job: Job, dirty: set[str]) -> bool:
    """Whether a task that is the same to every worker stands in line with nothing changed for it: then nobody who has
    not changed either can take this one (and those who have are looked at by themselves)."""
    task = job.record
    twin = floor.queues[task.task_queue_sid or ""].waiting[task.task_channel_sid].twin(task.sid)
    return twin is not None and twin not in dirty and not floor.tasks[twin].asked


def _directly(floor: Floor) -> None:
    """Tasks that are for one worker alone go before all others, as soon as he is free."""
    for sid in sorted(floor.dirty_workers & floor.direct.keys()):
        agent, waiting = floor.workers.get(sid), floor.direct[sid]
        for task_sid in list(waiting):
            job = floor.tasks.get(task_sid)
            if job is None or agent is None or job.record.assignment_status != "pending":
                waiting.remove(task_sid)
            elif floor.free_on(agent, job.record.task_channel_sid):
                waiting.remove(task_sid)
                reserve(floor, job, agent, job.record.task_queue_sid)
        if not waiting:
            del floor.direct[sid]


def offer(floor: Floor, job: Job) -> None:
    """Offer a task to as many workers at once as its queue says; then it stands in line only for the rest."""
    pool = floor.queues[job.record.task_queue_sid or ""]
    most = pool.record.max_reserved_workers
    for agent in list(_first(candidates(floor, job), most - len(job.open))):
        if not reserve(floor, job, agent, pool.record.sid):
            return
    if len(job.open) >= most:
        floor.step_out(job)


def _first(agents: Iterator[Agent], count: int) -> Iterator[Agent]:
    for _ in range(count):
        agent = next(agents, None)
        if agent is None:
            return
        yield agent
