"""Room for many, and who makes it."""

from __future__ import annotations

import random

import pytest

from ringback.kernel.quota import Quota, source_of


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::2:3:4:5", "2001:db8::/64"), ("fe80::1%eth0", "fe80::/64"), ("", ""), ("unix", "unix"),
    ],
)  # fmt: skip
def test_sources(address: str, source: str) -> None:
    assert source_of(address) == source


def test_the_oldest_idle_one_of_a_source_goes() -> None:
    quota: Quota[str] = Quota(10, 2)
    assert quota.enter("a", "x") == (True, None)
    assert quota.enter("b", "x") == (True, None)
    quota.rests("a")  # "b" has been idle for longer now
    assert quota.enter("c", "x") == (True, "b")
    quota.works("a")
    quota.works("c")
    assert quota.enter("d", "x") == (False, None)
    assert quota.enter("d", "y") == (True, None)
    quota.leave("a")
    quota.leave("a")
    assert quota.enter("e", "x") == (True, None)


def test_whoever_has_most_makes_room_for_all() -> None:
    quota: Quota[int] = Quota(5, 0)
    for one, source in enumerate("xxxyz"):
        quota.enter(one, source)
    assert quota.enter(5, "w") == (True, 0)
    assert len(quota) == 5


def test_who_is_needed_stays() -> None:
    quota: Quota[int] = Quota(0, 3)
    for one in range(3):
        quota.enter(one, "x")
    assert quota.enter(3, "x", lambda one: one != 2) == (True, 2)
    assert quota.enter(4, "x", lambda one: True) == (False, None)


def test_any_order() -> None:
    """Whatever happens: never more than the limits, and nothing is left of who has gone."""
    chance = random.Random(7)
    quota: Quota[int] = Quota(20, 5)
    there: dict[int, str] = {}
    for one in range(5000):
        act = chance.random()
        if act < 0.5:
            source = chance.choice("abcdefgh")
            taken, gone = quota.enter(one, source)
            if gone is not None:
                del there[gone]
            if taken:
                there[one] = source
        elif there:
            other = chance.choice(list(there))
            if act < 0.65:
                quota.leave(other)
                del there[other]
            else:
                (quota.works if act < 0.8 else quota.rests)(other)
        assert len(quota) == len(there) <= 20
        assert all(list(there.values()).count(source) <= 5 for source in "abcdefgh")
    for other in list(there):
        quota.leave(other)
    assert len(quota) == 0
    assert not quota._idle
    assert not quota._counted
