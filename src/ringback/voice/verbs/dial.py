"""``<Dial>``: calls somebody else and joins the two (twiml.md §5). Its nouns are in ``voice/dial/``."""

from __future__ import annotations

from ringback.effects import AnswerLeg
from ringback.events import (
    ChildChanged,
    DigitPressed,
    LegAnswered,
    RecordingEnded,
    TimerFired,
)
from ringback.voice.dial import application_noun, conference_noun, queue_noun
from ringback.voice.dial.caller_id import caller_id, permitted
from ringback.voice.dial.dialling import LIMIT, Dialling, conduct
from ringback.voice.dial.noun import NOUNS, TONES, targets
from ringback.voice.stage import Stage
from ringback.voice.steps import Outcome, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import (
    Attribute,
    Attributes,
    Verb,
    boolean,
    choice,
    method,
    recording_callback,
    text,
    whole,
)

ALONE = {"Queue": queue_noun.run, "Conference": conference_noun.run, "Application": application_noun.run}
"""Nouns beside which no other stands."""


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """Dial, join, and go on when it is over."""
    action = session.resolve(attributes["action"], 15004) if attributes["action"] else None
    attributes["record"] = {"true": "record-from-answer", "false": "do-not-record"}.get(
        attributes["record"], attributes["record"]
    )
    alone = next((child for child in element.children if child.tag in ALONE), None)
    if alone is not None and (len(element.children) > 1 or element.text):
        session.warn(13000, f"{alone.place}: <{alone.tag}> stands alone in <Dial>; nobody is dialled")
        return (yield from conduct(Dialling(attributes, session, action), _nobody()))
    if alone is not None:
        return (yield from ALONE[alone.tag](alone, attributes, session, action))
    dialling = Dialling(attributes, session, action)
    return (yield from conduct(dialling, _talk(element, dialling)))


def _nobody() -> Steps[None]:
    return
    yield


def _talk(element: Element, dialling: Dialling) -> Steps[None]:
    session, attributes = dialling.session, dialling.attributes
    from_ = yield from permitted(attributes, session)
    if from_ is not None:
        dialling.waiting = targets(element, attributes, session, from_)
    if dialling.waiting:
        yield from _ring_and_talk(dialling)
    else:
        dialling.status = "failed"


def _ring_and_talk(dialling: Dialling) -> Steps[None]:
    session, attributes = dialling.session, dialling.attributes
    dialling.ring_the_caller()
    dialling.ring_next()
    while True:
        event = yield
        if isinstance(event, ChildChanged) and event.child_sid in dialling.live:
            yield from _child_changed(dialling, event)
            if not dialling.live or (dialling.winner and dialling.winner not in dialling.live):
                return
            if dialling.transfer is not None:
                return
        elif isinstance(event, DigitPressed) and event.digit == "*" and attributes["hangupOnStar"]:
            dialling.hang_up_all("star")
            if not dialling.winner:
                dialling.waiting.clear()
        elif isinstance(event, TimerFired) and event.name == LIMIT:
            session.warn(32015, f"Dial lasted its timeLimit of {attributes['timeLimit']} seconds")
            dialling.hang_up_all("time-limit")
        elif isinstance(event, RecordingEnded):
            dialling.file_ready(event)


def _child_changed(dialling: Dialling, event: ChildChanged) -> Steps[None]:
    session, sid = dialling.session, event.child_sid
    if event.change == "ringing":
        if event.early_media and session.answered and len(dialling.live) == 1:
            dialling.join(sid)
        if session.answered:
            dialling.record("record-from-ringing")
    elif event.change == "referred":
        dialling.hand_over(event)
    elif event.change == "ended":
        dialling.ended(event)
        if not dialling.live and dialling.waiting and not dialling.winner:
            dialling.ring_next()
    elif event.change == "ready":
        if dialling.winner:
            dialling.hang_up(sid, "other-answered")
            return
        dialling.winner = sid
        dialling.hang_up_all("other-answered", but=sid)
        if not session.answered:
            session.do(AnswerLeg(call_sid=session.call.sid))
            yield from _answered(dialling)
        if sid in dialling.live:
            dialling.join(sid)
            dialling.record("record-from-")
            session.timer(LIMIT, dialling.attributes["timeLimit"], pulls=False)


def _answered(dialling: Dialling) -> Steps[None]:
    """Until our own answer is effective; the child may be gone by then."""
    while True:
        event = yield
        if isinstance(event, LegAnswered):
            return
        if isinstance(event, ChildChanged) and event.change == "ended" and event.child_sid in dialling.live:
            dialling.ended(event)


_METHODLESS = {
    "callReason": Attribute(text),
    "referUrl": Attribute(text),
    "referMethod": method(12200),
    "events": Attribute(text),
    "passports": Attribute(text),
}

VERB = Verb(
    tag="Dial",
    run=run,
    attributes={
        "action": Attribute(text),
        "method": method(13210),
        "timeout": Attribute(whole(1, 600), 30, 13212),
        "timeLimit": Attribute(whole(1, 86400), 14400, 13216),
        "hangupOnStar": Attribute(boolean, False, 13213),
        "callerId": Attribute(caller_id, None, 13214),
        "answerOnBridge": Attribute(boolean, False, 13219),
        "ringTone": Attribute(choice(*TONES), None, 13220),
        "record": Attribute(
            choice(
                "do-not-record", "record-from-answer", "record-from-ringing", "record-from-answer-dual",
                "record-from-ringing-dual", "true", "false",
            ),
            "do-not-record",
            13217,
        ),
        "trim": Attribute(choice("trim-silence", "do-not-trim"), "do-not-trim", 13699),
        "recordingTrack": Attribute(choice("both", "inbound", "outbound"), "both", 13622),
        "sequential": Attribute(boolean, False, 13218),
        **recording_callback(),
        **_METHODLESS,
    },
    children=frozenset({"Number", "Sip", "Client", *ALONE}),
    child_code=13215,
    needs_media=lambda attributes: not attributes["answerOnBridge"],
    whisper=False,
    example=(
        '<Dial timeout="20" callerId="+15550100" action="/after">\n'
        '    <Number statusCallback="/status">+15551230001</Number>\n'
        '    <Sip>sip:alice@ringback</Sip>\n'
        '  </Dial>'
    ),
    nouns={**NOUNS, "Queue": queue_noun.NOUN, "Conference": conference_noun.ATTRIBUTES},
)  # fmt: skip
