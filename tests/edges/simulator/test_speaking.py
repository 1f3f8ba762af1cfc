"""Simulated parties that are watched: their scripted sounds as a media worker would hear them."""

from __future__ import annotations

import pytest

from ringback.edges.simulator.speaking import START, STOP, Speaking
from ringback.events import Event
from ringback.events.conferences import SpeechChanged
from ringback.runtime.virtual_clock import VirtualClock


class Ear:
    def __init__(self) -> None:
        self.clock = VirtualClock(0.0)
        self.told: list[tuple[float, bool]] = []
        self.speaking = Speaking(clock=self.clock, post=self.take)

    def take(self, event: Event) -> None:
        assert isinstance(event, SpeechChanged)
        self.told.append((round(self.clock.now(), 3), event.speaking))

    def says(self, at: float, seconds: float) -> None:
        self.clock.call_at(at, lambda: self.speaking.says("A", seconds))


@pytest.mark.parametrize(
    ("sounds", "expected"),
    [
        ([(1, 3)], [(1 + START, True), (4 + STOP, False)]),
        ([(1, 0.1)], []),
        ([(1, 2), (3.5, 1)], [(1 + START, True), (4.5 + STOP, False)]),  # a breath
        ([(1, 1), (5, 1)], [(1 + START, True), (2 + STOP, False), (5 + START, True), (6 + STOP, False)]),
        ([(1, 4), (2, 1)], [(1 + START, True), (5 + STOP, False)]),
        ([(1, 0.1), (3, 1)], [(3 + START, True), (4 + STOP, False)]),
    ],
)
async def test_beginning_and_end(
    sounds: list[tuple[float, float]], expected: list[tuple[float, bool]]
) -> None:
    ear = Ear()
    ear.speaking.watch("A", True)
    for at, seconds in sounds:
        ear.says(at, seconds)
    await ear.clock.advance(20)
    assert ear.told == [(round(at, 3), change) for at, change in expected]


async def test_nobody_is_told_of_a_leg_that_is_not_watched() -> None:
    ear = Ear()
    ear.says(1, 3)
    await ear.clock.advance(2)
    ear.speaking.watch("A", True)
    ear.says(5, 3)
    await ear.clock.advance(4)
    ear.speaking.watch("A", False)
    await ear.clock.advance(20)
    assert ear.told == [(5 + START, True)]


async def test_hush_ends_it_at_once() -> None:
    ear = Ear()
    ear.speaking.watch("A", True)
    ear.says(1, 9)
    ear.clock.call_at(3.0, lambda: ear.speaking.hush("A"))
    ear.clock.call_at(4.0, lambda: ear.speaking.hush("A"))
    await ear.clock.advance(20)
    assert ear.told == [(1 + START, True), (3, False)]
