"""The nouns of ``<Dial>`` that ring a phone: Number, Sip, Client (twiml.md §5.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ringback.kernel.errors import Refused
from ringback.numbers.plan import possible
from ringback.voice import numbers
from ringback.voice.call import detection
from ringback.voice.call.plan import EVENTS, Callback, Plan
from ringback.voice.dial import sip_noun
from ringback.voice.stage import Stage
from ringback.voice.steps import Source
from ringback.voice.twiml import Element
from ringback.voice.verb import (
    Attribute,
    Attributes,
    choice,
    keys,
    parameters,
    read_attributes,
    text,
    whole,
    words,
)

NOUN_LIMIT: Final = 10
_TONE_NAMES: Final = (
    "at au bg br be ch cl cn cz de dk ee es fi fr gr hu il in it lt jp mx my nl no nz ph pl pt ru se sg th "
    "uk us us-old tw ve za"
)
TONES: Final = {name: f"ringback-{name}" for name in _TONE_NAMES.split()}

_COMMON: Final = {
    "url": Attribute(text),
    "method": Attribute(choice("GET", "POST"), "POST", 13221),
    "statusCallback": Attribute(text),
    "statusCallbackMethod": Attribute(choice("GET", "POST"), "POST", 12200),
    "statusCallbackEvent": Attribute(words(*EVENTS), ["completed"], 12200),
}
_DETECTION: Final = {
    "machineDetection": Attribute(choice(*detection.MODES)),
    **{name[0].lower() + name[1:]: Attribute(whole(*limits)) for name, limits in detection.RANGES.items()},
    "amdStatusCallback": Attribute(text),
    "amdStatusCallbackMethod": Attribute(choice("GET", "POST"), "POST"),
}
NOUNS: Final = {
    "Number": {
        **_COMMON,
        **_DETECTION,
        "sendDigits": Attribute(keys(r"[0-9A-D#*wW]{1,32}"), None, 13222),
        "byoc": Attribute(text),
    },
    "Sip": {
        **_COMMON,
        **_DETECTION,
        "method": Attribute(choice("GET", "POST"), "POST", 13241),
        "username": Attribute(text),
        "password": Attribute(text),
    },
    "Client": dict(_COMMON),
}
"""The nouns and their attributes (twiml.md §5.1)."""
_REFUSALS: Final = {21202: 13225, 21211: 13223, 21214: 13224, 21215: 13227, 21216: 13225, 21217: 13224}
"""Codes of the REST API → those of a document (call-outcomes.md §4)."""
REASONS: Final = {
    13223: "is no phone number; write it as +15551234567",
    13224: "cannot be reached",
    13225: "may not be called: it is blocked, or a premium number",
    13227: "is in a country that your account may not call",
}
"""Code → why a number is not called."""
_CHILDREN: Final = {
    "Number": frozenset[str](),
    "Sip": sip_noun.CHILDREN,
    "Client": frozenset({"Identity", "Parameter"}),
}


@dataclass(slots=True)
class Target:
    """One leg to be made."""

    to: str
    from_: str
    plan: Plan
    whisper: Source | None
    whisper_may_fail: bool = False
    """The parties are joined although the whisper could not be fetched or run."""
    account_sid: str = ""
    """Whose call it is, when it is not the parent's account's."""
    instead: list[Target] = field(default_factory=list)
    """Tried in order, one after the other, when this one cannot be reached (the ``<Uri>`` of a ``<Sip>``)."""


def targets(element: Element, attributes: Attributes, session: Stage, from_: str) -> list[Target]:
    """Whom to call; everything unusable is warned of and left out."""
    nouns = [child for child in element.children if child.tag in NOUNS]
    if not nouns and element.text:
        tag = "Number"
        if element.text.startswith(("sip:", "sips:")):
            tag = "Sip"
        elif element.text.startswith("client:"):
            tag = "Client"
        bare = element.text.removeprefix("client:")
        nouns = [Element(tag, {}, bare, line=element.line, column=element.column)]
    if len(nouns) > NOUN_LIMIT:
        session.warn(13215, f"<Dial> has {len(nouns)} nouns; only the first {NOUN_LIMIT} are called")
    if not nouns:
        session.warn(13223, f"{element.place}: <Dial> names nobody")
    found = [_target(noun, attributes, session, from_) for noun in nouns[:NOUN_LIMIT]]
    return [target for target in found if target is not None]


def _target(noun: Element, dial: Attributes, session: Stage, from_: str) -> Target | None:
    attributes = read_attributes(noun, NOUNS[noun.tag], session.warn)
    for child in noun.children:
        if child.tag not in _CHILDREN[noun.tag]:
            session.warn(
                12200, f"{child.place}: <{child.tag[:60]}> may not stand in <{noun.tag}>; it is ignored"
            )
    verdict = None
    if attributes.get("machineDetection"):
        session.warn(12200, f"{noun.place}: {detection.NOT_BUILT}")
        told = session.callback_url(attributes["amdStatusCallback"], 11100)
        verdict = Callback(url=told or "", method=attributes["amdStatusCallbackMethod"], events=[])
    callbacks = []
    callback = session.callback_url(attributes["statusCallback"], 11100)
    if callback is not None:
        callbacks.append(
            Callback(
                url=callback,
                method=attributes["statusCallbackMethod"],
                events=attributes["statusCallbackEvent"],
            )
        )
    whisper = None
    if attributes["url"]:
        try:
            whisper = Source(url=session.resolve(attributes["url"]), method=attributes["method"])
        except Refused as refusal:
            session.warn(refusal.code, refusal.message)
    found = [
        Target(
            way.uri,
            from_,
            Plan(
                timeout=dial["timeout"],
                time_limit=session.board.settings.time_limit,
                send_digits=attributes.get("sendDigits"),
                username=way.username,
                password=way.password,
                headers=[list(header) for header in way.headers],
                callbacks=callbacks,
                machine_detection=verdict is not None,
                detection_callback=verdict,
                transfers=bool(dial["referUrl"]),
            ),
            whisper,
        )
        for way in _ways(noun, attributes, session)
    ]
    if not found:
        return None
    found[0].instead = found[1:]
    return found[0]


def _ways(noun: Element, attributes: Attributes, session: Stage) -> list[sip_noun.Way]:
    if noun.tag == "Sip":
        return sip_noun.ways(noun, attributes, session.warn)
    if noun.tag == "Client":
        identity = next((child.text for child in noun.children if child.tag == "Identity"), noun.text)
        address = f"client:{identity}"
        if numbers.is_client(address):
            given = [(f"X-{name}", value) for name, value in parameters(noun, session.warn)]
            headers = sip_noun.checked(given, lambda code, why: session.warn(code, f"{noun.place}: {why}"))
            return [sip_noun.Way(address, None, None, headers)]
        session.warn(12200, f"{noun.place}: <Client> needs an identity of at most 256 characters")
        return []
    number, code = dialled(noun.text, session)
    if code is None:
        return [sip_noun.Way(number, None, None, [])]
    session.warn(code, f"{noun.place}: {noun.text[:60]!r} {REASONS[code]}")
    return []


def dialled(text: str, session: Stage) -> tuple[str, int | None]:
    """The number that is to be dialled, and the code when it may not be called (:data:`REASONS`)."""
    refuse, ours = session.board.settings.refuse, session.board.settings.ours
    number = numbers.normal(text) or (text if numbers.is_short(text) and refuse is not None else None)
    if number is None:
        return text, 13223
    if number.startswith("+") and not possible(number) and not ours(number):
        return number, 13224
    code = refuse(number, session.call.account_sid) if refuse is not None else None
    return number, None if code is None else _REFUSALS.get(code, 13224)
