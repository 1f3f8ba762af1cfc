"""What tells the outside waits for the answer to the request that caused it, and keeps its order."""

from __future__ import annotations

import asyncio
from typing import Any

from ringback.effects import Effect
from ringback.kernel.answering import Answering, open_answers, when_written
from ringback.kernel.lane import Lane
from ringback.runtime.outbox import Outbox
from ringback.runtime.real_clock import RealClock
from ringback.runtime.telling import Telling

DESK, OTHER = Lane("workspace", "WS1"), Lane("workspace", "WS2")


class News(Effect, frozen=True):
    """Something happened."""

    text: str


class Question(Effect, frozen=True):
    """Something is asked."""

    text: str


class Desk:
    """A `Telling` and what it has told."""

    def __init__(self, lead: float = 0.0) -> None:
        self.told: list[str] = []
        self.telling = Telling(
            RealClock(), lambda lane, effect: self.told.append(effect.text), lambda effect: lead
        )  # type: ignore[attr-defined]

    def tell(
        self, text: str, answer: Answering | None = None, *, lane: Lane = DESK, kind: Any = News
    ) -> None:
        """Have it told."""
        self.telling.tell(lane, kind(text), answer)


def test_told_after_the_answer() -> None:
    desk, answer = Desk(), Answering()
    desk.tell("before")
    desk.tell("caused", answer)
    assert (desk.told, desk.telling.waiting) == (["before"], 1)
    answer.write()
    assert (desk.told, desk.telling.waiting) == (["before", "caused"], 0)
    desk.tell("late", answer)
    assert desk.told[-1] == "late"


def test_what_comes_later_in_the_lane_waits_behind() -> None:
    """Another lane does not, nor another kind of effect."""
    desk, first, second = Desk(), Answering(), Answering()
    desk.tell("one", first)
    desk.tell("two", second)
    desk.tell("three")
    desk.tell("elsewhere", lane=OTHER)
    desk.tell("asked", kind=Question)
    second.write()
    assert desk.told == ["elsewhere", "asked"]
    first.write()
    assert desk.told == ["elsewhere", "asked", "one", "two", "three"]


async def test_an_answer_has_time_to_arrive() -> None:
    desk, answer = Desk(lead=0.02), Answering()
    desk.tell("caused", answer)
    desk.tell("behind")
    answer.write()
    assert desk.told == []
    await asyncio.sleep(0.1)
    assert desk.told == ["caused", "behind"]
    desk.tell("nobody asked")
    assert desk.told[-1] == "nobody asked"


def test_answers_together() -> None:
    first, second, done = Answering(), Answering(), Answering()
    done.write()
    assert open_answers([first, None, done, first, second]) == [first, second]
    told: list[str] = []
    when_written([first, second], lambda: told.append("both"))
    second.write()
    assert told == []
    first.write()
    first.write()
    assert told == ["both"]


class _Webhook:
    def __init__(self, text: str, key: str) -> None:
        self.text, self.key, self.token, self.not_before, self.account_sid = text, key, text, 0.0, "AC1"


class _Row:
    def __init__(self, sid: str, key: str) -> None:
        self.sid, self.what = sid, _Webhook(sid, key)


async def test_callbacks_leave_after_the_answer_and_in_order() -> None:
    sent: list[str] = []

    async def deliver(webhook: Any) -> tuple[()]:
        sent.append(webhook.text)
        return ()

    async def done(sid: str, records: Any) -> None:
        pass

    outbox, answer = Outbox(RealClock(), deliver, done), Answering()
    outbox.add([_Row("1", "a"), _Row("2", "b")], [answer])
    outbox.add([_Row("3", "a"), _Row("4", "c")])
    await asyncio.sleep(0.02)
    assert sent == ["4"]
    answer.write()
    await outbox.settle(2)
    assert sorted(sent) == ["1", "2", "3", "4"]
    assert sent.index("1") < sent.index("3")
