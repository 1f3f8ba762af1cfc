"""Instructions (taskrouter.md §4.1, §8): given by the assignment callback or by a reservation's update."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringback.effects import Save
from ringback.effects.taskrouter import RedirectCall
from ringback.events.queues import TaskCallChanged, TaskCallRequested
from ringback.events.taskrouter import AssignmentAnswered, TaskRequested
from ringback.kernel.errors import Refused
from ringback.resources.api.alert import Alert
from ringback.resources.telephony import TaskLeg
from ringback.voice.call.task_leg import form_of
from tests.taskrouter.states import flow
from tests.taskrouter.workspace_kit import ACCOUNT, WS, Kit

CALLER = "CA" + "c" * 32
WAYS = ("update", "answer")

PARAMS = {
    "dequeue": {
        "to": "DequeueTo", "from": "DequeueFrom", "record": "DequeueRecord", "timeout": "DequeueTimeout",
        "post_work_activity_sid": "DequeuePostWorkActivitySid", "status_callback_url": "DequeueStatusCallbackUrl",
    },
    "call": {
        "to": "CallTo", "from": "CallFrom", "url": "CallUrl", "record": "CallRecord", "timeout": "CallTimeout",
        "accept": "CallAccept",
    },
    "redirect": {"call_sid": "RedirectCallSid", "url": "RedirectUrl", "accept": "RedirectAccept"},
    "conference": {
        "to": "To", "from": "From", "timeout": "Timeout", "record": "Record", "muted": "Muted", "beep": "Beep",
        "end_conference_on_exit": "EndConferenceOnExit", "max_participants": "MaxParticipants",
        "post_work_activity_sid": "PostWorkActivitySid", "conference_record": "ConferenceRecord",
        "start_conference_on_enter": "StartConferenceOnEnter", "wait_url": "WaitUrl",
        "recording_channels": "RecordingChannels", "recording_status_callback": "RecordingStatusCallback",
        "recording_status_callback_method": "RecordingStatusCallbackMethod",
        "conference_recording_status_callback": "ConferenceRecordingStatusCallback",
        "conference_recording_status_callback_method": "ConferenceRecordingStatusCallbackMethod",
        "region": "Region", "jitter_buffer_size": "JitterBufferSize", "early_media": "EarlyMedia",
    },
    "supervise": {"supervisor": "Supervisor", "supervisor_mode": "SupervisorMode"},
    "reject": {"activity_sid": "WorkerActivitySid"},
    "accept": {},
}  # fmt: skip
"""Kind → option of the callback → parameter of the update."""


def offered(*, caller: bool = True, **attributes: Any) -> tuple[Kit, str, str]:
    """A workspace with a caller's task that is offered to Ann; the kit, the task and the reservation."""
    kit = Kit(template="FIFO")
    kit.worker("Ann", **{"contact_uri": "sip:ann@desk.example", **attributes})
    task = kit.sid("WT")
    if caller:
        facts = {"from": "+15550100", "to": "+15550199", "called": "+15550199", "direction": "inbound"}
        kit.event(
            TaskRequested(
                workspace_sid=WS, account_sid=ACCOUNT, caller_sid=CALLER, request="r", task_sid=task,
                workflow_sid=flow(kit), attributes="", facts=facts,
            )
        )  # fmt: skip
    else:
        kit.create("Task", task, {"attributes": '{"from": "+15550100"}'}, {"TaskChannel": "voice"})
    return kit, task, kit.offer(task)


def alerts(kit: Kit) -> list[Alert]:
    """The debugger's entries."""
    return [each.record for each in kit.effects if isinstance(each, Save) and isinstance(each.record, Alert)]


def give(kit: Kit, way: str, reservation: str, kind: str, **options: Any) -> int | None:
    """Give an instruction; the code of its refusal, None: it is being carried out."""
    if way == "update":
        params = {PARAMS[kind][name]: str(value) for name, value in options.items()}
        try:
            kit.update("Reservation", reservation, {}, {"Instruction": kind, **params})
        except Refused as refusal:
            return refusal.code
        return None
    seen = len(alerts(kit))
    answer(kit, reservation, json.dumps({"instruction": kind, **options}).encode())
    found = alerts(kit)[seen:]
    return found[0].error_code if found else None


