"""The exchange: which carrier takes a leg, and what happens to legs that nobody has."""

from __future__ import annotations

import pytest

from ringback.edges.exchange import Exchange
from ringback.effects import AnswerLeg, DialLeg, LegEffect, RejectLeg, ReleaseCall
from ringback.events import CallArrived, Event, LegFailed, LegRinging


class Carrier:
    """Remembers what it was asked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.done: list[LegEffect] = []
        self.clients: set[str] = set()

    def reaches(self, client: str, account_sid: str) -> bool:
        return client in self.clients

    async def start(self) -> None:
        return None

    async def stop(self) -> None:
        return None

    def perform(self, effect: LegEffect) -> None:
        self.done.append(effect)


class Hall:
    """An exchange with a simulated and a SIP carrier."""

    def __init__(self, default: str = "simulated", **prefixes: str) -> None:
        self.posted: list[Event] = []
        self.set_up: list[str] = []
        names = {"+" + key[1:] if key != "all" else "*": value for key, value in prefixes.items()}
        self.exchange = Exchange(
            post=self.posted.append, default=default, prefixes=names, set_up=self.set_up.append
        )
        self.simulated, self.sip = Carrier("simulated"), Carrier("sip")
        self.exchange.add(self.simulated)
        self.exchange.add(self.sip)

    def dial(self, to: str) -> DialLeg:
        effect = DialLeg(call_sid="CA1", account_sid="AC1", to=to, from_="+15550100")
        self.exchange.perform(effect)
        return effect


@pytest.mark.parametrize(
    ("to", "route"),
    [
        ("sip:alice@example.test", "sip"),
        ("SIPS:alice@example.test", "sip"),
        ("+4930123", "sip:berlin"),
        ("+49891", "sip:germany"),
        ("+15551", "simulated"),
        ("client:alice", None),
    ],
)
def test_the_longest_prefix_wins_and_uris_are_dialled_directly(to: str, route: str | None) -> None:
    assert Hall(p49="germany", p4930="berlin").exchange.route(to) == route


def test_a_client_is_where_its_device_is_and_a_real_one_goes_first() -> None:
    hall = Hall()
    assert hall.exchange.route("client:alice") is None
    hall.simulated.clients = {"client:alice"}
    assert hall.exchange.route("client:alice") == "simulated"
    hall.sip.clients = {"client:alice"}
    assert hall.exchange.route("client:alice") == "sip"
    hall.dial("client:bob")
    (failed,) = hall.posted
    assert isinstance(failed, LegFailed)
    assert (failed.sip_code, failed.by) == (404, "unregistered")


def test_a_trunk_can_be_the_default() -> None:
    assert Hall(default="provider").exchange.route("+15551") == "sip:provider"


def test_effects_go_to_the_carrier_that_has_the_leg_until_it_is_released() -> None:
    hall = Hall()
    dial = hall.dial("+15551")
    answer = AnswerLeg(call_sid="CA1")
    hall.exchange.perform(answer)
    assert hall.simulated.done == [dial, answer]
    hall.exchange.release(ReleaseCall(call_sid="CA1"))
    hall.exchange.perform(answer)
    assert hall.simulated.done == [dial, answer]
    assert hall.exchange.legs == 0


def test_an_address_without_a_carrier_fails_truthfully() -> None:
    hall = Hall()
    hall.dial("client:alice")
    (failed,) = hall.posted
    assert isinstance(failed, LegFailed)
    assert (failed.sip_code, failed.by) == (404, "unregistered")
    assert hall.set_up == ["CA1"]


def test_the_first_sign_of_life_ends_the_set_up() -> None:
    hall = Hall()
    hall.dial("+15551")
    assert hall.set_up == []
    hall.exchange.report(LegRinging(call_sid="CA1"))
    assert hall.set_up == ["CA1"]


def test_while_draining_new_calls_are_refused() -> None:
    hall = Hall()
    hall.exchange.draining = True
    hall.exchange.report(CallArrived(call_sid="CA9", carrier="sip", from_="+1", to="+2"))
    assert hall.posted == []
    assert hall.sip.done == [RejectLeg(call_sid="CA9", sip_code=503)]
