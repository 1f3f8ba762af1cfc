"""``<Pause>``: waits (twiml.md §2). It leaves an unanswered call unanswered."""

from __future__ import annotations

from ringback.effects import Silence
from ringback.voice.stage import Stage
from ringback.voice.steps import Next, Outcome, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import Attribute, Attributes, Verb, whole

UNANSWERED_LIMIT = 60
"""Seconds that an unanswered call may be kept waiting; a longer pause answers it."""


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """Wait, then go on."""
    if session.answered:
        yield from session.play((Silence(float(attributes["length"])),))
    else:
        yield from session.sleep(attributes["length"])
    return Next()


VERB = Verb(
    tag="Pause",
    run=run,
    attributes={"length": Attribute(whole(1, 86400), 1, 13910)},
    needs_media=lambda attributes: bool(attributes["length"] > UNANSWERED_LIMIT),
    example=('<Pause length="2"/>\n  <Say>Thank you for waiting.</Say>'),
)