def answer(kit: Kit, reservation: str, body: bytes, **more: Any) -> None:
    """The assignment callback answers."""
    given = {"ok": True, "url": "http://a.example/", **more}
    kit.event(AssignmentAnswered(workspace_sid=WS, reservation_sid=reservation, body=body, **given))


def calls(kit: Kit) -> list[TaskCallRequested]:
    """The calls that were asked for."""
    return [each for each in kit.posts() if isinstance(each, TaskCallRequested)]


def status(kit: Kit, reservation: str) -> str:
    """A reservation's state."""
    return kit.workspace.reservations[reservation].reservation_status


# --- nonsense --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"  \n", b"{}", b'{"instruction": null}', b'{"to": "x"}'])
def test_later(body: bytes) -> None:
    """§8: "I will act later"."""
    kit, _, reservation = offered()
    answer(kit, reservation, body)
    assert (status(kit, reservation), alerts(kit), calls(kit)) == ("pending", [], [])


@pytest.mark.parametrize(
    "body",
    [
        b"<Response/>", b"accept", b"[]", b'"accept"', b"1", b"null", b'{"instruction": "dance"}',
        b'{"instruction": 5}', b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"instruction": {"a": 1}}', b'{"instruction": []}', b"\xff\xfe", b"[" * 50_000,
        b'{"instruction": "accept", "x": "' + b"a" * 70_000 + b'"}',
    ],
)  # fmt: skip
def test_nonsense(body: bytes) -> None:
    """A debugger entry with the answer; the reservation stays pending and still times out."""
    kit, _, reservation = offered()
    answer(kit, reservation, body)
    (alert,) = alerts(kit)
    assert (alert.error_code, alert.resource_sid, alert.request_url) == (
        55555 if body.startswith(b'{"instruction": ') and b"accept" not in body else 40001,
        reservation,
        "http://a.example/",
    )
    assert len(alert.response_body or "") <= 2000
    assert (status(kit, reservation), calls(kit)) == ("pending", [])
    kit.advance(120)
    assert status(kit, reservation) == "timeout"


def test_no_answer() -> None:
    """Slow or never: told with the code of the failure."""
    kit, _, reservation = offered()
    answer(kit, reservation, b"", ok=False, error_code=11205, error_text="Connection refused")
    (alert,) = alerts(kit)
    assert alert.error_code == 11205
    assert status(kit, reservation) == "pending"


def test_the_fallback_answered() -> None:
    """Its instruction counts; that the first one failed is told all the same."""
    kit, _, reservation = offered()
    failed = (
        (11200, "The endpoint answered 500.", "http://b.example/"),
        (None, "not JSON", "http://c.example/"),
    )
    answer(kit, reservation, b'{"instruction": "accept"}', failed=failed)
    assert status(kit, reservation) == "accepted"
    assert [(each.error_code, each.request_url) for each in alerts(kit)] == [
        (11200, "http://b.example/"),
        (40001, "http://c.example/"),
    ]


def test_an_answer_that_was_cut_off() -> None:
    """Who fetched it reads so far and no further: what is wrong is its length, not its JSON."""
    kit, _, reservation = offered()
    answer(kit, reservation, (b'{"instruction": "accept", "x": "' + b"a" * 70_000)[: 64 * 1024])
    (alert,) = alerts(kit)
    assert (alert.error_code, status(kit, reservation)) == (40001, "pending")
    assert "too long" in (alert.message_text or "")


def test_too_late() -> None:
    """The reservation is over, or gone: told, or nothing."""
    kit, task, reservation = offered()
    kit.reserve(reservation, "accepted")
    answer(kit, reservation, b'{"instruction": "reject"}')
    assert (alerts(kit)[-1].error_code, status(kit, reservation)) == (20001, "accepted")
    kit.request("delete", "Task", task)
    answer(kit, reservation, b'{"instruction": "accept"}')
    assert len(alerts(kit)) == 1


# --- accept, reject ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_accept(way: str) -> None:
    """As by status."""
    kit, task, reservation = offered()
    assert give(kit, way, reservation, "accept") is None
    assert (status(kit, reservation), kit.state(task)) == ("accepted", "assigned")


@pytest.mark.parametrize("way", WAYS)
def test_reject(way: str) -> None:
    """With an activity the worker moves; without, they may be asked again at once."""
    kit, task, reservation = offered()
    assert give(kit, way, reservation, "reject") is None
    assert (status(kit, reservation), kit.pending(task)) == ("rejected", ["Ann"])
    assert give(kit, way, kit.offer(task), "reject", activity_sid=kit.activity("Offline")) is None
    assert kit.pending(task) == []
    assert next(iter(kit.workspace.workers.values())).record.activity_name == "Offline"


