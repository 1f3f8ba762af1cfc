"""Whose packets a leg takes for its far side's."""

from __future__ import annotations

import socket
from typing import cast

import pytest
from tests.edges.media.rig import Rig

from ringback.edges.media.leg import Leg
from ringback.edges.media.protocol import Connect, FirstPacket
from ringback.media.rtp import pack

TOLD, NAT, ATTACKER = ("192.0.2.9", 4000), ("198.51.100.1", 61234), ("203.0.113.66", 5000)
NEIGHBOUR = (NAT[0], 7000)


def leg(others: str = "", tick: int = 0) -> Leg:
    """Its far side has been described at that tick."""
    made = Leg("A", cast(socket.socket, None), None)
    made.connect(described(others), tick)
    return made


def described(others: str = "", remote: tuple[str, int] = TOLD, receive: bool = True) -> Connect:
    return Connect("A", remote, "PCMU", 0, 101, True, receive, others, False)


def taken(one: Leg, source: tuple[str, int], tick: int = 0) -> bool:
    before = one.receipt.packets
    one.receive(pack(0, tick & 0xFFFF, tick * 160, 7, b"\xff" * 160), source, tick)
    return one.receipt.packets > before


def test_nobody_is_quicker_than_the_described_address() -> None:
    one = leg()
    assert not any(taken(one, ATTACKER, tick) for tick in range(500))
    assert taken(one, TOLD, 500)
    assert one._target == TOLD
    assert not taken(one, (TOLD[0], 4001), 501), "nor another port"
    assert not taken(one, ATTACKER, 90_000), "nor after a silence"
    assert one.ignored == 502


def test_behind_nat_the_address_of_its_signalling_counts_once() -> None:
    one = leg(NAT[0])
    assert not taken(one, ATTACKER, 1)
    assert taken(one, NAT, 2)
    assert one._target == NAT
    assert not taken(one, NEIGHBOUR, 3)
    assert not taken(one, TOLD, 4), "never back"
    assert not taken(one, ATTACKER, 90_000)
    assert taken(one, NAT, 90_001)


def test_the_described_address_closes_the_window() -> None:
    one = leg(NAT[0])
    assert taken(one, TOLD, 1)
    assert not taken(one, NAT, 2)


@pytest.mark.parametrize(("tick", "open_"), [(1500, True), (1501, False)])
def test_the_window_is_ten_seconds(tick: int, open_: bool) -> None:
    assert taken(leg(NAT[0], 1000), NAT, tick) is open_


def test_a_new_description_opens_it_anew_and_an_old_one_does_not() -> None:
    one = leg(NAT[0])
    assert taken(one, NAT, 1)
    one.connect(described(NAT[0]), 600)
    assert one._target == NAT, "a session refresh changes nothing"
    assert not taken(one, NEIGHBOUR, 601)
    one.connect(described(NAT[0], ("192.0.2.9", 4444)), 700)
    assert taken(one, NEIGHBOUR, 800)


def test_who_comes_back_from_hold_has_time_to_speak() -> None:
    one = leg()
    one.connect(described(NAT[0], ("192.0.2.9", 4444), receive=False), 10)
    one.connect(described(NAT[0], ("192.0.2.9", 4444)), 9000)
    assert taken(one, NAT, 9100)


def test_by_setting_whoever_sends_first() -> None:
    one = leg("*")
    assert taken(one, NAT, 9000)
    assert not taken(one, ATTACKER, 90_000)


async def test_audio_goes_where_nat_is(rig: Rig) -> None:
    """The description names a port that nobody can reach; sound comes back the way that ours came."""
    phone, address = await rig.call("A")
    rig.pool.connect("A", ("192.0.2.9", 4000), "PCMU", 0, 101, True, True, others="127.0.0.1")
    await rig.pool.leg_stats("A")
    phone.drain()
    phone.send(b"\xff" * 160, address)
    await rig.wait(FirstPacket)
    assert len(await phone.packets(5)) == 5
