"""Phones over a restart: what is stored before they are told, what comes back, what does not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.edges.sip.conftest import Start
from tests.edges.sip.test_endpoint import invite
from tests.sip_peers import Recorder, port_of

from ringback.edges.sip.endpoint import SipEndpoint
from ringback.edges.sip.phones import Contact
from ringback.edges.sip.registration import Registration


class Shelf:
    """A store of one dict, which can be slow or broken."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Contact] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = False

    async def load(self) -> Sequence[Contact]:
        return list(self.rows.values())

    async def keep(self, saved: Sequence[Contact], gone: Sequence[Contact]) -> None:
        await self.gate.wait()
        if self.broken:
            raise OSError("disk full")
        for each in saved:
            self.rows[(each["phone"], each["contact"])] = each
        for each in gone:
            self.rows.pop((each["phone"], each["contact"]), None)


async def registered(phone: SipEndpoint, port: int, transport: str = "udp") -> Registration:
    registration = phone.register(
        registrar=f"127.0.0.1:{port}", username="alice", password="", transport=transport
    )
    async with asyncio.timeout(5):
        while registration.state == "registering":
            await asyncio.sleep(0.01)
    return registration


async def test_a_phone_is_reachable_at_once_after_a_restart(start: Start) -> None:
    shelf, ringing = Shelf(), Recorder("ring")
    phone = await start(ringing)
    first = await start(Recorder(), registrations=shelf)
    assert (await registered(phone, port_of(first))).state == "registered"
    # nothing of `first` is closed or told, as after kill -9; another process reads what was written
    second = await start(Recorder(), registrations=shelf)
    (binding,) = second.registrar.lookup("alice")
    assert binding.next_hop == f"127.0.0.1:{port_of(phone)}"
    second.invite(
        to=binding.contact, from_uri="sip:bob@127.0.0.1", from_display=None, sdp=b"v=0\r\n", next_hop=binding.next_hop
    )  # fmt: skip
    await ringing.until("incoming")


async def test_the_phone_is_told_when_it_is_stored_and_not_before(start: Start) -> None:
    shelf = Shelf()
    shelf.gate.clear()
    phone, server = await start(Recorder()), await start(Recorder(), registrations=shelf)
    waiting = asyncio.create_task(registered(phone, port_of(server)))
    async with asyncio.timeout(5):
        while not server.registrar.lookup("alice"):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert not waiting.done()
    shelf.gate.set()
    assert (await waiting).state == "registered"
    assert len(shelf.rows) == 1


async def test_a_store_that_fails_is_told_and_tried_again(start: Start) -> None:
    shelf = Shelf()
    shelf.broken = True
    phone, server = await start(Recorder()), await start(Recorder(), registrations=shelf)
    registration = await registered(phone, port_of(server))
    assert (registration.state, registration.last_code) == ("failed", 500)
    shelf.broken = False
    assert (await registered(phone, port_of(server))).state == "registered"
    assert len(shelf.rows) == 1


async def test_what_has_expired_or_may_not_register_any_more_is_deleted(start: Start) -> None:
    shelf = Shelf()
    now = 1_000_000.0
    row: dict[str, Any] = {
        "phone": "alice", "contact": "sip:alice@10.0.0.4", "next_hop": "198.51.100.7:5060", "transport": "udp",
        "quality": 1.0, "expires": now + 100, "sip_call_id": "x", "cseq": 4,
    }  # fmt: skip
    for change in (
        {},
        {"phone": "bob", "expires": now - 1},
        {"phone": "carol"},
        {"phone": "dave", "transport": "tcp"},
        {"phone": "erin", "expires": now + 1e9},
    ):
        shelf.rows[(str(change.get("phone", "alice")), str(row["contact"]))] = row | change
    server = await start(
        Recorder(), registrations=shelf, may_register=lambda user: user != "carol", wall=lambda: now
    )
    assert sorted(user for user, _ in shelf.rows) == ["alice", "erin"]
    begin = server._stack.clock()
    assert server.registrar.lookup("alice", begin + 99)
    assert not server.registrar.lookup("alice", begin + 101)
    assert not server.registrar.lookup("erin", begin + 4000), (
        "a clock that was set cannot make it live for ever"
    )


async def test_a_connection_that_closes_unregisters(start: Start) -> None:
    """Truthful: the next call fails as unregistered instead of ringing nobody."""
    shelf = Shelf()
    phone, server = await start(Recorder(), "tcp"), await start(Recorder(), "tcp", registrations=shelf)
    assert (await registered(phone, port_of(server, "tcp"), "tcp")).state == "registered"
    assert not shelf.rows
    (binding,) = server.registrar.lookup("alice")
    assert binding.flow is not None
    assert server._stack.transports.in_use(binding.flow), (
        "the only way to the phone is not closed for idleness"
    )
    for stream in list(phone._stack.transports._streams.values()):
        stream.abort()
    async with asyncio.timeout(5):
        while server.registrar.lookup("alice"):
            await asyncio.sleep(0.01)


async def test_a_call_keeps_its_connection(start: Start) -> None:
    there, here = Recorder(), Recorder()
    uas, uac = await start(there, "tcp"), await start(here, "tcp")
    call = invite(uac, port_of(uas, "tcp"), transport="tcp")
    await there.until("confirmed")
    (theirs,) = uas.calls
    assert theirs.peer.hop is not None
    flow = theirs.peer.hop.flow
    assert flow is not None
    assert uas._stack.transports.in_use(flow)
    call.hangup()
    await there.until("ended")
    assert not uas._stack.transports.in_use(flow)
