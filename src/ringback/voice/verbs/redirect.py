"""``<Redirect>``: goes on with another document (twiml.md §8)."""

from __future__ import annotations

from ringback.voice.stage import Stage
from ringback.voice.steps import Goto, Outcome, Source, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import Attributes, Verb, method


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """Leave for the URL in the content; without one, the current document is asked again."""
    return Goto(Source(url=session.action_url(element.text or None), method=attributes["method"]))
    yield


VERB = Verb(
    tag="Redirect",
    run=run,
    attributes={"method": method(13710)},
    needs_media=lambda _: False,
    example='<Redirect method="POST">/menu</Redirect>',
)
