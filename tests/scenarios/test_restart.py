"""Journey: the process dies at the worst moment and starts again on the same data."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from ringback.events import HangUpRequested
from ringback.store import Message
from ringback.testing.world import World, world


def copy_of_the_disk(running: Path, copy: Path) -> None:
    """What a crash right now would leave: the database as committed, the recordings as written."""
    copy.mkdir()
    (copy / "credentials.json").write_bytes((running / "credentials.json").read_bytes())
    source, target = sqlite3.connect(running / "ringback.db"), sqlite3.connect(copy / "ringback.db")
    source.backup(target)
    source.close()
    target.close()


async def callback_seen(ringback: World, sid: str) -> list[str]:
    """Statuses that the application was told of a call."""
    return [one["CallStatus"] for one in ringback.requests("/status") if one["CallSid"] == sid]


async def test_a_queued_call_goes_on_and_a_live_one_becomes_terminal(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    async with world(before, calls_per_second=0.0001) as first:
        url = first.app("/voice", '<Response><Say loop="0">You wait</Say></Response>')
        await first.number("+15550123", voice="/voice")
        caller = await first.call("+15550123")
        await caller.hears("you wait")
        made = {"To": "+15557770001", "From": "+15550123", "Url": url}
        started = await first.post("Calls", **made)
        while (await first.get(f"Calls/{started['sid']}"))["status"] != "in-progress":
            await asyncio.sleep(0)
        hold = first.clock.hold()  # or time would move on to the moment at which the rate lets it go
        queued = await first.post("Calls", **made)
        assert (await first.get(f"Calls/{queued['sid']}"))["status"] == "queued"
        copy_of_the_disk(before, after)
        hold.release()
    async with world(after) as second:
        await second.lanes_empty()
        lost = await second.get(f"Calls/{caller.sid}")
        assert lost["status"] == "completed"
        assert lost["end_time"] is not None
        assert (await second.get(f"Calls/{started['sid']}"))["status"] == "completed"
        resumed = await second.get(f"Calls/{queued['sid']}")
        assert resumed["status"] in ("queued", "ringing", "in-progress", "completed")
        codes = {
            one["call_sid"]: one["error_code"] for one in (await second.get("Notifications"))["notifications"]
        }
        assert caller.sid in codes
        await second.final(str(queued["sid"]))


async def test_an_unanswered_call_that_was_lost_failed(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    async with world(before) as first:
        reached = asyncio.Event()

        async def status(params: dict[str, str]) -> str:
            if params["CallStatus"] == "ringing":
                copy_of_the_disk(before, after)
                reached.set()
            return ""

        callback = first.app("/status", status)
        await first.number("+15550123", voice="/none")
        await first.sim("PUT", "Numbers/+15557770001", {"answers": "no-answer"})
        call = await first.post(
            "Calls",
            [
                ("To", "+15557770001"), ("From", "+15550123"), ("Twiml", "<Response/>"), ("StatusCallback", callback),
                ("StatusCallbackEvent", "ringing"), ("StatusCallbackEvent", "completed"),
            ],
        )  # fmt: skip
        await reached.wait()
        await first.final(str(call["sid"]))
    async with world(after) as second:
        await second.lanes_empty()
        lost = await second.get(f"Calls/{call['sid']}")
        assert (lost["status"], lost["duration"]) == ("failed", "0")


async def test_a_queued_call_hears_what_was_on_its_way_to_it(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    async with world(before, calls_per_second=0.0001) as first:
        await first.number("+15550123", voice="/none")
        made = {"To": "+15557770001", "From": "+15550123", "Twiml": "<Response/>"}
        await first.post("Calls", **made)
        hold = first.clock.hold()  # or time would move on to the moment at which the rate lets it go
        queued = str((await first.post("Calls", **made))["sid"])
        end = Message(first.product.new_sid("MG"), HangUpRequested(call_sid=queued, reason="api"))
        await first.product.store.commit([end])
        copy_of_the_disk(before, after)
        hold.release()
    async with world(after) as second:
        assert (await second.final(queued))["status"] == "canceled"


async def test_a_call_that_waits_too_long_in_the_queue_fails(tmp_path: Path) -> None:
    async with world(tmp_path, calls_per_second=0.0001, queue_timeout=60.0) as ringback:
        await ringback.number("+15550123", voice="/none")
        made = {"To": "+15557770001", "From": "+15550123", "Twiml": "<Response/>"}
        first = await ringback.post("Calls", **made)
        second = await ringback.post("Calls", **made)
        await ringback.final(str(first["sid"]))
        await ringback.sim("POST", "Clock", {"advance": 61})
        final = await ringback.final(str(second["sid"]))
        assert (final["status"], final["error_code"]) == ("failed", 15002)
