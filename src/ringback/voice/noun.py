"""The nouns of ``<Dial>``: Number, Sip, Client (twiml.md §5.1). Conference and Queue come later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ringback.kernel.errors import Refused
from ringback.voice import numbers
from ringback.voice.plan import EVENTS, Callback, Plan
from ringback.voice.twiml import Element
from ringback.voice.verb import (
    Attribute,
    Attributes,
    Source,
    choice,
    keys,
    read_attributes,
    text,
    words,
)

if TYPE_CHECKING:
    from ringback.voice.session import Session

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
    name: Attribute(text)
    for name in (
        "machineDetection", "machineDetectionTimeout", "machineDetectionSpeechThreshold",
        "machineDetectionSpeechEndThreshold", "machineDetectionSilenceTimeout", "amdStatusCallback",
        "amdStatusCallbackMethod",
    )
}  # fmt: skip
_NOUNS: Final = {
    "Number": {
        **_COMMON,
        **_DETECTION,
        "sendDigits": Attribute(keys(r"[0-9A-D#*wW]{1,64}"), None, 13222),
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


@dataclass(slots=True)
class Target:
    """One leg to be made."""

    to: str
    from_: str
    plan: Plan
    whisper: Source | None


def targets(element: Element, attributes: Attributes, session: Session, from_: str) -> list[Target]:
    """Whom to call; everything unusable is warned of and left out."""
    nouns = [child for child in element.children if child.tag in _NOUNS]
    if not nouns and element.text:
        tag = "Sip" if element.text.startswith(("sip:", "sips:")) else "Number"
        nouns = [Element(tag, {}, element.text, line=element.line)]
    if len(nouns) > NOUN_LIMIT:
        session.warn(13215, f"<Dial> has {len(nouns)} nouns; only the first {NOUN_LIMIT} are called")
    found = [_target(noun, attributes, session, from_) for noun in nouns[:NOUN_LIMIT]]
    if not nouns:
        session.warn(13223, f"line {element.line}: <Dial> names nobody")
    return [target for target in found if target is not None]


def _target(noun: Element, dial: Attributes, session: Session, from_: str) -> Target | None:
    attributes = read_attributes(noun, _NOUNS[noun.tag], session.warn)
    to = _address(noun, session)
    if to is None:
        return None
    plan = Plan(timeout=dial["timeout"], time_limit=session.board.settings.time_limit)
    plan.send_digits = attributes.get("sendDigits")
    plan.username, plan.password = attributes.get("username"), attributes.get("password")
    if attributes.get("machineDetection"):
        session.warn(12200, f"line {noun.line}: machineDetection is not available yet")
    callback = session.callback_url(attributes["statusCallback"], 11100)
    if callback is not None:
        plan.callbacks = [
            Callback(
                url=callback,
                method=attributes["statusCallbackMethod"],
                events=attributes["statusCallbackEvent"],
            )
        ]
    whisper = None
    if attributes["url"]:
        try:
            whisper = Source(url=session.resolve(attributes["url"]), method=attributes["method"])
        except Refused as refusal:
            session.warn(refusal.code, refusal.message)
    return Target(to, from_, plan, whisper)


def _address(noun: Element, session: Session) -> str | None:
    where = f"line {noun.line}"
    if noun.tag == "Client":
        identity = next((child.text for child in noun.children if child.tag == "Identity"), noun.text)
        address = f"client:{identity}"
        if numbers.is_client(address):
            return address
        session.warn(12200, f"{where}: <Client> needs an identity of at most 256 characters")
    elif noun.tag == "Sip":
        uri = next((child.text for child in noun.children if child.tag == "Uri"), noun.text)
        address, headers = numbers.split_headers(uri)
        if numbers.is_sip(uri) and len(address) <= 255 and len(headers) <= numbers.SIP_HEADERS_LIMIT:
            return uri
        session.warn(13243, f"{where}: {uri[:100]!r} is no SIP URI")
    else:
        number = numbers.normal(noun.text)
        if number is not None and numbers.possible(number):
            return number
        session.warn(13223, f"{where}: {noun.text[:60]!r} is no phone number; write it as +15551234567")
    return None
