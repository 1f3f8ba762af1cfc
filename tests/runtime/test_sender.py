"""The sender: order of a pair, rate of an account, turns of accounts, answers first, nothing before it is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ringback.effects.messaging import QueueSend
from ringback.events import Event
from ringback.kernel.answering import Answering
from ringback.runtime.sender import Sender
from ringback.runtime.virtual_clock import VirtualClock


class Network:
    """Notes what is begun, and when; nothing ends by itself."""

    def __init__(self, per_second: float = 0.0, at_once: int = 200) -> None:
        self.clock = VirtualClock(1000.0)
        self.begun: list[str] = []
        self.at: list[float] = []
        self.wanted = True
        self.sender = Sender(self.clock, self.ask, per_second, at_once)

    async def ask(self, event: Event) -> Any:
        self.begun.append(event.lane.sid)
        self.at.append(self.clock.now() - 1000.0)
        return self.wanted

    async def queue(self, *sids: str, account: str = "AC1", to: str = "", **more: Any) -> None:
        """Each to a recipient of its own, unless ``to`` says."""
        for sid in sids:
            self.sender.queue(
                QueueSend(message_sid=sid, account_sid=account, sender="+1", recipient=to or sid), **more
            )
        await turns()


async def turns() -> None:
    """Let everything happen that can."""
    for _ in range(200):
        await asyncio.sleep(0)


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    made = Network()
    yield made
    made.clock.close()


async def test_a_pair_is_served_one_after_the_other(network: Network) -> None:
    await network.queue("a", "b", "c", to="+2")
    await network.queue("other")
    assert network.begun == ["a", "other"]
    assert (network.sender.waiting, network.sender.going, network.sender.waiting_of("+1")) == (2, 2, 4)
    network.sender.done("a")
    network.sender.done("a")
    await turns()
    assert network.begun == ["a", "other", "b"]
    for sid in ("b", "c", "other"):
        network.sender.done(sid)
        await turns()
    assert network.begun == ["a", "other", "b", "c"]
    assert (network.sender.waiting, network.sender.going, network.sender.waiting_of("+1")) == (0, 0, 0)


async def test_what_is_not_wanted_any_more_makes_room(network: Network) -> None:
    network.wanted = False
    await network.queue("a", "b", "c", to="+2")
    assert network.begun == ["a", "b", "c"]
    assert network.sender.going == 0


async def test_an_accounts_rate() -> None:
    network = Network(per_second=2.0)
    for sid, account in (("a", "AC1"), ("b", "AC1"), ("c", "AC1"), ("d", "AC1"), ("x", "AC2")):
        network.sender.queue(QueueSend(message_sid=sid, account_sid=account, sender="+1", recipient=sid))
    await turns()
    assert network.begun == ["a", "x", "b", "c", "d"]
    assert network.at == [0.0, 0.0, 0.5, 1.0, 1.5]
    network.clock.close()


async def test_one_account_never_has_the_last_seats() -> None:
    network = Network(at_once=4)
    await network.queue("a", "b", "c", "d")
    await network.queue("x", account="AC2")
    assert network.begun == ["a", "b", "c", "x"]
    network.clock.close()


async def test_the_answer_comes_first(network: Network) -> None:
    answer = Answering()
    await network.queue("a", answers=[answer])
    assert network.begun == []
    answer.write()
    await turns()
    assert network.begun == ["a"]


async def test_nothing_goes_before_it_is_open(network: Network) -> None:
    network.sender.shut()
    await network.queue("a", "a")
    assert network.begun == []
    network.sender.open()
    await turns()
    assert network.begun == ["a"]
