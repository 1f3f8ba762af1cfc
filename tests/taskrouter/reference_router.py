"""A slow, obvious router: the rules of taskrouter.md §2–§7 with lists, sorts and full scans, re-run after every event.

It shares with the product the compiled expressions and the read configuration, and nothing else: no index, no
"what has changed". Where the sheet leaves a choice, this is what was chosen:

* idle since = when a reservation was last created for the worker (never: idle longest; ties: smaller SID);
* a round lasts from a task's first reservation until it is pending again; nobody is asked twice in one round;
* a task with fewer open reservations than its queue's ``max_reserved_workers`` stays in line for the rest;
* when a target's time is up while reservations are open, the task is offered to nobody else and leaves after them;
* a workflow that changes without re-evaluation: a task keeps the numbers of its filter and target and its queue,
  and stands under what that place says now (no such place: anybody of the queue, for ever);
* what is due at the same moment: TTL, targets, reservations, removal; then the smaller SID;
* tasks for one worker alone that wait for them go first, oldest first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringback.taskrouter.configuration import Configuration, Target, read_configuration
from ringback.taskrouter.expression import Expression, compile_expression, read_path

LIVE = ("pending", "accepted", "wrapping")
ANYBODY = Target(
    queue="", priority=None, timeout=None, expression=None, order_by=None, skip_if=None, known_worker=None, index=0
)  # fmt: skip


class Illegal(Exception):
    """The sheet does not allow this."""


@dataclass
class Capacity:
    """A worker's channel."""

    limit: int = 1
    available: bool = True
    last: float = 0.0


@dataclass
class Person:
    """A worker."""

    sid: str
    name: str
    attributes: dict[str, Any]
    activity: str
    channels: dict[str, Capacity]


@dataclass
class Queue:
    """A task queue."""

    sid: str
    expression: Expression
    most: int = 1
    order: str = "FIFO"


@dataclass
class Work:
    """A task."""

    sid: str
    created: float
    start: float
    workflow: str | None
    channel: str
    attributes: dict[str, Any]
    priority: int = 0
    ttl: float = 86_400.0
    worker: str | None = None
    """The one worker that it is for."""
    ignore: bool = False
    status: str = "pending"
    since: float = 0.0
    queue: str | None = None
    place: tuple[int, int] | None = None
    """Filter (-1: default) and target; None: in no workflow, or nowhere yet."""
    entered: float = 0.0
    over: bool = False
    asked: set[str] = field(default_factory=set)


@dataclass
class Offer:
    """A reservation."""

    number: int
    task: str
    worker: str
    channel: str
    expires: float
    status: str = "pending"
    sid: str = ""
    """The product's, told by the test."""


