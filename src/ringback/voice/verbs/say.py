"""``<Say>``: speaks text (twiml.md §2)."""

from __future__ import annotations

from ringback.effects import Speech
from ringback.voice.stage import Stage
from ringback.voice.steps import Next, Outcome, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import Attribute, Attributes, Verb, keys, whole

LIMIT = 4096


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """Speak, then go on."""
    speech = speech_of(element, attributes, session)
    if speech is not None:
        yield from session.play((speech,), attributes["loop"])
    return Next()


def speech_of(element: Element, attributes: Attributes, session: Stage) -> Speech | None:
    """What to say; None, with a warning, when there is nothing (13520)."""
    ssml = bool(element.children)
    words = element.inner if ssml else element.text
    if not words:
        session.warn(13520, f"{element.place}: <Say> has no text")
        return None
    if len(words) > LIMIT:
        session.warn(13521, f"{element.place}: only the first {LIMIT} of {len(words)} characters are said")
        words, ssml = element.text[:LIMIT], False
    return Speech(words, attributes["voice"] or "", attributes["language"], ssml)


VERB = Verb(
    tag="Say",
    run=run,
    attributes={
        "voice": Attribute(keys(r"[A-Za-z][A-Za-z0-9_.:+-]{0,99}"), None, 13511),
        "language": Attribute(keys(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"), "en-US", 13512),
        "loop": Attribute(whole(0, 1000), 1, 13510),
    },
    children=frozenset(
        {"break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w",
         "amazon:effect", "amazon:domain"}
    ),
    example='<Say language="en-US">Thank you for calling.</Say>',
)  # fmt: skip
