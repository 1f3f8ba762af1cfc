"""Names: the address that can be sent to, remembered for a minute; a name server that fails or hangs."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from ringback.edges.sip.counters import SipCounters
from ringback.edges.sip.names import Names

ADDRESSES = ["2001:db8::1", "192.0.2.1", "192.0.2.2"]


class Server:
    """What stands in for the system's resolver."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.error: Exception | None = None
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self.getaddrinfo)

    async def getaddrinfo(self, name: str, port: int) -> list[Any]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return [(0, 0, 0, "", (each, port)) for each in ADDRESSES]


async def ask(names: Names, *, ipv6: bool) -> str | None:
    found: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
    names.look_up("sip.example.com", 5060, lambda address: (":" in address) == ipv6, found.set_result)
    return await found


async def test_the_family_that_we_have_and_then_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    server, now = Server(monkeypatch), [0.0]
    names = Names(lambda: now[0], SipCounters())
    assert await ask(names, ipv6=False) == "192.0.2.1"
    assert await ask(names, ipv6=True) == "2001:db8::1"
    assert server.asked == 1, "remembered, whoever asks"
    found: list[str | None] = []
    names.look_up("sip.example.com", 5060, lambda address: True, found.append)
    assert found == ["192.0.2.1"]
    now[0] = 61.0
    await ask(names, ipv6=False)
    assert server.asked == 2


async def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    server, counters = Server(monkeypatch), SipCounters()
    server.error = socket.gaierror("no such name")
    names = Names(lambda: 0.0, counters)
    assert await ask(names, ipv6=False) is None
    assert counters.dropped["dns"] == 1
    server.error = None
    assert await ask(names, ipv6=False) == "192.0.2.1", "a failure is not remembered"


async def test_closing_gives_up_what_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(name: str, port: int) -> list[Any]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", hang)
    names, told = Names(lambda: 0.0, SipCounters()), list[str | None]()
    names.look_up("sip.example.com", 5060, lambda address: True, told.append)
    await asyncio.sleep(0)
    await names.close()
    assert told == []
