"""The machine's own addresses where SIP listens on loopback alone: they get what loopback gets."""

from __future__ import annotations

import ipaddress

import pytest

from ringback.edges.sip import route
from ringback.edges.sip.route import Router
from ringback.settings import Settings

is_own = route.is_own
"""The real one."""
OURS = ipaddress.ip_address("192.0.2.77")


@pytest.fixture(autouse=True)
def _one_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with one address besides loopback."""
    monkeypatch.setattr(route, "is_own", lambda address: address == OURS or address.is_loopback)


@pytest.mark.parametrize(
    ("sip", "trusted", "own", "loopback"),
    [
        ("udp:127.0.0.1:5060,tcp:127.0.0.1:5060", "127.0.0.0/8,::1/128", True, True),
        ("udp:127.0.0.1:5060,tcp:0.0.0.0:5060", "127.0.0.0/8,::1/128", False, True),
        ("udp:0.0.0.0:5060", "127.0.0.0/8", False, True),
        ("udp:127.0.0.1:5060", "10.0.0.0/8", False, False),
        ("udp:127.0.0.1:5060", "192.0.2.0/24", True, False),
    ],
)
def test_who_is_trusted(sip: str, trusted: str, own: bool, loopback: bool) -> None:
    router = Router(Settings(sip=sip, sip_trusted=trusted), lambda user: [])
    assert router.trusted("192.0.2.77") is own
    assert router.trusted("127.0.0.1") is loopback
    assert router.trusted("203.0.113.1") is False
    assert router.trusted("nobody.example") is False


def test_which_addresses_are_ours() -> None:
    assert is_own(ipaddress.ip_address("127.0.0.1"))
    assert not is_own(ipaddress.ip_address("203.0.113.1"))
    assert not is_own(ipaddress.ip_address("0.0.0.0"))
