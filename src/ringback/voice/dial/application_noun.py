"""``<Dial><Application>``: hands the caller to the documents of an application (twiml.md §5.1).

The application is a child leg with a call record, callbacks and documents of its own, and no carrier: it is heard on
the caller's leg (``voice/dial/local.py``). The simultaneous dialling of other nouns beside it is not offered.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import structs

from ringback.effects import AnswerLeg, FindApplication, Post, StopAudio
from ringback.events import (
    ApplicationFound,
    ChildChanged,
    DigitPressed,
    LegAnswered,
    RecordingEnded,
    ReferAnswered,
    ReferNotified,
    TimerFired,
    VoiceRouting,
)
from ringback.events.conferences import SpeechChanged
from ringback.kernel.sid import is_sid
from ringback.voice import params
from ringback.voice.call.plan import EVENTS, Callback, Plan
from ringback.voice.dial.caller_id import permitted
from ringback.voice.dial.dialling import LIMIT, Dialling, conduct
from ringback.voice.dial.noun import Target
from ringback.voice.stage import Stage
from ringback.voice.steps import Outcome, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import (
    Attribute,
    Attributes,
    boolean,
    choice,
    parameters,
    read_attributes,
    text,
    words,
)

CUSTOMER_LIMIT: Final = 256
"""Characters of ``customerId``."""


def customer(value: str) -> str:
    """An identifier of the sender."""
    if len(value) > CUSTOMER_LIMIT:
        raise ValueError(value)
    return value


ATTRIBUTES: Final = {
    "url": Attribute(text),
    "method": Attribute(choice("GET", "POST"), "POST"),
    "statusCallback": Attribute(text),
    "statusCallbackMethod": Attribute(choice("GET", "POST"), "POST"),
    "statusCallbackEvent": Attribute(words(*EVENTS), ["completed"]),
    "customerId": Attribute(customer),
    "copyParentTo": Attribute(boolean, False),
}
"""Of ``<Application>``. ``url`` and ``method`` are read only: a whisper to an application would be heard by nobody."""
_CHILDREN: Final = ("ApplicationSid", "Parameter")
_HEARD: Final = (DigitPressed, SpeechChanged, ReferAnswered, ReferNotified)
"""What the caller's leg reports that is the application's to know, too."""


def run(noun: Element, dial: Attributes, session: Stage, action: str | None) -> Steps[Outcome]:
    """Let the application have the caller, and go on when it is done with them."""
    dialling = Dialling(dial, session, action)
    return (yield from conduct(dialling, _talk(noun, dialling)))


def _talk(noun: Element, dialling: Dialling) -> Steps[None]:
    session = dialling.session
    attributes = read_attributes(noun, ATTRIBUTES, session.warn)
    if attributes["url"]:
        session.warn(
            12200, f"{noun.place}: url of <Application> is not asked: nobody would hear its document"
        )
    from_ = yield from permitted(dialling.attributes, session)
    if from_ is None:
        return
    sid = next((child.text for child in noun.children if child.tag == "ApplicationSid"), noun.text)
    sid = sid[:2] + sid[2:].lower()
    routing = yield from _found(sid, session)
    if routing is None:
        session.warn(21218, f"{noun.place}: {sid[:60]!r} is the SID of no application that may be dialled")
        return
    if not routing.voice_url:
        session.warn(21205, f"{noun.place}: application {sid} has no voice URL")
        return
    to = session.call.to if attributes["copyParentTo"] else f"app:{sid}"
    dialling.ring_the_caller()
    plan = _plan(noun, attributes, routing, dialling)
    dialling.ring([Target(to, from_, plan, None, account_sid=routing.account_sid)])
    yield from _until_over(dialling, next(iter(dialling.live)))


def _found(sid: str, session: Stage) -> Steps[VoiceRouting | None]:
    if not is_sid(sid, "AP"):
        return None
    request = session.fresh("application")
    session.do(
        FindApplication(
            call_sid=session.call.sid, account_sid=session.call.account_sid, request=request, application_sid=sid
        )
    )  # fmt: skip
    while True:
        event = yield
        if isinstance(event, ApplicationFound) and event.request == request:
            return event.routing


def _plan(noun: Element, attributes: Attributes, routing: VoiceRouting, dialling: Dialling) -> Plan:
    session = dialling.session
    callbacks = []
    if routing.status_callback:
        callbacks.append(
            Callback(
                url=routing.status_callback,
                method=routing.status_callback_method,
                events=list(routing.status_callback_events),
            )
        )
    told = session.callback_url(attributes["statusCallback"], 11100)
    if told is not None:
        callbacks.append(
            Callback(
                url=told,
                method=attributes["statusCallbackMethod"],
                events=attributes["statusCallbackEvent"],
            )
        )
    return Plan(
        url=routing.voice_url,
        method=routing.voice_method,
        fallback_url=routing.voice_fallback_url,
        fallback_method=routing.voice_fallback_method,
        application_sid=routing.application_sid,
        callbacks=callbacks,
        timeout=dialling.attributes["timeout"],
        time_limit=session.board.settings.time_limit,
        extra=[
            ["CustomerId", attributes["customerId"] or session.call.account_sid],
            *_parameters(noun, session),
        ],
        local=True,
    )


def _parameters(noun: Element, session: Stage) -> list[list[str]]:
    """The ``<Parameter>`` children, which accompany every request to the application."""
    taken = {name for name, _ in params.standard(session.call)} | {"CustomerId", "ParentCallSid"}
    for child in noun.children:
        if child.tag not in _CHILDREN:
            session.warn(
                12200, f"{child.place}: <{child.tag[:60]}> may not stand in <Application>; it is ignored"
            )
    found = []
    for name, value in parameters(noun, session.warn):
        if name in taken:
            session.warn(12200, f"{noun.place}: <Parameter name={name!r}> is left out: the platform sends it")
        else:
            found.append([name, value])
    return found


def _until_over(dialling: Dialling, child: str) -> Steps[None]:
    session, attributes = dialling.session, dialling.attributes
    while child in dialling.live:
        event = yield
        if isinstance(event, ChildChanged) and event.child_sid == child:
            if event.change == "ended":
                dialling.ended(event)
            elif event.change == "answering" and not dialling.winner:
                yield from _connect(dialling, child)
        elif isinstance(event, DigitPressed) and event.digit == "*" and attributes["hangupOnStar"]:
            dialling.hang_up_all("star")
        elif isinstance(event, _HEARD):
            if dialling.winner:
                session.do(Post(structs.replace(event, call_sid=child)))
        elif isinstance(event, TimerFired) and event.name == LIMIT:
            session.warn(32015, f"Dial lasted its timeLimit of {attributes['timeLimit']} seconds")
            dialling.hang_up_all("time-limit")
        elif isinstance(event, RecordingEnded):
            dialling.file_ready(event)


def _connect(dialling: Dialling, child: str) -> Steps[None]:
    """The application wants to be heard: the caller is answered, and so is its own leg with them."""
    session = dialling.session
    if not session.answered:
        session.do(AnswerLeg(call_sid=session.call.sid))
        while not session.answered:
            event: Any = yield
            if isinstance(event, ChildChanged) and event.child_sid == child and event.change == "ended":
                dialling.ended(event)
                return
    if dialling.ringback:
        session.do(StopAudio(call_sid=session.call.sid, playback=dialling.ringback))
        dialling.ringback = ""
    dialling.winner = child
    session.do(Post(LegAnswered(call_sid=child)))
    dialling.record("record-from-")
    session.timer(LIMIT, dialling.attributes["timeLimit"], pulls=False)
