"""``<Reject>``: refuses an unanswered call (twiml.md §8)."""

from __future__ import annotations

from ringback.voice.stage import Stage
from ringback.voice.steps import End, Outcome, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import Attribute, Attributes, Verb, choice, parameters

SIP_CODES = {"busy": 486, "rejected": 603}


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """Refuse; on an answered call it is a hang-up."""
    return End(reject=SIP_CODES[attributes["reason"]], parameters=tuple(parameters(element, session.warn)))
    yield


VERB = Verb(
    tag="Reject",
    run=run,
    attributes={"reason": Attribute(choice("rejected", "busy"), "rejected", 13810)},
    children=frozenset({"Parameter"}),
    needs_media=lambda _: False,
    example='<Reject reason="busy"/>',
)
