"""Who speaks in a room, told by a real worker; and the bound of a leg's delay."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from ringback.edges.media import protocol as p
from ringback.edges.media.client import MediaPool

from .rig import Phone, Rig


def told(rig: Rig) -> list[tuple[str, bool]]:
    return [(one.leg, one.speaking) for one in rig.reports if isinstance(one, p.Speech)]


async def quiet(phone: Phone) -> None:
    """The far side falls silent; its packets end, as with silence suppression."""
    assert phone.talking is not None
    phone.talking.cancel()
    await asyncio.gather(phone.talking, return_exceptions=True)


async def test_beginning_and_end_are_told_of_watched_legs_only(rig: Rig) -> None:
    phones = {}
    for leg in "AB":
        phones[leg], address = await rig.call(leg, law="PCMA" if leg == "A" else "PCMU")
        rig.pool.join(leg, "room")
        phones[leg].talk(500, address)
    rig.pool.watch_speech("A", True)
    await rig.wait(p.Speech)
    await quiet(phones["A"])
    await rig.wait(p.Speech, 2)
    assert told(rig) == [("A", True), ("A", False)]


async def test_the_muted_the_held_and_those_in_no_room_do_not_speak(rig: Rig) -> None:
    phone, address = await rig.call("A")
    phone.talk(500, address)
    await rig.wait(p.FirstPacket)
    rig.pool.watch_speech("A", True)
    await asyncio.sleep(0.4)
    assert told(rig) == []
    rig.pool.join("A", "room")
    await rig.wait(p.Speech, 1)
    rig.pool.join("A", "room", muted=True)
    await rig.wait(p.Speech, 2)
    rig.pool.join("A", "room")
    await rig.wait(p.Speech, 3)
    rig.pool.leave("A")
    await rig.wait(p.Speech, 4)
    assert [speaking for _, speaking in told(rig)] == [True, False, True, False]
    rig.pool.watch_speech("A", False)
    rig.pool.join("A", "room")
    await asyncio.sleep(0.4)
    assert len(told(rig)) == 4


async def test_a_watched_leg_that_moves_to_another_worker_stays_watched(rig: Rig) -> None:
    await rig.pool.stop()
    rig.pool = MediaPool(
        workers=2, ports=range(0), bind_host="127.0.0.1", on_report=rig.take, data_dir=rig.pool._data_dir
    )
    await rig.pool.start()
    for leg in "AB":
        phone, address = await rig.call(leg, group=leg)
        phone.talk(500, address)
    await rig.wait(p.FirstPacket, 2)
    assert rig.pool._where["A"][0] is not rig.pool._where["B"][0]
    rig.pool.watch_speech("B", True)
    rig.pool.bound_delay("B", 20)
    rig.pool.join("A", "room")
    rig.pool.join("B", "room")  # goes to A's worker
    await rig.wait(p.Speech)
    assert told(rig) == [("B", True)]
    assert not any(isinstance(one, p.CommandFailed) for one in rig.reports)
    rig.pool.close("B")
    assert rig.pool._standing == {}


@pytest.mark.parametrize(("milliseconds", "concealed"), [(20, True), (None, False)])
async def test_a_bound_of_the_delay_drops_what_comes_later(
    rig: Rig, milliseconds: int | None, concealed: bool
) -> None:
    """Packets that come five at a time: a buffer of one frame loses most of them, one that may grow none."""
    phone, address = await rig.call("A")
    other, _ = await rig.call("B")
    for leg in "AB":
        rig.pool.join(leg, "room")
    rig.pool.bound_delay("A", milliseconds)
    clock = asyncio.get_running_loop()
    due = clock.time()
    for _ in range(20):
        for _ in range(5):
            phone.send(b"\x20" * 160, address)
            phone.timestamp = (phone.timestamp + 160) & 0xFFFFFFFF
        due += 0.1
        await asyncio.sleep(max(0.0, due - clock.time()))
    packets = await other.packets(90)
    codes = [one.payload[0] for one in itertools.islice(packets, 50, 90)]
    lost = sum(code != 0x20 for code in codes)
    assert (lost > 16) if concealed else (lost < 16), codes
