"""``<Play>``: plays a sound file, or sends keys (twiml.md §2)."""

from __future__ import annotations

from ringback.effects import AudioItem, Keys, Sound
from ringback.kernel.errors import Refused
from ringback.voice.stage import Stage
from ringback.voice.steps import Next, Outcome, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import Attribute, Attributes, Verb, keys, whole


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """Play, then go on. A sound that cannot be fetched is logged by the player and skipped."""
    item = sound_of(element, attributes, session)
    if item is not None:
        yield from session.play((item,), attributes["loop"])
    return Next()


def sound_of(element: Element, attributes: Attributes, session: Stage) -> AudioItem | None:
    """What to play; None, with a warning, when there is nothing usable."""
    if attributes["digits"]:
        return Keys(attributes["digits"])
    if not element.text:
        session.warn(13420, f"{element.place}: <Play> has neither a URL nor digits")
        return None
    try:
        return Sound(session.resolve(element.text))
    except Refused as refusal:
        session.warn(refusal.code, refusal.message)
        return None


VERB = Verb(
    tag="Play",
    run=run,
    attributes={
        "loop": Attribute(whole(0, 1000), 1, 13410),
        "digits": Attribute(keys(r"[0-9A-D*#wW]{1,128}"), None, 13430),
    },
    example='<Play loop="2">https://example.com/welcome.mp3</Play>',
)
