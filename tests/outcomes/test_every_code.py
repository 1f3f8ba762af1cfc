"""Every code of the seeds and of call-outcomes.md §6 and §7, through everything that tells of it.

Each row happens twice: as ``POST Calls`` of an application (REST answer, REST record, status callback), and as the
outbound call of an agent who is signed in (reservation, TaskRouter's event, notification with its text). The same
code must come out everywhere. ``pytest -s`` prints the table.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec import structs

from ringback.effects import Save
from ringback.events import LegFailed, LegRinging
from ringback.events.queues import TaskCallChanged
from ringback.outcomes.notifications import REGISTRY, render
from ringback.resources.api.account import Account
from ringback.resources.telephony import TaskLeg
from ringback.testing.world import World, world
from ringback.web.outcomes import EVENT
from tests.outcomes.agent import OURS, PHONE, Agent

CALLEE = "+14155550177"
REDIAL = ["redial"]
PREFIX = "OutboundCallFailedNotification"


@dataclass(frozen=True)
class Row:
    """What happens, and what everybody must say of it."""

    name: str
    code: int | None
    """Reason code of the reservation; None: the property is absent."""
    note: str | None
    """Notification, without ``OutboundCallCanceled``; None: nobody is notified."""
    status: str = "failed"
    sip: int | None = None
    error: int | None = None
    refused: int | None = None
    """The application's POST Calls is refused with this code; None: 201."""
    by: str | None = "us"
    to: str = CALLEE
    from_: str = OURS
    answers: str = "busy"
    """What the simulated callee does …"""
    says: tuple[int, str, str] | None = None
    """… and what its carrier reports instead: SIP code, reason, by whom."""
    trial: bool = False
    cancels: bool = False
    """The call is canceled by REST while it rings."""
    own_call: bool = True
    """False: for the agent no call is made at all."""
    agent_only: bool = False


def refusal(code: int, note: str, **more: Any) -> Row:
    """A refusal at initiation: one code everywhere."""
    return Row(f"refused {code}", code, note, error=code, refused=code, **more)


def sip(
    code: int, reason: str, status: str, result: int, note: str, error: int | None = None, **more: Any
) -> Row:
    """A final SIP response of the callee or its carrier."""
    by = more.pop("by", "callee")
    return Row(
        f"{code} {reason}", result, note, status, code, error, by=by, says=(code, reason, by), **more
    )  # fmt: skip


GENERIC = "Generic"
ROWS = [
    # refused at initiation (§4, §6)
    Row("malformed number", 13223, "InvalidNumber", refused=21211, to="call me", own_call=False),
    Row("no possible number", 13223, "InvalidNumber", refused=21211, to="+0123456789", own_call=False),
    refusal(21211, "InvalidNumber", to="123"),
    refusal(21215, "DisabledCountry", to="+15005550003"),
    refusal(21210, "FromNumberUnverified", from_="+14155550166"),
    refusal(21216, "ToNumberBlocked", to="+15005550004"),
    refusal(21219, "ToNumberUnverified", trial=True),
    refusal(21217, GENERIC, to="+15005550001"),
    refusal(21214, GENERIC, to="+15005550002"),
    refusal(21202, GENERIC, to="+19002345678"),
    Row("our own policy said 403", 13227, "DisabledCountry", sip=403, error=13227, says=(403, "Forbidden", "us")),
    # busy, no answer (voice-calls.md §4.1)
    sip(486, "Busy Here", "busy", 45303, "Busy"),
    sip(600, "Busy Everywhere", "busy", 45303, "Busy"),
    sip(603, "Decline", "busy", 45303, "Busy"),
    Row("rings out", 45305, "NoAnswer", "no-answer", 487, by="callee", answers="no-answer"),
    sip(480, "Temporarily Unavailable", "no-answer", 45305, "NoAnswer"),
    sip(408, "Request Timeout", "no-answer", 45305, "NoAnswer"),
    sip(487, "Request Terminated", "no-answer", 45305, "NoAnswer"),
    # refused later
    *(
        sip(code, "Not Found", "failed", 45301, GENERIC, 13224, by="carrier")
        for code in (404, 410, 484, 485, 604)
    ),
    sip(401, "Unauthorized", "failed", 45301, GENERIC, 32202, by="carrier"),
    sip(407, "Proxy Authentication Required", "failed", 45301, GENERIC, 32202, by="carrier"),
    sip(403, "Forbidden", "failed", 45301, GENERIC, 13225, by="carrier"),
    *(sip(code, "Not Acceptable", "failed", 45301, GENERIC, 32102) for code in (415, 488, 606)),
    *(
        sip(code, "Error", "failed", 45301, GENERIC, 32011, by="carrier")
        for code in (420, 421, 482, 483, 491, 493, 500, 501, 502, 503, 504, 505, 513, 699)
    ),
    Row("nothing heard", 45304, GENERIC, sip=408, error=32011, by="carrier", says=(408, "", "timeout")),
    Row("no way to the host", 45301, GENERIC, sip=503, error=13254, by="carrier", says=(503, "", "transport")),
    Row("no phone registered", 45301, GENERIC, sip=404, error=32009, says=(404, "", "unregistered")),
    # ordinary ends
    Row("canceled by REST", 45306, None, "canceled", 487, answers="no-answer", cancels=True),
    Row("agent hangs up", 45306, None, "canceled", 487, answers="no-answer", agent_only=True),
    Row("agent's phone is busy", 45302, None, own_call=False, agent_only=True),
    Row("answered", None, None, "completed", 200, by=None, answers="answer"),
]  # fmt: skip
POSTED = [(45302, None), (45306, None), (45307, None), (45308, GENERIC), (45304, GENERIC), (99999, GENERIC)]
"""Codes that a leg reports, whatever may have led to them (§7: suppressed, unknown)."""


