"""``<Hangup>``: ends the call (twiml.md §8)."""

from __future__ import annotations

from ringback.voice.stage import Stage
from ringback.voice.steps import End, Outcome, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import Attributes, Verb, parameters


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """End the call. As the first verb it still answers it: only ``<Reject>`` does not."""
    return End(parameters=tuple(parameters(element, session.warn)))
    yield


VERB = Verb(
    tag="Hangup",
    run=run,
    attributes={},
    children=frozenset({"Parameter"}),
    example=("<Say>Goodbye.</Say>\n  <Hangup/>"),
)
