"""Carrying instructions out: what they do to the reservation, and which calls they make (taskrouter.md §4.1, §8)."""

from __future__ import annotations

from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

import msgspec

from ringback.effects import Post
from ringback.effects.taskrouter import RedirectCall
from ringback.events.queues import TaskCallRequested
from ringback.events.taskrouter import AssignmentAnswered
from ringback.kernel.errors import Refused
from ringback.kernel.outcome import MALFORMED
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.resources.telephony import CarriedOut, TaskLeg
from ringback.taskrouter import outbound, transfers
from ringback.taskrouter.alerts import log_alert
from ringback.taskrouter.instruction import Instruction, from_answer
from ringback.taskrouter.lifecycle import accept, reject
from ringback.taskrouter.live import LiveTask
from ringback.taskrouter.requests.values import ATTRIBUTES_LIMIT
from ringback.taskrouter.steps import set_attributes, set_conference
from ringback.taskrouter.waiting import look
from ringback.taskrouter.workspace import LiveWorkspace

CALLBACK_FAILED = 40001
"""Debugger: nobody answered the assignment callback."""
CODES: dict[str, dict[str, int]] = {
    "call": {"state": 40114, "to": 40110, "from": 40111, "url": 40112},
    "redirect": {"state": 40123, "url": 40120, "call": 40121},
    "dequeue": {"state": 40135, "to": 40131, "from": 40132, "activity": 40130, "caller": 40140},
    "conference": {"state": 40136, "canceled": 40144, "to": 40137, "from": 40138, "activity": 40139},
    "supervise": {"state": 40146, "to": 40147, "from": 40148},
    "accept": {"state": 20001}, "reject": {"state": 20001, "activity": 40100},
}  # fmt: skip
"""Instruction → what is wrong → code (§8; errors.md §3.7 tells apart what §8 takes together).

``canceled``: the caller has hung up, or the task was canceled; every other state that is not the right one is
``state``.
"""
IN_TRANSFER = ("accept", "reject", "conference", "supervise")
"""What may be done with a task that is being transferred (errors.md §3.7)."""
_ADDRESS = outbound.ADDRESS
_CHOICES = {
    "recording_channels": ("mono", "dual"),
    "recording_status_callback_method": ("POST", "GET"),
    "conference_recording_status_callback_method": ("POST", "GET"),
    "region": ("us1", "us2", "ie1", "de1", "sg1", "br1", "au1", "jp1"),
    "jitter_buffer_size": ("off", "small", "medium", "large"),
    "early_media": ("true", "false"),
}
"""Options of conference → what they may be (§4.1; twiml.md §5.3)."""


def answered(workspace: LiveWorkspace, event: AssignmentAnswered) -> None:
    """The assignment callback has answered; what cannot be done is a debugger entry, and nothing more happens."""
    reservation = workspace.reservations.get(event.reservation_sid)
    for code, text, url in event.failed:
        log_alert(workspace, code or CALLBACK_FAILED, text, event.reservation_sid, url=url)
    if not event.ok:
        text = event.error_text or "The assignment callback did not answer"
        log_alert(workspace, event.error_code or CALLBACK_FAILED, text, event.reservation_sid, url=event.url)
        return
    try:
        instruction = from_answer(event.body)
        if instruction is not None and reservation is not None:
            carry_out(workspace, reservation, instruction)
    except ValueError as error:
        log_alert(
            workspace, CALLBACK_FAILED, str(error), event.reservation_sid, url=event.url, answer=event.body
        )
    except Refused as refusal:
        log_alert(
            workspace, refusal.code, refusal.message, event.reservation_sid, url=event.url, answer=event.body
        )


