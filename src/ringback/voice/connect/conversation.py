"""``<Connect><Conversation>``: one session, from the first look-up to its end (connect-conversation.md).

The table of ``session_table.py`` says what follows on what; here it is carried out.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from ringback.effects import Post
from ringback.events import ChildChanged, Event, RecordingEnded, TimerFired
from ringback.events.conversations import (
    CallLeftConversation,
    ConversationFound,
    ConversationOpened,
    ConversationSought,
    WorkerJoined,
)
from ringback.kernel.sid import is_sid
from ringback.numbers.address import normal
from ringback.voice import numbers
from ringback.voice.call.plan import Callback, Plan
from ringback.voice.connect.dialling import ConversationDialling
from ringback.voice.connect.session_table import Trigger
from ringback.voice.connect.waiting import Seeking
from ringback.voice.dial.noun import REASONS, Target, dialled
from ringback.voice.stage import Stage
from ringback.voice.steps import HungUp, Interrupted, Redirected, Source, Steps
from ringback.voice.verb import Attributes

log = logging.getLogger("ringback.voice")

ANSWER: Final = "conversation-answer"
"""Timer of :data:`PATIENCE`."""
ASSIGN: Final = "conversation-assign"
"""Timer of ``routingAssignmentTimeout`` (T-assign)."""
PATIENCE: Final = 20.0
"""Seconds in which the conversations must have said whether there is one: more is a fault."""
OUTBOUND_RING: Final = 60
"""Seconds that a customer's phone rings when a worker calls (T-ring-out)."""
PARAMETER: Final = "ConversationSid"
"""Custom parameter by which a worker's app names the conversation (§3)."""
_RESULTS: Final[dict[str, Trigger]] = {
    "no-existing-conversation": "no-existing-conversation",
    "failed-create-conversation": "failed-create-conversation",
    "no-other-participants": "no-other-participants",
    "invalid-conversation": "invalid-conversation",
}
"""``ConversationFound.result`` → trigger; every other one is an internal error."""


@dataclass(slots=True)
class _Whom:
    """Who is to be dialled."""

    to: str
    from_: str
    seconds: int
    """How long it may ring."""


def talk(dialling: ConversationDialling, attributes: Attributes) -> Steps[None]:
    """The whole session; what came of it is in the dialling's machine."""
    session, machine = dialling.session, dialling.machine
    try:
        whom = yield from _whom(dialling, attributes)
        if whom is not None:
            yield from _ring_and_talk(dialling, attributes, whom)
    except HungUp:
        if not machine.over:
            machine.take("caller-gone")
        raise
    except Redirected:
        if not machine.over:
            machine.take("caller-redirected")
        raise
    finally:
        session.stop_timer(ANSWER)
        session.drop(Seeking)
        _leave(session)


def truthful(dialling: ConversationDialling, steps: Steps[None]) -> Steps[None]:
    """A bug ends the session and not the call (§4: any state → ``internal-error``, 32500): the log and the debugger
    tell of it, a leg that was dialled is hung up, and the action is asked."""
    try:
        yield from steps
    except Interrupted:
        raise
    except Exception as bug:
        sid = dialling.session.call.sid
        log.exception("call %s: its conversation session failed", sid)
        text = f"A defect of this server ended the session ({type(bug).__name__}); see its log"
        if dialling.dialled and not dialling.status:
            dialling.status = "completed" if dialling.machine.state == "bridged" else "canceled"
        if dialling.machine.over:
            dialling.session.warn(32500, text, resource=dialling.conversation_sid or None)
        else:
            _end(dialling, "internal-error", text=text)
        dialling.hang_up_all("parent-ended")


def _leave(session: Stage) -> None:
    """Wait for no worker any more."""
    waited, session.plan.waits_in = session.plan.waits_in, ""
    if waited:
        session.stop_timer(ASSIGN)
        session.do(Post(CallLeftConversation(conversation_sid=waited, call_sid=session.call.sid)))


