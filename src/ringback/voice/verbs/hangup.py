"""``<Hangup>``: ends the call (twiml.md §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringback.voice.twiml import Element
from ringback.voice.verb import Attributes, End, Outcome, Steps, Verb

if TYPE_CHECKING:
    from ringback.voice.call.session import Session


def run(element: Element, attributes: Attributes, session: Session) -> Steps[Outcome]:
    """End the call. As the first verb it still answers it: only ``<Reject>`` does not."""
    return End()
    yield


VERB = Verb(tag="Hangup", run=run, attributes={}, children=frozenset({"Parameter"}))
