"""``<Dial><Conference>``: the noun's attributes, and what the Dial comes to (twiml.md §5, §5.3)."""

from __future__ import annotations

from typing import Any, Final

from ringback.effects import AnswerLeg
from ringback.events import LegAnswered
from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.voice.conference.participation import take_part
from ringback.voice.conference.room import GROUPS
from ringback.voice.stage import Stage
from ringback.voice.steps import Goto, HungUp, Next, Outcome, Source, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import (
    Attribute,
    Attributes,
    boolean,
    choice,
    method,
    read_attributes,
    recording_callback,
    text,
    whole,
    words,
)

REGIONS: Final = ("us1", "us2", "ie1", "de1", "sg1", "br1", "au1", "jp1")


def call_sid(value: str) -> str:
    """The SID of a call."""
    if not is_sid(value, "CA"):
        raise ValueError(value)
    return value[:2] + value[2:].lower()


ATTRIBUTES: Final = {
    "muted": Attribute(boolean, False, 13230),
    "beep": Attribute(choice("true", "false", "onEnter", "onExit"), "true", 13235),
    "startConferenceOnEnter": Attribute(boolean, True, 13232),
    "endConferenceOnExit": Attribute(boolean, False, 13231),
    "participantLabel": Attribute(text),
    "jitterBufferSize": Attribute(choice("off", "small", "medium", "large"), "large"),
    "maxParticipants": Attribute(whole(2, 250), 250),
    "record": Attribute(choice("do-not-record", "record-from-start", "true", "false"), "do-not-record"),
    "trim": Attribute(choice("trim-silence", "do-not-trim"), "trim-silence", 13239),
    "coach": Attribute(call_sid, None, 13240),
    "region": Attribute(choice(*REGIONS)),
    "waitUrl": Attribute(text, None, 13233),
    "waitMethod": method(13234),
    "statusCallback": Attribute(text),
    "statusCallbackMethod": method(12200),
    "statusCallbackEvent": Attribute(words(*GROUPS), []),
    **recording_callback(),
    "eventCallbackUrl": Attribute(text),
}
"""Of ``<Conference>``. ``region`` is only shown; ``eventCallbackUrl`` is the old name of nothing that is sent
today."""


def run(element: Element, dial: Attributes, session: Stage, action: str | None) -> Steps[Outcome]:
    """Take part, and go on when it is over. ``dial``: the attributes of the Dial; ``action``: absolute."""
    attributes = read(element, session)
    attributes["hangupOnStar"], attributes["timeLimit"] = dial["hangupOnStar"], dial["timeLimit"]
    if not session.answered:
        session.do(AnswerLeg(call_sid=session.call.sid))
        while not isinstance((yield), LegAnswered):
            pass
    try:
        why = yield from take_part(session, attributes)
    except HungUp:
        if action is not None:
            session.owe(_source(action, dial, "answered"))
        raise
    if action is None:
        return Next()
    return Goto(_source(action, dial, "failed" if why == "failed" else "answered"))


def read(element: Element, session: Stage) -> dict[str, Any]:
    """The noun's attributes and its ``name``, URLs absolute; what is bad is warned of and left out."""
    attributes = read_attributes(element, ATTRIBUTES, session.warn)
    for child in element.children:
        session.warn(12200, f"{child.place}: <{child.tag[:60]}> may not stand in <Conference>; it is ignored")
    if attributes["waitUrl"]:  # an empty one is silence
        try:
            attributes["waitUrl"] = session.resolve(attributes["waitUrl"])
        except Refused as refusal:
            session.warn(13233, refusal.message)
            attributes["waitUrl"] = None
    attributes["statusCallback"] = session.callback_url(attributes["statusCallback"], 11100)
    attributes["recordingStatusCallback"] = session.callback_url(attributes["recordingStatusCallback"], 13256)
    attributes["name"] = element.text
    return attributes


def _source(action: str, dial: Attributes, status: str) -> Source:
    facts = [("DialCallStatus", status), ("DialBridged", "true" if status == "answered" else "false")]
    return Source(url=action, method=dial["method"], params=facts)
