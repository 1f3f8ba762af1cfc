"""``<Connect>``: hands the call to somebody else's session and goes on when it is over (connect-conversation.md)."""

from __future__ import annotations

from dataclasses import dataclass

from ringback.voice.connect.attributes import ATTRIBUTES, CODE, strict
from ringback.voice.connect.conversation import talk, truthful
from ringback.voice.connect.dialling import ConversationDialling
from ringback.voice.dial.dialling import conduct
from ringback.voice.stage import Stage
from ringback.voice.steps import End, Goto, Next, Outcome, Source, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import Attribute, Attributes, Verb, method, text


@dataclass(slots=True)
class _Again:
    """Kept with the call: the current document was asked for once more, for want of an action (C2)."""

    element: Element
    source: Source


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """The noun's session; then the action, the next verb, or the same document once more."""
    noun = next((child for child in element.children if child.tag == "Conversation"), None)
    if noun is None:
        session.warn(12200, f"{element.place}: <Connect> needs a <Conversation>; it is skipped")
        return Next()
    if sum(child.tag == noun.tag for child in element.children) > 1:
        session.warn(12200, f"{element.place}: <Connect> has one noun; only the first is used")
    if _came_back(element, session):
        return End()
    action = session.resolve(attributes["action"], 15004) if attributes["action"] else None
    asks = action or (None if session.followed else session.base)
    defaults = {name: attribute.default for name, attribute in ATTRIBUTES.items()}
    dialling = ConversationDialling(defaults, attributes["method"], session, asks)
    outcome = yield from conduct(dialling, truthful(dialling, _read_and_talk(dialling, element, noun)))
    if isinstance(outcome, Goto) and action is None:
        session.keep(_Again(element, outcome.source))
    return outcome


def _read_and_talk(dialling: ConversationDialling, element: Element, noun: Element) -> Steps[None]:
    given = strict(noun, dialling.session)
    if given is None or not _method_good(element, dialling.session):
        dialling.machine.take("attribute-refused")
        return
    dialling.attributes |= given | {"method": dialling.attributes["method"]}  # that one is the action's
    yield from talk(dialling, given)


def _method_good(element: Element, session: Stage) -> bool:
    """Whether ``method`` of ``<Connect>`` can be used; it has been warned of then."""
    if element.attributes.get("method", "POST") in ("GET", "POST"):
        return True
    session.warn(CODE, f"{element.place}: method is GET or POST")
    return False


def _came_back(element: Element, session: Stage) -> bool:
    """Whether the running document is the one that was asked for once more, and says the same: that would never end."""
    again, asked = session.part(_Again), session.asked
    if again is None or asked is None or asked.url != again.source.url:
        return False
    facts = again.source.params
    return asked.params[-len(facts) :] == facts and _said(element) == _said(again.element)


def _said(element: Element) -> object:
    return element.tag, element.attributes, element.text, [_said(child) for child in element.children]


VERB = Verb(
    tag="Connect",
    run=run,
    attributes={"action": Attribute(text), "method": method(12200)},
    children=frozenset({"Conversation"}),
    whisper=False,
    example=(
        '<Connect action="/after">\n'
        '    <Conversation serviceInstanceSid="IS00000000000000000000000000000000" inboundTimeout="20"\n'
        '      statusCallback="/status"/>\n'
        "  </Connect>"
    ),
    nouns={"Conversation": ATTRIBUTES},
)