def _end(dialling: ConversationDialling, trigger: Trigger, code: int | None = None, text: str = "") -> None:
    row = dialling.machine.take(trigger)
    number = code or row.code
    if number is not None:
        dialling.session.warn(number, text, resource=dialling.conversation_sid or None)


# --- whom to dial: LOOKUP_BY_SID, MATCH, CREATE, ROUTE ------------------------------------------------------------


def _whom(dialling: ConversationDialling, attributes: Attributes) -> Steps[_Whom | None]:
    session, call = dialling.session, dialling.session.call
    given = next((value for name, value in session.plan.extra if name == PARAMETER), "")
    dialling.worker_initiated = call.from_.startswith("client:") and bool(given)
    if dialling.worker_initiated:
        dialling.machine.take("worker-calls")
    else:
        dialling.machine.take("customer-calls")
    dialling.ring_the_caller()
    if dialling.worker_initiated:
        return (yield from _customer(dialling, attributes, given))
    ours_first = call.direction == "outbound-api"  # we have called the customer, and then comes their worker
    customer, ours = (call.to, call.from_) if ours_first else (call.from_, call.to)
    return (yield from _worker(dialling, attributes, customer, ours))


def _customer(
    dialling: ConversationDialling, attributes: Attributes, conversation: str
) -> Steps[_Whom | None]:
    """A worker calls: the conversation is named, and its customer is to be dialled."""
    session = dialling.session
    sid = conversation[:2] + conversation[2:].lower()
    if not is_sid(sid, "CH"):
        _end(dialling, "invalid-conversation", text=f"{conversation[:60]!r} is no SID of a conversation")
        return None
    found = yield from _asked(
        dialling,
        ConversationOpened(
            conversation_sid=sid,
            account_sid=session.call.account_sid,
            call_sid=session.call.sid,
            request=session.fresh("conversation"),
            chat_service_sid=attributes["serviceInstanceSid"],
        ),
    )
    if found is None:
        return None
    if not found.customer or not found.proxy_address:
        _end(dialling, "invalid-conversation", text=f"Conversation {sid} has no customer who can be called")
        return None
    dialling.machine.take("found")
    number, code = _number(found.customer), None
    if not numbers.is_sip(number):
        number, code = dialled(number, session)
    if code is not None:
        _end(dialling, "blocked", code, f"{number[:60]!r}, the customer of {sid}, {REASONS[code]}")
        return None
    return _Whom(number, _number(found.proxy_address), OUTBOUND_RING)


def _number(address: str) -> str:
    """The phone number of an address of WhatsApp; others as they are."""
    return address.removeprefix("whatsapp:")


def _worker(
    dialling: ConversationDialling, attributes: Attributes, customer: str, ours: str
) -> Steps[_Whom | None]:
    """A customer calls: their conversation is sought, or made; its worker is to be dialled."""
    session = dialling.session
    early: dict[str, str] = {}
    found = yield from _asked(
        dialling,
        ConversationSought(
            account_sid=session.call.account_sid,
            address=normal(customer),
            proxy_address=normal(ours),
            call_sid=session.call.sid,
            request=session.fresh("conversation"),
            chat_service_sid=attributes["serviceInstanceSid"],
            autocreate=attributes["inboundAutocreation"],
        ),
        early,
    )
    if found is None:
        return None
    worker = found.worker or early.get(found.conversation_sid, "")
    if worker:
        dialling.machine.take("found")
    elif not found.created:
        text = f"Conversation {found.conversation_sid} has no worker"
        _end(dialling, "no-other-participants", text=text)
        return None
    else:
        dialling.machine.take("created")
        worker = yield from _joined(dialling, attributes["routingAssignmentTimeout"])
    if not worker:
        return None
    return _Whom(f"client:{worker}", customer, attributes["inboundTimeout"])


