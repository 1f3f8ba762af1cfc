# ruff: noqa: E501 - documents are easier to read on one line
"""Calls that TaskRouter wants, and what it is told of them (events/queues.py)."""

from __future__ import annotations

from typing import Any

from driver import ACCOUNT, BASE, Driver
from queue_site import (
    AGENT,
    RESERVATION,
    TASK,
    WORKSPACE,
    told,
)

from ringback import effects as fx
from ringback import events as ev
from ringback.events import queues as qu
from ringback.resources.telephony import TaskLeg


def task_call(call: Driver, to: str = "sip:ann@127.0.0.1:5080", **more: Any) -> None:
    leg = TaskLeg(workspace=WORKSPACE, task=TASK, reservation=RESERVATION, role="worker")
    call.feed(
        qu.TaskCallRequested(call_sid=AGENT, account_sid=ACCOUNT, to=to, from_="+15550100123", leg=leg, **{"twiml": "<Response><Say>hi</Say></Response>", **more})
    )  # fmt: skip


def test_a_task_call_is_dialled_like_any_other_and_tells_how_it_goes() -> None:
    call = Driver()
    task_call(
        call,
        timeout=20,
        record=True,
        status_callback=BASE + "/status",
        status_callback_events=("initiated", "completed"),
    )
    assert call.of(fx.QueueDial)[0].call_sid == AGENT
    assert call.calls[AGENT].direction == "outbound-api"
    call.dialled(AGENT)
    (leg,) = call.of(fx.DialLeg)
    assert (leg.to, leg.from_) == ("sip:ann@127.0.0.1:5080", "+15550100123")
    assert [one.seconds for one in call.of(fx.StartTimer) if one.name == "ring"] == [20.0]
    assert len(call.of(fx.RecordLeg)) == 1
    call.hangup(AGENT)
    assert told(call) == [(AGENT, "answered"), (AGENT, "ended")]
    assert call.hooks("CallStatus")[:2] == [("initiated",), ("completed",)]
    ended = call.of(fx.Post)[-1].event
    assert (ended.status, ended.leg.reservation, ended.workspace_sid) == ("completed", RESERVATION, WORKSPACE)


def test_a_task_call_that_is_busy_tells_its_code() -> None:
    call = Driver()
    task_call(call)
    call.dialled(AGENT, answered=False)
    call.feed(ev.LegFailed(call_sid=AGENT, sip_code=486))
    ended = call.of(fx.Post)[-1].event
    assert (ended.change, ended.status, ended.sip_code) == ("ended", "busy", 486)


def test_a_task_call_that_may_not_be_made_fails_and_says_so() -> None:
    call = Driver(refuse=lambda number, account: 21215)
    task_call(call, to="+15551230002")
    assert (call.status(AGENT), told(call)) == ("failed", [(AGENT, "ended")])
    assert 21215 in call.codes()
    assert call.of(fx.DialLeg) == []
    call.feed(ev.DialStarted(call_sid=AGENT))
    assert (call.of(fx.DialLeg), call.board.live) == ([], 0)