# --- dequeue, call, conference: the worker is called ---------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_dequeue(way: str) -> None:
    """Calls contact_uri, shows the number that was dialled, and bridges by the reservation."""
    kit, task, reservation = offered()
    assert give(kit, way, reservation, "dequeue") is None
    (call,) = calls(kit)
    assert (call.to, call.from_, call.timeout) == ("sip:ann@desk.example", "+15550199", 60)
    assert f'reservationSid="{reservation}"' in (call.twiml or "")
    assert call.leg.reservation == reservation
    assert (call.leg.task, call.leg.role, call.leg.workspace) == (task, "worker", WS)
    assert json.loads(kit.workspace.tasks[task].record.attributes)["worker_call_sid"] == call.call_sid
    assert status(kit, reservation) == "pending"


@pytest.mark.parametrize("way", WAYS)
def test_dequeue_options(way: str) -> None:
    """All of them."""
    kit, _, reservation = offered()
    code = give(
        kit, way, reservation, "dequeue", to="+15550111", record="record-from-answer", timeout=20,
        post_work_activity_sid=kit.activity("Unavailable"), status_callback_url="http://s.example/?a=1",
        **{"from": "+15550122"},
    )  # fmt: skip
    assert code is None
    (call,) = calls(kit)
    assert (call.to, call.from_, call.timeout) == ("+15550111", "+15550122", 20)
    assert 'record="record-from-answer"' in (call.twiml or "")
    assert (call.status_callback, call.status_callback_method) == (
        f"http://s.example/?a=1&taskCallSid={CALLER}",
        "GET",
    )


@pytest.mark.parametrize("way", WAYS)
def test_call(way: str) -> None:
    """The worker is called with the application's document; accepted at once when asked for."""
    kit, task, reservation = offered(caller=False)
    options = {"to": "+15550111", "from": "+15550122", "url": "http://doc.example/"}
    assert give(kit, way, reservation, "call", **options, accept="true") is None
    (call,) = calls(kit)
    assert (call.to, call.from_, call.url) == ("+15550111", "+15550122", "http://doc.example/")
    assert status(kit, reservation) == "accepted"
    assert json.loads(kit.workspace.tasks[task].record.attributes)["worker_call_sid"] == call.call_sid


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("accept", ["true", "false"])
def test_redirect(way: str, accept: str) -> None:
    """A live call gets another document."""
    kit, _, reservation = offered()
    code = give(kit, way, reservation, "redirect", call_sid=CALLER, url="http://doc.example/", accept=accept)
    assert code is None
    (redirect,) = (each for each in kit.effects if isinstance(each, RedirectCall))
    assert (redirect.call_sid, redirect.url, redirect.account_sid) == (CALLER, "http://doc.example/", ACCOUNT)
    assert status(kit, reservation) == ("accepted" if accept == "true" else "pending")


@pytest.mark.parametrize("way", WAYS)
def test_conference(way: str) -> None:
    """Into the conference named by the task."""
    kit, task, reservation = offered()
    code = give(
        kit, way, reservation, "conference", end_conference_on_exit="true", muted="true", beep="onEnter",
        conference_record="record-from-start", max_participants="4", wait_url="http://w.example/?a=1&b=2",
    )  # fmt: skip
    assert code is None
    (call,) = calls(kit)
    twiml = call.twiml or ""
    assert f">{task}</Conference>" in twiml
    for part in (
        'endConferenceOnExit="true"', 'muted="true"', 'beep="onEnter"', 'record="record-from-start"',
        'maxParticipants="4"', 'startConferenceOnEnter="true"', 'waitUrl="http://w.example/?a=1&amp;b=2"',
    ):  # fmt: skip
        assert part in twiml
    assert status(kit, reservation) == "pending"


