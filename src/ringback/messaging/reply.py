"""What a document answers to a message: ``<Message>`` and ``<Redirect>`` (``<Sms>`` is its old name)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urldefrag, urljoin

from ringback.events import DocumentFetched
from ringback.kernel.errors import Refused
from ringback.kernel.fields import http_url

MOST: Final = 30
"""Messages of one document."""
MESSAGE: Final = ("Message", "Sms")
_KNOWN: Final = frozenset({"to", "from", "action", "method", "statusCallback"})


@dataclass(slots=True, kw_only=True)
class Reply:
    """One ``<Message>``."""

    body: str
    media: list[str] = field(default_factory=list)
    to: str = ""
    """Empty: to whoever wrote."""
    from_: str = ""
    """Empty: from the number that they wrote to."""
    status_callback: str = ""
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Redirect:
    """``<Redirect>``: the document that goes on."""

    url: str
    method: str


@dataclass(slots=True)
class Document:
    """What was read."""

    replies: list[Reply] = field(default_factory=list)
    onward: Redirect | None = None
    warnings: list[tuple[int, str]] = field(default_factory=list)


def read(elements: Callable[[bytes, str], Sequence[Any]], answer: DocumentFetched) -> Document:
    """Read an answer; nothing in it is no reply, plain text is one. Raises ``Refused`` for what cannot be run."""
    found = Document()
    if not answer.body.strip():
        return found
    kind = answer.content_type.partition(";")[0].strip().lower()
    for element in elements(answer.body, answer.content_type):
        if kind == "text/plain" and element.line == 0:
            found.replies.append(Reply(body=element.text))
        elif element.tag in MESSAGE:
            if len(found.replies) == MOST:
                found.warnings.append((14109, f"A document has at most {MOST} messages ({element.place})"))
                break
            found.replies.append(_message(element, answer.url, found))
        elif element.tag == "Redirect":
            method = _method(element, found)
            found.onward = Redirect(_url(answer.url, element.text, 11100), method)
            break
        else:
            found.warnings.append(
                (12200, f"<{element.tag[:40]}> at {element.place} is no verb of messages; it is ignored")
            )
    return found


def _message(element: Any, base: str, found: Document) -> Reply:
    attributes = element.attributes
    for name in sorted(attributes.keys() - _KNOWN):
        found.warnings.append((12200, f"<Message> has no attribute {name[:40]!r} ({element.place})"))
    parts = [child.text for child in element.children if child.tag == "Body"]
    media = [
        _url(base, child.text, 21620) for child in element.children if child.tag == "Media" and child.text
    ]
    for child in element.children:
        if child.tag not in ("Body", "Media"):
            found.warnings.append(
                (12200, f"<{child.tag[:40]}> does not belong into <Message> ({child.place})")
            )
    reply = Reply(
        body="\n".join(parts) if parts else element.text, media=media, to=attributes.get("to", "").strip(),
        from_=attributes.get("from", "").strip(),
    )  # fmt: skip
    if attributes.get("statusCallback"):
        reply.status_callback = _callback(base, attributes["statusCallback"], element, found, 14105)
    if attributes.get("action"):
        url = _callback(base, attributes["action"], element, found, 14105)
        if url:
            reply.params = {"Action": url, "ActionMethod": _method(element, found)}
    return reply


def _callback(base: str, text: str, element: Any, found: Document, code: int) -> str:
    try:
        return _url(base, text, code)
    except Refused as refusal:
        found.warnings.append((code, f"{refusal.message} ({element.place}); nobody is told"))
        return ""


def _method(element: Any, found: Document) -> str:
    method = str(element.attributes.get("method", "POST")).strip().upper()
    if method in ("GET", "POST"):
        return method
    found.warnings.append(
        (14104, f"method {method[:20]!r} is neither GET nor POST ({element.place}); POST is used")
    )
    return "POST"


def _url(base: str, text: str, code: int) -> str:
    try:
        return http_url(urljoin(urldefrag(base).url, text.strip()))
    except ValueError:
        raise Refused(code, f"{text.strip()[:200]!r} is no http or https URL") from None
