"""How many callbacks may go: asked of the queue's statistics and of its workers' channels."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.callbacks.feature import Feature
from ringback.callbacks.options import read_options
from ringback.callbacks.release import BURST, MOST_ASKED, ROUND, allowed_now
from ringback.effects.features import Reply

WORKSPACE, QUEUE = "WS" + "1" * 32, "WQ" + "2" * 32


class Crew:
    """A queue's statistics and workers; ``rooms``: the percentage of each one's voice channel that is free."""

    def __init__(self, rooms: list[int], pending: int = 0, **channel: Any) -> None:
        self.rooms, self.pending, self.channel = rooms, pending, channel
        self.asked: list[int] = []
        self.fails = ""

    def allowed(self, due: int, now: float = 0.0, reserve: int = 0) -> int:
        """The generator, answered."""
        table = {"workspace_sid": WORKSPACE, "release_queue_sid": QUEUE, "release_reserve": reserve}
        steps, answer = allowed_now(Feature(read_options(table, "http://own.test")), due, now), None
        self.asked.clear()
        try:
            while True:
                step: Any = steps.send(answer)
                answer = self._answer(step.path.removeprefix(f"Workspaces/{WORKSPACE}/"), step.params)
        except StopIteration as stop:
            return int(stop.value)

    def _answer(self, path: str, params: Any) -> Reply:
        if self.fails and path.endswith(self.fails):
            return Reply(503)
        if path == f"TaskQueues/{QUEUE}/RealTimeStatistics":
            by_status = {"pending": self.pending, "reserved": 7, "assigned": 9}
            return Reply(200, {"total_available_workers": len(self.rooms), "tasks_by_status": by_status})
        if path == "Workers":
            assert (params["TaskQueueSid"], params["Available"]) == (QUEUE, "true")
            return Reply(200, {"workers": [{"sid": str(number)} for number in range(len(self.rooms))]})
        _, number, last = path.split("/")
        assert last == "Channels"
        self.asked.append(int(number))
        voice = {"available": True, "available_capacity_percentage": self.rooms[int(number)], **self.channel}
        other = {"task_channel_unique_name": "chat", "available": True, "available_capacity_percentage": 100}
        return Reply(200, {"channels": [other, {"task_channel_unique_name": "voice", **voice}]})


@pytest.mark.parametrize(
    ("crew", "due", "reserve", "allowed", "asked"),
    [
        (Crew([100, 100, 100]), 20, 0, 3, 3),
        (Crew([100, 0, 100]), 20, 0, 2, 3),
        (Crew([100, 0, 100]), 1, 0, 1, 1),
        (Crew([100, 0, 50]), 20, 1, 1, 3),
        (Crew([100, 0, 100], pending=2), 20, 0, 0, 3),
        (Crew([100] * 5, pending=2), 20, 0, 3, 5),
        (Crew([100] * 3, pending=3), 20, 0, 0, 0),
        (Crew([]), 20, 0, 0, 0),
        (Crew([100], available=False), 20, 0, 0, 1),
        (Crew([100] * 500), 1000, 0, BURST, BURST),
    ],
)
def test_who_is_free(crew: Crew, due: int, reserve: int, allowed: int, asked: int) -> None:
    """Room on the voice channel counts, less what waits already, less the reserve; nobody is asked in vain."""
    assert (crew.allowed(due, 0.0, reserve), len(crew.asked)) == (allowed, asked)


def test_a_large_crew_is_looked_at_in_turn() -> None:
    """Though the first ones are busy all day, those who are free are found."""
    crew = Crew([0] * (2 * MOST_ASKED) + [100] * 10)
    found = [crew.allowed(5, number * ROUND) for number in range(4)]
    assert 5 in found
    assert len(crew.asked) <= MOST_ASKED


@pytest.mark.parametrize("fails", ["RealTimeStatistics", "Workers", "Channels"])
def test_what_cannot_be_read_lets_nothing_go(fails: str) -> None:
    crew = Crew([100, 100])
    crew.fails = fails
    assert crew.allowed(5) == 0


def test_without_a_queue_all_that_are_due_go() -> None:
    steps = allowed_now(Feature(read_options({}, "http://own.test")), 5, 0.0)
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert stop.value.value == BURST