@pytest.mark.parametrize("mode", ["monitor", "whisper", "barge"])
def test_supervise(mode: str) -> None:
    """A supervisor's leg joins the task's conference; needs an accepted reservation."""
    kit, task, reservation = offered()
    boss = kit.worker("Boss", contact_uri="client:boss")
    assert give(kit, "update", reservation, "supervise", supervisor=boss, supervisor_mode=mode) == 40146
    kit.reserve(reservation, "accepted")
    assert give(kit, "update", reservation, "supervise", supervisor=boss, supervisor_mode=mode) is None
    (call,) = calls(kit)
    assert (call.to, call.leg.role) == ("client:boss", "supervisor")
    assert ('muted="true"' in (call.twiml or "")) == (mode == "monitor")
    assert f">{task}</Conference>" in (call.twiml or "")
    assert give(kit, "update", reservation, "supervise", supervisor=boss, supervisor_mode="haunt") == 40146


def test_nothing_gets_out_of_the_markup() -> None:
    """Options are the customer's: they cannot end the attribute that they stand in."""
    kit, _, reservation = offered()
    give(kit, "answer", reservation, "conference", beep='"/></Dial><Hangup/>')
    (call,) = calls(kit)
    assert "<Hangup/>" not in (call.twiml or "")


# --- refused ----------------------------------------------------------------------------------------------------

GOOD_CALL = {"to": "+15550111", "from": "+15550122", "url": "http://doc.example/"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [
        ("dequeue", {"post_work_activity_sid": "WA" + "f" * 32}, 40130), ("dequeue", {"to": "what"}, 40131),
        ("dequeue", {"from": "<x>"}, 40132), ("dequeue", {"timeout": "0"}, 20001),
        ("dequeue", {"timeout": "601"}, 20001),
        ("dequeue", {"to": "+15550111", "timeout": "1000"}, 20001), ("dequeue", {"timeout": "ten"}, 20001),
        ("call", {**GOOD_CALL, "to": "nobody"}, 40110), ("call", {**GOOD_CALL, "from": "nobody"}, 40111),
        ("call", {**GOOD_CALL, "url": "relative"}, 40112), ("redirect", {"call_sid": CALLER, "url": "x"}, 40120),
        ("redirect", {"call_sid": "x", "url": "http://a/"}, 40121),
        ("conference", {"to": "nobody"}, 40137), ("conference", {"post_work_activity_sid": "WA" + "f" * 32}, 40139),
        ("reject", {"activity_sid": "WA" + "f" * 32}, 40100),
        ("conference", {"region": "mars"}, 20001), ("conference", {"jitter_buffer_size": "huge"}, 20001),
        ("conference", {"early_media": "perhaps"}, 20001), ("conference", {"recording_channels": "5.1"}, 20001),
        ("conference", {"recording_status_callback_method": "PUT"}, 20001),
        ("conference", {"conference_recording_status_callback_method": "PUT"}, 20001),
    ],
)  # fmt: skip
def test_refused(way: str, kind: str, options: dict[str, str], code: int) -> None:
    """§8's codes; the instruction is dropped, nothing is dialled, the reservation stays pending."""
    kit, task, reservation = offered()
    before = kit.workspace.tasks[task].record.attributes
    assert give(kit, way, reservation, kind, **options) == code
    assert (status(kit, reservation), calls(kit)) == ("pending", [])
    assert kit.workspace.tasks[task].record.attributes == before
    assert kit.workspace.reservations[reservation].instruction is None
    assert give(kit, way, reservation, "accept") is None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [
        ("dequeue", {}, 40135), ("call", GOOD_CALL, 40114),
        ("redirect", {"call_sid": CALLER, "url": "http://a/"}, 40123),
        ("conference", {}, 40136), ("accept", {}, 20001), ("reject", {}, 20001),
    ],
)  # fmt: skip
def test_needs_a_pending_reservation(way: str, kind: str, options: dict[str, str], code: int) -> None:
    """§8's codes."""
    kit, _, reservation = offered()
    kit.reserve(reservation, "accepted")
    assert give(kit, way, reservation, kind, **options) == code
    assert calls(kit) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("how", "code"), [("hang up", 40144), ("cancel", 40144), ("reject", 40136), ("timeout", 40136)]
)
def test_a_conference_instruction_that_comes_too_late(way: str, how: str, code: int) -> None:
    """§8: 40144 when the caller is gone or the task canceled, 40136 for any other state."""
    kit, task, reservation = offered()
    if how == "hang up":
        leg = TaskLeg(workspace=WS, task=task, role="customer")
        kit.event(
            TaskCallChanged(workspace_sid=WS, about=CALLER, leg=leg, change="ended", status="completed")
        )
    elif how == "cancel":
        kit.update("Task", task, {"reason": "no"}, {"AssignmentStatus": "canceled"})
    elif how == "reject":
        kit.update("Reservation", reservation, {}, {"ReservationStatus": "rejected"})
    else:
        kit.advance(120)
    before = status(kit, reservation)
    assert give(kit, way, reservation, "conference") == code
    assert (status(kit, reservation), calls(kit)) == (before, [])


