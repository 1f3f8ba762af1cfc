"""Journey: something was lost, and nobody would ever say how the call ended; the reconciler does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ringback.effects import Save
from ringback.events import (
    CallLost,
    CallResumed,
    DialStarted,
    Event,
    LegAnswered,
    LegEnded,
    LegFailed,
    LegRinging,
    TimerFired,
)
from ringback.events.outcomes import CallDoubted, TrunkRecordFound
from ringback.kernel.clock import Hold
from ringback.kernel.lane import Lane
from ringback.resources.api.call import Call
from ringback.testing.world import World, world
from tests.scenarios.test_outbound_call import callee, place

LONG = '<Response><Say loop="0">This goes on</Say></Response>'


async def talking(ringback: World, **more: str) -> tuple[str, Hold]:
    """A call that is answered and goes on; its SID, and a hold: time stands still since the answer."""
    holds: list[Hold] = []

    def status(params: dict[str, str]) -> str:
        if params["CallStatus"] == "in-progress" and not holds:
            holds.append(ringback.clock.hold())
        return ""

    ringback.app("/status", status)
    await ringback.number("+15550123", voice="/none")
    call = await place(ringback, "+15557770001", Twiml=LONG, **more)
    while not holds:
        await asyncio.sleep(0)
    await ringback.lanes_empty()
    return str(call["sid"]), holds[0]


async def reconciled(ringback: World, path: str = "/reconcile", data: Any = None) -> dict[str, Any]:
    return await ringback._ask("POST", path, data=data)


async def stored(ringback: World, sid: str, **changes: Any) -> None:
    """Write a call behind the product's back."""
    call = await ringback.product.store.get(Call, sid)
    assert call is not None
    for name, value in changes.items():
        setattr(call, name, value)
    await ringback.product.store.commit([Save(call)])


async def test_a_call_that_only_the_database_knows_is_ended_with_its_callback(ringback: World) -> None:
    sid, hold = await talking(ringback)
    del ringback.product.voice._sessions[sid]
    await stored(ringback, sid, date_updated=ringback.clock.now() - 31)
    report = await reconciled(ringback)
    assert (report["repaired"], report["counts"]) == (1, {"lost": 1})
    assert report["repairs"][0]["call_sid"] == sid
    assert ringback.product.simulator.live == 0, "its leg was hung up"
    assert (await reconciled(ringback))["repaired"] == 0
    hold.release()
    final = await ringback.final(sid)
    assert (final["status"], final["error_code"]) == ("completed", 15000)
    ends = [one for one in ringback.requests("/status") if one["CallStatus"] == "completed"]
    assert len(ends) == 1
    assert ends[0]["SequenceNumber"] == "3"


async def test_a_session_whose_leg_vanished_is_ended_as_if_the_carrier_had_said_so(ringback: World) -> None:
    sid, hold = await talking(ringback)
    party = ringback.product.simulator._live.pop(sid)
    party.over = True
    assert (await reconciled(ringback))["repaired"] == 0, "events may still be on their way"
    hold.release()
    await ringback.advance(61)  # a periodic round
    final = await ringback.final(sid)
    assert (final["status"], final["error_code"]) == ("completed", None)
    assert 29 <= int(final["duration"]) <= 62
    assert [one["CallStatus"] for one in ringback.requests("/status")][-1] == "completed"
    assert ringback.product.voice.live == 0


async def test_an_unanswered_call_whose_leg_vanished_failed(ringback: World) -> None:
    ringback.app("/status", "")
    await ringback.number("+15550123", voice="/none")
    await callee(ringback, "+15557770001", answers="no-answer")
    hold = ringback.clock.hold()
    call = await place(ringback, "+15557770001", Timeout="600")
    sid = str(call["sid"])
    while ringback.product.voice.call_status(sid) != "initiated" or not ringback.product.exchange.knows(sid):
        await asyncio.sleep(0)
    ringback.product.simulator._live.pop(sid)
    await stored(ringback, sid, date_updated=ringback.clock.now() - 40)
    assert (await reconciled(ringback))["counts"] == {"gone": 1}
    hold.release()
    final = await ringback.final(sid)
    assert (final["status"], final["error_code"]) == ("failed", 32011)


async def test_a_call_past_all_its_limits_is_ended(ringback: World) -> None:
    sid, hold = await talking(ringback, TimeLimit="100")
    ringback.product.timers.release(type("Gone", (), {"call_sid": sid})())  # its timers were lost
    hold.release()
    for _ in range(3):
        await ringback.advance(100)
    final = await ringback.final(sid)
    assert final["status"] == "completed"
    assert 185 <= int(final["duration"]) <= 250, "time limit, ring timeout, grace; found by the next round"
    assert ringback.product.simulator.live == 0
    assert ringback.product.reconciler.figures()["reconcile_repaired_stuck_total"] == 1.0


