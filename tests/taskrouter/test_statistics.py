"""Statistics against figures that were computed by hand (taskrouter.md §11)."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from ringback.effects import Save
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.event import Event
from ringback.taskrouter import statistics
from ringback.taskrouter.cumulative import SPLIT_LIMIT, Tally, counted
from tests.taskrouter.workspace_kit import Kit

START = 1_800_000_000.0


def events_of(kit: Kit) -> list[Event]:
    """All event records so far, in order."""
    return [each.record for each in kit.effects if isinstance(each, Save) and isinstance(each.record, Event)]


def read(reading: statistics.Reading, events: list[Event], start: float, end: float, now: float) -> Any:
    """Answer a reading as the web part does: each wanted event once."""
    for wanted in reading.wanted:
        until = now + 1 if wanted.until_now else end
        for event in events:
            fits = all(
                getattr(event, name) in value if isinstance(value, tuple) else getattr(event, name) == value
                for name, value in wanted.equals.items()
            )
            if event.event_type in wanted.types and start <= event.event_date < until and fits:
                reading.add(event)
    return reading.body()


def busy() -> tuple[Kit, dict[str, str]]:
    """Two queues, two workers, one workflow that moves tasks on after 30 s."""
    kit = Kit()
    first, second = kit.queue("First", "team == 'a'"), kit.queue("Second", "team == 'b'")
    flow = kit.workflow(
        {
            "filters": [
                {
                    "expression": "kind == 'hard'",
                    "targets": [{"queue": first, "timeout": 30}, {"queue": second}],
                }
            ],
            "default_filter": {"queue": second},
        }
    )
    return kit, {"first": first, "second": second, "flow": flow}


# --- this moment ----------------------------------------------------------------------------------------------------


def test_real_time_of_a_workspace_a_queue_and_a_workflow() -> None:
    """Waiting, reserved and assigned tasks, counted where they are."""
    kit, at = busy()
    bob = kit.worker("bob", team="b")
    kit.worker("amy", activity="Offline", team="a")
    hard = kit.task(at["flow"], {"kind": "hard"}, priority=7)
    kit.advance(10)
    taken = kit.task(at["flow"], {})
    kit.reserve(kit.offer(taken), "accepted")
    kit.advance(5)
    kit.task(at["flow"], {}, {"TaskChannel": "voice"})  # bob has a voice channel too: offered at once
    kit.advance(2)

    whole = statistics.now_of(kit.workspace, "workspace", "", None, kit.now)
    assert whole["total_tasks"] == 3
    assert whole["tasks_by_status"] == {"pending": 1, "reserved": 1, "assigned": 1, "wrapping": 0}
    assert whole["tasks_by_priority"] == {"0": 2, "7": 1}
    assert (whole["longest_task_waiting_age"], whole["longest_task_waiting_sid"]) == (17, hard)
    assert whole["total_workers"] == 2
    workers = {each["friendly_name"]: each["workers"] for each in whole["activity_statistics"]}
    assert workers == {"Offline": 1, "Available": 1, "Unavailable": 0}

    first = statistics.now_of(kit.workspace, "queue", at["first"], None, kit.now)
    assert (first["total_tasks"], first["total_eligible_workers"], first["total_available_workers"]) == (
        1,
        1,
        0,
    )
    assert first["longest_relative_task_age_in_queue"] == 17
    voice = kit.workspace.channel_names["voice"]
    second = statistics.now_of(kit.workspace, "queue", at["second"], voice, kit.now)
    assert (second["total_tasks"], second["total_available_workers"]) == (1, 1)
    assert second["longest_task_waiting_age"] == 2
    flow = statistics.now_of(kit.workspace, "workflow", at["flow"], None, kit.now)
    assert flow["total_tasks"] == 3
    assert "total_workers" not in flow

    # No voice for bob any more: they still serve the queue, but not this channel.
    channel = kit.workspace.workers[bob].channels[voice]
    kit.update("WorkerChannel", channel.sid, params={"Available": "false"})
    second = statistics.now_of(kit.workspace, "queue", at["second"], voice, kit.now)
    assert (second["total_eligible_workers"], second["total_available_workers"]) == (1, 0)


def test_the_age_in_the_queue_starts_anew_when_a_task_moves_on() -> None:
    """longest_task_waiting_age goes back to the creation, the relative one to the entry."""
    kit, at = busy()
    sid = kit.task(at["flow"], {"kind": "hard"})
    kit.advance(45)
    second = statistics.now_of(kit.workspace, "queue", at["second"], None, kit.now)
    assert (second["longest_task_waiting_age"], second["longest_task_waiting_sid"]) == (45, sid)
    assert (second["longest_relative_task_age_in_queue"], second["longest_relative_task_sid_in_queue"]) == (
        15,
        sid,
    )
    first = statistics.now_of(kit.workspace, "queue", at["first"], None, kit.now)
    assert (first["total_tasks"], first["longest_task_waiting_sid"]) == (0, None)


def test_the_census_is_what_counting_all_tasks_gives() -> None:
    """After every one of 400 random steps."""
    kit, at = busy()
    dice = random.Random(7)
    for name in ("bob", "eve"):
        kit.worker(name, team="b")
    for _ in range(400):
        tasks = list(kit.workspace.tasks.values())
        task = dice.choice(tasks) if tasks else None
        step = dice.randrange(6)
        try:
            if step == 0 or task is None:
                kit.task(at["flow"], {"kind": dice.choice(["hard", "easy"])}, priority=dice.randrange(3))
            elif step == 1 and task.open:
                kit.reserve(dice.choice(sorted(task.open)), dice.choice(["accepted", "rejected"]))
            elif step == 2:
                kit.update("Task", task.record.sid, {"reason": "done"}, {"AssignmentStatus": "completed"})
            elif step == 3:
                kit.update("Task", task.record.sid, {"priority": dice.randrange(3)})
            elif step == 4 and dice.random() < 0.2:
                kit.request("delete", "Task", task.record.sid)
            else:
                kit.advance(dice.randrange(20))
        except Refused:
            pass  # an illegal step for the state it is in: nothing may have changed
        live = [each.record for each in kit.workspace.tasks.values() if not kit.workspace.over(each)]
        assert len(kit.workspace.task_counts) == len(live)
        count = kit.workspace.task_counts.count("queue", at["second"], kit.workspace.channels)
        here = [each for each in live if each.task_queue_sid == at["second"]]
        assert count.statuses == Counter(each.assignment_status for each in here)
        assert count.priorities == Counter(each.priority for each in here)
        waiting = [each for each in here if each.assignment_status in ("pending", "reserved")]
        assert count.oldest == min(((each.date_created, each.sid) for each in waiting), default=None)
        entries = [(each.task_queue_entered_date, each.sid) for each in waiting]
        assert count.first_in_queue == min(entries, default=None)


# --- a time -----------------------------------------------------------------------------------------------------------


def test_cumulative_figures_of_a_day_computed_by_hand() -> None:
    """One accepted after 12 s, one moved on after 30 s and accepted 10 s later, one canceled after 8 s."""
    kit, at = busy()
    bob = kit.worker("bob", team="b")
    kit.update("Worker", bob, {"activity_sid": kit.activity("Unavailable")})
    quick = kit.task(at["flow"], {})
    kit.advance(10)
    kit.update("Worker", bob, {"activity_sid": kit.activity("Available")})
    kit.advance(2)
    kit.reserve(kit.offer(quick), "accepted")  # at 12 s
    hard = kit.task(at["flow"], {"kind": "hard"})
    kit.advance(8)
    gone = kit.task(at["flow"], {})
    kit.advance(8)
    kit.update("Task", gone, {"reason": "hangup"}, {"AssignmentStatus": "canceled"})
    kit.update("Task", quick, {"reason": "done"}, {"AssignmentStatus": "completed"})
    kit.advance(
        24
    )  # the hard one moved to Second 30 s after its creation, 14 s from here, and was offered there
    kit.reserve(kit.offer(hard), "accepted")
    events, end = events_of(kit), kit.now + 1

    flow = read(
        statistics.past_of("workflow", at["flow"], None, START, end, [10, 20]), events, START, end, kit.now
    )
    assert {key: value for key, value in flow.items() if key.startswith(("tasks_", "reservations_"))} == {
        "reservations_created": 2, "reservations_accepted": 2, "reservations_rejected": 0,
        "reservations_timed_out": 0, "reservations_canceled": 0, "reservations_rescinded": 0,
        "tasks_entered": 3, "tasks_completed": 1, "tasks_canceled": 1, "tasks_deleted": 0, "tasks_moved": 1,
        "tasks_timed_out_in_workflow": 0,
    }  # fmt: skip
    assert flow["wait_duration_until_accepted"] == {"avg": 26, "min": 12, "max": 40, "total": 52}
    assert flow["wait_duration_until_canceled"] == {"avg": 8, "min": 8, "max": 8, "total": 8}
    assert flow["avg_task_acceptance_time"] == 26
    assert flow["split_by_wait_time"] == {
        "10": {
            "below": {"tasks_canceled": 1, "reservations_accepted": 0},
            "above": {"tasks_canceled": 0, "reservations_accepted": 2},
        },
        "20": {
            "below": {"tasks_canceled": 1, "reservations_accepted": 1},
            "above": {"tasks_canceled": 0, "reservations_accepted": 1},
        },
    }
    whole = read(statistics.past_of("workspace", "", None, START, end, []), events, START, end, kit.now)
    assert (whole["tasks_created"], whole["tasks_moved"], whole["split_by_wait_time"]) == (3, 1, None)
    assert whole["start_time"] == "2027-01-15T08:00:00Z"

    both = [at["first"], at["second"]]
    queues = read(statistics.past_of_queues(both, None, START, end, []), events, START, end, kit.now)
    first, second = queues[at["first"]], queues[at["second"]]
    assert (first["tasks_entered"], first["tasks_moved"], first["reservations_created"]) == (1, 1, 0)
    assert (second["tasks_entered"], second["tasks_moved"], second["reservations_accepted"]) == (3, 0, 2)
    assert second["wait_duration_until_accepted"]["max"] == 40
    assert second["wait_duration_in_queue_until_accepted"] == {"avg": 11, "min": 10, "max": 12, "total": 22}
    alone = read(statistics.past_of_queues(both[:1], None, START, end, []), events, START, end, kit.now)
    assert alone == {at["first"]: first}


def test_a_reservation_that_ends_each_way_is_counted() -> None:
    """Rejected, timed out, canceled, rescinded, and a task that fell out of its workflow."""
    kit = Kit()
    queue = kit.queue("All", max_reserved_workers=2)
    flow = kit.workflow({"filters": [{"expression": "1==1", "targets": [{"queue": queue, "timeout": 200}]}]})
    kit.worker("bob"), kit.worker("eve")
    both = kit.task(flow)
    one, two = sorted(kit.workspace.tasks[both].open)
    kit.reserve(one, "accepted")  # the other one is rescinded, and offered the next task
    assert kit.workspace.reservations[two].reservation_status == "rescinded"
    next_one = kit.task(flow)
    kit.reserve(kit.offer(next_one), "rejected")  # and offered again at once
    kit.advance(121)  # which times out
    assert kit.state(next_one) == "pending"
    kit.update("Worker", kit.worker("kim"), {"attributes": "{}"})
    kit.update("Task", next_one, {"reason": "gone"}, {"AssignmentStatus": "canceled"})
    kit.task(flow)
    kit.advance(0)
    events, end = events_of(kit), kit.now + 1
    found = read(statistics.past_of("workspace", "", None, START, end, []), events, START, end, kit.now)
    assert found["reservations_rescinded"] == 1
    assert found["reservations_rejected"] == 1
    assert found["reservations_timed_out"] == 1
    assert found["reservations_canceled"] == 1
    created = sum(each.event_type == "reservation.created" for each in events)
    assert found["reservations_created"] == created

    # The last task is offered to kim, who never answers; then its target's time is over.
    kit.advance(400)
    found = counted("workspace", "", events_of(kit), START, kit.now + 1)
    assert found["tasks_timed_out_in_workflow"] == 1


def test_only_what_is_within_the_window_counts() -> None:
    """The start counts, the end does not; nor another channel's tasks."""
    kit, at = busy()
    kit.task(at["flow"], {})
    kit.advance(10)
    kit.task(at["flow"], {}, {"TaskChannel": "voice"})
    events = events_of(kit)

    def created(start: float, end: float, channel: str | None = None) -> Any:
        reading = statistics.past_of("workspace", "", channel, start, end, [])
        return read(reading, events, start, end, kit.now)["tasks_created"]

    assert created(START, START + 10) == 1
    assert created(START, START + 10.001) == 2
    assert created(START + 10, START + 20) == 1
    assert created(START, START + 20, kit.workspace.channel_names["voice"]) == 1
    assert created(START, START + 20, kit.workspace.channel_names["chat"]) == 0


