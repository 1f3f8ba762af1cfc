"""``<Leave>``: ends the stay in a queue (twiml.md §6). Within a wait document it is read by ``voice/wait.py``."""

from __future__ import annotations

from ringback.voice.stage import Stage
from ringback.voice.steps import Next, Outcome, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import Attributes, Verb


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """Outside a queue there is nothing to leave: the next verb."""
    return Next()
    yield


VERB = Verb(
    tag="Leave",
    run=run,
    attributes={},
    needs_media=lambda _: False,
    example=("<Say>You leave the queue now.</Say>\n  <Leave/>"),
)