def carry_out(workspace: LiveWorkspace, reservation: Reservation, instruction: Instruction) -> None:
    """Do it. Raises :class:`Refused` with the instruction's code before anything is changed."""
    kind = instruction.kind
    wanted = "accepted" if kind == "supervise" else "pending"
    state = reservation.reservation_status
    if state != wanted and not (kind == "supervise" and state == "wrapping"):
        raise Refused(
            CODES[kind].get(state, CODES[kind]["state"]),
            f"Instruction {kind} needs reservation {reservation.sid} {wanted}; it is {state}",
        )
    if kind not in IN_TRANSFER and transfers.flying(workspace.tasks[reservation.task_sid]) is not None:
        raise Refused(
            40151,
            f"Task {reservation.task_sid} is being transferred: only {', '.join(IN_TRANSFER)} are possible",
        )
    if reservation.instruction is not None and kind not in ("accept", "reject", "supervise"):
        raise Refused(
            CODES[kind]["state"],
            f"Instruction {reservation.instruction.kind} of reservation {reservation.sid} is being carried out",
        )
    if kind == "accept":
        accept(workspace, reservation)
    elif kind == "reject":
        reject(workspace, reservation, _activity(workspace, instruction, "reject", "activity_sid"))
    elif kind == "redirect":
        _redirect(workspace, reservation, instruction)
    else:
        {"dequeue": _dequeue, "call": _call, "conference": _conference, "supervise": _supervise}[kind](
            workspace, reservation, instruction
        )


def _dequeue(workspace: LiveWorkspace, reservation: Reservation, instruction: Instruction) -> None:
    task = workspace.tasks[reservation.task_sid].record
    if not task.call_sid:
        raise Refused(
            CODES["dequeue"]["caller"],
            f"Task {task.sid} was not made by <Enqueue>: nobody waits in a queue to be dequeued",
        )
    activity = _activity(workspace, instruction, "dequeue")
    record = instruction.text("record", "do-not-record")
    queue = f"<Queue reservationSid={quoteattr(reservation.sid)}/>"
    twiml = f"<Response><Dial record={quoteattr(record)}>{queue}</Dial></Response>"
    sid = _dial(
        workspace, reservation, instruction, twiml=twiml, status_prefix="status_callback", post_work=activity,
        method="GET", extra=(("taskCallSid", task.call_sid),),
    )  # fmt: skip
    add_facts(workspace, workspace.tasks[reservation.task_sid], {"worker_call_sid": sid})


def _call(workspace: LiveWorkspace, reservation: Reservation, instruction: Instruction) -> None:
    url = instruction.text("url")
    if not url.startswith(("http://", "https://")):
        raise Refused(CODES["call"]["url"], "Instruction call needs an absolute url")
    sid = _dial(
        workspace, reservation, instruction, url=url, status_prefix="status_callback", post_work=None,
        record=instruction.text("record") in ("true", "record-from-answer"),
    )  # fmt: skip
    add_facts(workspace, workspace.tasks[reservation.task_sid], {"worker_call_sid": sid})
    if instruction.flag("accept"):
        accept(workspace, reservation)


def _redirect(workspace: LiveWorkspace, reservation: Reservation, instruction: Instruction) -> None:
    url, call_sid = instruction.text("url"), instruction.text("call_sid")
    if not url.startswith(("http://", "https://")):
        raise Refused(CODES["redirect"]["url"], "Instruction redirect needs an absolute url")
    if not call_sid.startswith("CA"):
        raise Refused(CODES["redirect"]["call"], "Instruction redirect needs the call_sid of a call")
    account = workspace.record.account_sid
    workspace.do(
        RedirectCall(call_sid=call_sid, account_sid=account, url=url, reservation_sid=reservation.sid)
    )
    if instruction.flag("accept"):
        accept(workspace, reservation)