@pytest.mark.parametrize(("kind", "code"), [("call", 40113), ("dequeue", 40133), ("conference", 40145)])
def test_a_call_that_may_not_be_made_is_told_with_the_instructions_own_code(kind: str, code: int) -> None:
    """§8: the calls API refused. A phone that is busy or a carrier that fails is no such thing."""
    for facts, expected in (
        ({"status": "failed", "error_code": 21210, "reason_code": 21210}, [code]),
        ({"status": "failed", "error_code": 13224, "reason_code": 45301, "sip_code": 404}, []),
        ({"status": "busy", "reason_code": 45303, "sip_code": 486}, []),
    ):
        kit, _, reservation = offered()
        assert give(kit, "answer", reservation, kind, **(GOOD_CALL if kind == "call" else {})) is None
        (call,) = calls(kit)
        told: Any = {"workspace_sid": WS, "about": call.call_sid, "leg": call.leg, "change": "ended", **facts}
        kit.event(TaskCallChanged(**told))
        assert [each.error_code for each in alerts(kit)] == expected
        assert status(kit, reservation) == "canceled"


@pytest.mark.parametrize("way", WAYS)
def test_what_a_conference_instruction_says_of_recordings_region_and_delay(way: str) -> None:
    """§4.1: each option reaches the worker's call, or the conference that they open."""
    kit, _, reservation = offered()
    options = {
        "record": "true", "recording_channels": "Dual", "recording_status_callback": "http://r.example/",
        "recording_status_callback_method": "get", "conference_record": "true",
        "conference_recording_status_callback": "http://c.example/",
        "conference_recording_status_callback_method": "GET", "region": "ie1", "jitter_buffer_size": "small",
    }  # fmt: skip
    assert give(kit, way, reservation, "conference", **options) is None
    (call,) = calls(kit)
    assert (call.record, call.recording_channels, call.record_callback, call.record_callback_method) == (
        True, "dual", "http://r.example/", "GET",
    )  # fmt: skip
    params = form_of(call)
    assert (params["RecordingChannels"], params["RecordingStatusCallbackMethod"]) == (["dual"], ["GET"])
    for part in (
        'recordingStatusCallback="http://c.example/"', 'recordingStatusCallbackMethod="GET"', 'region="ie1"',
        'jitterBufferSize="small"',
    ):  # fmt: skip
        assert part in (call.twiml or ""), part


def test_without_these_options_the_document_says_nothing_of_them() -> None:
    """Then the defaults of ``<Conference>`` hold."""
    kit, _, reservation = offered()
    assert give(kit, "update", reservation, "conference") is None
    (call,) = calls(kit)
    assert not any(name in (call.twiml or "") for name in ("region", "jitter", "recording"))
    assert (call.recording_channels, call.record_callback_method) == ("mono", "POST")


def test_dequeue_needs_a_caller() -> None:
    """§8: only tasks made by <Enqueue>."""
    kit, _, reservation = offered(caller=False)
    assert give(kit, "update", reservation, "dequeue") == 40140


def test_no_contact_uri() -> None:
    """Whom to call?"""
    kit, _, reservation = offered(contact_uri="")
    assert give(kit, "update", reservation, "dequeue") == 40131
    assert give(kit, "update", reservation, "conference") == 40137


def test_one_instruction_at_a_time() -> None:
    """While the phone rings no second one is called; accepting by hand is fine."""
    kit, _, reservation = offered()
    assert give(kit, "answer", reservation, "dequeue") is None
    assert give(kit, "update", reservation, "conference") == 40136
    assert give(kit, "update", reservation, "dequeue") == 40135
    assert len(calls(kit)) == 1
    assert give(kit, "update", reservation, "accept") is None


def test_attributes_that_are_full() -> None:
    """worker_call_sid does not fit: told, and the call is made all the same."""
    kit, task, reservation = offered()
    kit.update("Task", task, {"attributes": json.dumps({"to": "+15550199", "x": "y" * 4050})})
    assert give(kit, "answer", reservation, "dequeue") == 20001
    assert len(calls(kit)) == 1
