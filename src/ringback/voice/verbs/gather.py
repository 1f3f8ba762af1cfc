"""``<Gather>``: collects keys while it speaks (twiml.md §3). Speech input comes with a later issue."""

from __future__ import annotations

from dataclasses import replace

from ringback.effects import AudioItem, Silence, StopAudio
from ringback.events import DigitPressed, PlaybackEnded, TimerFired
from ringback.voice.stage import Stage
from ringback.voice.steps import Goto, Next, Outcome, Source, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import (
    Attribute,
    Attributes,
    Verb,
    boolean,
    keys,
    method,
    read_attributes,
    text,
    whole,
    words,
)
from ringback.voice.verbs import pause, play, say

TIMER = "gather"
_SAY_CODES = {"voice": 13321, "loop": 13322}
LIMIT = 1024
"""Keys that are collected at most when the document sets no bound."""


class _Input:
    """The keys so far, and whether they are complete."""

    def __init__(self, attributes: Attributes) -> None:
        self.digits = ""
        self.finished_on: str | None = None
        self.done = False
        self._finish: str = attributes["finishOnKey"]
        self._count: int = attributes["numDigits"] or LIMIT

    def press(self, digit: str) -> None:
        if self._finish and digit == self._finish:
            self.finished_on, self.done = digit, True
            return
        self.digits += digit
        self.done = len(self.digits) >= self._count


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """Collect; with input the action is requested and nothing returns here."""
    action = session.action_url(attributes["action"])
    if "speech" in attributes["input"]:
        session.warn(13340, "Speech input is not available yet: only keys are taken")
    if attributes["speechTimeout"] == "auto" and attributes["speechModel"] == "default":
        session.warn(13335, "speechTimeout=auto needs a speechModel that is not the default")
    found = _Input(attributes)
    try:
        yield from _prompt(element, attributes, session, found)
        if not found.done:
            yield from _collect(attributes, session, found)
    finally:
        session.stop_timer(TIMER)
    if not found.digits and not attributes["actionOnEmptyResult"]:
        return Next()
    params = [("Digits", found.digits)]
    if found.finished_on is not None:
        params.append(("FinishedOnKey", found.finished_on))
    return Goto(Source(url=action, method=attributes["method"], params=params))


def _prompt(element: Element, attributes: Attributes, session: Stage, found: _Input) -> Steps[None]:
    """Play the children one after the other; the first key stops them (unless bargeIn is false)."""
    for child in element.children:
        prompt = _item(child, session)
        if prompt is None:
            continue
        item, loop = prompt
        playback = session.start_audio((item,), loop)
        try:
            while True:
                event = yield
                if isinstance(event, PlaybackEnded) and event.playback == playback:
                    playback = ""
                    break
                if isinstance(event, DigitPressed):
                    found.press(event.digit)
                    if attributes["bargeIn"]:
                        break
        finally:
            if playback:
                session.do(StopAudio(call_sid=session.call.sid, playback=playback))
        if found.done or (found.digits and attributes["bargeIn"]):
            return


def _item(child: Element, session: Stage) -> tuple[AudioItem, int] | None:
    declared = {"Say": say.VERB, "Play": play.VERB, "Pause": pause.VERB}.get(child.tag)
    if declared is None:
        return None
    known = declared.attributes
    if child.tag == "Say":  # inside Gather the same mistakes have numbers of their own
        known = {name: replace(known[name], code=_SAY_CODES.get(name, known[name].code)) for name in known}
    attributes = read_attributes(child, known, session.warn)
    if child.tag == "Pause":
        return Silence(float(attributes["length"])), 1
    item: AudioItem | None
    if child.tag == "Say":
        item = say.speech_of(child, attributes, session)
    else:
        item = play.sound_of(child, attributes, session)
    return None if item is None else (item, attributes["loop"])


def _collect(attributes: Attributes, session: Stage, found: _Input) -> Steps[None]:
    """Wait for keys; each starts the timeout anew."""
    session.timer(TIMER, attributes["timeout"])
    while not found.done:
        event = yield
        if isinstance(event, DigitPressed):
            found.press(event.digit)
            session.timer(TIMER, attributes["timeout"])
        elif isinstance(event, TimerFired) and event.name == TIMER:
            return


VERB = Verb(
    tag="Gather",
    run=run,
    attributes={
        "input": Attribute(words("dtmf", "speech"), ["dtmf"], 13326),
        "action": Attribute(text, None, 11100),
        "method": method(13312),
        "timeout": Attribute(whole(1, 3600), 5, 13313),
        "speechTimeout": Attribute(keys(r"auto|[1-9][0-9]{0,3}"), None, 13327),
        "maxSpeechTime": Attribute(whole(1, 600), 60, 13328),
        "finishOnKey": Attribute(keys(r"[0-9#*]?"), "#", 13310),
        "numDigits": Attribute(whole(1, LIMIT), None, 13314),
        "actionOnEmptyResult": Attribute(boolean, False, 13338),
        "language": Attribute(keys(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"), "en-US", 13331),
        "hints": Attribute(text, None, 13330),
        "speechModel": Attribute(
            keys(
                r"default|numbers_and_commands|phone_call|experimental_(conversations|utterances)"
                r"|(googlev2|deepgram)_[\w-]+"
            ),
            "default",
            13334,
        ),
        "enhanced": Attribute(boolean, False),
        "profanityFilter": Attribute(boolean, True, 13333),
        "bargeIn": Attribute(boolean, True, 13332),
        "partialResultCallback": Attribute(text, None),
        "partialResultCallbackMethod": method(13329),
        "debug": Attribute(boolean, False),
    },
    children=frozenset({"Say", "Play", "Pause"}),
    child_code=13320,
    example=(
        '<Gather numDigits="1" action="/menu">\n'
        "    <Say>Press 1 for sales, 2 for support.</Say>\n"
        "  </Gather>\n"
        "  <Say>You pressed nothing. Goodbye.</Say>"
    ),
)
