"""From what a document says to sentences that the voice can say (pure).

The voice garbles digits with dashes (speech.md), so numbers, phone numbers and ``<say-as>`` are spelled out
before it sees them; ``<break>`` becomes silence, what the voice cannot do (emphasis, pitch) is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

LONGEST = 300
"""Characters of one sentence; longer ones are cut at a comma or a space so that audio starts early."""

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LETTERS = {
    "+": "plus", "*": "star", "#": "pound", ".": "point", "-": "dash", "@": "at", "_": "underscore", "/": "slash",
}  # fmt: skip
_PHONE = re.compile(r"(?<![\w.,])\+?\(?\d[\d() .-]{5,18}\d(?!\w)")
_LONG_NUMBER = re.compile(r"\d{7,}")
_END = re.compile(r"(?<=[.!?…:;])\s+|\n{2,}")
_UNSAYABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What XML and UTF-8 cannot hold; nobody can hear it either."""
_STRENGTH = {"none": 0.0, "x-weak": 0.1, "weak": 0.25, "medium": 0.5, "strong": 0.75, "x-strong": 1.2}
_RATE = {"x-slow": 0.6, "slow": 0.8, "medium": 1.0, "fast": 1.25, "x-fast": 1.5}


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something to be said."""

    text: str
    language: str
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Break:
    """A pause in seconds."""

    seconds: float


Part = Sentence | Break


def digits(text: str) -> str:
    """Every digit as a word, in groups as written: ``555-0192`` → ``five five five, zero one nine two``."""
    groups = re.findall(r"\d+|\+", text)
    spoken = ["plus" if group == "+" else " ".join(_word(one) for one in group) for group in groups]
    return ", ".join(spoken).replace("plus,", "plus")


def characters(text: str) -> str:
    """Every character by its name."""
    return " ".join(
        _word(one) if one.isdecimal() else _LETTERS.get(one, one) for one in text if not one.isspace()
    )


def plain(text: str) -> str:
    """Spell out what the voice would garble."""
    text = _PHONE.sub(lambda found: digits(found[0]) if _count(found[0]) >= 7 else found[0], text)
    # Numbers glued to letters, points or currency signs: apart, so that the words do not run into them.
    text = _LONG_NUMBER.sub(lambda found: f" {digits(found[0])} ", text)
    text = re.sub(r"#(?=[\s.,;:!?]|$)", " pound", text)
    return re.sub(r"[^\S\n]+", " ", text.replace("*", " star ").replace("&", " and ")).strip()


def parts(text: str, language: str, *, ssml: bool = False) -> list[Part]:
    """All that is to be heard, in order. SSML that cannot be read is said as plain text, without its tags.

    Never raises, whatever the text holds; no sentence is longer than :data:`LONGEST`.
    """
    text = _UNSAYABLE.sub(" ", text)
    if not ssml:
        return list(_sentences(plain(text), language, 1.0))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(f"<speak>{text}</speak>".encode(), parser)
    except etree.XMLSyntaxError:
        return list(_sentences(plain(re.sub(r"<[^<>]*>", " ", text)), language, 1.0))
    return list(_joined(_walk(root, language, 1.0)))


def _walk(node: etree._Element, language: str, speed: float) -> Iterator[Part]:
    """The parts of an element and its children, without its tail."""
    tag = node.tag if isinstance(node.tag, str) else ""
    if tag == "break":
        yield Break(_break_seconds(node))
        return
    if tag == "sub" and node.get("alias"):
        yield Sentence(plain(node.get("alias", "")), language, speed)
        return
    if tag == "say-as":
        yield Sentence(_say_as("".join(str(one) for one in node.itertext()), node), language, speed)
        return
    if tag == "prosody":
        speed = min(2.0, max(0.5, speed * _rate(node.get("rate", ""))))
    if tag == "lang":
        language = node.get("{http://www.w3.org/XML/1998/namespace}lang") or language
    if node.text:
        yield Sentence(plain(node.text), language, speed)
    for child in node:
        yield from _walk(child, language, speed)
        if child.tail:
            yield Sentence(plain(child.tail), language, speed)
    if tag in ("p", "s"):
        yield Break(0.4 if tag == "p" else 0.2)


def _joined(found: Iterator[Part]) -> Iterator[Part]:
    """Join neighbours of one language and speed, then cut them into sentences."""
    text, like = "", Sentence("", "")
    for part in found:
        if isinstance(part, Sentence) and (part.language, part.speed) == (like.language, like.speed):
            text = f"{text} {part.text}"
            continue
        yield from _sentences(text, like.language, like.speed)
        text = ""
        if isinstance(part, Break):
            like = Sentence("", "")
            yield part
        else:
            text, like = part.text, part
    yield from _sentences(text, like.language, like.speed)


def _sentences(text: str, language: str, speed: float) -> Iterator[Sentence]:
    # An element between a word and its comma leaves a space there, which the voice would pause at.
    for piece in _END.split(re.sub(r"\s+(?=[,.!?;:](?:\s|$))", "", text)):
        rest = " ".join(piece.split())
        while len(rest) > LONGEST:
            comma, space = rest.rfind(", ", 0, LONGEST), rest.rfind(" ", 0, LONGEST)
            cut = comma + 1 if comma > LONGEST // 3 else space if space > 0 else LONGEST
            yield from _audible(rest[:cut].strip(), language, speed)
            rest = rest[cut:].strip()
        yield from _audible(rest, language, speed)


def _audible(text: str, language: str, speed: float) -> Iterator[Sentence]:
    """The sentence, unless nothing in it can be said."""
    if any(one.isalnum() for one in text):
        yield Sentence(text, language, speed)


def _say_as(text: str, node: etree._Element) -> str:
    kind = node.get("interpret-as", "")
    if kind in ("digits", "telephone"):
        return digits(text)
    if kind in ("characters", "spell-out", "verbatim"):
        return characters(text)
    return plain(text)


def _break_seconds(node: etree._Element) -> float:
    time = node.get("time", "")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", time)
    if found:
        return min(10.0, float(found[1]) / (1000 if found[2] == "ms" else 1))
    return _STRENGTH.get(node.get("strength", "medium"), 0.5)


def _rate(text: str) -> float:
    """The factor of a ``rate``: a word, a percentage of normal, or one with a sign (relative to normal)."""
    found = re.fullmatch(r"([+-]?)(\d{1,4}(?:\.\d{1,4})?)%", text.strip())
    if found is None:
        return _RATE.get(text, 1.0)
    share = float(found[2]) / 100
    return 1.0 + share if found[1] == "+" else 1.0 - share if found[1] == "-" else share


def _word(digit: str) -> str:
    """The name of a digit of any script."""
    return _DIGITS[int(digit)]


def _count(text: str) -> int:
    return sum(one.isdecimal() for one in text)
