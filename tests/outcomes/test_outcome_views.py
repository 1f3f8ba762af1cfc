"""``Calls/{CA}/Outcome`` and the notifications by REST; an agent's outbound call over a crash."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ringback.app import build
from ringback.effects import Save
from ringback.events.queues import TaskCallRequested
from ringback.kernel.outcome import outbound
from ringback.resources.api.call import Call
from ringback.settings import SettingsError, load
from ringback.testing.world import World, world
from ringback.web.outcomes import EVENT, outcome_of
from tests.outcomes.agent import OURS, PHONE, Agent
from tests.scenarios.test_restart import copy_of_the_disk

CALLEE = "+14155550177"


async def outcome(ringback: World, sid: str, account: str = "") -> Any:
    """The record, or the refusal's code."""
    path = f"/2010-04-01/Accounts/{account or ringback.product.account_sid}/Calls/{sid}/Outcome.json"
    async with aiohttp.ClientSession() as session:
        return await Agent(ringback, session).get(path)


async def test_a_live_call_has_no_outcome_yet(tmp_path: Path, database_url: str) -> None:
    async with world(tmp_path, database_url=database_url) as ringback:
        await ringback.number(OURS, voice="/voice")
        ringback.app("/voice", "<Response><Say>hello</Say><Pause length='30'/></Response>")
        caller = await ringback.call(OURS)
        await caller.hears("hello")
        hold = ringback.clock.hold()  # or the call would be over before we ask
        live = await outcome(ringback, caller.sid)
        hold.release()
        assert (live["final"], live["status"], live["reason_code"]) == (False, "in-progress", None)
        await caller.ends()
        await ringback.settled()
        ended = await outcome(ringback, caller.sid)
        assert (ended["final"], ended["status"], ended["sip_code"], ended["by"]) == (
            True,
            "completed",
            200,
            None,
        )
        assert ended["uri"].endswith(f"/Calls/{caller.sid}/Outcome.json")


async def test_inbound_calls_have_no_reason_code(tmp_path: Path, database_url: str) -> None:
    async with world(tmp_path, database_url=database_url) as ringback:
        await ringback.number(OURS, voice="/voice")
        ringback.app("/voice", '<Response><Reject reason="busy"/></Response>')
        caller = await ringback.call(OURS)
        await caller.ends()
        await ringback.settled()
        ended = await outcome(ringback, caller.sid)
        assert (ended["status"], ended["by"], ended["reason_code"], ended["notification"]) == (
            "busy",
            "us",
            None,
            None,
        )


async def test_nobody_elses_and_none_that_is_not(tmp_path: Path, database_url: str) -> None:
    async with world(tmp_path, database_url=database_url) as ringback:
        assert (await outcome(ringback, "CA" + "0" * 32))["code"] == 20404
        assert (await outcome(ringback, "nonsense"))["code"] == 20404
        other = Call(sid="CA" + "1" * 32, account_sid="AC" + "9" * 32, status="busy")
        await ringback.product.store.commit([Save(other)])
        assert (await outcome(ringback, other.sid))["code"] == 20404


def test_a_call_of_an_older_version() -> None:
    old = Call(sid="CA1", account_sid="AC1", status="busy", sip_code=486, direction="outbound-api")
    found = outcome_of(old)
    assert found is not None
    assert (found.reason_code, found.by) == (45303, None)
    new = Call(
        sid="CA1", account_sid="AC1", status="busy", plan={"outcome": outbound(486, "callee").to_json()}
    )
    assert outcome_of(new) == outbound(486, "callee")


async def test_texts_of_the_settings_are_what_agents_read(tmp_path: Path, database_url: str) -> None:
    """Only the text changes (call-outcomes.md §7)."""
    file = tmp_path / "ringback.toml"
    file.write_text('[notifications]\nOutboundCallFailedNotificationTitleBusy = "Engaged {{reasonCode}}."\n')
    given = load(environ={}, file=file).notifications
    key = "OutboundCallFailedNotificationTitleBusy"
    assert given == ((key, "Engaged {{reasonCode}}."),)
    async with world(tmp_path, database_url=database_url) as ringback, aiohttp.ClientSession() as session:
        ringback.product.texts |= dict(given)
        await ringback.number(OURS, voice="/none")
        agent = await Agent(ringback, session).sign_in()
        await ringback.sim("PUT", f"Numbers/{PHONE}", {"answers": "answer", "script": [{"wait": 600}]})
        await ringback.sim("PUT", f"Numbers/{CALLEE}", {"answers": "busy"})
        await agent.call(CALLEE)
        told = await agent.hears(EVENT)
        assert (told["text"], told["key"], told["actions"][0]["name"]) == ("Engaged .", key, "redial")
        await ringback.settled()
        await agent.sign_out()


@pytest.mark.parametrize(
    "text",
    ['[notifications]\nNonsense = "x"\n', "[notifications]\nOutboundCallFailedNotificationTitle = 5\n"],
)
async def test_a_text_that_cannot_be_used_stops_the_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ringback.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match="notifications"):
        await build(load(environ={}, file=file, flags={"data_dir": tmp_path / "data"}))
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("moment", "code"), [("rings", 45301), ("never made", 45306)])
async def test_a_crash_leaves_no_reservation_undecided(tmp_path: Path, moment: str, code: int) -> None:
    """The customer's phone rang, or the call was asked for and not yet made, when the process died: it is made by
    the next run, and given up because the worker is gone."""
    before, after = tmp_path / "before", tmp_path / "after"
    async with world(before) as first, aiohttp.ClientSession() as session:
        await first.number(OURS, voice="/none")
        agent = await Agent(first, session).sign_in()
        await first.sim("PUT", f"Numbers/{PHONE}", {"answers": "answer", "script": [{"wait": 600}]})
        await first.sim("PUT", f"Numbers/{CALLEE}", {"answers": "no-answer"})
        original = first.product.customer_rights.prepare
        made, held, clock = asyncio.Event(), asyncio.Event(), []

        async def prepare(event: Any) -> Any:
            if event.leg.role == "customer":
                clock.append(first.clock.hold())  # or it would have rung out before we look
                made.set()
                if moment == "never made":
                    await held.wait()
            return await original(event)

        first.product.runtime._wiring.prepare[TaskCallRequested] = prepare  # type: ignore[index]
        sid = await agent.call(CALLEE)
        await made.wait()
        while moment == "rings" and "initiated" not in [
            each.status for each in await first.product.store.find(Call)
        ]:
            await asyncio.sleep(0)
        copy_of_the_disk(before, after)
        held.set()
        clock[0].release()
        await first.settled()
        await agent.sign_out()
        workspace, worker = agent.workspace, agent.worker
    async with world(after) as second, aiohttp.ClientSession() as session:
        await second.settled()
        reservation = second.product.taskrouter.workspaces[workspace].reservations[sid]
        assert (reservation.reservation_status, reservation.canceled_reason_code) == ("canceled", code)
        path = (
            f"/taskrouter/v1/Workspaces/{workspace}/Workers/{worker}/Reservations/{sid}/FailureNotification"
        )
        found = await Agent(second, session).get(path)
        assert code == 45306 or (found["id"], found["destination"]) == ("OutboundCallCanceledGeneric", CALLEE)


def _task_call() -> Any:
    from ringback.events.queues import TaskCallRequested

    return TaskCallRequested(call_sid="", account_sid="", to="", from_="")