class Router:
    """One workspace."""

    def __init__(
        self,
        activities: Mapping[str, tuple[str, bool]],
        channels: Mapping[str, str],
        offline: str,
        *,
        multi: bool,
    ) -> None:
        """``activities``: SID → name, available; ``offline``: the timeout activity; ``channels``: SID → name."""
        self.now = 0.0
        self.activities, self.channels, self.timeout_activity, self.multi = (
            activities,
            channels,
            offline,
            multi,
        )
        self.optimized: set[str] = set()
        self.first_order = "FIFO"
        self.people: dict[str, Person] = {}
        self.queues: dict[str, Queue] = {}
        self.plans: dict[str, Configuration] = {}
        self.patience: dict[str, int] = {}
        self.tasks: dict[str, Work] = {}
        self.offers: list[Offer] = []

    # --- what is true now ---------------------------------------------------------------------------------------

    def view(self, person: Person) -> dict[str, Any]:
        """What expressions see of a worker (§6)."""
        name, _ = self.activities[person.activity]
        channels = {self.channels[sid]: self.figures(person, sid) for sid in person.channels}
        return {
            **person.attributes, "channel": channels, "sid": person.sid, "friendly_name": person.name,
            "activity_sid": person.activity, "activity_name": name,
        }  # fmt: skip

    def figures(self, person: Person, channel: str) -> dict[str, Any]:
        """§2.5, §2.6: what the channel holds, as a nested attribute."""
        capacity = person.channels[channel]
        live = [each for each in self.of_worker(person, *LIVE) if each.channel == channel]
        free = max(0, capacity.limit - len(live))
        return {
            "configured_capacity": capacity.limit,
            "assigned_tasks": len([each for each in live if each.status != "pending"]),
            "available_capacity_percentage": int(100 * free / capacity.limit) if capacity.limit else 0,
            "available": capacity.available,
            "last_reserved_time": int(capacity.last * 1000),
        }

    def available(self, person: Person) -> bool:
        """Whether their activity takes tasks."""
        return self.activities[person.activity][1]

    def members(self, queue: Queue) -> list[Person]:
        """Who serves the queue."""
        return [each for each in self.people.values() if queue.expression(self.view(each), {}, {})]

    def of_task(self, work: Work, *states: str) -> list[Offer]:
        """Its reservations in these states."""
        return [each for each in self.offers if each.task == work.sid and each.status in states]

    def of_worker(self, person: Person, *states: str) -> list[Offer]:
        """His reservations in these states."""
        return [each for each in self.offers if each.worker == person.sid and each.status in states]

    def free(self, person: Person, channel: str) -> bool:
        """§2.6."""
        capacity = person.channels[channel]
        live = self.of_worker(person, *LIVE)
        used = sum(each.channel == channel for each in live)
        return (
            self.available(person)
            and capacity.available
            and used < capacity.limit
            and (self.multi or not live)
        )

    def idle_since(self, person: Person, channel: str) -> float:
        """§7."""
        if channel in self.optimized:
            return person.channels[channel].last
        return max(each.last for each in person.channels.values())

    def target(self, work: Work) -> Target:
        """Where it stands."""
        if work.place is None or work.workflow is None:
            return ANYBODY
        plan, (number, index) = self.plans[work.workflow], work.place
        if number == -1:
            return plan.default or ANYBODY
        if number >= len(plan.filters) or index >= len(plan.filters[number].targets):
            return ANYBODY
        return plan.filters[number].targets[index]

    def waiting(self) -> list[Work]:
        """Tasks that want (more) reservations from their queue, first in order first (§7)."""
        found = []
        for work in self.tasks.values():
            if (
                work.status not in ("pending", "reserved")
                or not work.queue
                or work.worker is not None
                or work.over
            ):
                continue
            if len(self.of_task(work, "pending")) < self.queues[work.queue].most:
                found.append(work)
        return sorted(found, key=self.order)

    def order(self, work: Work) -> tuple[Any, ...]:
        """Its place among all waiting tasks (§7)."""
        order = self.queues[work.queue or ""].order
        group = 0 if order == self.first_order else 1
        if order == "LIFO":
            return (group, -work.start, -work.created, work.sid)
        return (group, -work.priority, work.start, work.created, work.sid)

    def fits(self, work: Work, person: Person) -> bool:
        """Whether the task can be offered to them now."""
        queue, target, view = self.queues[work.queue or ""], self.target(work), self.view(person)
        if person.sid in work.asked or not self.free(person, work.channel):
            return False
        if not queue.expression(view, {}, {}):
            return False
        if target.expression is not None and not target.expression(view, work.attributes, {}):
            return False
        if target.known_worker is not None:
            kind, path = target.known_worker
            wanted = read_path(path)(work.attributes)
            if not isinstance(wanted, str):
                return False
            return wanted == person.sid if kind == "sid" else wanted.lower() == person.name.lower()
        return True

    def who(self, work: Work) -> list[Person]:
        """Everybody who can take it now, best first (§7)."""
        order_by = self.target(work).order_by

        def rank(person: Person) -> tuple[Any, ...]:
            wanted = order_by.key(self.view(person)) if order_by is not None else ()
            return (wanted, self.idle_since(person, work.channel), person.sid)

        return sorted((each for each in self.people.values() if self.fits(work, each)), key=rank)

    # --- assignment -----------------------------------------------------------------------------------------------

    def assign(self) -> None:
        """Offer the first task that somebody can take, and begin again, until there is none."""
        for person in sorted(self.people.values(), key=lambda one: one.sid):
            for work in list(self.tasks.values()):
                if work.worker == person.sid and work.status == "pending" and self.free(person, work.channel):
                    self.offer(work, person)
        while True:
            for work in self.waiting():
                if people := self.who(work):
                    room = self.queues[work.queue or ""].most - len(self.of_task(work, "pending"))
                    for person in people[:room]:
                        self.offer(work, person)
                    break
            else:
                return

    def offer(self, work: Work, person: Person) -> None:
        """A reservation."""
        timeout = self.patience.get(work.workflow or "", 120)
        person.channels[work.channel].last = self.now
        self.offers.append(Offer(len(self.offers), work.sid, person.sid, work.channel, self.now + timeout))
        work.asked.add(person.sid)
        self.state(work, "reserved")

    def state(self, work: Work, status: str) -> None:
        """A new state of a task."""
        if work.status != status:
            work.status, work.since = status, self.now

    def ended(self, offer: Offer, status: str) -> None:
        """A pending reservation ended without success (§3, §4)."""
        offer.status = status
        work = self.tasks[offer.task]
        if work.status == "reserved" and not self.of_task(work, "pending"):
            self.state(work, "pending")
            work.asked.clear()
            if work.worker is not None:
                self.cancel(work)

    def cancel(self, work: Work) -> None:
        """Canceled, with what was offered."""
        self.state(work, "canceled")
        for each in self.of_task(work, "pending"):
            each.status = "canceled"

    # --- the workflow (§5.1) ----------------------------------------------------------------------------------

    def enter_workflow(self, work: Work) -> None:
        """From the top."""
        work.place = None
        self.walk(work, "match")

    def walk(self, work: Work, cause: str) -> None:
        """To the next target, and on while it is to be skipped."""
        plan = self.plans[work.workflow or ""]
        while (place := self.next_place(work, plan)) is not None:
            if not self.enter(work, place, plan.filters[place[0]].targets[place[1]]):
                return
            cause = "skip"
        if cause == "timeout" or plan.default is None or (work.place or (0, 0))[0] == -1:
            self.cancel(work)
        else:
            self.enter(work, (-1, 0), plan.default)

    def next_place(self, work: Work, plan: Configuration) -> tuple[int, int] | None:
        """The next target of its filter, else the first of the next filter that matches."""
        first = 0
        if work.place is not None:
            number, index = work.place
            if number == -1:
                return None
            if number < len(plan.filters) and index + 1 < len(plan.filters[number].targets):
                return number, index + 1
            first = number + 1
        for number in range(first, len(plan.filters)):
            if plan.filters[number].expression({}, work.attributes, {}):
                return number, 0
        return None

    def enter(self, work: Work, place: tuple[int, int], target: Target) -> bool:
        """Stand at a target; True: to be skipped."""
        work.place, work.entered, work.over, work.queue = place, self.now, False, target.queue
        if target.priority is not None:
            work.priority = target.priority
        if target.skip_if is None:
            return False
        self.assign()
        if self.of_task(work, "pending"):
            return False
        members = self.members(self.queues[target.queue])
        counts = dict.fromkeys(self.activities, 0)
        for person in members:
            counts[person.activity] += 1
        counts["available"] = sum(self.available(person) for person in members)
        counts["unavailable"] = len(members) - counts["available"]
        return target.skip_if({}, work.attributes, counts)

    # --- time -----------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let time pass, one due thing after the other."""
        end = self.now + seconds
        while (due := min(self.dues(), default=None)) is not None and due[0] <= end:
            self.now = max(self.now, due[0])
            self.happen(due)
            self.assign()
        self.now = end

    def settle(self) -> None:
        """After every event: what is due at once, then assignment."""
        while (due := min(self.dues(), default=None)) is not None and due[0] <= self.now:
            self.happen(due)
            self.assign()
        self.assign()

    def dues(self) -> Iterator[tuple[float, int, str, int]]:
        """Everything that is going to be due: when, rank, task, number of the reservation."""
        for work in self.tasks.values():
            if work.status in ("pending", "reserved"):
                yield work.created + work.ttl, 0, work.sid, -1
                timeout = self.target(work).timeout
                if work.over:
                    if not self.of_task(work, "pending"):
                        yield self.now, 1, work.sid, -1
                elif timeout is not None and work.place is not None:
                    yield max(self.now, work.entered + timeout), 1, work.sid, -1
            elif work.status in ("completed", "canceled"):
                yield work.since + 300.0, 5, work.sid, -1
        for offer in self.offers:
            if offer.status == "pending":
                yield offer.expires, 3, "", offer.number

    def happen(self, due: tuple[float, int, str, int]) -> None:
        """One of them."""
        _, rank, sid, number = due
        if rank == 0:
            self.cancel(self.tasks[sid])
        elif rank == 1:
            work = self.tasks[sid]
            if self.of_task(work, "pending"):
                work.over = True
            else:
                work.over = False
                self.walk(work, "timeout")
        elif rank == 3:
            self.people[self.offers[number].worker].activity = self.timeout_activity
            self.ended(self.offers[number], "timeout")
        else:
            del self.tasks[sid]

    # --- requests ---------------------------------------------------------------------------------------------

    def request(
        self, operation: str, noun: str, sid: str, values: Mapping[str, Any], params: Mapping[str, str]
    ) -> None:
        """A REST write, as the product gets it. Raises :class:`Illegal`."""
        getattr(self, f"{operation}_{noun.lower()}")(sid, dict(values), dict(params))
        self.settle()

    def update_workspace(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """Which order goes first; the timeout activity."""
        self.first_order = values.get("prioritize_queue_order", self.first_order)
        self.timeout_activity = values.get("timeout_activity_sid", self.timeout_activity)

    def update_taskchannel(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """How idleness is measured."""
        (self.optimized.add if values["channel_optimized_routing"] else self.optimized.discard)(sid)

    def create_worker(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """A worker."""
        channels = {each: Capacity() for each in self.channels}
        attributes = json.loads(values["attributes"])
        self.people[sid] = Person(sid, values["friendly_name"], attributes, values["activity_sid"], channels)

    def update_worker(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """§2.3."""
        person = self.people[sid]
        activity = values.get("activity_sid", person.activity)
        pending = self.of_worker(person, "pending")
        leaves = activity != person.activity and not self.activities[activity][1]
        if leaves and pending and params.get("RejectPendingReservations") != "true":
            raise Illegal
        if "attributes" in values:
            person.attributes = json.loads(values["attributes"])
        person.activity = activity
        for offer in pending if leaves else ():
            self.ended(offer, "rejected")

    def delete_worker(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """§2.3."""
        person = self.people[sid]
        if self.available(person) or self.of_worker(person, *LIVE):
            raise Illegal
        del self.people[sid]

    def update_workerchannel(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """§2.6; ``sid`` is the worker's and the channel's with a slash between."""
        worker, _, channel = sid.partition("/")
        capacity = self.people[worker].channels[channel]
        capacity.limit = int(params.get("Capacity", capacity.limit))
        capacity.available = params.get("Available", str(capacity.available).lower()) == "true"

    def create_taskqueue(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """A queue."""
        self.queues[sid] = Queue(sid, compile_expression("1==1", "worker"))
        self.update_taskqueue(sid, values, params)

    def update_taskqueue(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """§2.4."""
        queue = self.queues[sid]
        if "target_workers" in values:
            queue.expression = compile_expression(values["target_workers"], "worker")
        queue.most = values.get("max_reserved_workers", queue.most)
        queue.order = values.get("task_order", queue.order)

    def create_workflow(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """A workflow."""
        self.plans[sid] = read_configuration(values["configuration"])
        self.patience[sid] = values.get("task_reservation_timeout", 120)

    def update_workflow(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """§2.5."""
        self.plans[sid] = read_configuration(values["configuration"])
        if params.get("ReEvaluateTasks") == "true":
            for work in list(self.tasks.values()):
                if work.workflow == sid and work.status in ("pending", "reserved") and work.place is not None:
                    self.enter_workflow(work)

    def create_task(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """§2.7."""
        routed = params.get("RoutingTarget", "")
        work = Work(
            sid, self.now, values.get("virtual_start_time", self.now), values.get("workflow_sid"),
            params["TaskChannel"], json.loads(values["attributes"]), values.get("priority", 0),
            values.get("timeout", 86_400), since=self.now,
        )  # fmt: skip
        self.tasks[sid] = work
        if routed.startswith("WQ"):
            work.queue = routed
        elif routed.startswith("WK"):
            work.worker, work.ignore = routed, params.get("IgnoreCapacity", "true") == "true"
            if work.ignore or self.free(self.people[routed], work.channel):
                self.offer(work, self.people[routed])
        else:
            self.enter_workflow(work)

    def update_task(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """§2.7, §3."""
        work, status = self.tasks[sid], params.get("AssignmentStatus", "")
        reason = values.pop("reason", None)
        legal = {
            "canceled": ("pending", "reserved"),
            "wrapping": ("assigned",),
            "completed": ("assigned", "wrapping"),
        }
        channel = params.get("TaskChannel", work.channel)
        if status and (work.status not in legal[status] or (status != "wrapping" and not reason)):
            raise Illegal
        if work.status in ("completed", "canceled") and (values or "TaskChannel" in params):
            raise Illegal
        if channel != work.channel and self.of_task(work, "pending"):
            raise Illegal
        work.channel, work.priority = channel, values.get("priority", work.priority)
        work.start = values.get("virtual_start_time", work.start)
        if "attributes" in values:
            work.attributes = json.loads(values["attributes"])
        if status == "canceled":
            self.cancel(work)
        elif status == "wrapping":
            self.state(work, "wrapping")
            for each in self.of_task(work, "accepted"):
                each.status = "wrapping"
        elif status == "completed":
            self.state(work, "completed")
            for each in self.of_task(work, "accepted", "wrapping"):
                each.status = "completed"

    def delete_task(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """In any state."""
        for each in self.of_task(self.tasks[sid], *LIVE):
            each.status = "canceled"
        del self.tasks[sid]

    def update_reservation(self, sid: str, values: dict[str, Any], params: dict[str, str]) -> None:
        """§4."""
        (offer,) = (each for each in self.offers if each.sid == sid)
        wanted = params["ReservationStatus"]
        legal = {
            "accepted": ("pending",), "rejected": ("pending",), "wrapping": ("accepted",),
            "completed": ("accepted", "wrapping"),
        }  # fmt: skip
        if offer.status not in legal[wanted]:
            raise Illegal
        work = self.tasks[offer.task]
        if wanted == "rejected":
            if "WorkerActivitySid" in params:
                self.people[offer.worker].activity = params["WorkerActivitySid"]
            self.ended(offer, "rejected")
            return
        offer.status = wanted
        if wanted == "accepted":
            self.state(work, "assigned")
            for each in self.of_task(work, "pending"):
                each.status = "rescinded"
        elif wanted == "wrapping":
            if work.status == "assigned" and not self.of_task(work, "accepted", "pending"):
                self.state(work, "wrapping")
        elif work.status in ("assigned", "wrapping") and not self.of_task(work, *LIVE):
            self.state(work, "completed")
