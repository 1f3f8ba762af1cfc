"""``<Echo>``: plays the caller's audio back until they hang up (twiml.md §2)."""

from __future__ import annotations

from ringback.effects import EchoLeg
from ringback.voice.stage import Stage
from ringback.voice.steps import Outcome, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import Attributes, Verb


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """Echo for ever: only a hang-up, a redirection by REST or the call's time limit ends it."""
    session.do(EchoLeg(call_sid=session.call.sid, on=True))
    try:
        while True:
            yield
    finally:
        session.do(EchoLeg(call_sid=session.call.sid, on=False))


VERB = Verb(tag="Echo", run=run, attributes={})