def _asked(
    dialling: ConversationDialling,
    question: ConversationSought | ConversationOpened,
    early: dict[str, str] | None = None,
) -> Steps[ConversationFound | None]:
    """Ask, and wait for the answer; None: the session is over. ``early``: workers who joined before the answer."""
    session = dialling.session
    session.keep(Seeking(question.request))
    session.do(Post(question))
    session.timer(ANSWER, PATIENCE)
    while True:
        event = yield
        if isinstance(event, WorkerJoined) and early is not None:
            early[event.conversation_sid] = event.worker
        elif isinstance(event, TimerFired) and event.name == ANSWER:
            _end(dialling, "internal-error", text=f"No answer within {PATIENCE:g} s whether there is one")
            return None
        elif isinstance(event, ConversationFound) and event.request == question.request:
            break
    session.stop_timer(ANSWER)
    session.drop(Seeking)
    dialling.conversation_sid = event.conversation_sid
    if not event.result:
        return event
    trigger = _RESULTS.get(event.result, "internal-error")
    if not dialling.machine.can(trigger):
        trigger = "internal-error"  # an answer that does not fit the question
    _end(dialling, trigger, event.error_code, event.error_text)
    return None


def _joined(dialling: ConversationDialling, seconds: int) -> Steps[str]:
    """Wait for the first worker of a new conversation; empty: nobody came in time."""
    session, sid = dialling.session, dialling.conversation_sid
    session.plan.waits_in = sid
    session.save()
    session.timer(ASSIGN, seconds)
    while True:
        event = yield
        if isinstance(event, WorkerJoined) and event.conversation_sid == sid:
            session.plan.waits_in = ""
            session.stop_timer(ASSIGN)
            dialling.machine.take("worker-joined")
            return event.worker
        if isinstance(event, TimerFired) and event.name == ASSIGN:
            text = f"Conversation {sid} was made, and had no worker after {seconds} s"
            _end(dialling, "assignment-timeout", text=text)
            return ""


# --- DIAL, whisper, BRIDGED ---------------------------------------------------------------------------------------


def _ring_and_talk(dialling: ConversationDialling, attributes: Attributes, whom: _Whom) -> Steps[None]:
    plan = Plan(timeout=whom.seconds, time_limit=dialling.session.board.settings.time_limit)
    if attributes["statusCallback"]:
        plan.callbacks.append(
            Callback(
                url=attributes["statusCallback"],
                method=attributes["statusCallbackMethod"],
                events=[event.removeprefix("call-") for event in attributes["statusCallbackEvent"]],
                conversation_sid=dialling.conversation_sid,
                worker_initiated=dialling.worker_initiated,
            )
        )
    whisper = None
    if attributes["url"]:
        whisper = Source(url=attributes["url"], method=attributes["method"])
    dialling.ring([Target(whom.to, whom.from_, plan, whisper, whisper_may_fail=True)])
    dialling.dialled = next(iter(dialling.live))
    while not dialling.machine.over:
        event = yield
        if isinstance(event, ChildChanged) and event.child_sid == dialling.dialled:
            _leg_changed(dialling, event)
        else:
            _heard(dialling, event)


def _heard(dialling: ConversationDialling, event: Event) -> None:
    if isinstance(event, RecordingEnded):
        dialling.file_ready(event)


def _leg_changed(dialling: ConversationDialling, event: ChildChanged) -> None:
    machine, sid = dialling.machine, dialling.dialled
    if event.change == "ringing" and machine.state == "dial":
        machine.take("ringing")
        if event.early_media:
            dialling.join(sid)
        dialling.record("record-from-ringing")
    elif event.change == "answered":
        machine.take("answered")
        dialling.answered_at = dialling.session.now
    elif event.change == "ready":
        machine.take("ready")
        dialling.winner = sid
        dialling.join(sid)
        dialling.record("record-from-")
    elif event.change == "ended":
        dialling.ended(event)
        machine.take("leg-over")