def _conference(workspace: LiveWorkspace, reservation: Reservation, instruction: Instruction) -> None:
    task = workspace.tasks[reservation.task_sid]
    record = task.record
    activity = _activity(workspace, instruction, "conference")
    chosen = {name: _choice(instruction, name) for name in _CHOICES}
    if outbound.to_be_called(task):
        if not outbound.callee(task):
            raise Refused(
                40142, f"Task {record.sid} has neither a waiting caller nor outbound_to: whom to connect?"
            )
        try:
            outbound.number(task)
        except ValueError:  # nobody needs to be called for that (call-outcomes.md §7)
            outbound.fail(workspace, reservation, MALFORMED)
            return
    attributes = {
        "muted": "true" if instruction.flag("muted") else "false",
        "beep": instruction.text("beep", "true"),
        "startConferenceOnEnter": "true" if instruction.flag("start_conference_on_enter", True) else "false",
        "endConferenceOnExit": "true" if instruction.flag("end_conference_on_exit") else "false",
        "maxParticipants": instruction.text("max_participants"),
        "waitUrl": instruction.text("wait_url"),
        "waitMethod": instruction.text("wait_method"),
        "record": instruction.text("conference_record"),
        "trim": instruction.text("conference_trim"),
        "recordingStatusCallback": instruction.text("conference_recording_status_callback"),
        "recordingStatusCallbackMethod": chosen["conference_recording_status_callback_method"],
        "region": chosen["region"],
        "jitterBufferSize": chosen["jitter_buffer_size"],
        "statusCallback": instruction.text("conference_status_callback"),
        "statusCallbackMethod": instruction.text("conference_status_callback_method"),
        "statusCallbackEvent": " ".join(instruction.events("conference_status_callback_event", ())),
    }
    twiml = f"<Response><Dial>{conference(record.sid, attributes)}</Dial></Response>"
    sid = _dial(
        workspace, reservation, instruction, twiml=twiml, status_prefix="status_callback", post_work=activity,
        record=instruction.flag("record"),
        options={
            "end_on_customer_exit": instruction.flag("end_conference_on_customer_exit"),
            "customer_beep": instruction.flag("beep_on_customer_entrance", True),
            "early_media": chosen["early_media"] != "false",
            **(_customer(task, instruction) if outbound.to_be_called(task) else {}),
        },
    )  # fmt: skip
    calls = record.conference.worker_calls if record.conference is not None else ()
    set_conference(workspace, task, worker_calls=(*calls, sid))


def _choice(instruction: Instruction, name: str) -> str:
    """One of a few words, empty when it is not given; raises :class:`Refused` 20001."""
    given, known = instruction.text(name), _CHOICES[name]
    found = next((word for word in known if word.lower() == given.strip().lower()), "")
    if given and not found:
        raise Refused(20001, f"{name} must be one of {', '.join(known)}, not {given[:40]!r}")
    return found


def _customer(task: LiveTask, instruction: Instruction) -> dict[str, Any]:
    """How the customer of an outbound task will be called, once the worker has answered (§9.6)."""
    ends = "true" if instruction.flag("end_conference_on_customer_exit") else "false"
    beep = "true" if instruction.flag("beep_on_customer_entrance", True) else "false"
    attributes = {"startConferenceOnEnter": "true", "endConferenceOnExit": ends, "beep": beep}
    return {
        "customer_twiml": f"<Response><Dial>{conference(task.record.sid, attributes)}</Dial></Response>",
        "customer_from": str(task.attributes.get("from") or "") or instruction.text("from"),
        "customer_timeout": min(600, instruction.seconds("timeout", 60)),
    }


def _supervise(workspace: LiveWorkspace, reservation: Reservation, instruction: Instruction) -> None:
    who, mode = instruction.text("supervisor"), instruction.text("supervisor_mode", "monitor").lower()
    worker = workspace.workers.get(who)
    to = str(look(worker.attributes, "contact_uri") or "") if worker is not None else who
    if mode not in ("monitor", "whisper", "barge"):
        raise Refused(40146, "SupervisorMode must be monitor, whisper or barge")
    attributes = {"muted": "true" if mode == "monitor" else "false", "beep": "false"}
    if mode == "whisper":
        attributes["coach"] = reservation.call_sid or ""
    attributes["startConferenceOnEnter"] = "false"
    task = workspace.tasks[reservation.task_sid].record
    twiml = f"<Response><Dial>{conference(task.sid, attributes)}</Dial></Response>"
    given = Instruction("supervise", {**instruction.options, "to": to})
    _dial(
        workspace,
        reservation,
        given,
        twiml=twiml,
        status_prefix="status_callback",
        post_work=None,
        role="supervisor",
    )


def conference(name: str, attributes: dict[str, str]) -> str:
    """A ``<Conference>`` element; empty attributes are left out."""
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items() if value)
    return f"<Conference{written}>{escape(name)}</Conference>"


