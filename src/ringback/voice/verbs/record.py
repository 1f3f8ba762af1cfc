"""``<Record>``: records what the far end says (twiml.md §4)."""

from __future__ import annotations

from ringback.effects import StopRecording
from ringback.events import DigitPressed, RecordingBegan, RecordingEnded, RecordingSilent, TimerFired
from ringback.voice.call.plan import RecordingPlan
from ringback.voice.recording.transcription import LONGEST
from ringback.voice.stage import Stage
from ringback.voice.steps import Goto, HungUp, Next, Outcome, Redirected, Source, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import (
    Attribute,
    Attributes,
    Verb,
    boolean,
    choice,
    keys,
    method,
    recording_callback,
    text,
    whole,
)

TIMER = "record"
MAX_LENGTH = Attribute(whole(2, 14400), 3600, 13612)


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """Record; then the action is requested. Nothing recorded: the next verb."""
    action = session.action_url(attributes["action"], 15004)
    told = session.callback_url(attributes["transcribeCallback"], 13257)
    longest, transcribe = _limits(element, attributes, session)
    sid = session.recordings.start(_plan(attributes, session), beep_first=attributes["playBeep"],
                                   silence_timeout=attributes["timeout"] or None,
                                   transcribe=transcribe, transcribe_callback=told)  # fmt: skip
    digits, silent = "", False
    try:
        while True:
            event = yield
            if isinstance(event, RecordingBegan) and event.recording_sid == sid:
                session.timer(TIMER, longest)
            elif isinstance(event, DigitPressed) and event.digit in attributes["finishOnKey"]:
                digits = event.digit
                break
            elif isinstance(event, RecordingSilent) and event.recording_sid == sid:
                silent = True
                break
            elif isinstance(event, TimerFired) and event.name == TIMER:
                break
            elif isinstance(event, RecordingEnded) and event.recording_sid == sid:
                return _outcome(event, digits, action, attributes, session)
        session.do(StopRecording(call_sid=session.call.sid, recording_sid=sid))
        while True:
            event = yield
            if isinstance(event, RecordingEnded) and event.recording_sid == sid:
                if silent and event.silent:
                    return Next()
                return _outcome(event, digits, action, attributes, session)
    except HungUp:
        owed = Source(url=action, method=attributes["method"], params=[("Digits", "hangup")])
        session.owe_recording(sid, owed)
        raise
    except Redirected:
        session.do(StopRecording(call_sid=session.call.sid, recording_sid=sid))
        raise
    finally:
        session.stop_timer(TIMER)


def _outcome(
    event: RecordingEnded, digits: str, action: str, attributes: Attributes, session: Stage
) -> Outcome:
    if event.seconds <= 0 and not digits:
        return Next()
    params = session.recordings.facts(event.recording_sid, event.seconds)
    params.append(("Digits", digits))
    return Goto(Source(url=action, method=attributes["method"], params=params))


def _limits(element: Element, attributes: Attributes, session: Stage) -> tuple[int, bool]:
    """Seconds that the recording may last, and whether it is written down (twiml.md §4)."""
    longest: int = attributes["maxLength"]
    if not attributes["transcribe"]:
        return longest, False
    try:
        MAX_LENGTH.read(element.attributes["maxLength"])
    except (KeyError, ValueError):  # not given, or warned of already
        return int(LONGEST), True
    if longest > LONGEST:
        session.warn(
            13615,
            f"maxLength={longest} is more than {LONGEST:g} seconds: the recording is made without transcription",
        )
        return longest, False
    return longest, True


def _plan(attributes: Attributes, session: Stage) -> RecordingPlan:
    return RecordingPlan(
        source="RecordVerb",
        track="inbound",
        trim=attributes["trim"] == "trim-silence",
        callback=session.callback_url(attributes["recordingStatusCallback"], 13256),
        callback_method=attributes["recordingStatusCallbackMethod"],
        callback_events=attributes["recordingStatusCallbackEvent"],
    )


VERB = Verb(
    tag="Record",
    run=run,
    attributes={
        "action": Attribute(text, None, 11100),
        "method": method(13610),
        "timeout": Attribute(whole(0, 86400), 5, 13611),
        "finishOnKey": Attribute(keys(r"[0-9#*]*"), "1234567890*#", 13613),
        "maxLength": MAX_LENGTH,
        "playBeep": Attribute(boolean, True, 13616),
        "trim": Attribute(choice("trim-silence", "do-not-trim"), "trim-silence", 13699),
        "transcribe": Attribute(boolean, False, 13614),
        "transcribeCallback": Attribute(text, None, 13257),
        **recording_callback(),
    },
    example=(
        "<Say>Please speak after the beep, then press pound.</Say>\n"
        '  <Record maxLength="60" finishOnKey="#" action="/message" transcribeCallback="/text"/>'
    ),
)