class Carrier:
    """Reports ends as another carrier would."""

    def __init__(self, ringback: World) -> None:
        self.says: tuple[int, str, str] | None = None
        self._simulator = ringback.product.simulator
        self._pass_on = self._simulator._post
        self._simulator._post = self._report
        self._product = ringback.product
        self.wait_for_ringing(False)

    def wait_for_ringing(self, wanted: bool) -> None:
        """Stop the clock when the callee's phone rings, if wanted: ``rings`` has the call, ``hold`` the clock."""
        self._wanted = wanted
        self.rings: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.hold: Any = None

    def _report(self, event: Any) -> None:
        if isinstance(event, LegRinging) and self._wanted:
            party = self._simulator.call(event.call_sid)
            if party is not None and party.to == CALLEE:
                self.hold = self._product.clock.hold()
                self.rings.set_result(event.call_sid)
        if isinstance(event, LegFailed) and self.says is not None:
            code, reason, by = self.says
            event = structs.replace(event, sip_code=code, reason=reason, by=by)
        self._pass_on(event)


async def arrange(ringback: World, carrier: Carrier, row: Row) -> None:
    """Let it happen: callee, carrier and account."""
    product = ringback.product
    script = [{"wait": 3}, {"hangup": True}] if row.answers == "answer" else []
    await ringback.sim("PUT", f"Numbers/{CALLEE}", {"answers": row.answers, "after": 0.5, "script": script})
    phone = {"answers": "answer", "after": 0.5, "script": [{"wait": 600}]}
    if row.name == "agent hangs up":
        phone["script"] = [{"wait": 5}, {"hangup": True}]
    elif row.name == "agent's phone is busy":
        phone = {"answers": "busy"}
    await ringback.sim("PUT", f"Numbers/{PHONE}", phone)
    carrier.says = row.says
    carrier.wait_for_ringing(row.cancels)
    account = await product.store.get(Account, product.account_sid)
    assert account is not None
    await product.store.commit([Save(replace(account, type="Trial" if row.trial else "Full"))])
    product.authenticator.forget()


@contextmanager
def says(row: Row) -> Iterator[None]:
    """Name the row in what fails."""
    try:
        yield
    except (AssertionError, TimeoutError, KeyError) as error:
        raise AssertionError(f"{row.name}: {type(error).__name__} {error}") from error


async def cancel(ringback: World, carrier: Carrier) -> None:
    """Cancel the call that rings, by REST, while it rings."""
    sid = await carrier.rings
    asking = asyncio.ensure_future(ringback.post(f"Calls/{sid}", Status="canceled"))
    await asyncio.sleep(0.05)
    carrier.hold.release()
    await asking


