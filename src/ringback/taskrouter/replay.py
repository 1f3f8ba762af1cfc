"""Yesterday's tasks against a draft of a workflow: what would have been different (issue 3, point 9).

``before`` is what happened. ``after`` is a rehearsal with the draft, and ``same_rules`` one with the rules as they are
saved: what differs between that and ``before`` is the rehearsal's own error, not the draft's doing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.event import Event
from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.resources.taskrouter.worker import Worker
from ringback.resources.taskrouter.workflow import Workflow
from ringback.taskrouter import life as lifes
from ringback.taskrouter.behaviour import Behaviour
from ringback.taskrouter.journal import iso
from ringback.taskrouter.life import BY_TIMEOUT, Life, lives, slim
from ringback.taskrouter.rehearsal import MOVES, Cast, Rehearsal, cast, copies
from ringback.taskrouter.requests.workflow import checked
from ringback.taskrouter.workspace import LiveWorkspace

MOST_TASKS = 10_000
"""Tasks of one replay; more are refused."""
TAIL = 86_400.0
"""Seconds after the window that are played on, and read, so that late tasks come to their end."""
__all__ = ["MOST_TASKS", "MOVE_TYPES", "TAIL", "TASK_TYPES", "Replay", "check", "prepare", "slim"]

TASK_TYPES, MOVE_TYPES = lifes.TYPES, MOVES
"""Event types to read: the former from the window's start to its end and the tail, the latter until now."""


def check(workspace: LiveWorkspace, workflow_sid: str, text: str) -> None:
    """Read a draft; raises :class:`Refused` 20404 for no such workflow, 20001 with the position for a bad draft."""
    if workflow_sid not in workspace.workflows:
        raise Refused(20404, f"The requested workflow {workflow_sid[:64]} was not found", 404)
    checked(workspace, text)