def test_the_split_looks_at_ten_thousand_and_not_at_transfers() -> None:
    """A task that is accepted again keeps the wait of the first time."""
    tally = Tally("workspace", "", [10])

    def accepted(task: str, age: int) -> None:
        tally.add(Event(sid="EV", account_sid="AC", date_created=0.0, event_type="reservation.accepted",
                        task_sid=task, event_data={"task_age": str(age)}))  # fmt: skip

    accepted("WTx", 500)
    accepted("WTx", 3)
    for number in range(SPLIT_LIMIT + 5):
        accepted(f"WT{number}", 20)
    split = tally.body(0, 1)["split_by_wait_time"]["10"]
    assert split["below"]["reservations_accepted"] == 1
    assert split["above"]["reservations_accepted"] == SPLIT_LIMIT - 1
    assert tally.body(0, 1)["reservations_accepted"] == SPLIT_LIMIT + 7


# --- workers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "available", "unavailable"),
    [
        # bob: available 0–60, unavailable 60–100, available from 100; eve available throughout; now is 200
        (0, 200, (180, 160, 200, 360), (40, 40, 40, 40)),
        (50, 80, (20, 10, 30, 40), (20, 20, 20, 20)),
        (60, 100, (40, 40, 40, 40), (40, 40, 40, 40)),
        (100, 150, (50, 50, 50, 100), (0, 0, 0, 0)),
    ],
)
def test_activity_durations(
    start: float, end: float, available: tuple[int, ...], unavailable: tuple[int, ...]
) -> None:
    """Stays are cut at the window's ends, also one that ended after the window."""
    kit, _ = busy()
    bob = kit.worker("bob")
    kit.worker("eve")
    kit.advance(60)
    kit.update("Worker", bob, {"activity_sid": kit.activity("Unavailable")})
    kit.advance(40)
    kit.update("Worker", bob, {"activity_sid": kit.activity("Available")})
    kit.advance(100)
    first, last = START + start, START + end
    reading = statistics.past_of_workers(kit.workspace, None, None, first, last, kit.now)
    found = read(reading, events_of(kit), first, last, kit.now)
    durations = {each["friendly_name"]: each for each in found["activity_durations"]}
    for name, expected in (("Available", available), ("Unavailable", unavailable), ("Offline", (0, 0, 0, 0))):
        each = durations[name]
        assert (each["avg"], each["min"], each["max"], each["total"]) == expected


def test_workers_are_selected_by_queue_and_name() -> None:
    """And their reservations alone are counted."""
    kit, at = busy()
    bob, eve = kit.worker("Bob", team="b"), kit.worker("eve", team="a")
    sid = kit.task(at["flow"], {})
    kit.reserve(kit.offer(sid), "accepted")

    def select(**given: str) -> list[str] | None:
        return statistics.select_workers(
            kit.workspace, **({"queue_sid": "", "queue_name": "", "name": ""} | given)
        )

    assert select() is None
    assert select(queue_sid=at["second"]) == [bob]
    assert select(queue_name="First") == [eve]
    assert select(name="bOB") == [bob]
    assert select(queue_name="First", name="bob") == []
    with pytest.raises(Refused):
        select(queue_name="Nowhere")
    assert statistics.workers_now(kit.workspace, [bob])["total_workers"] == 1
    assert statistics.workers_now(kit.workspace, [])["total_workers"] == 0
    for worker, accepted in ((bob, 1), (eve, 0)):
        reading = statistics.past_of_workers(kit.workspace, [worker], None, START, kit.now + 1, kit.now)
        assert read(reading, events_of(kit), START, kit.now + 1, kit.now)["reservations_accepted"] == accepted