async def test_a_queued_call_that_nobody_would_dial_goes_on(ringback: World) -> None:
    ringback.app("/status", "")
    await ringback.number("+15550123", voice="/none")
    hold = ringback.clock.hold()
    now = ringback.clock.now()
    call = Call(
        sid=ringback.product.new_sid("CA"), account_sid=ringback.product.account_sid, date_created=now - 60,
        date_updated=now - 60, to="+15557770001", from_="+15550123", direction="outbound-api",
        plan={"twiml": "<Response/>"},
    )  # fmt: skip
    await ringback.product.store.commit([Save(call)])
    assert (await reconciled(ringback))["counts"] == {"resumed": 1}
    hold.release()
    assert (await ringback.final(call.sid))["status"] == "completed"


async def test_a_queued_call_that_waited_too_long_fails(ringback: World) -> None:
    hold = ringback.clock.hold()
    long_ago = ringback.clock.now() - 20_000
    call = Call(
        sid=ringback.product.new_sid("CA"), account_sid=ringback.product.account_sid, date_created=long_ago,
        date_updated=long_ago, to="+15557770001", from_="+15550123", direction="outbound-api", plan={},
    )  # fmt: skip
    await ringback.product.store.commit([Save(call)])
    since = await reconciled(ringback, f"/reconcile?since={long_ago + 10:.0f}")
    assert since["checked"] == 0
    assert (await reconciled(ringback))["counts"] == {"expired": 1}
    hold.release()
    final = await ringback.final(call.sid)
    assert (final["status"], final["error_code"]) == ("failed", 15002)


async def test_a_final_callback_that_nobody_took_comes_once_more_with_its_token(ringback: World) -> None:
    answers = iter([500, 500, 200, 200])

    def status(params: dict[str, str]) -> aiohttp.web.Response:
        return aiohttp.web.Response(status=next(answers) if params["CallStatus"] == "busy" else 200)

    ringback.app("/status", status)
    await ringback.number("+15550123", voice="/none")
    await callee(ringback, "+15557770001", answers="busy")
    call = await place(ringback, "+15557770001")
    await ringback.final(str(call["sid"]))
    assert ringback.product.outbox.parked == 1
    assert (await reconciled(ringback))["resent"] == 1
    await ringback.settled()
    told = [one for one in ringback.asked("/status") if one.params["CallStatus"] == "busy"]
    assert len(told) == 2, "the second was refused too, and that was the last"
    assert len({one.headers["i-twilio-idempotency-token"] for one in told}) == 1
    assert ringback.product.outbox.parked == 0
    assert len((await ringback.get("Notifications"))["notifications"]) == 2
    assert await ringback.product.store.owed() == []


async def test_it_comes_by_itself_and_after_a_restart_too(tmp_path: Path) -> None:
    from tests.scenarios.test_restart import copy_of_the_disk

    async with world(tmp_path / "before") as first:
        first.app("/status", lambda params: aiohttp.web.Response(status=503))
        await first.number("+15550123", voice="/none")
        await callee(first, "+15557770001", answers="busy")
        call = await first.post(
            "Calls", To="+15557770001", From="+15550123", Twiml="<Response/>",
            StatusCallback=first.app_url + "/status",
        )  # fmt: skip
        await first.final(str(call["sid"]))
        copy_of_the_disk(tmp_path / "before", tmp_path / "after")
        await first.advance(290)
        assert len(first.requests("/status")) == 1
        await first.advance(20)
        await first.settled()
        assert len(first.requests("/status")) == 2
        first.app("/status", "")
        async with world(tmp_path / "after") as second:
            assert second.product.outbox.parked == 1
            await second.advance(301)
            await second.settled()
            assert second.product.outbox.parked == 0
        assert len(first.requests("/status")) == 3


async def test_a_trunks_record_corrects_what_could_only_be_presumed(ringback: World) -> None:
    sid, hold = await talking(ringback)
    del ringback.product.voice._sessions[sid]
    now = ringback.clock.now()
    await stored(ringback, sid, date_updated=now - 31, answered_at=None, status="ringing")
    await reconciled(ringback)
    assert (await ringback.get(f"Calls/{sid}"))["status"] == "failed"
    rows = f"call_id,start,end,sip_code\n{sid}@ringback,{now - 100:.0f},{now - 60:.0f},200\n"
    rows += f"foreign,{now:.0f},{now:.0f},200\nbad\n"
    report = await reconciled(ringback, "/reconcile/records", rows)
    assert (report["counts"], report["unknown"], report["bad"]) == ({"corrected": 1}, 1, 1)
    call = await ringback.get(f"Calls/{sid}")
    assert (call["status"], call["duration"], call["error_code"]) == ("completed", "40", None)
    again = await reconciled(ringback, "/reconcile/records", rows.replace("200", "486"))
    assert (again["repaired"], again["unknown"]) == (0, 2), "what is known is not changed again"
    hold.release()
    await ringback.settled()
    ends = [one for one in ringback.requests("/status") if one["CallStatus"] in ("failed", "completed")]
    assert [one["CallStatus"] for one in ends] == ["failed", "completed"]
    assert int(ends[1]["SequenceNumber"]) == int(ends[0]["SequenceNumber"]) + 1