async def as_application(ringback: World, agent: Agent, carrier: Carrier, row: Row) -> tuple[str, str]:
    """POST Calls; gives the columns ``create`` and ``webhook``."""
    path = f"/2010-04-01/Accounts/{ringback.product.account_sid}/Calls"
    fields = {
        "To": row.to, "From": row.from_, "Timeout": "20", "StatusCallback": ringback.app_url + "/status",
        "Twiml": "<Response><Pause length='600'/></Response>",
    }  # fmt: skip
    if row.agent_only:
        return "-", "-"
    made = await agent.get(f"{path}.json", "POST", **fields)
    if row.refused is not None:
        assert (made["status"], made["code"]) == (400, row.refused)
        return f"400/{row.refused}", "-"
    sid = made["sid"]
    before = len(ringback.requests("/status"))
    if row.cancels:
        await cancel(ringback, carrier)
    final = await ringback.final(sid)
    assert (final["status"], final["error_code"]) == (row.status, row.error)
    (told,) = ringback.requests("/status")[before:]
    assert told["CallStatus"] == row.status
    assert told.get("SipResponseCode") == (str(row.sip) if row.sip is not None else None)
    assert told.get("ErrorCode") == (str(row.error) if row.error is not None else None)
    await the_record(ringback, sid, row)
    missing = await agent.get(f"{path}/{sid}/FailureNotification.json")
    assert missing["code"] == 20404, "no agent's call: nobody is notified"
    return "201", f"{told['CallStatus']} {told.get('SipResponseCode', '-')} {told.get('ErrorCode', '-')}"


async def the_record(ringback: World, sid: str, row: Row) -> None:
    """``Calls/{sid}/Outcome`` says it all."""
    record = await ringback.get(f"Calls/{sid}/Outcome")
    assert record["final"] is True
    found = {name: record[name] for name in ("status", "by", "sip_code", "error_code", "reason_code")}
    assert found == {
        "status": row.status, "by": row.by, "sip_code": row.sip, "error_code": row.error, "reason_code": row.code,
    }  # fmt: skip
    assert record["notification"] == (f"OutboundCallCanceled{row.note}" if row.note else None)
    assert record["advice"], "somebody must be told what to do"


async def as_agent(ringback: World, agent: Agent, carrier: Carrier, row: Row) -> tuple[str, str, str]:
    """An agent's own outbound call; gives the columns ``event``, ``notification`` and ``text``."""
    root = f"/2010-04-01/Accounts/{ringback.product.account_sid}/Calls"
    carrier.wait_for_ringing(row.cancels)
    sid = await agent.call(row.to, from_=row.from_)
    reservation = agent.product.taskrouter.workspaces[agent.workspace].reservations[sid]
    task = agent.product.taskrouter.workspaces[agent.workspace].tasks[reservation.task_sid]
    if row.cancels:
        await cancel(ringback, carrier)
    if row.code is None:
        await agent.hears("reservation.wrapup")
        await ringback.settled()
        assert reservation.canceled_reason_code is None
        assert agent.heard("reservation.canceled") == []
        await agent.ask("POST", f"Workers/{agent.worker}/Reservations/{sid}", ReservationStatus="completed")
        await the_record(ringback, task.record.conference.customer_call, row)
        return "-", "-", ""
    frame = await agent.hears("reservation.canceled")
    await ringback.settled()
    assert frame["canceled_reason_code"] == row.code
    assert (reservation.reservation_status, reservation.canceled_reason_code) == ("canceled", row.code)
    assert task.record.assignment_status == "canceled"
    events = (await agent.rest("GET", f"/Events?EventType=reservation.canceled&ReservationSid={sid}"))[
        "events"
    ]
    assert [json_of(each["event_data"])["canceled_reason_code"] for each in events] == [str(row.code)]
    (webhook,) = [
        each for each in ringback.requests("/events")
        if each.get("ReservationSid") == sid and each["EventType"] == "reservation.canceled"
    ]  # fmt: skip
    assert webhook["CanceledReasonCode"] == str(row.code)
    leg = (task.record.conference and task.record.conference.customer_call) or None
    assert (leg is not None) == row.own_call
    if leg is not None:
        await the_record(ringback, leg, row)
        assert (await ringback.get(f"Calls/{leg}"))["error_code"] == row.error
    assert not agent.product.exchange.legs, "the agent is hung up"
    return str(row.code), *(await the_notification(agent, row, sid, leg and f"{root}/{leg}"))


