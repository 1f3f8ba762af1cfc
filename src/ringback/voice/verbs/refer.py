"""``<Refer>``: asks a SIP caller's own equipment to call somebody else instead of us (twiml.md §8; RFC 3515)."""

from __future__ import annotations

from typing import Final

from ringback.effects import ReferLeg
from ringback.events import Event, ReferAnswered, ReferNotified, TimerFired
from ringback.kernel.errors import Refused
from ringback.kernel.outcome import outbound
from ringback.voice import numbers
from ringback.voice.dial import sip_noun
from ringback.voice.stage import Stage
from ringback.voice.steps import Goto, HungUp, Next, Outcome, Source, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import Attribute, Attributes, Verb, method, read_attributes, text

TIMER: Final = "refer"
PATIENCE: Final = 180.0
"""Seconds until the far end must have told what became of its new call: RFC 3261 lets an INVITE ring for three
minutes. Who has not said by then gets ``failed`` with what is known."""


class _Transfer:
    """What is known of the transfer so far."""

    def __init__(self) -> None:
        self.answered: int | None = None
        self.notified: int | None = None
        self.expired = False

    def take(self, event: Event) -> None:
        if isinstance(event, ReferAnswered):
            if not event.sip_code:
                raise Refused(13801, "<Refer> is for calls that came or went by SIP, and this one did not")
            self.answered = event.sip_code
        elif isinstance(event, ReferNotified):
            self.notified = event.sip_code
        elif isinstance(event, TimerFired) and event.name == TIMER:
            self.expired = True

    @property
    def status(self) -> str:
        """``ReferCallStatus``; empty while it is open. A NOTIFY may be quicker than the answer to the REFER."""
        if self.answered is not None and self.answered >= 300:
            return "failed"
        if self.notified is not None and self.notified >= 200:
            return "in-progress" if self.notified < 300 else outbound(self.notified, "callee").status
        return "failed" if self.expired else ""

    def source(self, url: str, attributes: Attributes, status: str) -> Source:
        facts = [("ReferCallStatus", status)]
        if self.answered is not None:
            facts.append(("ReferSipResponseCode", str(self.answered)))
        if self.notified is not None:
            facts.append(("NotifySipResponseCode", str(self.notified)))
        return Source(url=url, method=attributes["method"], params=facts)


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """Send REFER and wait for its outcome; then the action, or the next verb."""
    action = session.resolve(attributes["action"], 15004) if attributes["action"] else None
    target = _target(element, session)
    transfer = _Transfer()
    if target is not None:
        session.do(ReferLeg(call_sid=session.call.sid, target=target))
        session.timer(TIMER, PATIENCE)
        try:
            while not transfer.status:
                transfer.take((yield))
        except HungUp:
            if action is not None:
                session.owe(transfer.source(action, attributes, "canceled"))
            raise
        finally:
            session.stop_timer(TIMER)
    if action is None:
        return Next()
    return Goto(transfer.source(action, attributes, transfer.status or "failed"))


def _target(element: Element, session: Stage) -> str | None:
    """Whom the far end is to call; None, with a warning, when there is nobody."""
    noun = next((child for child in element.children if child.tag == "Sip"), None)
    if noun is None:
        session.warn(13243, f"{element.place}: <Refer> needs a <Sip> with the address to call")
        return None
    read_attributes(noun, {}, session.warn)
    address, written = numbers.split_headers(noun.text)
    if not sip_noun.usable(address) or len(written) > numbers.SIP_HEADERS_LIMIT:
        session.warn(13243, f"{noun.place}: {noun.text[:100]!r} is no SIP URI such as sip:name@example.com")
        return None
    headers = sip_noun.in_uri(written)
    if sip_noun.checked(headers, session.warn) != headers:
        return address
    return noun.text


VERB = Verb(
    tag="Refer",
    run=run,
    attributes={"action": Attribute(text), "method": method(12200)},
    children=frozenset({"Sip"}),
)
