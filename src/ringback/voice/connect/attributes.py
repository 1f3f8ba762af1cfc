"""The attributes of ``<Conversation>``, read strictly: a bad one ends the session (connect-conversation.md §2)."""

from __future__ import annotations

import re
from typing import Any, Final

from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.voice import urls
from ringback.voice.stage import Stage
from ringback.voice.twiml import Element
from ringback.voice.verb import Attribute, Attributes, boolean, choice, method, whole

CODE: Final = 32501
LONGEST: Final = 86400
"""Seconds of the two time limits."""
STATUSES: Final = ("call-initiated", "call-ringing", "call-answered", "call-completed")


def service(value: str) -> str:
    """SID of a Conversations service, ``IS…``."""
    sid = value[:2] + value[2:].lower()
    if not is_sid(sid, "IS"):
        raise ValueError(value)
    return sid


def absolute(value: str) -> str:
    """An absolute ``http`` or ``https`` URL."""
    if value and not urls.is_web(value):
        raise ValueError(value)
    return value


def link(value: str) -> str:
    """An ``http`` or ``https`` URL, absolute or relative to the document."""
    if len(value) > urls.LIMIT:
        raise ValueError(value)
    return value


def events(*allowed: str) -> Any:
    """A space-separated list of some words, each once."""

    def read(value: str) -> list[str]:
        found = [
            f"call-{word}" if word == _ALIAS and STATUSES[-1] in allowed else word for word in value.split()
        ]
        if not found or any(word not in allowed for word in found):
            raise ValueError(value)
        return list(dict.fromkeys(found))

    read.__doc__ = f"Some of {', '.join(f'``{word}``' for word in allowed)}, separated by blanks."
    return read


_ALIAS: Final = "completed"
"""Taken for ``call-completed`` with a warning: the published table of defaults says so (C4)."""

ATTRIBUTES: Final = {
    "serviceInstanceSid": Attribute(service, None, CODE),
    "inboundAutocreation": Attribute(boolean, True, CODE),
    "routingAssignmentTimeout": Attribute(whole(1, LONGEST), 5, CODE),
    "inboundTimeout": Attribute(whole(1, LONGEST), 60, CODE),
    "record": Attribute(
        choice(
            "do-not-record", "record-from-answer", "record-from-ringing", "record-from-answer-dual",
            "record-from-ringing-dual", "true", "false",
        ),
        "do-not-record",
        CODE,
    ),
    "trim": Attribute(choice("trim-silence", "do-not-trim"), "do-not-trim", CODE),
    "recordingStatusCallback": Attribute(absolute, None, CODE),
    "recordingStatusCallbackMethod": method(CODE),
    "recordingStatusCallbackEvent": Attribute(
        events("in-progress", "completed", "absent"), ["completed"], CODE
    ),
    "statusCallback": Attribute(link, None, CODE),
    "statusCallbackMethod": method(CODE),
    "statusCallbackEvent": Attribute(events(*STATUSES), ["call-completed"], CODE),
    "url": Attribute(link, None, CODE),
    "method": method(CODE),
}  # fmt: skip
"""Of ``<Conversation>``; only ``serviceInstanceSid`` is required."""
LINKS: Final = ("statusCallback", "url")
RECORD: Final = {"true": "record-from-answer", "false": "do-not-record"}


def strict(noun: Element, session: Stage) -> Attributes | None:
    """Values by name, links resolved; None when one of them cannot be used (told of with 32501). Unknown names are
    warned of and ignored."""
    found: Attributes = {name: attribute.default for name, attribute in ATTRIBUTES.items()}
    good = True
    for name, written in noun.attributes.items():
        attribute = ATTRIBUTES.get(name)
        if attribute is None:
            session.warn(12200, f"{noun.place}: <{noun.tag}> has no attribute {name[:60]!r}; it is ignored")
            continue
        try:
            found[name] = _read(name, written.strip(), attribute, session)
        except (ValueError, Refused):
            meaning = " ".join((attribute.read.__doc__ or "").replace("``", "").split())
            session.warn(CODE, f"{noun.place}: {name}={written[:80]!r}; write this: {meaning}")
            good = False
    if "serviceInstanceSid" not in noun.attributes:
        session.warn(CODE, f"{noun.place}: serviceInstanceSid is missing: the IS… of a Conversations service")
        good = False
    if re.search(rf"(?<!\S){_ALIAS}(?!\S)", noun.attributes.get("statusCallbackEvent", "")):
        session.warn(12200, f"{noun.place}: statusCallbackEvent: {_ALIAS} is read as call-{_ALIAS}")
    found["record"] = RECORD.get(found["record"], found["record"])
    return found if good else None


def _read(name: str, written: str, attribute: Attribute, session: Stage) -> Any:
    value = attribute.read(written)
    return session.resolve(value) if name in LINKS and value else value