async def the_notification(agent: Agent, row: Row, reservation: str, call: str | None) -> tuple[str, str]:
    """By socket and by REST, of the reservation and of the call: the same; or by none of them."""
    path = f"/Workers/{agent.worker}/Reservations/{reservation}/FailureNotification"
    by_rest = await agent.rest("GET", path)
    by_call = await agent.get(f"{call}/FailureNotification.json") if call else None
    if row.note is None:
        assert agent.heard(EVENT) == []
        assert {each["code"] for each in (by_rest, by_call) if each} == {20404}
        return "-", ""
    (told,) = agent.heard(EVENT)
    for each in filter(None, (by_rest, by_call)):
        assert {name: each[name] for name in told} == told
    assert told["id"] == f"OutboundCallCanceled{row.note}"
    assert told["key"] == f"{PREFIX}Title{'' if row.note == GENERIC else row.note}"
    assert (told["type"], told["timeout"], told["reason_code"]) == ("warning", 5000, row.code)
    assert [each["name"] for each in told["actions"]] == (REDIAL if row.note in ("Busy", "NoAnswer") else [])
    assert (told["destination"], told["caller_id"], told["queue_sid"]) == (row.to, row.from_, agent.queue)
    assert (str(row.code) in told["text"]) == (row.note == GENERIC)
    return told["id"], told["text"]


def json_of(value: Any) -> Any:
    """The value, read when it is JSON text."""
    return json.loads(value) if isinstance(value, str) else value


async def test_every_code_everywhere(tmp_path: Path, database_url: str) -> None:
    """The table."""
    lines = []
    async with world(tmp_path, database_url=database_url) as ringback, aiohttp.ClientSession() as session:
        ringback.app("/status", "")
        await ringback.number(OURS, voice="/none")
        agent, carrier = await Agent(ringback, session).sign_in(), Carrier(ringback)
        for row in ROWS:
            with says(row):
                await arrange(ringback, carrier, row)
                if not row.agent_only:
                    create, webhook = await as_application(ringback, agent, carrier, row)
                else:
                    create, webhook = "-", "-"
                if row.says:  # the agent's own phone must not be refused the same way
                    assert row.answers == "busy"
                lines.append((row.name, create, webhook, *await as_agent(ringback, agent, carrier, row)))
        for code, note in POSTED:
            lines.append((f"(posted {code})", "-", "-", *await posted(ringback, agent, carrier, code, note)))
        await agent.sign_out()
    head = ("what happened", "create", "webhook: status SIP error", "reservation", "notification", "text")
    widths = [max(len(line[place]) for line in [head, *lines]) for place in range(len(head))]
    for line in [head, *lines]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    assert {line[4] for line in lines} - {"-"} == set(REGISTRY), "all eight have been seen"


async def posted(
    ringback: World, agent: Agent, carrier: Carrier, code: int, note: str | None
) -> tuple[str, str, str]:
    """The customer's leg reports a code of its own."""
    row = Row(f"posted {code}", code, note, answers="no-answer")
    await arrange(ringback, carrier, row)
    carrier.wait_for_ringing(True)
    sid = await agent.call(CALLEE)
    leg = await carrier.rings
    task_sid = agent.product.taskrouter.workspaces[agent.workspace].reservations[sid].task_sid
    what = TaskLeg(workspace=agent.workspace, task=task_sid, reservation=sid, role="customer")
    agent.product.post(
        TaskCallChanged(
            workspace_sid=agent.workspace,
            about=leg,
            leg=what,
            change="ended",
            status="failed",
            reason_code=code,
        )
    )
    frame = await agent.hears("reservation.canceled")
    assert frame["canceled_reason_code"] == code
    await cancel(ringback, carrier)
    await ringback.settled()
    found = agent.heard(EVENT)
    shown = render(code)
    assert (shown is None) == (note is None)
    if shown is None:
        assert found == []
        return str(code), "-", ""
    assert [each["text"] for each in found] == [shown.text]
    return str(code), found[0]["id"], found[0]["text"]


@pytest.mark.parametrize("how", ["task canceled by REST", "inbound"])
async def test_no_code_no_property(tmp_path: Path, database_url: str, how: str) -> None:
    """Canceled for another reason: the property is absent, and nobody is notified (§8 no. 8)."""
    async with world(tmp_path, database_url=database_url) as ringback, aiohttp.ClientSession() as session:
        await ringback.number(OURS, voice="/none")
        agent = await Agent(ringback, session).sign_in()
        direction = "outbound" if how == "task canceled by REST" else "inbound"
        await agent.ask(
            "POST", "Tasks", WorkflowSid=agent.workflow, RoutingTarget=agent.worker, TaskChannelUniqueName="voice",
            Attributes={"direction": direction, "outbound_to": CALLEE, "from": OURS},
        )  # fmt: skip
        task = (await agent.hears("reservation.created"))["task"]["sid"]
        await agent.rest("POST", f"/Tasks/{task}", AssignmentStatus="canceled", Reason="gone")
        frame = await agent.hears("reservation.canceled")
        await ringback.settled()
        assert "canceled_reason_code" not in frame
        assert agent.heard(EVENT) == []
        await agent.sign_out()
