"""What simulated parties hear of audio items: kind, text and length, without any audio. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from ringback.effects import AudioItem, Keys, Silence, Sound, Speech, Tone

WORDS_PER_SECOND = 2.8
SHORTEST = 0.4
_TAG = re.compile(r"<[^>]*>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


class Piece(NamedTuple):
    """One thing heard; ``seconds`` None means without end, and ``url`` that it must be asked for."""

    kind: str
    text: str
    seconds: float | None
    url: str = ""


def plain_text(text: str) -> str:
    """SSML children as the words that are spoken."""
    bare = _TAG.sub(" ", text)
    for entity, character in _ENTITIES.items():
        bare = bare.replace(entity, character)
    return " ".join(bare.split())


def speech_seconds(text: str) -> float:
    """How long a text takes: 2.8 words a second, 0.4 s at least."""
    return max(SHORTEST, len(text.split()) / WORDS_PER_SECOND)


def keys_seconds(digits: str) -> float:
    """How long keys take: 0.2 s each, w 0.5 s, W 1 s."""
    return sum({"w": 0.5, "W": 1.0}.get(key, 0.2) for key in digits)


def piece(item: AudioItem) -> Piece:
    """What is heard of an item."""
    if isinstance(item, Speech):
        text = plain_text(item.text) if item.ssml else " ".join(item.text.split())
        return Piece("say", text, speech_seconds(text))
    if isinstance(item, Sound):
        return Piece("play", item.url, 0.0, item.url)
    if isinstance(item, Silence):
        return Piece("silence", f"{item.seconds:g} s", item.seconds)
    if isinstance(item, Keys):
        return Piece("digits", item.digits, keys_seconds(item.digits))
    assert isinstance(item, Tone)
    kind = item.name.partition("-")[0]
    seconds = {"hold": None, "ringback": 6.0, "busy": 1.0}.get(kind, 0.5)
    return Piece(kind if kind in ("hold", "ringback", "busy") else "beep", item.name, seconds)