@dataclass(frozen=True, slots=True)
class Replay:
    """Everything that a run needs; it shares nothing with the workspace, so it may run in a thread."""

    workflow_sid: str
    draft: str
    start: float
    end: float
    until: float
    records: tuple[Any, ...]
    """Copies (``rehearsal.copies``)."""
    tasks: Sequence[Event]
    moves: Sequence[Event]

    def run(self, pause: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """Rehearse twice and compare. Pure computing: about 2 ms a task. Only once: it uses the copies up.

        ``pause`` is called every few milliseconds: a thread lets the others have their turn there.
        Raises :class:`Refused` 20001 for more than :data:`MOST_TASKS` tasks.
        """
        past = lives(self.tasks, self.start, self.end)
        if len(past) > MOST_TASKS:
            text = f"{len(past)} tasks were created in this time; at most {MOST_TASKS} can be replayed"
            raise Refused(20001, text)
        saved = cast(self.records, self.moves, self.start)
        drafted = replace(saved, records=tuple(self._with_draft(each) for each in saved.records))
        names = {
            each.sid: each.friendly_name for each in self.records if isinstance(each, TaskQueue | Worker)
        }
        after, played = self._rehearse(drafted, past, pause)
        same, _ = self._rehearse(saved, past, pause)
        return _Comparison(self, past, names).body(after, played, same)

    def _with_draft(self, record: Any) -> Any:
        ours = isinstance(record, Workflow) and record.sid == self.workflow_sid
        return replace(record, configuration=self.draft) if ours else record

    def _rehearse(
        self, cast: Cast, past: dict[str, Life], pause: Callable[[], None]
    ) -> tuple[dict[str, Life], Rehearsal]:
        rehearsal = Rehearsal(cast, list(past.values()), self.start, self.until)
        return rehearsal.run(pause), rehearsal


class _Comparison:
    """What happened, beside what would have happened."""

    def __init__(self, replay: Replay, past: dict[str, Life], names: dict[str, str]) -> None:
        self._replay, self.past, self.names = replay, past, names
        self.until = replay.until

    def body(self, after: dict[str, Life], played: Rehearsal, same: dict[str, Life]) -> dict[str, Any]:
        """The report on a rehearsal with the draft, and one with the saved rules."""
        refused = played.refused
        sids = [sid for sid in self.past if sid not in refused]
        ours = [sid for sid in sids if self.past[sid].workflow == self._replay.workflow_sid]
        tasks = [self._task(self.past[sid], after[sid]) for sid in ours]
        chosen = set(ours)
        other = [self._task(self.past[sid], after[sid]) for sid in sids if sid not in chosen]
        changes = Counter(change for each in tasks for change in each["changes"])
        return {
            "workflow_sid": self._replay.workflow_sid,
            "start_time": iso(self._replay.start),
            "end_time": iso(self._replay.end),
            "played_until": iso(self.until),
            "totals": {
                "tasks": len(tasks),
                "changed": sum(bool(each["changes"]) for each in tasks),
                **{f"changed_{what}": changes[what] for what in ("task_queue", "worker", "outcome", "wait")},
                "before": self._figures(self.past, ours),
                "after": self._figures(after, ours),
                "same_rules": self._figures(same, ours),
                "tasks_of_other_workflows": len(other),
                "changed_of_other_workflows": sum(bool(each["changes"]) for each in other),
            },
            "task_queues": self._grouped(ours, after, "queue"),
            "workers": self._grouped(ours, after, "worker"),
            "tasks": tasks,
            "left_out": [{"sid": sid, "reason": text} for sid, text in refused.items()],
            "assumed": self._assumed(played),
        }

    def _task(self, before: Life, after: Life) -> dict[str, Any]:
        compared = {
            "task_queue": before.queue != after.queue,
            "worker": before.worker != after.worker,
            "outcome": before.outcome != after.outcome,
            "wait": abs(before.waited(self.until) - after.waited(self.until)) >= 1.0,
        }
        return {
            "task_sid": before.sid,
            "date_created": iso(before.created),
            "changes": [what for what, changed in compared.items() if changed],
            "before": self._shown(before),
            "after": self._shown(after),
        }

    def _shown(self, life: Life) -> dict[str, Any]:
        return {
            "task_queue_sid": life.queue or None,
            "task_queue_friendly_name": self.names.get(life.queue),
            "worker_sid": life.worker or None,
            "worker_name": self.names.get(life.worker),
            "outcome": life.outcome,
            "reason": life.reason or None,
            "wait": round(life.waited(self.until), 3),
            "offers": len(life.offers),
        }

    def _figures(self, found: dict[str, Life], sids: Sequence[str]) -> dict[str, Any]:
        some = [found[sid] for sid in sids if sid in found]
        outcomes = Counter(life.outcome for life in some)
        waits = [life.waited(self.until) for life in some if life.accepted is not None]
        ends = Counter(offer.end for life in some for offer in life.offers.values())
        timeouts = sum(life.outcome == "canceled" and life.reason in BY_TIMEOUT for life in some)
        return {
            "tasks": len(some),
            "accepted": outcomes["accepted"],
            "canceled": outcomes["canceled"],
            "canceled_by_timeout": timeouts,
            "still_waiting": outcomes["waiting"],
            "wait_until_accepted": {
                "avg": round(sum(waits) / len(waits), 3) if waits else 0.0,
                "max": round(max(waits, default=0.0), 3),
            },
            "reservations_rejected": ends["rejected"],
            "reservations_timed_out": ends["timeout"],
        }

    def _grouped(self, sids: Sequence[str], after: dict[str, Life], by: str) -> list[dict[str, Any]]:
        sides: list[dict[str, list[str]]] = []
        for found in (self.past, after):
            groups: dict[str, list[str]] = {}
            for sid in sids:
                groups.setdefault(getattr(found[sid], by), []).append(sid)
            sides.append(groups)
        before, then = sides
        return [
            {
                "sid": sid,
                "friendly_name": self.names.get(sid),
                "before": self._figures(self.past, before.get(sid, [])),
                "after": self._figures(after, then.get(sid, [])),
            }
            for sid in sorted(before.keys() | then.keys())
            if sid
        ]

    def _assumed(self, played: Rehearsal) -> list[str]:
        behaviour = Behaviour(self.past.values())
        return [
            "Queues, channels, capacities, workers' attributes and other workflows are as they are now; workers and "
            "activities that have been deleted since are left out.",
            "At the start nothing waits and everybody is idle; tasks created before or after the window are left out.",
            "Workers change their activity when they did, and after a reservation that times out.",
            "A worker who was offered a task treats it as they did then. One who was not (this time "
            f"{played.guessed} offers) accepts it after their mean time, {behaviour.accepts_after():.1f} s over all.",
            "A task takes as long as it took, whoever has it; one that was never finished the mean of its channel, "
            f"{behaviour.works_for():.1f} s over all. Transfers are not played.",
            "Tasks that were canceled from outside while they waited are canceled after the same time if they still "
            "wait then; all others wait until somebody takes them or the rules cancel them.",
            "Attributes and priorities of tasks are those at their creation.",
        ]


def prepare(
    workspace: LiveWorkspace, workflow_sid: str, draft: str, tasks: Sequence[Event], moves: Sequence[Event],
    *, start: float, end: float, until: float,
) -> Replay:  # fmt: skip
    """Copy what a run needs. ``tasks`` and ``moves``: events of the two lists of types above, oldest first.

    Raises :class:`Refused` as :func:`check` does.
    """
    check(workspace, workflow_sid, draft)
    return Replay(workflow_sid, draft, start, end, until, copies(workspace), tasks, moves)