def _activity(
    workspace: LiveWorkspace, instruction: Instruction, kind: str, option: str = "post_work_activity_sid"
) -> str | None:
    sid = instruction.text(option)
    if sid and sid not in workspace.activities:
        raise Refused(CODES[kind]["activity"], f"{option} {sid[:64]} does not exist in this workspace")
    return sid or None


def _dial(
    workspace: LiveWorkspace,
    reservation: Reservation,
    instruction: Instruction,
    *,
    status_prefix: str,
    post_work: str | None,
    twiml: str | None = None,
    url: str | None = None,
    record: bool = False,
    role: Literal["worker", "supervisor"] = "worker",
    method: str = "POST",
    extra: tuple[tuple[str, str], ...] = (),
    options: dict[str, Any] | None = None,
) -> str:
    """Call the worker; gives the call's SID. The reservation remembers what is being carried out."""
    kind = instruction.kind
    task = workspace.tasks[reservation.task_sid].record
    worker = workspace.worker(reservation.worker_sid)
    to = instruction.text("to") or str(look(worker.attributes, "contact_uri") or "")
    from_ = instruction.text("from") or shown_number(workspace, task)
    if _ADDRESS.match(to) is None:
        raise Refused(CODES[kind]["to"], f"Whom to call? {to[:64]!r} is no number, sip: or client: address")
    if _ADDRESS.match(from_) is None:
        raise Refused(
            CODES[kind]["from"], f"The caller id {from_[:64]!r} is no number, sip: or client: address"
        )
    timeout = instruction.seconds("timeout", 60, 600 if to.lower().startswith("sip") else 999)
    sid = workspace.new_sid("CA")
    workspace.do(
        Post(
            TaskCallRequested(
                call_sid=sid, account_sid=task.account_sid, to=to, from_=from_, url=url, twiml=twiml,
                timeout=timeout, record=record,
                recording_channels=instruction.text("recording_channels", "mono").strip().lower(),
                record_callback_method=instruction.text("recording_status_callback_method", "POST").strip().upper(),
                record_callback=instruction.text("recording_status_callback") or None,
                status_callback=_with_query(
                    instruction.text(f"{status_prefix}_url") or instruction.text(status_prefix), extra
                ) or None,
                status_callback_method=instruction.text("status_callback_method", method),
                status_callback_events=instruction.events(
                    "status_callback_events", instruction.events("status_callback_event", ("completed",))
                ),
                username=instruction.text("sip_auth_username") or None,
                password=instruction.text("sip_auth_password") or None,
                leg=TaskLeg(
                    workspace=workspace.record.sid, task=task.sid, reservation=reservation.sid, role=role,
                    instruction=kind,
                ),
            )
        )
    )  # fmt: skip
    if role == "worker":
        reservation.call_sid = sid
        reservation.instruction = CarriedOut(kind=kind, post_work_activity_sid=post_work, **(options or {}))
        workspace.save(reservation)
    return sid


def shown_number(workspace: LiveWorkspace, task: Task) -> str:
    """The caller id when an instruction names none: the number that the customer dialled, or the task's ``from``."""
    attributes = workspace.tasks[task.sid].attributes
    if attributes.get("direction") == "outbound":
        return str(attributes.get("from") or "")
    return str(attributes.get("called") or attributes.get("to") or attributes.get("from") or "")


def _with_query(url: str, extra: tuple[tuple[str, str], ...]) -> str:
    if not url or not extra:
        return url
    mark = "&" if "?" in url else "?"
    return url + mark + "&".join(f"{name}={value}" for name, value in extra)


def add_facts(workspace: LiveWorkspace, task: LiveTask, facts: dict[str, Any]) -> None:
    """Write facts of the telephony into the task's attributes, when they fit."""
    merged = {**task.attributes, **facts}
    text = msgspec.json.encode(merged).decode()
    if len(text) > ATTRIBUTES_LIMIT:
        log_alert(
            workspace,
            20001,
            f"{', '.join(facts)} does not fit into the attributes of task {task.record.sid}",
            task.record.sid,
        )
        return
    set_attributes(workspace, task, text, merged)
