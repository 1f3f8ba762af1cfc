"""Random workloads for a workspace: each step is a request that makes sense (mostly) in the state that it is in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.taskrouter.workspace_kit import WS, Kit

QUEUES = (
    "1==1",
    "1==1",
    "skills HAS 'a'",
    "skills HAS 'b' OR level >= 3",
    "lang == 'en'",
    "",
    "activity_name != 'Unavailable'",
    "worker.channel.voice.assigned_tasks == 0",
    "channel.chat.available_capacity_percentage > 40 OR worker.skills HAS 'a'",
)
TARGETS = (
    None,
    None,
    None,
    "task.lang == worker.lang",
    "worker.level >= task.need",
    "worker.skills HAS task.want",
    "task.want IN worker.skills AND task.lang != 'fr'",
    "task.who == worker.contact",
    "worker.sid NOT IN task.no",
    "1==0",
    "task.tags[0] == worker.lang",
    "worker.friendly_name == task.name OR task.vip",
    "worker.place.city == task.tags[1] AND worker.level > 0",
    "worker.skills HAS task.want AND task.who == worker.contact",
    "worker.sid IN task.no",
    "task.tags HAS worker.lang AND task.need <= worker.level",
    "task.need > worker.level",
    "worker.level < task.need AND worker.skills HAS task.want",
    "worker.lang >= task.lang AND task.skills HAS worker.level",
    "worker.channel.voice.available_capacity_percentage == 100",
    "worker.channel.voice.assigned_tasks < task.need AND task.lang == worker.lang",
    "worker.channel.default.assigned_tasks > 0 OR worker.channel.chat.available_capacity_percentage < 100",
)
FILTERS = ("1==1", "kind == 'x'", "lang == 'en'", "need > 1", "vip == true", "lang IN ['de', 'fr']")
ORDERS = (None, None, "worker.level DESC", "worker.level", "worker.lang, worker.level DESC", "worker.x ASC",
    "worker.channel.voice.available_capacity_percentage DESC", "worker.channel.chat.last_reserved_time")  # fmt: skip
SKIPS = (
    None,
    None,
    None,
    "1==1",
    "workers.available == 0",
    "workers.available < 2",
    "workers.unavailable > 0",
    "activity",
)
CHANNELS = ("voice", "voice", "chat", "default")


@dataclass(frozen=True)
class Step:
    """A request, or (noun ``clock``) time that passes."""

    operation: str
    noun: str
    sid: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def apply(self, kit: Kit) -> None:
        """Let it happen at a workspace. Raises ``Refused``."""
        if self.noun == "clock":
            kit.advance(self.seconds)
        else:
            kit.request(self.operation, self.noun, self.sid, self.values, self.params)


def furnish(random: Random, kit: Kit) -> Iterator[Step]:
    """Queues, workflows and workers to begin with."""
    for _ in range(random.randint(1, 4)):
        yield _queue(random, kit)
    for _ in range(random.randint(1, 2)):
        values = {
            "friendly_name": kit.sid("F"), "configuration": configuration(random, kit),
            "task_reservation_timeout": random.choice((5, 20, 30, 120)),
        }  # fmt: skip
        yield Step("create", "Workflow", kit.sid("WW"), values)
    for _ in range(random.randint(1, 5)):
        yield _worker(random, kit)
    for channel in list(kit.workspace.worker_channels.values()):
        if random.random() < 0.3:
            yield Step("update", "WorkerChannel", channel.sid, {}, {"Capacity": str(random.randint(0, 3))})


def configuration(random: Random, kit: Kit) -> str:
    """A workflow for the queues that exist."""
    queues = sorted(kit.workspace.queues)
    filters = []
    for number in range(random.choice((0, 1, 1, 2, 3))):
        targets = [_target(random, kit, queues, timeout=True) for _ in range(random.randint(1, 3))]
        targets[0]["queue"] = random.choice(queues)
        filters.append(
            {"filter_friendly_name": str(number), "expression": random.choice(FILTERS), "targets": targets}
        )
    routing: dict[str, Any] = {"filters": filters}
    if random.random() < 0.6:
        default = _target(random, kit, queues, timeout=False)
        routing["default_filter"] = {**default, "queue": random.choice(queues)}
    return json.dumps({"task_routing": routing})


def _target(random: Random, kit: Kit, queues: list[str], *, timeout: bool) -> dict[str, Any]:
    skip = random.choice(SKIPS)
    if skip == "activity":
        skip = f"workers.{random.choice(sorted(kit.workspace.activities))} > 0"
    target = {
        "queue": random.choice([*queues, None]), "expression": random.choice(TARGETS),
        "order_by": random.choice(ORDERS), "skip_if": skip, "priority": random.choice((None, None, 0, 2, 5)),
        "timeout": random.choice((None, 5, 20, 30, 60)) if timeout else None,
    }  # fmt: skip
    known = random.random()
    if known < 0.1:
        target["known_worker_sid"] = "task.agent"
    elif known < 0.2:
        target["known_worker_friendly_name"] = "task.name"
    return {key: value for key, value in target.items() if value is not None}


def _queue(random: Random, kit: Kit) -> Step:
    values = {
        "friendly_name": kit.sid("Q"), "target_workers": random.choice(QUEUES),
        "max_reserved_workers": random.choice((1, 1, 2, 3)), "task_order": random.choice(("FIFO", "FIFO", "LIFO")),
    }  # fmt: skip
    return Step("create", "TaskQueue", kit.sid("WQ"), values)


def _worker(random: Random, kit: Kit) -> Step:
    activity = random.choice(("Available", "Available", "Available", "Offline", "Unavailable"))
    values = {
        "friendly_name": f"Worker {len(kit.workspace.workers)} {kit.sid('')}", "attributes": _skills(random),
        "activity_sid": kit.activity(activity),
    }  # fmt: skip
    return Step("create", "Worker", kit.sid("WK"), values)


def _skills(random: Random) -> str:
    found = {
        "skills": [each for each in "abc" if random.random() < 0.5], "level": random.choice((0, 1, 2, 3, 4, "x", 2.5)),
        "lang": random.choice(("en", "de", "fr")), "contact": f"client:{random.randint(0, 3)}",
        "place": {"city": random.choice(("Rom", 7))},
    }  # fmt: skip
    return json.dumps({key: value for key, value in found.items() if random.random() < 0.85})


def _wishes(random: Random, kit: Kit) -> str:
    workers = list(kit.workspace.workers.values())
    someone = random.choice(workers).record if workers else None
    found = {
        "kind": random.choice("xy"),
        "lang": random.choice(("en", "de", "fr")),
        "need": random.choice((0, 1, 2, 3, 4, 1.5, "x", True)),
        "want": random.choice(("a", "b", "c", 1)),
        "skills": random.sample((0, 1, 2, 2.0, True, "x", "a", None), 3),
        "who": f"client:{random.randint(0, 3)}",
        "vip": random.random() < 0.5,
        "no": [someone.sid] if someone else [],
        "tags": [random.choice(("en", "de")), random.choice(("Rom", 7))],
        "agent": someone.sid if someone else 5,
        "name": someone.friendly_name.upper() if someone else "nobody",
    }
    return json.dumps({key: value for key, value in found.items() if random.random() < 0.7})


def _channel(random: Random, kit: Kit) -> str:
    return kit.workspace.channel_names[random.choice(CHANNELS)]


def create_task(random: Random, kit: Kit) -> Step:
    values: dict[str, Any] = {
        "attributes": _wishes(random, kit),
        "workflow_sid": random.choice(sorted(kit.workspace.workflows)),
    }
    params = {"TaskChannel": _channel(random, kit)}
    if random.random() < 0.4:
        values["priority"] = random.randint(0, 5)
    if random.random() < 0.2:
        values["virtual_start_time"] = kit.now - random.randint(0, 60)
    if random.random() < 0.2:
        values["timeout"] = random.choice((10, 40, 90))
    routed = random.random()
    if routed < 0.08:
        params["RoutingTarget"] = random.choice(sorted(kit.workspace.queues))
    elif routed < 0.2 and kit.workspace.workers:
        params |= {
            "RoutingTarget": random.choice(sorted(kit.workspace.workers)),
            "IgnoreCapacity": random.choice(("true", "false", "false")),
        }
    return Step("create", "Task", kit.sid("WT"), values, params)


def reservation(*states: str, **params: str) -> Callable[[Random, Kit], Step | None]:
    """A step that changes one of the reservations in these states."""

    def step(random: Random, kit: Kit) -> Step | None:
        known = kit.workspace.reservations.values()
        found = sorted(each.sid for each in known if each.reservation_status in states)
        given = {key: value for key, value in params.items() if key != "away" or random.random() < 0.3}
        if given.pop("away", None):
            given["WorkerActivitySid"] = kit.activity("Unavailable")
        return Step("update", "Reservation", random.choice(found), {}, given) if found else None

    return step


def any_reservation(random: Random, kit: Kit) -> Step | None:
    """Often illegal."""
    found = sorted(kit.workspace.reservations)
    status = random.choice(("accepted", "rejected", "wrapping", "completed"))
    return (
        Step("update", "Reservation", random.choice(found), {}, {"ReservationStatus": status})
        if found
        else None
    )


def _some_task(random: Random, kit: Kit) -> str | None:
    return random.choice(sorted(kit.workspace.tasks)) if kit.workspace.tasks else None


def change_task(random: Random, kit: Kit) -> Step | None:
    sid, kind = _some_task(random, kit), random.randint(0, 4)
    if sid is None:
        return None
    if kind == 0:
        return Step("update", "Task", sid, {"priority": random.randint(0, 6)})
    if kind == 1:
        return Step("update", "Task", sid, {"virtual_start_time": kit.now - random.randint(0, 100)})
    if kind == 2:
        return Step("update", "Task", sid, {}, {"TaskChannel": _channel(random, kit)})
    return Step("update", "Task", sid, {"attributes": _wishes(random, kit)})


def end_task(random: Random, kit: Kit) -> Step | None:
    sid = _some_task(random, kit)
    status = random.choice(("canceled", "canceled", "wrapping", "completed"))
    return Step("update", "Task", sid, {"reason": "done"}, {"AssignmentStatus": status}) if sid else None


def delete_task(random: Random, kit: Kit) -> Step | None:
    sid = _some_task(random, kit)
    return Step("delete", "Task", sid) if sid else None


def _some_worker(random: Random, kit: Kit) -> str | None:
    return random.choice(sorted(kit.workspace.workers)) if kit.workspace.workers else None


def change_activity(random: Random, kit: Kit) -> Step | None:
    sid = _some_worker(random, kit)
    activity = kit.activity(random.choice(("Available", "Available", "Offline", "Unavailable")))
    params = {"RejectPendingReservations": "true"} if random.random() < 0.7 else {}
    return Step("update", "Worker", sid, {"activity_sid": activity}, params) if sid else None


def change_attributes(random: Random, kit: Kit) -> Step | None:
    sid = _some_worker(random, kit)
    return Step("update", "Worker", sid, {"attributes": _skills(random)}) if sid else None


def new_worker(random: Random, kit: Kit) -> Step | None:
    return _worker(random, kit) if len(kit.workspace.workers) < 7 else None


def delete_worker(random: Random, kit: Kit) -> Step | None:
    sid = _some_worker(random, kit)
    return Step("delete", "Worker", sid) if sid else None


def change_capacity(random: Random, kit: Kit) -> Step | None:
    if not kit.workspace.worker_channels:
        return None
    sid = random.choice(sorted(kit.workspace.worker_channels))
    if random.random() < 0.25:
        return Step("update", "WorkerChannel", sid, {}, {"Available": random.choice(("true", "false"))})
    return Step("update", "WorkerChannel", sid, {}, {"Capacity": str(random.randint(0, 3))})


def change_queue(random: Random, kit: Kit) -> Step:
    sid, kind = random.choice(sorted(kit.workspace.queues)), random.randint(0, 3)
    if kind == 0:
        return Step("update", "TaskQueue", sid, {"max_reserved_workers": random.randint(1, 3)})
    if kind == 1:
        return Step("update", "TaskQueue", sid, {"task_order": random.choice(("FIFO", "LIFO"))})
    return Step("update", "TaskQueue", sid, {"target_workers": random.choice(QUEUES)})


def change_workflow(random: Random, kit: Kit) -> Step:
    params = {"ReEvaluateTasks": "true"} if random.random() < 0.5 else {}
    sid = random.choice(sorted(kit.workspace.workflows))
    return Step("update", "Workflow", sid, {"configuration": configuration(random, kit)}, params)


def change_workspace(random: Random, kit: Kit) -> Step:
    if random.random() < 0.5:
        return Step("update", "Workspace", WS, {"prioritize_queue_order": random.choice(("FIFO", "LIFO"))})
    if random.random() < 0.5:
        activity = kit.activity(random.choice(("Available", "Offline", "Unavailable")))
        return Step("update", "Workspace", WS, {"timeout_activity_sid": activity})
    value = {"channel_optimized_routing": random.random() < 0.5}
    return Step("update", "TaskChannel", _channel(random, kit), value)


def advance(random: Random, kit: Kit) -> Step:
    return Step(
        "advance", "clock", seconds=random.choice((0.25, 1.0, 3.0, 5.0, 5.0, 10.0, 20.0, 30.0, 100.0))
    )


STEPS: dict[str, Callable[[Random, Kit], Step | None]] = {
    "create task": create_task, "create task 2": create_task, "create task 3": create_task,
    "create task 4": create_task, "create task 5": create_task,
    "accept": reservation("pending", ReservationStatus="accepted"),
    "accept 2": reservation("pending", ReservationStatus="accepted"),
    "reject": reservation("pending", ReservationStatus="rejected", away="maybe"),
    "wrap": reservation("accepted", ReservationStatus="wrapping"),
    "complete": reservation("accepted", "wrapping", ReservationStatus="completed"),
    "complete 2": reservation("accepted", "wrapping", ReservationStatus="completed"),
    "any reservation": any_reservation, "change task": change_task, "end task": end_task, "delete task": delete_task,
    "activity": change_activity, "activity 2": change_activity, "attributes": change_attributes,
    "new worker": new_worker, "delete worker": delete_worker, "capacity": change_capacity, "queue": change_queue,
    "workflow": change_workflow, "workspace": change_workspace, "advance": advance, "advance 2": advance,
    "advance 3": advance, "advance 4": advance,
}  # fmt: skip
"""Name → what makes the step; None: nothing to do that with."""