async def test_a_callers_record_is_found_by_its_call_id(ringback: World) -> None:
    hold = ringback.clock.hold()
    now = ringback.clock.now()
    call = Call(
        sid=ringback.product.new_sid("CA"), account_sid=ringback.product.account_sid, date_created=now - 60,
        date_updated=now - 60, to="+15550123", from_="+15557770001", direction="inbound", status="completed",
        error_code=15000, answered_at=now - 50, plan={"extra": [["SipCallId", "abc@phone"]]},
    )  # fmt: skip
    await ringback.product.store.commit([Save(call)])
    rows = f"call_id,start,end,sip_code\nabc@phone,{now - 50:.0f},{now - 20:.0f},200\n"
    assert (await reconciled(ringback, "/reconcile/records", rows))["counts"] == {"corrected": 1}
    assert (await ringback.get(f"Calls/{call.sid}"))["duration"] == "30"
    hold.release()


@pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
@pytest.mark.parametrize(
    "late",
    [
        lambda sid, call: LegRinging(call_sid=sid),
        lambda sid, call: LegAnswered(call_sid=sid),
        lambda sid, call: LegFailed(call_sid=sid, sip_code=486),
        lambda sid, call: LegEnded(call_sid=sid, by="remote"),
        lambda sid, call: DialStarted(call_sid=sid),
        lambda sid, call: TimerFired(lane=Lane("call", sid), name="ring"),
        lambda sid, call: TimerFired(lane=Lane("call", sid), name="hangup-guard"),
        lambda sid, call: CallLost(call_sid=sid, call=call),
        lambda sid, call: CallDoubted(call_sid=sid),
        lambda sid, call: TrunkRecordFound(call_sid=sid, started_at=1.0, ended_at=2.0, sip_code=404),
    ],
)  # fmt: skip
async def test_nothing_that_comes_late_overwrites_a_final_status(
    ringback: World, status: str, late: Any
) -> None:
    """The table: final status × late report."""
    call = Call(
        sid=ringback.product.new_sid("CA"), account_sid=ringback.product.account_sid, date_created=1.0,
        date_updated=2.0, to="+15557770001", from_="+15550123", direction="outbound-api", status=status,
        end_time=2.0, duration=1, plan={"callbacks": [{"url": ringback.app_url + "/status"}]},
    )  # fmt: skip
    await ringback.product.store.commit([Save(call)])
    event: Event = late(call.sid, call)
    await ringback.product.ask(event)
    await ringback.settled()
    assert await ringback.product.store.get(Call, call.sid) == call
    assert ringback.requests("/status") == []
    assert ringback.product.voice.live == 0


async def test_only_the_first_account_may_reconcile(ringback: World) -> None:
    url = ringback.url + "/reconcile"
    known = ringback.product.credentials
    sub = await ringback._ask("POST", "/2010-04-01/Accounts.json", data={"FriendlyName": "sub"})
    key = await ringback._ask("POST", f"/2010-04-01/Accounts/{known.account_sid}/Keys.json", data={})
    for sid, token, status in (
        ("", "", 401), (known.account_sid, "wrong", 401), (known.test_account_sid, known.test_auth_token, 403),
        (sub["sid"], sub["auth_token"], 403), (key["sid"], key["secret"], 403),
    ):  # fmt: skip
        async with ringback._session.post(
            url, headers={"Authorization": aiohttp.encode_basic_auth(sid, token)}
        ) as no:
            assert no.status == status
    for path, status in (("/reconcile?since=x", 400), ("/reconcile/other", 404), ("/reconcile/records", 400)):
        async with ringback._session.post(ringback.url + path, headers=ringback._headers()) as answer:
            assert answer.status == status, path
    await reconciled(ringback)
    assert (await ringback._ask("GET", "/reconcile"))["checked"] == 0


async def test_a_resumed_call_is_not_made_twice(ringback: World) -> None:
    """The event comes although the call is under way: a session is never replaced."""
    sid, hold = await talking(ringback)
    call = await ringback.product.store.get(Call, sid)
    session = ringback.product.voice._sessions[sid]
    await ringback.product.ask(CallResumed(call_sid=sid, call=call))
    assert ringback.product.voice._sessions[sid] is session
    await ringback.post(f"Calls/{sid}", Status="completed")
    hold.release()
