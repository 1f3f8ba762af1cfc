"""Reads a TwiML document, however hostile, into a small tree (twiml.md §1).

No DTD, no entities, no network; at most 64 KB, 12 levels, 1000 elements, 64 attributes an element.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from lxml import etree

from ringback.events import DocumentFetched

SIZE_LIMIT: Final = 64 * 1024
DEPTH_LIMIT: Final = 12
ELEMENT_LIMIT: Final = 1000
ATTRIBUTE_LIMIT: Final = 64
CACHED_SIZE: Final = 4096
"""Bytes up to which a document that was read before is not read again: applications repeat theirs."""
XML_TYPES: Final = frozenset({"text/xml", "application/xml", "text/html", "application/xhtml+xml"})


class TwimlError(Exception):
    """A document that cannot be run; ``code`` is of errors.md §3.1."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.answer: DocumentFetched | None = None
        """The answer that is at fault, when one came or was waited for."""


@dataclass(slots=True)
class Element:
    """One element: a verb, a noun or a child of these."""

    tag: str
    attributes: dict[str, str]
    text: str
    """Its own text, trimmed."""
    children: list[Element] = field(default_factory=list)
    line: int = 0
    column: int = 0
    """Both from 1; 0 for an element that stands in no document."""
    inner: str = ""
    """The content serialised (mixed text and children), for SSML."""

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"line {self.line}, column {self.column}"


def read(body: bytes, content_type: str = "text/xml") -> list[Element]:
    """The children of ``<Response>``, in order; other content becomes what is run in its place.

    Audio types have no body here: see :func:`is_audio`. Raises :class:`TwimlError`.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if len(body) > SIZE_LIMIT:
        raise TwimlError(11750, f"The document has {len(body)} bytes; {SIZE_LIMIT} is the limit")
    if not body.strip():
        raise TwimlError(11770, "The answer is empty: send at least <Response/>")
    if kind == "text/plain":
        try:
            return _elements(body)
        except TwimlError:
            return [Element("Say", {}, body.decode("utf-8", "replace").strip())]
    if kind and kind not in XML_TYPES:
        raise TwimlError(12300, f"Content-Type {kind[:80]!r} is no TwiML: answer with text/xml")
    return _elements(body)


def is_audio(content_type: str) -> bool:
    """Whether an answer is a sound to be played (then the call ends)."""
    return content_type.strip().lower().startswith("audio/")


def _elements(body: bytes) -> list[Element]:
    return list(_known(body)) if len(body) <= CACHED_SIZE else _parse(body)


@functools.lru_cache(512)
def _known(body: bytes) -> tuple[Element, ...]:
    """Elements are only read by the verbs, so calls may share them."""
    return tuple(_parse(body))


_PARSER: Final = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True,
    remove_pis=True, dtd_validation=False, attribute_defaults=False, recover=False,
)  # fmt: skip
"""Made once: that takes longer than to read a document."""


def _parse(body: bytes) -> list[Element]:
    text = body.removeprefix(b"\xef\xbb\xbf")
    if text[:1].isspace() and text.lstrip().startswith(b"<?xml"):
        raise TwimlError(12100, "White space stands before the XML declaration")
    version = _version(text)
    if version not in ("", "1.0"):
        raise TwimlError(12101, f"XML version {version[:20]!r} is not 1.0")
    try:
        root = etree.fromstring(text, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise TwimlError(12100, f"The XML is not well-formed: {str(error)[:300]}") from None
    if b"<!DOCTYPE" in text or root.getroottree().docinfo.internalDTD is not None:
        raise TwimlError(12100, "A DOCTYPE is not allowed")
    if root.tag != "Response":
        raise TwimlError(12102, f"The root element is {str(root.tag)[:60]!r}, not Response")
    places = positions(text)
    next(places, None)  # the root
    counter = [0]
    return [_element(child, 1, counter, places) for child in root if isinstance(child.tag, str)]


def positions(document: bytes) -> Iterator[tuple[int, int]]:
    """Line and column (from 1) of every start tag, in document order.

    lxml tells lines only, so expat reads the document once more. It comes after lxml's check, and a
    document type or an entity declaration ends it.
    """
    found: list[tuple[int, int]] = []
    parser = expat.ParserCreate()

    def started(*_: object) -> None:
        found.append((parser.CurrentLineNumber, parser.CurrentColumnNumber + 1))

    def declared(*_: object) -> None:
        raise TwimlError(12100, "A DOCTYPE is not allowed")

    parser.StartElementHandler = started
    parser.StartDoctypeDeclHandler = declared
    parser.EntityDeclHandler = declared
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        # The two readers disagree (an encoding that only libxml2 knows): such a document is not run.
        raise TwimlError(12100, f"The XML is not well-formed: {str(error)[:300]}") from None
    finally:  # they hold the parser, and it holds them
        parser.StartElementHandler = parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = None
    return iter(found)


def _version(text: bytes) -> str:
    if not text.startswith(b"<?xml"):
        return ""
    declaration = text[: text.find(b"?>") + 2]
    for quote in (b'"', b"'"):
        _, found, rest = declaration.partition(b"version=" + quote)
        if found:
            return rest.partition(quote)[0].decode("latin-1")
    return ""


def _element(
    node: etree._Element, depth: int, counter: list[int], places: Iterator[tuple[int, int]]
) -> Element:
    counter[0] += 1
    if depth > DEPTH_LIMIT or counter[0] > ELEMENT_LIMIT:
        raise TwimlError(12100, f"More than {DEPTH_LIMIT} levels or {ELEMENT_LIMIT} elements")
    if len(node.attrib) > ATTRIBUTE_LIMIT:
        raise TwimlError(12100, f"An element has more than {ATTRIBUTE_LIMIT} attributes")
    children = [child for child in node if isinstance(child.tag, str)]
    own = (node.text or "") + "".join(child.tail or "" for child in node)
    inner = own
    if children:
        inner = (node.text or "") + "".join(etree.tostring(child, encoding="unicode") for child in node)
    line, column = next(places, (0, 0))  # before the children: document order
    return Element(
        tag=str(node.tag),
        attributes={str(name): str(value) for name, value in node.attrib.items()},
        text=own.strip(),
        children=[_element(child, depth + 1, counter, places) for child in children],
        line=line,
        column=column,
        inner=inner.strip(),
    )
